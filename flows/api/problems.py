"""What each error is for who asks over HTTP or in a terminal: a status, a title, the sentence, an exit status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flows.api.views.view import View
from flows.errors import (
    DeclarationError,
    FlowsError,
    Forbidden,
    HostUnable,
    JobExists,
    JobGone,
    MissingExtra,
    NothingThere,
    PayloadTooLarge,
    QueryChanged,
    QuerySyntaxError,
    StateError,
    StoreError,
    StoreFull,
    StoreUnavailable,
    TooManyRequests,
    ValidationError,
    WaitTimeout,
)
from flows.model.runs.errors import UnknownWorkflow
from flows.model.schedules.errors import UnknownSchedule
from flows.model.tree.errors import InstanceGone, TaskNotReady, TreeBusy, UnknownGenerator, UnknownPath

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.errors import Fault

#: After so many seconds it is worth to ask again whether the server is back.
_BACK: Final = 1.0
#: The first row that fits: a kind of error, the status of HTTP, and the exit status of a command.
_ROWS: Final[tuple[tuple[type[FlowsError], int, int], ...]] = (
    (Forbidden, 403, 2),
    (JobGone, 404, 3),
    (NothingThere, 404, 3),
    (UnknownWorkflow, 404, 3),
    (UnknownSchedule, 404, 3),
    (InstanceGone, 404, 3),
    (UnknownPath, 404, 3),
    (UnknownGenerator, 404, 3),
    (WaitTimeout, 408, 5),
    (StateError, 409, 2),
    (JobExists, 409, 2),
    (TaskNotReady, 409, 2),
    (TreeBusy, 409, 2),
    (QueryChanged, 409, 2),
    (PayloadTooLarge, 413, 2),
    (ValidationError, 422, 2),
    (DeclarationError, 422, 2),
    (TooManyRequests, 429, 2),
    (MissingExtra, 501, 2),
    (StoreFull, 503, 2),
    (StoreUnavailable, 503, 2),
    (HostUnable, 503, 2),
    (StoreError, 502, 2),
)


class FaultView(View):
    """A value within params that is refused."""

    place: list[str | int]
    """Where it stands: names of members, and numbers of items from 0 on."""
    message: str


class Problem(View):
    """An error, as RFC 9457 has it, and what a command ends with."""

    type: str
    """The name of the error's class."""
    title: str
    """What errors of this class mean, in one sentence."""
    status: int
    """Of HTTP."""
    detail: str
    """The sentence of this error: what was wrong, and what to do."""
    exit_status: int
    """Of a command: 2 for what was refused or cannot be done, 3 where nothing is there, 5 where time is over."""
    errors: list[FaultView] | None = None
    """Of params: each value that is refused."""
    position: int | None = None
    """Of the text of a query: where it cannot be read."""
    retry_after: float | None = None
    """After so many seconds it can be tried again."""

    def plain(self) -> dict[str, Any]:
        """Return it as the JSON of `application/problem+json`."""
        return self.model_dump(mode="json", exclude_none=True, exclude={"exit_status"})


def problem_of(error: BaseException) -> Problem:
    """Return what an error is; what is none of flows' own is a 500 that tells nothing but that."""
    if not isinstance(error, FlowsError):
        return Problem(
            type="InternalError", title="Something broke.", status=500, detail="it is in the log", exit_status=2
        )
    away = _BACK if isinstance(error, StoreUnavailable) else None
    status, exit_status = next((row[1:] for row in _ROWS if isinstance(error, row[0])), (500, 2))
    return Problem(
        type=type(error).__name__,
        title=(type(error).__doc__ or "").strip().partition("\n")[0],
        status=status,
        detail=str(error),
        exit_status=exit_status,
        errors=_faults(error.faults) if isinstance(error, ValidationError) and error.faults else None,
        position=error.position if isinstance(error, QuerySyntaxError) else None,
        retry_after=error.retry_after if isinstance(error, TooManyRequests) else away,
    )


def _faults(faults: Sequence[Fault]) -> list[FaultView]:
    return [FaultView(place=list(one.place), message=one.message) for one in faults]

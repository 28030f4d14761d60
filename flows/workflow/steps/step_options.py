"""`StepOptions`: what a step is given beside its name, in the place of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any, Generic, TypeVar

from flows.errors import DeclarationError
from flows.model.duration import Duration, OptionalDuration, check_duration
from flows.model.retries import Retries
from flows.model.runs.step_record import check_step_name

ReturnedT = TypeVar("ReturnedT")


@dataclass(frozen=True)
class StepOptions(Generic[ReturnedT]):
    """A step's name, and how its function is called.

    Args:
        name: As the step is known in its run: 1 to 200 printable characters.
        timeout: So long may each try take, in seconds or as a timedelta; None: as long as it likes. One that takes
            longer is cancelled (a plain function runs on in its thread, unheard), and counts as a TimeoutError.
        retries: How its function is tried again when it fails; None: it is not.
        undo: Called with what the step returned, if the run fails or is cancelled later on: in reverse order of
            the steps' ends, and tried five times.
        returns: The type of what the function returns, where it has no annotation of its own.

    Raises ValidationError or DeclarationError where one of them cannot be used.
    """

    name: str
    _: KW_ONLY
    timeout: OptionalDuration = Duration(None)  # noqa: RUF009
    retries: Retries | None = None
    undo: Callable[[ReturnedT], Awaitable[object] | object] | None = None
    returns: Any = None

    def __post_init__(self) -> None:
        """Check the name, the time and the functions."""
        check_step_name(self.name)
        if self.timeout is not None:
            check_duration(f"step {self.name!r}: timeout", self.timeout)
        if self.retries is not None and not isinstance(self.retries, Retries):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DeclarationError(f"step {self.name!r}: retries={self.retries!r:.80}: give flows.Retries(…)")
        if self.undo is not None and not callable(self.undo):
            raise DeclarationError(f"step {self.name!r}: undo={self.undo!r:.80} cannot be called: give the function")


class OwnOptions(StepOptions[Any]):
    """Those of a step of the library's own, which has a name that no other may have."""

    def __post_init__(self) -> None:
        """Check nothing."""


def options_of(name: object) -> StepOptions[Any]:
    """Return what stands in the place of a step's name as options.

    Raises:
        ValidationError: it is neither options nor a name that a step may have.
    """
    if isinstance(name, StepOptions):
        return name  # pyright: ignore[reportUnknownVariableType]
    # Most steps have a name alone: there is nothing else to check, and the other defaults stand in the class.
    options: StepOptions[Any] = object.__new__(StepOptions)  # pyright: ignore[reportUnknownVariableType]
    options.__dict__.update(name=check_step_name(name), timeout=None)
    return options

"""What a workflow is declared with, checked at `define`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, TypedDict

from flows.errors import DeclarationError
from flows.model.duration import Duration, OptionalDuration, check_duration
from flows.model.limits.bounds import MOST_TOKENS, is_whole
from flows.model.limits.declared import declared_rules
from flows.model.limits.limiter import Limiter
from flows.model.limits.slots import Slots
from flows.model.names import FIELD, check_name, check_not_own
from flows.model.option_checks import check_list
from flows.model.retention import Retention
from flows.model.retries import Retries
from flows.model.runs.new_run import BY_TAG, BY_WORKFLOW
from flows.model.schedules.cron import Cron
from flows.model.schedules.every import Every

if TYPE_CHECKING:
    from flows.model.limits.rules import Rules

#: The fields of a run's hash that are not its group's.
_OWN_FIELDS: Final = frozenset({"input", "output"})


class DefineOptions(TypedDict, total=False):
    """What `define` takes beside the name and `on_failure`; see `WorkflowOptions`."""

    queue: str
    max_concurrency: int | Slots | None
    slots: Literal["executing", "open"]
    retries: Retries | None
    timeout: timedelta | float | None
    lookup: Sequence[str]
    cron: Cron | Every | Sequence[Cron | Every]
    version: str | int | None
    on_change: Literal["continue", "pin", "fail"]
    retention: Retention | timedelta | float | None
    priorities: int | Sequence[float]
    group_by: str | None
    limits: Sequence[Limiter]
    max_concurrency_per_group: int | None


@dataclass(frozen=True)
class WorkflowOptions:
    """A workflow, beside its function.

    Args:
        name: The workflow's name, under which all apps of the namespace know it, and its queue's.
        queue: Which workers take its runs: those that were created for this queue.
        max_concurrency: How many of its runs execute at a time, over all workers; None: as many as workers take.
        slots: "executing": a run that waits for a time, an event or a child holds no slot; "open": it keeps its own
            from its first start to its end, whoever has a higher priority; a failed attempt gives it back.
        retries: Whether and when a run that failed is tried again; None: one attempt.
        timeout: Of the whole run from its first start, waits included; a timedelta, or seconds.
        lookup: Fields of the input by whose values runs are found.
        cron: When runs are started by themselves: a `Cron` or an `Every`, or several.
        on_failure: Called once when a run has failed for good or was cancelled, with a `Failure`.
        version: Of the code, for `on_change="pin"`.
        on_change: What becomes of a run whose recorded steps are not those of the code any more: "continue" with a
            note, "fail", or "pin": runs stay with workers of the version that began them.
        retention: How long a run that has ended is kept; None: as the app says.
        priorities: As of `QueueOptions`: a workflow is a queue.
        group_by: As of `QueueOptions`: a field of the input.
        limits: As of `QueueOptions`.
        max_concurrency_per_group: As of `QueueOptions`.

    Raises DeclarationError where one of them cannot be used.
    """

    name: str
    _: KW_ONLY
    queue: str = "default"
    max_concurrency: int | Slots | None = 1
    slots: Literal["executing", "open"] = "executing"
    retries: Retries | None = None
    timeout: OptionalDuration = Duration(None)  # noqa: RUF009 - a descriptor
    lookup: Sequence[str] = ()
    cron: Cron | Every | Sequence[Cron | Every] = ()
    on_failure: Callable[[Any], Any] | None = None
    version: str | int | None = None
    on_change: Literal["continue", "pin", "fail"] = "continue"
    retention: Duration[Retention | timedelta | float | None, Retention | timedelta | None] = Duration(None)  # noqa: RUF009
    priorities: int | Sequence[float] = 1
    group_by: str | None = None
    limits: Sequence[Limiter] = ()
    max_concurrency_per_group: int | None = None
    next_queue_priority_diff: int = field(default=0, init=False)
    shared: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        """Check the names, the times and the rules.

        Raises:
            DeclarationError: one of them cannot be used.
        """
        check_name("workflow", self.name)
        check_not_own("workflow", self.name)
        where = f"workflow {self.name!r}"
        check_name("queue", self.queue)
        if self.slots not in ("executing", "open"):
            raise DeclarationError(f'{where}: slots={self.slots!r:.80}: give "executing" or "open"')
        if self.on_change not in ("continue", "pin", "fail"):
            raise DeclarationError(f'{where}: on_change={self.on_change!r:.80}: give "continue", "pin" or "fail"')
        if self.retries is not None and not isinstance(self.retries, Retries):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DeclarationError(f"{where}: retries={self.retries!r:.80}: give a flows.Retries")
        if self.timeout is not None:
            check_duration(f"{where}: timeout", self.timeout)
        if self.on_failure is not None and not callable(self.on_failure):
            raise DeclarationError(f"{where}: on_failure={self.on_failure!r:.80}: give a function of a Failure")
        if self.retention is not None and not isinstance(self.retention, Retention):
            check_duration(f"{where}: retention", self.retention)
        self._check_version(where)
        self._check_lookups(where)
        rules = self.rules
        if rules is not None and rules.group in _OWN_FIELDS:
            raise DeclarationError(f"{where}: a run's hash has the field {rules.group!r} already: group by another one")

    @property
    def rules(self) -> Rules | None:
        """What its priorities, groups, limits and slots mean together; None where it has none of them."""
        return declared_rules(self)

    @property
    def retained(self) -> Retention | None:
        """How long its runs that have ended are kept; None: as the app says."""
        if self.retention is None or isinstance(self.retention, Retention):
            return self.retention
        return Retention(done=self.retention, failed=self.retention, cancelled=self.retention)

    @property
    def version_text(self) -> str:
        """The version as it stands in keys; empty where there is none."""
        return "" if self.version is None else str(self.version)

    def _check_version(self, where: str) -> None:
        version: object = self.version
        if version is None:
            if self.on_change == "pin":
                raise DeclarationError(f'{where}: on_change="pin" keeps runs with their version: give version= too')
        elif isinstance(version, str):
            check_name("version", version)
        elif not is_whole(version):
            raise DeclarationError(f"{where}: version={version!r:.80}: give a name, or a number up to {MOST_TOKENS:,}")

    def _check_lookups(self, where: str) -> None:
        check_list(f"{where}: lookup", self.lookup)
        for name in self.lookup:
            if not isinstance(name, str) or not FIELD.fullmatch(name):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise DeclarationError(f"{where}: lookup={name!r:.80} is no name of a field")
            if name in {BY_WORKFLOW, BY_TAG}:
                raise DeclarationError(f"{where}: every run is found by its {name} already: call the field otherwise")

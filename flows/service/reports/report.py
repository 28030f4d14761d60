"""`Report`: what is told of all jobs that ended in a window, when, and to whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, get_args
from zoneinfo import ZoneInfo

from flows.errors import DeclarationError
from flows.model.names import check_child_name
from flows.model.option_checks import check_flag
from flows.model.schedules.cron import Cron
from flows.service.reports.columns import Column, Columns
from flows.service.reports.told_job import ToldJob
from flows.service.reports.windows import MissedReports
from flows.service.transports.directory import Directory
from flows.service.transports.ending import Outcome
from flows.service.transports.mail import Mail
from flows.service.transports.transport import held_as_set
from flows.service.transports.webhook import Webhook

if TYPE_CHECKING:
    from flows.service.transports.document import Delivers

_ALL: Final[frozenset[Outcome]] = frozenset(get_args(Outcome))


@dataclass(frozen=True)
class Report:
    """A file of rows, one for each job that ended in a window; the windows follow each other without a gap.

    Needs the extra `cron`.

    Args:
        name: Its name, which no reporter of the service has.
        cron: When it is made, as `Cron` takes it: each time it tells of what ended since the time before.
        timezone: The zone of that.
        columns: By their titles: JSON pointers such as "/payload/order" into `{id, type, tenant, outcome, payload,
            result, error: {type, message}, created, ended}`, `Errors`, or functions of a `ToldJob`.
        to: Whom it is sent to: a `Mail`, which has it attached, a `Webhook` or a `Directory`.
        types: Only of jobs of these types; None: of all.
        tenants: Only of these tenants; None: of all.
        outcomes: Only of jobs that ended so.
        filter: Only of jobs of which this is true.
        missed: What becomes of times that came while no process ran: "last" makes one report over all of them, "all"
            one for each.
        send_empty: Send it when no job ended, too.

    Raises DeclarationError where one of them cannot be used, MissingExtra without the extra.
    """

    name: str
    _: KW_ONLY
    cron: str
    columns: Mapping[str, Column]
    to: Mail | Webhook | Directory
    timezone: str = "UTC"
    types: AbstractSet[str] | None = None
    tenants: AbstractSet[str] | None = None
    outcomes: AbstractSet[Outcome] = _ALL
    filter: Callable[[ToldJob], bool] | None = None
    missed: MissedReports = "last"
    send_empty: bool = False
    schedule: Cron = field(init=False, repr=False, compare=False)
    taken: Columns = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check what can be checked without a server."""
        check_child_name(self.name)
        object.__setattr__(self, "schedule", Cron(self.cron, timezone=self.timezone))
        object.__setattr__(self, "taken", Columns(self.columns))
        if not isinstance(self.to, (Mail, Webhook, Directory)):  # pyright: ignore[reportUnnecessaryIsInstance] - users' values
            raise DeclarationError(f"report {self.name!r}: to={self.to!r:.80}: give a Mail, a Webhook or a Directory")
        object.__setattr__(self, "outcomes", held_as_set("outcomes", self.outcomes, get_args(Outcome)))
        for name, value in (("types", self.types), ("tenants", self.tenants)):
            if value is not None:
                object.__setattr__(self, name, held_as_set(name, value, None))
        if not self.outcomes or self.types == frozenset() or self.tenants == frozenset():
            raise DeclarationError(f"report {self.name!r} tells of no job: give it outcomes, types and tenants")
        if self.filter is not None and not callable(self.filter):
            raise DeclarationError(f"report {self.name!r}: filter={self.filter!r:.80}: give a function of a ToldJob")
        if self.missed not in get_args(MissedReports):
            raise DeclarationError(f"report {self.name!r}: missed={self.missed!r}: give 'last' or 'all'")
        check_flag("send_empty", self.send_empty)

    @property
    def delivers(self) -> Delivers:
        """What it is sent by."""
        return self.to

    def wants(self, job: ToldJob) -> bool:
        """Return whether it tells of a job."""
        if self.types is not None and job.type not in self.types:
            return False
        return self.tenants is None or job.tenant in self.tenants

    def instant(self, ms: int) -> datetime:
        """Return an instant, on the clock of its zone."""
        return datetime.fromtimestamp(ms / 1000, UTC).astimezone(ZoneInfo(self.timezone))

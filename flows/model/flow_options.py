"""What a flow is: its name, its queues and its limits, checked when it is declared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, Final, Generic

from typing_extensions import TypeVar

from flows.errors import DeclarationError
from flows.loggers import AnyLogger, check_logger
from flows.model.duration import Duration, OptionalDuration, check_duration
from flows.model.endings.options import Endings
from flows.model.endings.outbox import Outbox
from flows.model.hooks import Hooks, check_middleware
from flows.model.job import Job
from flows.model.names import FIELD, check_name, check_namespace, check_not_own
from flows.model.option_checks import check_flag, check_list, check_number
from flows.model.queue_checks import check_queues, check_results, check_shared, warn_of_endless_cycle
from flows.model.queue_options import JobT_co, QueueOptions, walk
from flows.model.retention import DEFAULT_TTL, Retention
from flows.model.time_checks import check_times
from flows.server_url import parse_server_url

if TYPE_CHECKING:
    from collections.abc import Iterator

KeyT_co = TypeVar("KeyT_co", bound=str, covariant=True, default=str)

#: The fields of one job, or of one result, in bytes of JSON.
DEFAULT_MAX_PAYLOAD: Final = 1 << 20


@dataclass(frozen=True)
class FlowOptions(Generic[JobT_co, KeyT_co]):
    """A flow: its name, its queues in order (the first is where jobs enter), and its limits.

    Times are timedeltas, or seconds as numbers.

    Args:
        name: The flow's name; jobs are `job:<name>:<id>`.
        queues: At least one.
        lookup_attributes: Fields of Params by whose values jobs can be found.
        logger: Where the flow logs: a logger of `logging` or of structlog; the logger `flows` by default.
        namespace: Put before every key; `{tag}` keeps a flow in one slot of a cluster.
        redis_url: The server; else `FLOWS_REDIS_URL`, `REDIS_URL`, and then the embedded one.
        job_ttl: How long a job that has not ended is kept after the last thing that happened to it, 30 days by default;
            None: until it ends. A job that runs is kept for at least two leases.
        retention: How long a job that has ended is kept: one time for all, or `Retention(done=, failed=, cancelled=)`;
            by default 24 hours where it is done, 7 days where it has failed or was cancelled.
        max_payload: The most that the fields of one job, or of one result, may take, in bytes.
        lease: How long a worker owns a job without renewing, which it does four times in that.
        hang_limit: An event loop that is blocked for longer loses its leases.
        max_crashes: An isolated job, beside which its worker runs nothing, fails when its worker has died so often.
        allow_eviction: Use a server whose eviction policy drops keys, and with them jobs.
        middleware: What stands around each creation and each attempt, the outermost first: see `flows.Middleware`.
        endings: Log each job that ends, by how it ended and, where it failed, by the type of its error: see
            `flow.endings`; None: no log. Not with shared queues, where workers of other flows end its jobs.
        describe: Record the JSON schemas of Params and job classes on the server, with their docstrings and defaults,
            for forms of programs that do not have the flow's code; False leaves the schemas out.
    """

    built_in: ClassVar[bool] = False
    #: Whether other processes declare other queues of the flow: then none of theirs is missed here.
    partial: ClassVar[bool] = False

    name: str
    queues: Sequence[QueueOptions[JobT_co]]
    lookup_attributes: Sequence[KeyT_co] = ()
    _: KW_ONLY
    logger: AnyLogger | None = None
    namespace: str = ""
    redis_url: str | None = field(default=None, repr=False)
    job_ttl: OptionalDuration = Duration(DEFAULT_TTL)  # noqa: RUF009 - a descriptor
    retention: Duration[Retention | timedelta | float | None, Retention | timedelta | None] = Duration(None)  # noqa: RUF009
    max_payload: int = DEFAULT_MAX_PAYLOAD
    lease: Duration = Duration(timedelta(seconds=30))  # noqa: RUF009
    hang_limit: Duration = Duration(timedelta(minutes=10))  # noqa: RUF009
    max_crashes: int = 3
    allow_eviction: bool = False
    middleware: Sequence[Hooks] = ()
    describe: bool = True
    endings: Endings | None = None

    def __post_init__(self) -> None:
        """Check the names, the limits, and the queues against each other.

        Raises:
            DeclarationError: something cannot work; the message says what.
        """
        check_name("flow", self.name)
        if not self.built_in:
            check_not_own("flow", self.name)
        check_namespace(self.namespace)
        for what, many in (("queues", self.queues), ("lookup_attributes", self.lookup_attributes)):
            check_list(what, many)
        if self.redis_url is not None and not isinstance(self.redis_url, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DeclarationError(f"redis_url is a {type(self.redis_url).__name__}: give a str")
        check_flag("allow_eviction", self.allow_eviction)
        check_flag("describe", self.describe)
        if self.redis_url:
            parse_server_url(self.redis_url)
        check_logger(self.logger)
        if self.retention is not None and not isinstance(self.retention, Retention):
            check_duration("retention", self.retention)
        for limit in ("max_payload", "max_crashes"):
            check_number(limit, getattr(self, limit))
        check_middleware(self.middleware)
        check_queues(self.name, self.queues)
        for queue in () if self.built_in else self.queues:
            check_not_own("queue", queue.name)
        self._check_endings()
        self._check_lookups()
        self._check_collisions()
        check_results(self.queues)
        check_shared(self.name, self.queues)
        check_times(self.name, self.queues, self.job_ttl, self.retained, self.lease, self.hang_limit)
        warn_of_endless_cycle(self.name, self.queues)

    @property
    def retained(self) -> Retention:
        """How long jobs that have ended are kept."""
        if isinstance(self.retention, Retention):
            return self.retention
        if self.retention is None:
            return Retention()
        return Retention(done=self.retention, failed=self.retention, cancelled=self.retention)

    @property
    def outbox(self) -> Outbox | None:
        """What the end of a job leaves behind; None: what other processes of the flow say."""
        return Outbox(self.endings)

    def walk(self) -> Iterator[tuple[str, QueueOptions[Job]]]:
        """Yield all queues and child queues, each with its full name."""
        return walk(self.queues)

    def is_shared(self, queue: str) -> bool:
        """Return whether a queue, or the parent of a child queue, is one that other flows share."""
        return any(options.shared for options in self.queues if options.name == queue.partition(":")[0])

    def _check_endings(self) -> None:
        if self.endings is None:
            return
        if not isinstance(self.endings, Endings):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DeclarationError(f"endings={self.endings!r:.80}: give a flows.Endings")
        if shared := [queue.name for queue in self.queues if queue.shared]:
            raise DeclarationError(
                f"flow {self.name!r} has endings= and shares the queue {shared[0]!r}: workers of other flows end jobs "
                "there and write no log of this flow; leave one of the two out"
            )

    def _check_lookups(self) -> None:
        for attribute in self.lookup_attributes:
            check_name("lookup attribute", attribute)
            if not FIELD.fullmatch(attribute) or list(self.lookup_attributes).count(attribute) > 1:
                raise DeclarationError(f"lookup attribute {attribute!r} is no field name, or is named twice")

    def _check_collisions(self) -> None:
        seen: dict[str, str] = {}
        for name, kind in claimed_names(self):
            if name in seen:
                raise DeclarationError(
                    f"the {kind} {name!r} and the {seen[name]} of the same name would share keys, job:{name}:…: "
                    "rename one of them"
                )
            seen[name] = kind


def claimed_names(options: FlowOptions[Job, str]) -> Iterator[tuple[str, str]]:
    """Yield the names that keys are made of, each with its kind; no two flows may share one."""
    yield options.name, "flow"
    for attribute in options.lookup_attributes:
        yield f"{options.name}:{attribute}", "lookup"
    for full_name, queue in options.walk():
        of = "shared " if options.is_shared(full_name) else ""
        if queue.children:
            yield full_name, f"{of}parent queue"
        elif ":" in full_name:
            yield full_name, f"{of}child queue"

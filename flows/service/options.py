"""What a service is declared with beside its name, checked; and the flow that it is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import timedelta
from typing import Literal

from flows.errors import DeclarationError
from flows.loggers import AnyLogger
from flows.model.duration import LONGEST, Duration, OptionalDuration, in_seconds
from flows.model.endings.options import Endings
from flows.model.endings.outbox import ReportsTo
from flows.model.flow_options import DEFAULT_MAX_PAYLOAD
from flows.model.job import Job
from flows.model.limits.bounds import MOST_TOKENS
from flows.model.option_checks import check_flag
from flows.model.queue_options import QueueOptions
from flows.model.retention import Retention
from flows.service.levels import Level, kept_levels
from flows.service.service_flow import ServiceFlowOptions
from flows.service.service_params import ServiceJob


@dataclass(frozen=True)
class ServiceOptions:
    """What a service is declared with beside its name. Times are timedeltas, or seconds as numbers.

    Args:
        tenants: Whether jobs are of tenants, whose jobs take turns: "any" runs those of any name, and "known" those of
            tenants that were added; None: jobs have none. All programs of a service say the same. A service with
            `connect=` has known ones.
        log_levels: Which updates are kept; None: `error` and `info`, and those that the variable `FLOWS_JOB_LOGGING`
            names, or else `OADA_JOBS_LOGGING`, as `debug,trace`.
        unknown_type_grace: A job whose type this process does not know is handed back for so long, for processes that
            do; then it fails as `UnknownType`. 0: it fails at once.
        skip_backlog: Jobs that have come while no process of the service ran are not run: they end as cancelled when a
            worker meets them, and run if they are retried then.
        job_ttl: How long a job that has not ended is kept after the last thing that happened to it; None, the default:
            until it ends.
        retention: How long a job that has ended is kept; by default a day where it is done or was cancelled, 7 days
            where it has failed.
        endings: The log of the jobs that have ended: 30 days and about a million of each kind by default; None: none.
        namespace: Put before every key.
        redis_url: The server; else `FLOWS_REDIS_URL`, `REDIS_URL`, and then the embedded one.
        lease: How long a worker owns a job without renewing, which it does four times in that.
        hang_limit: An event loop that is blocked for longer loses its leases.
        max_crashes: A job fails when it has killed its worker so often.
        max_payload: The most that a payload with its links, or a result, may take, in bytes of JSON.
        logger: Where the service logs: a logger of `logging` or of structlog; the logger `flows` by default.

    Raises DeclarationError where one of them cannot be used; `Service` checks the rest.
    """

    _: KW_ONLY
    tenants: Literal["any", "known"] | None = None
    log_levels: Collection[Level] | None = None
    unknown_type_grace: Duration = Duration(timedelta(seconds=30))  # noqa: RUF009 - a descriptor
    skip_backlog: bool = False
    job_ttl: OptionalDuration = Duration(None)  # noqa: RUF009
    retention: Duration[Retention | timedelta | float, Retention | timedelta] = Duration(  # noqa: RUF009
        Retention(done=timedelta(days=1), failed=timedelta(days=7), cancelled=timedelta(days=1))
    )
    endings: Endings | None = Endings()  # noqa: RUF009 - it is frozen
    namespace: str = ""
    redis_url: str | None = field(default=None, repr=False)
    lease: Duration = Duration(timedelta(seconds=30))  # noqa: RUF009
    hang_limit: Duration = Duration(timedelta(minutes=10))  # noqa: RUF009
    max_crashes: int = 3
    max_payload: int = DEFAULT_MAX_PAYLOAD
    logger: AnyLogger | None = None

    def __post_init__(self) -> None:
        """Check what the flow does not know of.

        Raises:
            DeclarationError: the grace is no time, or there is no such level or word.
        """
        if self.tenants not in {"any", "known", None}:
            raise DeclarationError(f'tenants={self.tenants!r:.80}: give "any", "known" or None')
        kept_levels(self.log_levels)
        check_flag("skip_backlog", self.skip_backlog)
        grace: object = self.unknown_type_grace  # what is no time is held as it was given
        if not isinstance(grace, timedelta):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DeclarationError(f"unknown_type_grace={grace!r}: give a datetime.timedelta, or seconds as a number")
        if not timedelta(0) <= grace <= LONGEST:
            raise DeclarationError(
                f"unknown_type_grace={in_seconds(grace)}: give 0 or more, at most {LONGEST.days} days"
            )

    def flow(
        self,
        name: str,
        *,
        tenants: bool = False,
        own: Sequence[str] = (),
        queues: Sequence[QueueOptions[Job]] = (),
        reports: Sequence[ReportsTo] = (),
        speaks: bool = True,
        kept: timedelta = timedelta(0),
    ) -> ServiceFlowOptions:
        """Return the flow that a service of this name is: one queue of its own name, in groups where it has tenants.

        Args:
            name: The service's.
            tenants: Whether it has tenants.
            own: The queues that types have of their own.
            queues: The queues of its reports, by their own names.
            reports: What is told of which endings.
            speaks: Whether this process says what an ending leaves behind.
            kept: Jobs that have ended are kept at least so long, whatever `retention` says.

        Raises:
            DeclarationError: the name or an option cannot be used.
        """
        of_jobs = [
            QueueOptions(
                queue,
                job=ServiceJob,
                group_by="tenant" if tenants else None,
                max_concurrency_per_group=MOST_TOKENS if tenants else None,
            )
            for queue in (name, *own)
        ]
        beside = [QueueOptions(f"{name}.reports", job=ServiceJob, children=queues)] if queues else []
        return ServiceFlowOptions(
            name,
            [*of_jobs, *beside],
            ["links"],
            endings=self.endings,
            reports=reports,
            speaks=speaks,
            job_ttl=self.job_ttl,
            retention=_at_least(self.retention, kept),
            namespace=self.namespace,
            redis_url=self.redis_url,
            lease=self.lease,
            hang_limit=self.hang_limit,
            max_crashes=self.max_crashes,
            max_payload=self.max_payload,
            logger=self.logger,
        )


def _at_least(retention: Retention | timedelta, kept: timedelta) -> Retention:
    if isinstance(retention, timedelta):
        retention = Retention(done=retention, failed=retention, cancelled=retention)
    return Retention(
        done=max(retention.done, kept), failed=max(retention.failed, kept), cancelled=max(retention.cancelled, kept)
    )

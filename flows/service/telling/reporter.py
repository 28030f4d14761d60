"""One reporter of a service: its queue of report jobs, and the function that makes them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from flows.kernel.current import get_batch, get_current
from flows.model.endings.outbox import ReportsTo
from flows.model.queue_options import QueueOptions
from flows.model.retries import Retries
from flows.model.verdict import Fail, Retry, Verdict
from flows.pipeline.workers import WorkerOptions, function_workers
from flows.service.telling.report_job import READ_FIELDS, ReportJob, ending_of
from flows.service.transports.not_sent import NotSent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence

    from flows.kernel.current import CurrentJob
    from flows.kernel.runtime import Runtime
    from flows.kernel.worker import Worker
    from flows.model.job import Job
    from flows.model.plan import QueuePlan
    from flows.service.service_host import ServiceHost
    from flows.service.transports.ending import Ending, Outcome

#: How long one try may take, beside what a batch waits.
_TIMEOUT: Final = timedelta(seconds=30)
#: With jitter about a day in all.
RETRIES: Final = Retries(max_attempts=50, backoff=[5, 30, 120, 600, 3600], max_delay=3600)
#: So many reports of one reporter are made at once in a process.
_CONCURRENCY: Final = 4


class Reporter:
    """A reporter: what it is told of, and what makes its reports.

    Args:
        name: Its name.
        on: The outcomes that it is told of.
        types: The types of jobs; None: all.
        tell: Makes one report of some endings; raises NotSent, or a verdict, or anything.
        batch: So many endings at most are told at once.
        linger: So long a batch waits for more.
    """

    def __init__(
        self,
        name: str,
        *,
        on: Collection[Outcome],
        types: Collection[str] | None,
        tell: Callable[[Sequence[Ending]], Awaitable[None]],
        batch: int = 1,
        linger: timedelta = timedelta(0),
    ) -> None:
        self.name = name
        self._on, self._types, self._tell = on, types, tell
        self._batch, self._linger = batch, linger

    @property
    def options(self) -> QueueOptions[Job]:
        """Its queue, by its own name."""
        return QueueOptions(self.name, job=ReportJob, retries=RETRIES, timeout=_TIMEOUT + self._linger)

    @property
    def kept(self) -> timedelta:
        """No longer than they are: a report is made soon after the ending."""
        return timedelta(0)

    def reports_to(self, queue: str) -> ReportsTo:
        """Return of which endings the queue is to have a job."""
        return ReportsTo(queue, self._on, self._types)

    def worker(self, host: ServiceHost, plan: QueuePlan) -> Worker:
        """Return its worker in this process."""
        runtime = host.runtime

        async def one(report: ReportJob) -> Verdict | None:
            return await self._make(runtime, [report])

        async def many(reports: list[ReportJob]) -> list[Verdict | None]:
            return [await self._make(runtime, reports)] * len(reports)

        if self._batch == 1:
            [worker] = function_workers(runtime, plan, one, WorkerOptions(1, _CONCURRENCY))
        else:
            options = WorkerOptions(1, 1, batch=self._batch, linger=self._linger)
            [worker] = function_workers(runtime, plan, many, options)
        return worker

    async def begin(self, host: ServiceHost) -> None:
        """Do nothing: its reports come with endings."""

    async def _make(self, runtime: Runtime, reports: Sequence[ReportJob]) -> Verdict | None:
        session, service = await runtime.open(), runtime.options.name
        found = await session.fetch.hashes([(service, report.ending.job) for report in reports], READ_FIELDS)
        attempts: Sequence[CurrentJob | None] = get_batch() or [get_current()]
        firsts = {current.id for current in attempts if current is not None and current.fence == 1}
        endings = [
            ending_of(service, report, values, again=report.id not in firsts)
            for report, values in zip(reports, found, strict=True)
        ]
        try:
            await self._tell(endings)
        except NotSent as error:
            return verdict_of(error)
        return None


def verdict_of(error: NotSent) -> Verdict:
    """Return how an attempt ends whose report did not arrive."""
    if error.for_good:
        return Fail(error.why, type=NotSent.__name__)
    return Retry(error.why, after=error.after)

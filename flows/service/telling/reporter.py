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
from flows.service.telling.report_job import READ_FIELDS, ReportJob, ending_of, json_of
from flows.service.transports.not_sent import NotSent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

    from flows.kernel.current import CurrentJob
    from flows.kernel.runtime import Runtime
    from flows.kernel.session import Session
    from flows.kernel.worker import Worker
    from flows.model.job import Job
    from flows.model.plan import QueuePlan
    from flows.service.service_host import ServiceHost
    from flows.service.transports.ending import Ending, Outcome

#: How long one try may take, beside what a batch waits.
_TIMEOUT: Final = timedelta(seconds=30)
#: With jitter about a day in all.
RETRIES: Final = Retries(max_attempts=50, backoff=[5, 30, 120, 600, 3600], max_delay=3600)
#: The type of the error of a report that may have arrived, and is not sent again.
UNKNOWN: Final = "Unknown"
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
        once: What may have arrived is not sent again.
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
        once: bool = False,
    ) -> None:
        self.name = name
        self._on, self._types, self._tell = on, types, tell
        self._batch, self._linger, self._once = batch, linger, once

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
            return (await self._make(runtime, [report]))[0]

        async def many(reports: list[ReportJob]) -> list[Verdict | None]:
            return await self._make(runtime, reports)

        if self._batch == 1:
            [worker] = function_workers(runtime, plan, one, WorkerOptions(1, _CONCURRENCY))
        else:
            options = WorkerOptions(1, 1, batch=self._batch, linger=self._linger)
            [worker] = function_workers(runtime, plan, many, options)
        return worker

    async def begin(self, host: ServiceHost) -> None:
        """Do nothing: its reports come with endings."""

    async def _make(self, runtime: Runtime, reports: Sequence[ReportJob]) -> list[Verdict | None]:
        """Make reports, and return how the attempt at each ends."""
        session, service = await runtime.open(), runtime.options.name
        found = await session.fetch.hashes([(service, report.ending.job) for report in reports], READ_FIELDS)
        attempts: Sequence[CurrentJob | None] = get_batch() or [get_current()]
        firsts = {current.id for current in attempts if current is not None and current.fence == 1}
        lost = await self._lost(session, [report for report in reports if report.id not in firsts])
        endings = [
            ending_of(service, report, values, again=report.id not in firsts)
            for report, values in zip(reports, found, strict=True)
            if report.id not in lost
        ]
        said: Verdict | None = None
        if endings:
            try:
                await self._tell(endings)
            except NotSent as error:
                said = Fail(error.why, type=UNKNOWN) if error.is_unknown and self._once else verdict_of(error)
        return [lost.get(report.id, said) for report in reports]

    async def _lost(self, session: Session, again: Sequence[ReportJob]) -> dict[str, Verdict]:
        """Return those of reports that are tried again of which nobody knows what became of the try before.

        What became of it is known where it has recorded that it is to be tried again, and where an operator has asked.
        """
        if not self._once or not again:
            return {}
        queue = again[0].flow_name
        found = await session.fetch.hashes([(queue, report.id) for report in again], ("_error", "_attempt"))
        why = Fail("the try before has ended without saying whether the report has arrived", type=UNKNOWN)
        return {
            report.id: why
            for report, values in zip(again, found, strict=True)
            if not _is_known(report.attempt, values or {})
        }


def _is_known(attempt: int, found: Mapping[str, bytes]) -> bool:
    error = json_of(found.get("_error"))
    if isinstance(error, dict) and error.get("type") == Retry.__name__ and error.get("attempt") == attempt - 1:
        return True
    visit = found.get("_attempt", b"").split()[3:4]
    return attempt == 1 and visit not in ([], [b"0"])


def verdict_of(error: NotSent) -> Verdict:
    """Return how an attempt ends whose report did not arrive."""
    if error.for_good:
        return Fail(error.why, type=NotSent.__name__)
    return Retry(error.why, after=error.after)

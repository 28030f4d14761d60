"""Scheduled reports: each is a queue of jobs that follow each other, one window after the other.

A *turn* is a job that is due at a time of the schedule. It creates the next turn, which begins where its own window
ends, and the report over that window; then it is done. Both have ids that are made of the turn's own: whoever tries the
turn again creates nothing twice, and where the window ends is what the next turn says, whoever has created that. So
windows neither overlap nor leave a gap, with any number of processes, and whatever becomes of the reports.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pydantic_core import to_json

from flows.model.creation.job_options import Due
from flows.model.ids import named_child_id, new_job_id
from flows.model.job import Job
from flows.model.queue_options import QueueOptions
from flows.model.verdict import Snooze
from flows.pipeline.workers import WorkerOptions, function_workers
from flows.service.reports.csv_file import CsvFile
from flows.service.reports.windows import Window, due_windows, first_since, longest_window
from flows.service.telling.report_rows import read_rows
from flows.service.telling.reporter import RETRIES, verdict_of
from flows.service.transports.document import Document
from flows.service.transports.not_sent import NotSent
from flows.store.jobs.leases import server_ms
from flows.store.views.observe import observe

if TYPE_CHECKING:
    from flows.kernel.session import Session
    from flows.kernel.worker import Worker
    from flows.model.endings.outbox import ReportsTo
    from flows.model.plan import QueuePlan
    from flows.model.verdict import Verdict
    from flows.service.reports.report import Report
    from flows.service.service_host import ServiceHost

#: A turn is due so long after its time, in milliseconds: by then no ending of before is still to be written.
_LATER_MS: Final = 2_000
_TIMEOUT: Final = timedelta(minutes=15)
#: So many reports of one name are made at once in a process, and turns beside them.
_CONCURRENCY: Final = 4
#: Below it the ids of first turns are made.
_NOBODY: Final = "00000000-0000-7000-8000-000000000000"


class ScheduledJob(Job):
    """A turn, which has no `until`, or a report over a window; times are in milliseconds, by the server's clock."""

    since: int
    until: int | None = None


class ScheduledReport:
    """A report of a service, as a queue beside its jobs.

    Args:
        report: What it tells.
    """

    def __init__(self, report: Report) -> None:
        self._report = report

    @property
    def options(self) -> QueueOptions[Job]:
        """Its queue, by its own name."""
        return QueueOptions(self._report.name, job=ScheduledJob, retries=RETRIES, timeout=_TIMEOUT)

    @property
    def kept(self) -> timedelta:
        """For twice its longest window: as long as a report may be late without losing rows."""
        return timedelta(milliseconds=2 * longest_window(self._report.schedule))

    def reports_to(self, queue: str) -> ReportsTo | None:  # noqa: ARG002 - a protocol
        """Return None: no ending is told here by itself."""
        return None

    def worker(self, host: ServiceHost, plan: QueuePlan) -> Worker:
        """Return its worker in this process."""

        async def make(job: ScheduledJob) -> Verdict | None:
            session = await host.runtime.open()
            if job.until is None:
                return await self._take_turn(session, job)
            return await self._make(session, job.id, Window(job.since, job.until))

        [worker] = function_workers(host.runtime, plan, make, WorkerOptions(1, _CONCURRENCY))
        return worker

    async def begin(self, host: ServiceHost) -> None:
        """Create the first turn, where there is none yet.

        Raises:
            StoreError: the server cannot be used.
        """
        session, queue = await host.runtime.open(), self._queue(host.name)
        state = (await observe(session.connection, session.settings, [queue]))[queue]
        if not (state.waiting or state.processing or state.delayed):
            since = first_since(self._report.schedule, await server_ms(session.connection, session.settings))
            await self._create_turn(session, named_child_id(_NOBODY, f"{queue} {since}", since), since)

    async def run(self, host: ServiceHost, since: int, until: int) -> str:
        """Create a report over any window, and return its id.

        Raises:
            StoreError: the server cannot be used.
        """
        session, report_id = await host.runtime.open(), new_job_id()
        await self._create_report(session, report_id, Window(since, until))
        return report_id

    def _queue(self, service: str) -> str:
        return f"{service}.reports:{self._report.name}"

    async def _take_turn(self, session: Session, turn: ScheduledJob) -> Verdict | None:
        now = await server_ms(session.connection, session.settings)
        following = named_child_id(turn.id, "next", turn.since)
        until = await self._since_of(session, following)
        if until is None:
            windows = due_windows(self._report.schedule, turn.since, now, self._report.missed)
            if not windows:  # the schedule was changed
                return Snooze("the schedule has no time yet", after=self._left(turn.since, now))
            await self._create_turn(session, following, windows[0].until)
            until = await self._since_of(session, following)
        if until is not None:  # else somebody has deleted it, and nothing is known of where the window ends
            await self._create_report(session, named_child_id(turn.id, "report", turn.since), Window(turn.since, until))
        return None

    def _left(self, since: int, now: int) -> float:
        return max(0, self._report.schedule.next_slot(since) + _LATER_MS - now) / 1000

    async def _since_of(self, session: Session, job_id: str) -> int | None:
        [found] = await session.fetch.hashes([(self._queue(session.settings.flow), job_id)], ("since",))
        raw = b"" if found is None else found.get("since", b"")
        return int(raw) if raw.isdigit() else None

    async def _create_turn(self, session: Session, job_id: str, since: int) -> None:
        due = Due(-1, self._report.schedule.next_slot(since) + _LATER_MS)
        await self._create(session, job_id, due, since=since)

    async def _create_report(self, session: Session, job_id: str, window: Window) -> None:
        await self._create(session, job_id, Due(0), since=window.since, until=window.until)

    async def _create(self, session: Session, job_id: str, due: Due, **fields: int) -> None:
        queue = self._queue(session.settings.flow).encode()
        values = {"_queue": queue, **{name: to_json(value) for name, value in fields.items()}}
        creation = session.delayed_creation
        await creation.create(due, [creation.prepare(job_id, values, ())])

    async def _make(self, session: Session, report_id: str, window: Window) -> Verdict | None:
        report, missing = self._report, 0
        with CsvFile(report.taken.titles) as csv:
            async for jobs in read_rows(session, report, window):
                csv.add(report.taken.cells(job) for job in jobs)
                missing += sum(job.is_gone for job in jobs)
            if not csv.rows and not report.send_empty:
                return None
            since, until = report.instant(window.since), report.instant(window.until)
            document = Document(
                report_id=report_id,
                service=session.settings.flow,
                name=report.name,
                since=since,
                until=until,
                filename=f"{report.name}-{since:%Y-%m-%dT%H%M%S}-{until:%Y-%m-%dT%H%M%S}.csv",
                file=csv.file,
                size=csv.size,
                rows=csv.rows,
                missing=missing,
            )
            try:
                await report.delivers.deliver(document)
            except NotSent as error:
                return verdict_of(error)
        return None

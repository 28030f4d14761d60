"""`flow.sync`: what a flow does with its jobs, for plain callers: views, scripts, threads, functions of workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic

from flows.kernel.callers.loop_thread import blocking, iterating
from flows.kernel.callers.queue_handle import SyncQueueHandle
from flows.pipeline.bulk.bulk_job import SyncBulkJob
from flows.pipeline.ending_log import SyncEndingLog
from flows.pipeline.find.job_search import JobSearch
from flows.pipeline.find.query import SyncQuery
from flows.pipeline.flow_jobs import FlowJobs
from flows.pipeline.signature import KeyT, ParamsT

if TYPE_CHECKING:
    from uuid import UUID

    from flows.kernel.runtime import Runtime
    from flows.model.job import Job
    from flows.pipeline.declaration import Declaration


class SyncFlow(Generic[ParamsT, KeyT]):
    """The methods of a flow that are about its jobs, as plain calls that block: `flow.sync.create_job(params)`.

    They take and return what the flow's own do, and raise the same errors. Any thread may call them, any number at the
    same time, also after a fork. They have a connection of their own, in one event loop for each process that runs in
    a daemon thread: so they work beside a loop that has the flow open, and cannot be called from inside a loop, which
    they would block (`FlowsError`). `close` disconnects; without it, the end of the process does.
    """

    def __init__(self, runtime: Runtime, declaration: Declaration, params: type[ParamsT]) -> None:
        jobs = FlowJobs[ParamsT, KeyT](runtime, declaration, params)
        self._search = JobSearch(runtime, declaration, params)
        self.create_job = blocking(jobs.create_job)
        self.create_jobs = blocking(jobs.create_jobs)
        self.get_job = blocking(jobs.get_job)
        self.get_jobs = blocking(jobs.get_jobs)
        self.get_jobs_by_key = blocking(jobs.get_jobs_by_key)
        self.wait_for = blocking(jobs.wait_for)
        self.cancel_job = blocking(jobs.cancel_job)
        self.retry_job = blocking(jobs.retry_job)
        self.move_job = blocking(jobs.move_job)
        self.set_priority = blocking(jobs.set_priority)
        self.delete_job = blocking(jobs.delete_job)
        self.get_log = blocking(jobs.get_log)
        self.stream = iterating(jobs.stream, "async for piece in flow.stream(…)")
        self.position = blocking(jobs.position)
        self.states = blocking(jobs.states)
        self.explain = blocking(jobs.explain)
        #: The log of endings, as `flow.endings` has it.
        self.endings = SyncEndingLog(jobs.endings)
        self._queue = jobs.queue
        self._bulk_job = jobs.bulk_job
        self.processes = blocking(runtime.processes)
        self.close = blocking(runtime.close, "await asyncio.to_thread(flow.sync.close)")

    def queue(self, queue: type[Job] | str) -> SyncQueueHandle:
        """Return a queue, named by its job class or its full name, with plain calls for what `flow.queue` awaits.

        Raises:
            DeclarationError: there is no such queue; the message names those there are.
        """
        return SyncQueueHandle(self._queue(queue))

    def bulk_job(self, job_id: str | UUID) -> SyncBulkJob:
        """Return a bulk action by its id, with plain calls for what `flow.bulk_job` awaits.

        Raises:
            ValidationError: `job_id` is no UUID and no text of one.
        """
        return SyncBulkJob(self._bulk_job(job_id))

    @property
    def jobs(self) -> SyncQuery[ParamsT, KeyT]:
        """All jobs of the flow, to be asked for as `flow.jobs` is."""
        return SyncQuery(self._search)

"""What a flow does with its jobs: create them, read them, wait for them, cancel, retry and delete them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Literal

from flows.kernel.callers.ends import wait_for_end
from flows.kernel.callers.queue_handle import QueueHandle
from flows.kernel.streams.follow import follow_text
from flows.model.arguments import check_seconds
from flows.model.names import check_job_id
from flows.pipeline.around.creating import job_actions
from flows.pipeline.around.measuring import MeasuredCreation
from flows.pipeline.bulk.bulk_job import BulkJob
from flows.pipeline.ending_log import EndingLog
from flows.pipeline.find.job_search import JobSearch
from flows.pipeline.find.query import Query
from flows.pipeline.job_reader import JobReader
from flows.pipeline.signature import KeyT, ParamsT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence
    from uuid import UUID

    from typing_extensions import Unpack

    from flows.kernel.runtime import Runtime
    from flows.model.creation.job_options import JobOptions
    from flows.model.explain.explanation import Explanation, Position
    from flows.model.explain.queue_state import QueueState
    from flows.model.job import Job
    from flows.model.record import JobRecord
    from flows.model.values.lookup import LookupValue
    from flows.pipeline.declaration import Declaration
    from flows.store.jobs.log_line import LogLine
    from flows.store.streams.text_piece import TextPiece


class FlowJobs(Generic[ParamsT, KeyT]):
    """The methods of a flow that are about its jobs, for a program that creates and follows them."""

    def __init__(self, runtime: Runtime, declaration: Declaration, params: type[ParamsT]) -> None:
        self._runtime = runtime
        self._declaration = declaration
        self._actions = job_actions(runtime, declaration, params)
        self._creations = runtime.events.creations
        first = declaration.options.queues[0].name
        self._measured = MeasuredCreation(self._actions, self._creations, declaration.options.name, first)
        self._reader = JobReader(runtime, declaration, params)
        self._search = JobSearch(runtime, declaration, params)
        #: The jobs that have ended, by day, longer than they are kept: with `FlowOptions(endings=…)`.
        self.endings = EndingLog(runtime)

    @property
    def jobs(self) -> Query[ParamsT, KeyT]:
        """All jobs of the flow, to be asked for by lookups, state, queue and time: `flow.jobs.status("failed")`."""
        return Query(self._search)

    def bulk_job(self, job_id: str | UUID) -> BulkJob:
        """Return a bulk action by its id, whichever process has begun it: to see how far it is, to wait, to cancel.

        Nothing is read yet: where there is none of that id, or no more, its methods raise JobGone.

        Raises:
            ValidationError: `job_id` is no UUID and no text of one.
        """
        return BulkJob(self._runtime, check_job_id(job_id))

    async def create_job(self, params: ParamsT, **options: Unpack[JobOptions]) -> str:
        """Create a job, which then waits in the flow's first queue or is delayed, and return its id.

        The job is written by one transaction that is safe to send twice: afterwards it is there, once.

        Options:
            correlation_id: A text that every worker of the job sees.
            delay: The job starts so much later: a timedelta, or seconds.
            run_at: The job starts then: an aware datetime; the server's clock decides, and what is over starts at once.
            idempotency_key: One job for this key as long as it is kept: the id of the first is returned.
            unique: No other job while one has the key of this `Unique`.
            debounce: Calls with the key of this `Debounce` become one job, with the params of the last one.
            priority: 1 to 8, 1 first and the default; in a queue with fewer priorities, one of the last. Its children
                inherit it.
            cost: How many tokens and slots one start of the job takes; 1 by default, and at most what the limits have.

        Raises:
            JobExists: another job has the key: IdempotencyConflict where it has other params, or DuplicateJob. Nothing
                is created.
            ValidationError: the params or options are refused; PayloadTooLarge where they are over the limit.
            StoreError: the server cannot be used; StoreFull where it is out of memory. Nothing is half written.
        """
        creating = self._measured if self._creations.wanted else self._actions
        return await creating.create(params, options)

    async def create_jobs(self, many: Iterable[ParamsT], **options: Unpack[JobOptions]) -> list[str]:
        """Create a job for each of an iterable, many to a round trip, and return their ids in order.

        The options are those of `create_job`, for all of them; none is a key.

        Raises:
            ValidationError: params are refused; the jobs of earlier ones may have been created.
            StoreError: the server cannot be used; jobs of earlier ones may have been created.
        """
        creating = self._measured if self._creations.wanted else self._actions
        return await creating.create_many(many, options)

    async def get_job(self, job_id: str | UUID, *, resolve_children: bool = False) -> JobRecord[ParamsT] | None:
        """Return the record of a job, or None where there is no such job (any more).

        Raises:
            ValidationError: `job_id` is no UUID and no text of one.
        """
        return (await self._reader.get([job_id], None, resolve=resolve_children))[0]

    async def get_jobs(
        self, ids: Sequence[str | UUID], *, resolve_children: bool = False, keys_to_get: Sequence[str] | None = None
    ) -> list[JobRecord[ParamsT] | None]:
        """Return the records of jobs in the order of their ids, None for each that is gone.

        Args:
            ids: As `create_job` returns them.
            resolve_children: Fetch the children too, and theirs.
            keys_to_get: Read these fields only; views of the records can show no others.

        Raises:
            ValidationError: one of `ids` is no UUID and no text of one.
        """
        return await self._reader.get(ids, keys_to_get, resolve=resolve_children)

    async def get_jobs_by_key(
        self,
        key_name: KeyT,
        value: LookupValue,
        *,
        resolve_children: bool = False,
        limit: int = 100,
        offset: int = 0,
        newest_first: bool = False,
    ) -> list[JobRecord[ParamsT]]:
        """Return the jobs whose lookup attribute has a value, oldest first; those that are gone are skipped.

        Raises:
            ValidationError: `key_name` is no lookup attribute, or the value is of a type that is not listed.
        """
        return await self._reader.by_key(
            key_name, value, resolve=resolve_children, limit=limit, offset=offset, newest_first=newest_first
        )

    async def wait_for(self, job_id: str | UUID, timeout: float) -> JobRecord[ParamsT]:
        """Wait until a job has ended and return its record, whose `status` is done, failed or cancelled.

        Args:
            job_id: As `create_job` returned it.
            timeout: In seconds.

        Raises:
            WaitTimeout: it has not ended in time.
            JobGone: it has expired or was deleted.
        """
        return await wait_for_end(self._runtime, self._reader, job_id, check_seconds("timeout", timeout))

    async def cancel_job(
        self, job_id: str | UUID, reason: str = "cancelled"
    ) -> Literal["cancelled", "requested", "too late"]:
        """Cancel a job and its children.

        Returns "requested" where its worker will see that when it renews the lease, "too late" where the job has ended.

        Raises:
            JobGone: there is no such job.
        """
        return await self._actions.cancel(job_id, reason)

    async def retry_job(self, job_id: str | UUID) -> Literal["retried"]:
        """Retry a job that has failed or was cancelled, in the queue where it ended, and return "retried".

        Raises:
            JobGone: there is no such job.
            StateError: it has not failed and was not cancelled.
        """
        return await self._actions.retry(job_id)

    async def move_job(self, job_id: str | UUID, *, to: type[Job] | str) -> Literal["moved"]:
        """Move a job that no worker has to another queue of the flow, where it waits as if it had just come there.

        Args:
            job_id: Of a job that waits, is delayed, has failed or was cancelled.
            to: The queue, named by its job class or its name. The job has to have the fields that it needs.

        Raises:
            ValidationError: the flow has no such queue, or it is a child queue.
            JobGone: there is no such job.
            StateError: a worker has it, it waits for its children, it is done, or it is in that queue already.
        """
        return await self._actions.move(job_id, to)

    async def set_priority(self, job_id: str | UUID, priority: int) -> Literal["set", "same"]:
        """Give a job that waits or is delayed another priority: it waits behind those that have it already.

        Args:
            job_id: As `create_job` returned it.
            priority: 1 to 8, 1 first; in a queue with fewer priorities, one of the last.

        Returns "same" where it has that priority.

        Raises:
            ValidationError: `priority` is none, or no queue of the flow has priorities.
            JobGone: there is no such job.
            StateError: a worker has it, it waits for its children, or it has ended.
        """
        return await self._actions.set_priority(job_id, priority)

    async def delete_job(self, job_id: str | UUID) -> bool:
        """Delete a job, its place in its queue, its lookup entries and its children; False where there is none."""
        return await self._actions.delete(job_id)

    async def get_log(self, job_id: str | UUID) -> list[LogLine]:
        """Return the last 1,000 lines that the job's functions logged by `current_job().log`, oldest first."""
        return await self._reader.log(job_id)

    def stream(self, job_id: str | UUID, after: str | None = None) -> AsyncIterator[TextPiece]:
        """Follow the text that a job streams by `current_job().stream`, until the job has ended.

        Args:
            job_id: As `create_job` returned it.
            after: The cursor of the last piece that was read, in whatever process; None: from the beginning of what is
                kept, 1 MiB.

        Returns:
            An async iterator, for `async for piece in flow.stream(job_id):`; pieces come in the order in which they
            were streamed. The first piece of each attempt says that it is (`piece.begins`); where some are missing
            between two, the later one says so (`piece.gap`).

        Raises:
            ValidationError: `job_id` is no UUID and no text of one, or `after` is no such cursor.
            JobGone: while it is iterated: it has expired or was deleted.
            StoreError: while it is iterated: the server cannot be used. Go on with the last cursor.
        """
        return follow_text(self._runtime, self._reader, job_id, after)

    async def position(self, job_id: str | UUID) -> Position | None:
        """Return how many are ahead of a job that waits or is delayed; None where it is neither, or is gone.

        In a queue of any length that takes a millisecond or two of the server's time. Children can be asked for too.

        Raises:
            ValidationError: `job_id` is no UUID and no text of one.
        """
        return await self._reader.position(job_id)

    async def explain(self, job_id: str | UUID) -> Explanation:
        """Return why a job is where it is: a sentence that says what keeps it and what makes it go on, and the facts.

        A job that is gone has an explanation too. Children can be asked for as well.

        Raises:
            ValidationError: `job_id` is no UUID and no text of one.
        """
        return await self._reader.explain(job_id)

    def queue(self, queue: type[Job] | str) -> QueueHandle:
        """Return a queue, named by its job class or its full name, to look at, to pause and to drain.

        Raises:
            DeclarationError: there is no such queue; the message names those there are.
        """
        return QueueHandle(self._runtime, self._declaration.queue_of(queue))

    async def states(self) -> dict[str, QueueState]:
        """Return the state of each queue and child queue, by full name, all at one moment: what waits, and what runs.

        That takes one call, whose cost does not depend on how much the queues hold.

        Raises:
            StoreError: the server cannot be used.
        """
        return await self._reader.states()

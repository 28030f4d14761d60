"""`Flow`: what users hold. It declares, creates workers and jobs, starts and stops; the work is done below."""

from __future__ import annotations

import asyncio
import types
from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeVar, overload

from flows.errors import DeclarationError
from flows.kernel.attempt_runner import ParentRunner
from flows.kernel.runtime import Runtime
from flows.kernel.worker import ParentWorker, Worker
from flows.pipeline.declaration import declare
from flows.pipeline.jobs import Jobs
from flows.pipeline.run import run_until_told
from flows.pipeline.signature import ChildJobT, JobClass, JobT, KeyT, ParamsT, QueueJobT, WorkerFunction
from flows.pipeline.workers import check_counts, function_workers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType

    from flows.model.options import FlowOptions
    from flows.model.record import JobRecord
    from flows.telemetry.events import Events


class Flow(Generic[JobT, ParamsT, KeyT]):
    """A pipeline of queues: `Flow[Job, Params, LookupKeys](options)`.

    `Job` is the union of the queues' job classes, `Params` the model that `create_job` takes, and `LookupKeys` a
    Literal of the lookup attributes (left out where there are none).

    Raises DeclarationError where the options or the type arguments cannot work.
    """

    _declared: tuple[Any, ...] = ()

    if not TYPE_CHECKING:

        def __class_getitem__(cls, arguments: Any) -> Any:
            """Remember the type arguments, so that params are validated at run time."""
            alias = super().__class_getitem__(arguments)
            given = arguments if isinstance(arguments, tuple) else (arguments,)
            if any(isinstance(argument, TypeVar) for argument in given):
                return alias
            body = {"_declared": alias.__args__, "__module__": cls.__module__, "__doc__": cls.__doc__}
            return types.new_class(cls.__name__, (alias,), {}, lambda namespace: namespace.update(body))

    def __init__(self, options: FlowOptions[JobT, KeyT]) -> None:
        self._declaration = declare(options, self._declared)
        self._runtime = Runtime(self._declaration.options)
        self._jobs: Jobs[ParamsT] = Jobs(self._runtime, self._declaration, self._declared[1])
        self._workers: list[Worker] = []
        self._stops = 0
        self.name = options.name

    @property
    def events(self) -> Events:
        """What happens in this process: subscribe to it, or wait for an event."""
        return self._runtime.events

    @property
    def workers(self) -> list[Worker]:
        """The workers that were created."""
        return list(self._workers)

    async def create_job(self, params: ParamsT, *, correlation_id: str | None = None) -> str:
        """Create a job, which then waits in the flow's first queue, and return its id.

        It is one transaction that is safe to send twice: when it returns, the job is there, once.

        Raises:
            ValidationError: the params are refused; PayloadTooLarge where they are over the limit.
            StoreError: the server cannot be used; StoreFull where it is out of memory. Nothing is half written.
        """
        return await self._jobs.create(params, correlation_id)

    async def create_jobs(self, many: Iterable[ParamsT], *, correlation_id: str | None = None) -> list[str]:
        """Create a job for each of an iterable, many to a round trip, and return their ids in order.

        Raises:
            ValidationError: params are refused; the jobs of earlier ones may have been created.
            StoreError: the server cannot be used; jobs of earlier ones may have been created.
        """
        return await self._jobs.create_many(many, correlation_id)

    async def get_job(self, job_id: str, *, resolve_children: bool = False) -> JobRecord[ParamsT] | None:
        """Return a job, or None where there is none (any more)."""
        return (await self._jobs.get([job_id], None, resolve=resolve_children))[0]

    async def get_jobs(
        self, ids: Sequence[str], *, resolve_children: bool = False, keys_to_get: Sequence[str] | None = None
    ) -> list[JobRecord[ParamsT] | None]:
        """Return jobs in the order of their ids, None for each that is gone.

        Args:
            ids: As `create_job` returns them.
            resolve_children: Fetch the children too, and theirs.
            keys_to_get: Read these fields only; views of the records can show no others.
        """
        return await self._jobs.get(ids, keys_to_get, resolve=resolve_children)

    async def get_jobs_by_key(
        self,
        key_name: KeyT,
        value: str | float,
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
        return await self._jobs.by_key(
            key_name, value, resolve=resolve_children, limit=limit, offset=offset, newest_first=newest_first
        )

    async def wait_for(self, job_id: str, timeout: float) -> JobRecord[ParamsT]:
        """Return the job when it has ended: `status` is done, failed or cancelled.

        Args:
            job_id: As `create_job` returned it.
            timeout: In seconds.

        Raises:
            WaitTimeout: it has not ended in time.
            JobGone: it has expired or was deleted.
        """
        return await self._jobs.wait_for(job_id, timeout)

    async def cancel_job(self, job_id: str, reason: str = "cancelled") -> Literal["cancelled", "requested", "too late"]:
        """Cancel a job and its children.

        Returns "requested" where its worker will see it when it renews its lease, "too late" where it has ended.

        Raises:
            JobGone: there is no such job.
        """
        word: Any = await self._jobs.cancel(job_id, reason)
        answer: Literal["cancelled", "requested", "too late"] = word
        return answer

    async def retry_job(self, job_id: str) -> None:
        """Give a job that has failed or was cancelled a new life, in the queue where it ended.

        Raises:
            JobGone: there is no such job.
            StateError: it has not failed and was not cancelled.
        """
        await self._jobs.retry(job_id)

    async def delete_job(self, job_id: str) -> bool:
        """Delete a job, its place in its queue, its lookup entries and its children; False where there is none."""
        return await self._jobs.delete(job_id)

    async def get_log(self, job_id: str) -> list[str]:
        """Return the last lines that the job's functions logged by `current_job().log`, oldest first."""
        return await self._jobs.log(job_id)

    @overload
    def create_workers(
        self,
        queue: JobClass[QueueJobT, JobT],
        worker_function: WorkerFunction[QueueJobT],
        count: int = 1,
        *,
        concurrency: int = 1,
        executor: Literal["process"] | None = None,
    ) -> list[Worker]: ...
    @overload
    def create_workers(
        self,
        queue: str,
        worker_function: WorkerFunction[QueueJobT],
        count: int = 1,
        *,
        concurrency: int = 1,
        executor: Literal["process"] | None = None,
    ) -> list[Worker]: ...
    def create_workers(
        self,
        queue: Any,
        worker_function: WorkerFunction[Any],
        count: int = 1,
        *,
        concurrency: int = 1,
        executor: Literal["process"] | None = None,
    ) -> list[Worker]:
        """Create workers of a queue, named by its job class or by its name.

        Args:
            queue: Which one.
            worker_function: `async def`, `def` (run in a thread), or `def` with executor="process".
            count: How many workers.
            concurrency: How many jobs each of them runs at once.
            executor: "process" runs a `def` in processes of its own.

        Raises:
            DeclarationError: there is no such queue, it is a parent queue, or the function cannot be used.
        """
        plan = self._declaration.plan_of(queue)
        if plan.options.children and ":" not in plan.queue:
            msg = f"{plan.queue!r} is a parent queue: use create_parent_workers"
            raise DeclarationError(msg)
        workers = function_workers(self._runtime, plan, worker_function, count, concurrency, executor)
        self._workers += workers
        return workers

    def create_parent_workers(
        self, queue: type[JobT] | str, count: int = 1, *, concurrency: int = 8
    ) -> list[ParentWorker]:
        """Create workers of a parent queue, named by its job class or by its full name.

        They create the children that the job names; no worker waits with the parent.

        Raises:
            DeclarationError: there is no such queue, or it is no parent queue.
        """
        plan = self._declaration.plan_of(queue)
        if not plan.options.children:
            msg = f"{plan.queue!r} is no parent queue: give it children, or use create_workers"
            raise DeclarationError(msg)
        check_counts(count, concurrency)
        workers = [ParentWorker(self._runtime, plan.queue, ParentRunner(plan), concurrency) for _ in range(count)]
        self._workers += workers
        return workers

    def create_child_workers(
        self,
        parent_queue: type[JobT] | str,
        child: type[ChildJobT] | str,
        worker_function: WorkerFunction[ChildJobT],
        count: int = 1,
        *,
        concurrency: int = 1,
        executor: Literal["process"] | None = None,
    ) -> list[Worker]:
        """Create workers of a child queue; the arguments are those of `create_workers`.

        Raises:
            DeclarationError: the parent has no such child queue, or the function cannot be used.
        """
        plan = self._declaration.child_plan_of(self._declaration.plan_of(parent_queue), child)
        workers = function_workers(self._runtime, plan, worker_function, count, concurrency, executor)
        self._workers += workers
        return workers

    async def start_all(self) -> None:
        """Connect the flow, then start all workers; starting twice changes nothing.

        Raises:
            StoreError: the server cannot be used.
            DeclarationError: another flow owns one of the queues.
        """
        stops = self._stops
        await self._runtime.open()
        for worker in self._workers:
            if stops == self._stops:  # else it was told to stop meanwhile
                await worker.start()

    async def stop_all(self, grace: float | None = None) -> None:
        """Stop all workers, each after the jobs in flight, and disconnect; stopping twice changes nothing.

        Args:
            grace: After so many seconds what still runs is cancelled and handed back. None waits.
        """
        self._stops += 1
        await asyncio.gather(*(worker.stop(grace) for worker in self._workers))
        if all(worker.status == "stopped" for worker in self._workers):  # else one was started again meanwhile
            await self._runtime.close()

    async def run(self, grace: float | None = 30.0) -> int:
        """Start all workers and run until SIGTERM or SIGINT, then stop within `grace` seconds; a second one: at once.

        Returns the exit status for `sys.exit`: 0 where all jobs in flight were finished or handed back, 1 where a
        function did not end or the server could not be told, so that leases have to run out.

        Raises:
            StoreError: the server cannot be used.
            DeclarationError: another flow owns one of the queues.
        """
        return await run_until_told(
            self.start_all, self.stop_all, lambda: sum(worker.left for worker in self._workers), grace
        )

    async def __aenter__(self) -> Self:
        """Start all."""
        await self.start_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop all."""
        await self.stop_all()

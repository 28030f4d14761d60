"""What a flow does with its workers: create them for a queue, and for parent queues and child queues by its base."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Generic, Literal, cast, overload

from flows.errors import DeclarationError
from flows.pipeline.children.child_workers import ChildWorkers
from flows.pipeline.signature import (
    BatchDecorator,
    BatchFunction,
    JobClass,
    JobT,
    LifespanOf,
    NamedJobT,
    QueueJobT,
    ResourceBatchDecorator,
    ResourceT,
    ResourceWorkerDecorator,
    WorkerDecorator,
    WorkerFunction,
)
from flows.pipeline.workers import WorkerOptions, function_workers

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from flows.kernel.worker import Worker
    from flows.model.fleet.process import Process
    from flows.model.plan import QueuePlan


class FlowWorkers(ChildWorkers[JobT], Generic[JobT]):
    """The methods of a flow that are about its workers, for a program that runs them."""

    @property
    def workers(self) -> list[Worker]:
        """The workers that were created, and the parent workers that the start has added."""
        return list(self._pool.workers)

    def serve_only(self, *queues: str) -> None:
        """Serve only these queues in this process: its workers of all others are dropped before they start.

        Args:
            queues: Full names, of each of which a worker was created.

        Raises:
            DeclarationError: no worker of one of these queues was created, or none is named.
        """
        had = {worker.queue for worker in self._pool.workers}
        without = [queue for queue in queues if queue not in had]
        if without or not queues:
            named = ", ".join(map(repr, queues))
            raise DeclarationError(
                f"serve_only({named}): workers were created of {', '.join(sorted(had)) or 'no queue'}"
            )
        self._pool.workers[:] = [worker for worker in self._pool.workers if worker.queue in queues]

    async def processes(self) -> list[Process]:
        """Return the processes that have workers of the flow, wherever they run, and what each does.

        Those that were killed, or cannot be heard of, are there for an hour with `alive=False`; one that has stopped in
        order is there no more. A process is heard of every quarter of a lease.

        Raises:
            StoreError: the server cannot be used.
        """
        return await self._runtime.processes()

    @overload
    def create_workers(
        self,
        queue: JobClass[QueueJobT, JobT] | str,
        worker_function: WorkerFunction[QueueJobT],
        count: int = 1,
        *,
        concurrency: int = 1,
        executor: Literal["process"] | None = None,
    ) -> list[Worker]: ...
    @overload
    def create_workers(
        self,
        queue: JobClass[QueueJobT, JobT] | str,
        worker_function: BatchFunction[QueueJobT],
        count: int = 1,
        *,
        batch: int,
        linger: timedelta | float | None = None,
        concurrency: int = 1,
    ) -> list[Worker]: ...
    def create_workers(
        self,
        queue: JobClass[QueueJobT, JobT] | str,
        worker_function: Callable[[Any], Any],
        count: int = 1,
        *,
        concurrency: int = 1,
        executor: Literal["process"] | None = None,
        batch: int | None = None,
        linger: timedelta | float | None = None,
    ) -> list[Worker]:
        """Create workers of a queue, named by its job class or by its name; on a flow that runs, they start at once.

        Args:
            queue: Which one.
            worker_function: `async def`, `def` (run in a thread), or `def` with executor="process".
            count: How many workers.
            concurrency: How many jobs each of them runs at once, or how many batches.
            executor: "process" runs a `def` in processes of its own.
            batch: The function takes a list of up to so many jobs, and returns an item for each.
            linger: How long the first job of a batch waits for others; a timedelta or seconds, 10 ms by default.

        Raises:
            DeclarationError: there is no such queue, it is a parent queue, or the function cannot be used.
        """
        options = WorkerOptions(count, concurrency, executor, batch, linger)
        return self._pool.add(function_workers(self._runtime, self._plan_of(queue), worker_function, options))

    @overload
    def worker(
        self,
        queue: JobClass[NamedJobT, JobT] | str,
        *,
        count: int = 1,
        concurrency: int = 1,
        executor: Literal["process"] | None = None,
    ) -> WorkerDecorator[NamedJobT]: ...
    @overload
    def worker(
        self,
        queue: JobClass[NamedJobT, JobT] | str,
        *,
        lifespan: LifespanOf[ResourceT],
        count: int = 1,
        concurrency: int = 1,
        executor: Literal["process"] | None = None,
    ) -> ResourceWorkerDecorator[NamedJobT, ResourceT]: ...
    @overload
    def worker(
        self,
        queue: JobClass[NamedJobT, JobT] | str,
        *,
        batch: int,
        linger: timedelta | float | None = None,
        count: int = 1,
        concurrency: int = 1,
    ) -> BatchDecorator[NamedJobT]: ...
    @overload
    def worker(
        self,
        queue: JobClass[NamedJobT, JobT] | str,
        *,
        lifespan: LifespanOf[ResourceT],
        batch: int,
        linger: timedelta | float | None = None,
        count: int = 1,
        concurrency: int = 1,
    ) -> ResourceBatchDecorator[NamedJobT, ResourceT]: ...
    def worker(
        self,
        queue: JobClass[NamedJobT, JobT] | str,
        *,
        lifespan: LifespanOf[Any] | None = None,
        count: int = 1,
        concurrency: int = 1,
        executor: Literal["process"] | None = None,
        batch: int | None = None,
        linger: timedelta | float | None = None,
    ) -> Any:
        """Create workers that run the decorated function: `@flow.worker(Download, concurrency=10)`.

        The function stays as it is; the arguments are those of `create_workers`, and one more.

        Args:
            queue: Which one.
            lifespan: An async context manager function. What it brings is the function's second argument: opened
                once in this process, or in each with executor="process", and closed after the last job.
            count: How many workers.
            concurrency: How many jobs each of them runs at once, or how many batches.
            executor: "process" runs a `def` in processes of its own.
            batch: The function takes a list of up to so many jobs, and returns an item for each.
            linger: How long the first job of a batch waits for others; a timedelta or seconds, 10 ms by default.

        Raises:
            DeclarationError: there is no such queue, it is a parent queue, or the function cannot be used.
        """
        return self._decorator(
            self._plan_of(queue), WorkerOptions(count, concurrency, executor, batch, linger), lifespan
        )

    def _plan_of(self, queue: object) -> QueuePlan:
        if inspect.isroutine(queue):
            raise DeclarationError(
                f"{queue.__qualname__} is no queue: write @flow.worker(Download), with the job class"
            )
        plan = self._declaration.plan_of(cast("type[JobT] | str", queue))
        if plan.options.children and ":" not in plan.queue:
            raise DeclarationError(f"{plan.queue!r} is a parent queue: use create_parent_workers")
        return plan

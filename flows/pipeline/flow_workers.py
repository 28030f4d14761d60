"""What a flow does with its workers: create them for a queue, a parent queue or a child queue."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Generic, Literal, cast, overload

from flows.errors import DeclarationError
from flows.kernel.handler import check_lifespan
from flows.pipeline.signature import (
    ChildJobT,
    JobClass,
    JobT,
    LifespanOf,
    NamedJobT,
    QueueJobT,
    ResourceT,
    ResourceWorkerDecorator,
    ReturnedT,
    WorkerDecorator,
    WorkerFunction,
)
from flows.pipeline.worker_pool import PARENTS
from flows.pipeline.workers import check_counts, function_workers

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.kernel.runtime import Runtime
    from flows.kernel.worker import ParentWorker, Worker
    from flows.model.plan import QueuePlan
    from flows.pipeline.declaration import Declaration
    from flows.pipeline.worker_pool import WorkerPool


class FlowWorkers(Generic[JobT]):
    """The methods of a flow that are about its workers, for a program that runs them."""

    # Made by `Flow`.
    _runtime: Runtime
    _declaration: Declaration
    _pool: WorkerPool

    @property
    def workers(self) -> list[Worker]:
        """The workers that were created, and the parent workers that the start has added."""
        return list(self._pool.workers)

    def create_workers(
        self,
        queue: JobClass[QueueJobT, JobT] | str,
        worker_function: WorkerFunction[QueueJobT],
        count: int = 1,
        *,
        concurrency: int = 1,
        executor: Literal["process"] | None = None,
    ) -> list[Worker]:
        """Create workers of a queue, named by its job class or by its name; on a flow that runs, they start at once.

        Args:
            queue: Which one.
            worker_function: `async def`, `def` (run in a thread), or `def` with executor="process".
            count: How many workers.
            concurrency: How many jobs each of them runs at once.
            executor: "process" runs a `def` in processes of its own.

        Raises:
            DeclarationError: there is no such queue, it is a parent queue, or the function cannot be used.
        """
        plan = self._plan_of(queue)
        return self._pool.add(function_workers(self._runtime, plan, worker_function, count, concurrency, executor))

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
    def worker(
        self,
        queue: JobClass[NamedJobT, JobT] | str,
        *,
        lifespan: LifespanOf[Any] | None = None,
        count: int = 1,
        concurrency: int = 1,
        executor: Literal["process"] | None = None,
    ) -> Any:
        """Create workers that run the decorated function: `@flow.worker(Download, concurrency=10)`.

        The function stays as it is; the arguments are those of `create_workers`, and one more.

        Args:
            queue: Which one.
            lifespan: An async context manager function. What it brings is the function's second argument: opened
                once in this process, or in each with executor="process", and closed after the last job.
            count: How many workers.
            concurrency: How many jobs each of them runs at once.
            executor: "process" runs a `def` in processes of its own.

        Raises:
            DeclarationError: there is no such queue, it is a parent queue, or the function cannot be used.
        """
        return self._decorator(self._plan_of(queue), count, concurrency, executor, lifespan)

    def create_parent_workers(
        self, queue: type[JobT] | str, count: int = 1, *, concurrency: int = PARENTS
    ) -> list[ParentWorker]:
        """Create workers of a parent queue, named by its job class or by its full name.

        They create the children that the job names; no worker waits with the parent. A flow that has workers of any
        queue in this process starts one for each parent queue by itself; create them to have more, or others.

        Raises:
            DeclarationError: there is no such queue, or it is no parent queue.
        """
        plan = self._declaration.plan_of(queue)
        if not plan.options.children:
            raise DeclarationError(f"{plan.queue!r} is no parent queue: give it children, or use create_workers")
        check_counts(count, concurrency)
        return self._pool.add([self._pool.parent_worker(plan, concurrency) for _ in range(count)])

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
        plan = self._child_plan_of(parent_queue, child)
        return self._pool.add(function_workers(self._runtime, plan, worker_function, count, concurrency, executor))

    @overload
    def child_worker(
        self,
        parent_queue: type[JobT] | str,
        child: type[NamedJobT] | str,
        *,
        count: int = 1,
        concurrency: int = 1,
        executor: Literal["process"] | None = None,
    ) -> WorkerDecorator[NamedJobT]: ...
    @overload
    def child_worker(
        self,
        parent_queue: type[JobT] | str,
        child: type[NamedJobT] | str,
        *,
        lifespan: LifespanOf[ResourceT],
        count: int = 1,
        concurrency: int = 1,
        executor: Literal["process"] | None = None,
    ) -> ResourceWorkerDecorator[NamedJobT, ResourceT]: ...
    def child_worker(
        self,
        parent_queue: type[JobT] | str,
        child: type[NamedJobT] | str,
        *,
        lifespan: LifespanOf[Any] | None = None,
        count: int = 1,
        concurrency: int = 1,
        executor: Literal["process"] | None = None,
    ) -> Any:
        """Create workers of a child queue that run the decorated function: `@flow.child_worker(Album, Page)`.

        The arguments are those of `worker`.

        Raises:
            DeclarationError: the parent has no such child queue, or the function cannot be used.
        """
        return self._decorator(self._child_plan_of(parent_queue, child), count, concurrency, executor, lifespan)

    def _plan_of(self, queue: object) -> QueuePlan:
        if inspect.isroutine(queue):
            raise DeclarationError(
                f"{queue.__qualname__} is no queue: write @flow.worker(Download), with the job class"
            )
        plan = self._declaration.plan_of(cast("type[JobT] | str", queue))
        if plan.options.children and ":" not in plan.queue:
            raise DeclarationError(f"{plan.queue!r} is a parent queue: use create_parent_workers")
        return plan

    def _child_plan_of(self, parent_queue: type[JobT] | str, child: type[Any] | str) -> QueuePlan:
        return self._declaration.child_plan_of(self._declaration.plan_of(parent_queue), child)

    def _decorator(
        self,
        plan: QueuePlan,
        count: int,
        concurrency: int,
        executor: Literal["process"] | None,
        lifespan: LifespanOf[Any] | None,
    ) -> Callable[[Callable[..., ReturnedT]], Callable[..., ReturnedT]]:
        check_counts(count, concurrency)
        if lifespan is not None:
            check_lifespan(lifespan)

        def decorate(function: Callable[..., ReturnedT]) -> Callable[..., ReturnedT]:
            self._pool.add(
                function_workers(self._runtime, plan, function, count, concurrency, executor, lifespan, bound=False)
            )
            return function

        return decorate

"""What a flow does with the workers of its parent queues and child queues: it creates them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Literal, overload

from flows.errors import DeclarationError
from flows.kernel.handler import check_lifespan
from flows.pipeline.signature import (
    BatchDecorator,
    BatchFunction,
    ChildJobT,
    JobT,
    LifespanOf,
    NamedJobT,
    ResourceBatchDecorator,
    ResourceT,
    ResourceWorkerDecorator,
    ReturnedT,
    WorkerDecorator,
    WorkerFunction,
)
from flows.pipeline.worker_pool import PARENTS
from flows.pipeline.workers import WorkerOptions, check_counts, check_worker_options, function_workers

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from flows.kernel.runtime import Runtime
    from flows.kernel.worker import ParentWorker, Worker
    from flows.model.plan import QueuePlan
    from flows.pipeline.declaration import Declaration
    from flows.pipeline.worker_pool import FlowPool


class ChildWorkers(Generic[JobT]):
    """The methods of a flow that are about workers of parent queues and child queues."""

    # Made by `Flow`.
    _runtime: Runtime
    _declaration: Declaration
    _pool: FlowPool

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

    @overload
    def create_child_workers(
        self,
        parent_queue: type[JobT] | str,
        child: type[ChildJobT] | str,
        worker_function: WorkerFunction[ChildJobT],
        count: int = 1,
        *,
        concurrency: int = 1,
        executor: Literal["process"] | None = None,
    ) -> list[Worker]: ...
    @overload
    def create_child_workers(
        self,
        parent_queue: type[JobT] | str,
        child: type[ChildJobT] | str,
        worker_function: BatchFunction[ChildJobT],
        count: int = 1,
        *,
        batch: int,
        linger: timedelta | float | None = None,
        concurrency: int = 1,
    ) -> list[Worker]: ...
    def create_child_workers(
        self,
        parent_queue: type[JobT] | str,
        child: type[ChildJobT] | str,
        worker_function: Callable[[Any], Any],
        count: int = 1,
        *,
        concurrency: int = 1,
        executor: Literal["process"] | None = None,
        batch: int | None = None,
        linger: timedelta | float | None = None,
    ) -> list[Worker]:
        """Create workers of a child queue; the arguments are those of `create_workers`.

        Raises:
            DeclarationError: the parent has no such child queue, or the function cannot be used.
        """
        options = WorkerOptions(count, concurrency, executor, batch, linger)
        return self._pool.add(
            function_workers(self._runtime, self._child_plan_of(parent_queue, child), worker_function, options)
        )

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
    @overload
    def child_worker(
        self,
        parent_queue: type[JobT] | str,
        child: type[NamedJobT] | str,
        *,
        batch: int,
        linger: timedelta | float | None = None,
        count: int = 1,
        concurrency: int = 1,
    ) -> BatchDecorator[NamedJobT]: ...
    @overload
    def child_worker(
        self,
        parent_queue: type[JobT] | str,
        child: type[NamedJobT] | str,
        *,
        lifespan: LifespanOf[ResourceT],
        batch: int,
        linger: timedelta | float | None = None,
        count: int = 1,
        concurrency: int = 1,
    ) -> ResourceBatchDecorator[NamedJobT, ResourceT]: ...
    def child_worker(
        self,
        parent_queue: type[JobT] | str,
        child: type[NamedJobT] | str,
        *,
        lifespan: LifespanOf[Any] | None = None,
        count: int = 1,
        concurrency: int = 1,
        executor: Literal["process"] | None = None,
        batch: int | None = None,
        linger: timedelta | float | None = None,
    ) -> Any:
        """Create workers of a child queue that run the decorated function: `@flow.child_worker(Album, Page)`.

        The arguments are those of `worker`.

        Raises:
            DeclarationError: the parent has no such child queue, or the function cannot be used.
        """
        return self._decorator(
            self._child_plan_of(parent_queue, child),
            WorkerOptions(count, concurrency, executor, batch, linger),
            lifespan,
        )

    def _child_plan_of(self, parent_queue: type[JobT] | str, child: type[Any] | str) -> QueuePlan:
        return self._declaration.child_plan_of(self._declaration.plan_of(parent_queue), child)

    def _decorator(
        self, plan: QueuePlan, options: WorkerOptions, lifespan: LifespanOf[Any] | None
    ) -> Callable[[Callable[..., ReturnedT]], Callable[..., ReturnedT]]:
        check_worker_options(plan, options)
        if lifespan is not None:
            check_lifespan(lifespan)

        def decorate(function: Callable[..., ReturnedT]) -> Callable[..., ReturnedT]:
            self._pool.add(function_workers(self._runtime, plan, function, options, lifespan, bound=False))
            return function

        return decorate

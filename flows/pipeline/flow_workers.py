"""What a flow does with its workers: create them for a queue, a parent queue or a child queue."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, cast, overload

from flows.errors import DeclarationError, StoreError
from flows.kernel.attempt_runner import ParentRunner
from flows.kernel.handler import check_lifespan
from flows.kernel.worker import ParentWorker, Worker
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
from flows.pipeline.workers import check_counts, function_workers

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.kernel.runtime import Runtime
    from flows.kernel.session import Session
    from flows.model.plan import QueuePlan
    from flows.pipeline.declaration import Declaration

WorkerT = TypeVar("WorkerT", bound=Worker)

#: A parent worker creates children, which costs little: so many parents at once.
_PARENTS = 8
#: A worker that was created on a running flow and cannot start is tried again after so many seconds.
_PAUSE = 1.0


class FlowWorkers(Generic[JobT]):
    """The methods of a flow that are about its workers, for a program that runs them."""

    # Made by `Flow`.
    _runtime: Runtime
    _declaration: Declaration
    _workers: list[Worker]
    #: The session in which all workers were started; None once they were stopped.
    _begun: Session | None
    #: What starts workers that were created on a flow that runs.
    _starting: set[asyncio.Task[None]]

    @property
    def workers(self) -> list[Worker]:
        """The workers that were created, and the parent workers that the start has added."""
        return list(self._workers)

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
        return self._add(function_workers(self._runtime, plan, worker_function, count, concurrency, executor))

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
        self, queue: type[JobT] | str, count: int = 1, *, concurrency: int = _PARENTS
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
        return self._add([self._parent_worker(plan, concurrency) for _ in range(count)])

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
        return self._add(function_workers(self._runtime, plan, worker_function, count, concurrency, executor))

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
            self._add(
                function_workers(self._runtime, plan, function, count, concurrency, executor, lifespan, bound=False)
            )
            return function

        return decorate

    def _add(self, workers: list[WorkerT]) -> list[WorkerT]:
        self._workers += workers
        session = self._begun
        if session is not None and not session.over:
            session.call_soon(lambda: self._begin_late(session, workers))
        return workers

    def _begin(self, session: Session) -> None:
        """All workers start: those that are created from now on start by themselves."""
        self._begun = session
        self._add_parent_workers()

    def _add_parent_workers(self) -> None:
        """Add the parent workers that nobody has created.

        Jobs come to a parent queue from other queues of the flow: a process that has workers of any has one of it too,
        and one that only creates jobs has none. Where a child queue has children of its own, they may be named by a
        function, which is another process's: nothing is added there.
        """
        served = {worker.queue for worker in self._workers}
        for name, plan in self._declaration.plans.items():
            if served and plan.options.children and ":" not in name and name not in served:
                self._workers.append(self._parent_worker(plan, _PARENTS))

    async def _begin_no_more(self) -> None:
        """Start no worker that was created late, from now on, and wait for the one that is just being started."""
        self._begun = None
        loop = asyncio.get_running_loop()
        # Those of a loop that has ended never end.
        starting = [task for task in self._starting if task.get_loop() is loop]
        await asyncio.gather(*starting, return_exceptions=True)

    def _begin_late(self, session: Session, workers: list[WorkerT]) -> None:
        known = len(self._workers)
        if self._begun is session:
            self._add_parent_workers()
            task = session.loop.create_task(self._start_late([*workers, *self._workers[known:]], session))
            self._starting.add(task)
            task.add_done_callback(self._starting.discard)

    async def _start_late(self, workers: list[Worker], session: Session) -> None:
        while workers and self._begun is session:  # else the flow was stopped meanwhile
            try:
                await workers[0].start()
            except StoreError as error:
                self._runtime.events.emit("store.unavailable", queue=workers[0].queue, error=str(error))
                await asyncio.sleep(_PAUSE)
            else:
                del workers[0]

    def _parent_worker(self, plan: QueuePlan, concurrency: int) -> ParentWorker:
        return ParentWorker(self._runtime, plan.queue, ParentRunner(plan), concurrency)

"""What a flow does with its workers: create them for a queue, a parent queue or a child queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Literal, overload

from flows.errors import DeclarationError
from flows.kernel.attempt_runner import ParentRunner
from flows.kernel.worker import ParentWorker, Worker
from flows.pipeline.signature import ChildJobT, JobClass, JobT, QueueJobT, WorkerFunction
from flows.pipeline.workers import check_counts, function_workers

if TYPE_CHECKING:
    from flows.kernel.runtime import Runtime
    from flows.pipeline.declaration import Declaration


class FlowWorkers(Generic[JobT]):
    """The methods of a flow that are about its workers, for a program that runs them."""

    # Made by `Flow`.
    _runtime: Runtime
    _declaration: Declaration
    _workers: list[Worker]

    @property
    def workers(self) -> list[Worker]:
        """The workers that were created."""
        return list(self._workers)

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
            raise DeclarationError(f"{plan.queue!r} is a parent queue: use create_parent_workers")
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
            raise DeclarationError(f"{plan.queue!r} is no parent queue: give it children, or use create_workers")
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

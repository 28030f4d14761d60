"""The workers of a flow in this process: those that were created, and its parent queues', which start by themselves."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from flows.errors import StoreFull
from flows.kernel.attempt_runner import ParentRunner
from flows.kernel.program.worker_pool import WorkerPool
from flows.kernel.worker import ParentWorker, Worker
from flows.model.declared.description import describe_results
from flows.pipeline.around.carrying import carrying
from flows.pipeline.worker_function import returned_results
from flows.store.fleet.declarations import declare_results

if TYPE_CHECKING:
    from flows.kernel.runtime import Runtime
    from flows.kernel.session import Session
    from flows.model.job import JobResult
    from flows.model.plan import QueuePlan
    from flows.pipeline.declaration import Declaration

#: Parent workers only create children: one of them serves so many parents at once.
PARENTS: Final = 8


class FlowPool(WorkerPool):
    """The workers of one flow."""

    def __init__(self, runtime: Runtime, declaration: Declaration) -> None:
        super().__init__(runtime)
        self._declaration = declaration
        #: By queue, what its functions say that they return, as JSON: it is made once.
        self._described: dict[str, str] = {}

    async def announce(self, session: Session) -> None:
        """Say which workers are about to start, and record what their functions say they return.

        Raises:
            StoreError: the server cannot be used.
        """
        coming = self.coming()
        await super().announce(session)
        if self._declaration.options.describe:
            with contextlib.suppress(StoreFull):
                await declare_results(session.connection, session.settings, self._results(coming))

    def unserved(self) -> list[str]:
        """Return the queues of which this process has no worker."""
        have = {worker.queue for worker in self.workers}
        return [queue for queue in self._declaration.plans if queue not in have]

    def parent_worker(self, plan: QueuePlan, concurrency: int) -> ParentWorker:
        """Return a worker of a parent queue."""
        runner = carrying(ParentRunner(plan), self._runtime.options.middleware)
        return ParentWorker(self._runtime, plan.queue, runner, concurrency)

    def complete(self) -> None:
        """Add the parent workers that nobody has created.

        Jobs come to a parent queue from other queues of the flow: a process that has workers of any has one of it too,
        and one that only creates jobs has none. Where a child queue has children of its own, they may be named by a
        function, which is another process's: nothing is added there.
        """
        served = {worker.queue for worker in self.workers}
        for name, plan in self._declaration.plans.items():
            if served and plan.options.children and ":" not in name and name not in served:
                self.workers.append(self.parent_worker(plan, PARENTS))

    def _results(self, workers: list[Worker]) -> dict[str, str]:
        """Return, by queue, the JSON of what the functions of some workers say that they return."""
        models: dict[str, list[type[JobResult]]] = {}
        for worker in workers:
            if worker.function is not None and (results := returned_results(worker.function)):
                models.setdefault(worker.queue, []).extend(results)
        for queue, of_queue in models.items():
            if queue not in self._described:
                self._described[queue] = describe_results(of_queue)
        return {queue: self._described[queue] for queue in models}

"""The workers that a flow has in this process: those that were created, and those that start by themselves."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from typing import TYPE_CHECKING, Final, TypeVar

from flows.errors import HostUnable, StoreError, StoreFull
from flows.kernel.attempt_runner import ParentRunner
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

WorkerT = TypeVar("WorkerT", bound=Worker)

#: Parent workers only create children: one of them serves so many parents at once.
PARENTS: Final = 8
#: A worker that was created on a running flow and cannot start is tried again after so many seconds.
_PAUSE: Final = 1.0


class WorkerPool:
    """The workers of one flow."""

    def __init__(self, runtime: Runtime, declaration: Declaration) -> None:
        self._runtime = runtime
        self._declaration = declaration
        self.workers: list[Worker] = []
        #: By queue, what its functions say that they return, as JSON: it is made once.
        self._described: dict[str, str] = {}
        #: The session in which all workers were started; None once they were stopped.
        self._begun: Session | None = None
        #: What starts workers that were created on a flow that runs.
        self._starting: set[asyncio.Task[None]] = set()

    def served(self) -> set[str]:
        """Return the queues of which a worker runs."""
        return {worker.queue for worker in self.workers if worker.status != "stopped"}

    async def announce(self, session: Session) -> None:
        """Say which workers are about to start, and record what their functions say they return.

        Raises:
            StoreError: the server cannot be used.
        """
        coming = [worker for worker in self.workers if worker.status != "running"]
        await session.heartbeat.announce(session.connection, [(worker.queue, worker.concurrency) for worker in coming])
        if self._declaration.options.describe:
            with contextlib.suppress(StoreFull):
                await declare_results(session.connection, session.settings, self._results(coming))

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

    def unserved(self) -> list[str]:
        """Return the queues of which this process has no worker."""
        have = {worker.queue for worker in self.workers}
        return [queue for queue in self._declaration.plans if queue not in have]

    def running(self) -> Counter[str]:
        """Return how many jobs run, by queue; queues without one are left out."""
        running = Counter[str]()
        for worker in self.workers:
            running[worker.queue] += worker.running
        return +running

    def add(self, workers: list[WorkerT]) -> list[WorkerT]:
        """Add workers and return them; where all others were started, they start as well."""
        self.workers += workers
        session = self._begun
        if session is not None and not session.over:
            session.call_soon(lambda: self._begin_late(session, workers))
        return workers

    def parent_worker(self, plan: QueuePlan, concurrency: int) -> ParentWorker:
        """Return a worker of a parent queue."""
        runner = carrying(ParentRunner(plan), self._runtime.options.middleware)
        return ParentWorker(self._runtime, plan.queue, runner, concurrency)

    def begin(self, session: Session) -> None:
        """All workers start: those that are created from now on start by themselves."""
        self._begun = session
        self.add_parent_workers()

    def add_parent_workers(self) -> None:
        """Add the parent workers that nobody has created.

        Jobs come to a parent queue from other queues of the flow: a process that has workers of any has one of it too,
        and one that only creates jobs has none. Where a child queue has children of its own, they may be named by a
        function, which is another process's: nothing is added there.
        """
        served = {worker.queue for worker in self.workers}
        for name, plan in self._declaration.plans.items():
            if served and plan.options.children and ":" not in name and name not in served:
                self.workers.append(self.parent_worker(plan, PARENTS))

    async def begin_no_more(self) -> None:
        """Start no worker that was created late, from now on, and wait for the one that is just being started."""
        self._begun = None
        loop = asyncio.get_running_loop()
        # Those of a loop that has ended never end.
        starting = [task for task in self._starting if task.get_loop() is loop]
        await asyncio.gather(*starting, return_exceptions=True)

    def _begin_late(self, session: Session, workers: list[WorkerT]) -> None:
        known = len(self.workers)
        if self._begun is session:
            self.add_parent_workers()
            task = session.loop.create_task(self._start_late([*workers, *self.workers[known:]], session))
            self._starting.add(task)
            task.add_done_callback(self._starting.discard)

    async def _start_late(self, workers: list[Worker], session: Session) -> None:
        while workers and self._begun is session:  # else the flow was stopped meanwhile
            try:
                await workers[0].start()
            except (StoreError, HostUnable) as error:
                self._runtime.events.emit("store.unavailable", queue=workers[0].queue, error=str(error))
                await asyncio.sleep(_PAUSE)
            else:
                del workers[0]

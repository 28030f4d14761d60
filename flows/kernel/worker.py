"""A worker of one queue, which is started and stopped singly or with its flow."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal, TypeAlias

from flows.kernel.collector import room_for
from flows.kernel.deadlines import GRACE
from flows.kernel.worker_loop import WorkerLoop
from flows.store.client.connection import ANSWER_TIMEOUT

if TYPE_CHECKING:
    from flows.kernel.attempt_runner import Runner
    from flows.kernel.handler import Handler
    from flows.kernel.runtime import Runtime

#: What a worker is doing.
WorkerStatus: TypeAlias = Literal["stopped", "running", "stopping"]


class Worker:
    """Takes jobs from one queue, runs their function, stores what it returns and passes them on.

    Attributes:
        queue: The full name of its queue.
        concurrency: How many jobs it runs at once.
        status: "stopped", "running", or "stopping" while it finishes the jobs in flight.
        left: How many jobs it could neither finish nor release when it stopped: their leases have to run out.
    """

    def __init__(
        self, runtime: Runtime, queue: str, runner: Runner, concurrency: int, handler: Handler | None = None
    ) -> None:
        self.queue = queue
        self.concurrency = concurrency
        self.status: WorkerStatus = "stopped"
        self.left = 0
        self._runtime = runtime
        self._runner = runner
        self._handler = handler
        self._worker_loop: WorkerLoop | None = None
        self._task: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.queue} {self.status}>"

    async def start(self) -> None:
        """Start to take jobs; starting twice changes nothing.

        Raises:
            StoreError: the server cannot be used.
            DeclarationError: another flow owns one of the flow's queues.
        """
        while self.status == "stopping" and self._task is not None:
            await asyncio.wait({self._task})
        if self.status != "stopped":
            return
        self.status = "running"
        try:
            await self._runtime.open()
        except BaseException:
            self.status = "stopped"
            raise
        if self.status != "running":
            self.status = "stopped"  # stopped while it connected
            return
        self.left = 0
        worker_loop = WorkerLoop(self._runtime, self.queue, self._runner, self.concurrency)
        self._worker_loop = worker_loop
        self._task = asyncio.get_running_loop().create_task(self._work(worker_loop), name=f"flows-{self.queue}")

    async def stop(self, grace: float | None = None) -> None:
        """Stop: take no more jobs and finish those in flight; a second call with a shorter grace hastens the first.

        Args:
            grace: After so many seconds, functions that still run are cancelled and their jobs released at once,
                without using up an attempt; a function that has not ended another second later is left behind.
                None waits as long as it takes.
        """
        task, worker_loop = self._task, self._worker_loop
        if self.status == "running":
            self.status = "stopping"
        if task is None or worker_loop is None:
            return
        worker_loop.stop()
        if grace is not None:
            await asyncio.wait({task}, timeout=grace)
            worker_loop.release_running()
            # Long enough for a server that is there to answer; one that is away is not waited for.
            await asyncio.wait({task}, timeout=GRACE + ANSWER_TIMEOUT)
            task.cancel()
        await asyncio.wait({task})

    async def _work(self, worker_loop: WorkerLoop) -> None:
        runtime = self._runtime
        if self._handler is not None:
            self._handler.open()
        runtime.add_worker(worker_loop)
        runtime.events.emit("worker.started", queue=self.queue, concurrency=self.concurrency)
        try:
            with room_for(self.concurrency):
                await worker_loop.run()
        finally:
            self.left = worker_loop.left + (0 if self._handler is None else self._handler.abandoned)
            runtime.remove_worker(worker_loop)
            if self._handler is not None:
                self._handler.close()
            self._task = self._worker_loop = None
            self.status = "stopped"
            runtime.events.emit("worker.stopped", queue=self.queue)


class ParentWorker(Worker):
    """A worker of a parent queue, which creates the children; no worker waits with the parent."""

"""The workers that a flow has in this process, and how those start that are created while it runs."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Final, TypeVar

from flows.errors import HostUnable, StoreError
from flows.kernel.worker import Worker

if TYPE_CHECKING:
    from flows.kernel.runtime import Runtime
    from flows.kernel.session import Session

WorkerT = TypeVar("WorkerT", bound=Worker)

#: A worker that was created on a running flow and cannot start is tried again after so many seconds.
_PAUSE: Final = 1.0


class WorkerPool:
    """The workers of one flow."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.workers: list[Worker] = []
        #: The session in which all workers were started; None once they were stopped.
        self._begun: Session | None = None
        #: What starts workers that were created on a flow that runs.
        self._starting: set[asyncio.Task[None]] = set()

    def served(self) -> set[str]:
        """Return the queues of which a worker runs."""
        return {worker.queue for worker in self.workers if worker.status != "stopped"}

    async def announce(self, session: Session) -> None:
        """Say which workers are about to start.

        Raises:
            StoreError: the server cannot be used.
        """
        await session.heartbeat.announce(
            session.connection, [(worker.queue, worker.concurrency) for worker in self.coming()]
        )

    def coming(self) -> list[Worker]:
        """Return the workers that do not run yet."""
        return [worker for worker in self.workers if worker.status != "running"]

    def unserved(self) -> list[str]:
        """Return the queues of which this process has no worker, where that is worth telling."""
        return []

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

    def begin(self, session: Session) -> None:
        """All workers start: those that are created from now on start by themselves."""
        self._begun = session
        self.complete()

    def complete(self) -> None:
        """Add the workers that nobody has created and that the others need."""

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
            self.complete()
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

"""A worker of one queue, which is started and stopped singly or with its flow."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeAlias

from flows.errors import HostUnable, WrongLoop
from flows.kernel.around.beside import Beside
from flows.kernel.collector import room_for
from flows.kernel.deadlines import GRACE
from flows.kernel.unable import tell_unable
from flows.kernel.worker_loop import WorkerLoop
from flows.model.arguments import check_seconds
from flows.store.client.connection import DEADLINE
from flows.store.client.wire import ANSWER_TIMEOUT
from flows.telemetry.service import Pause, is_closing, why_ended

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.kernel.attempt_runner import Runner
    from flows.kernel.handler import Handler
    from flows.kernel.limits.process_slots import ProcessSlots
    from flows.kernel.runtime import Runtime
    from flows.kernel.session import Session

#: What a worker is doing.
WorkerStatus: TypeAlias = Literal["stopped", "running", "stopping"]


class Worker:
    """Takes jobs from one queue, runs their function, stores what it returns and passes them on.

    Attributes:
        queue: The full name of its queue.
        concurrency: How many jobs it runs at once.
        left: How many jobs it could neither finish nor release when it stopped: their leases have to run out.
        released: How many jobs it handed back when it stopped.
    """

    def __init__(  # noqa: PLR0917 - its surroundings, given once
        self,
        runtime: Runtime,
        queue: str,
        runner: Runner,
        concurrency: int,
        handler: Handler | None = None,
        slots: ProcessSlots | None = None,
    ) -> None:
        self.queue = queue
        self.concurrency = concurrency
        self.left = self.released = 0
        self._status: WorkerStatus = "stopped"
        #: In which it was started last.
        self._session: Session | None = None
        self._runtime = runtime
        self._runner = runner
        self._handler = handler
        self._slots = slots
        self._worker_loop: WorkerLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._beside = Beside(runtime.events)
        #: After a start that nobody has stopped, and that has ended all the same.
        self._pause = Pause()
        self._again: asyncio.TimerHandle | None = None

    @property
    def status(self) -> WorkerStatus:
        """Return "stopped", "running", or "stopping" while it finishes the jobs in flight."""
        return "stopped" if self._session is None or self._session.over else self._status

    @property
    def running(self) -> int:
        """Return how many jobs run in it just now."""
        return 0 if self._worker_loop is None else self._worker_loop.running

    @property
    def idle(self) -> bool:
        """Whether no job is in flight."""
        return self._worker_loop is None or self._worker_loop.idle

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.queue} {self.status}>"

    @property
    def function(self) -> Callable[..., object] | None:
        """The worker function; None of a parent queue, which has none."""
        return None if self._handler is None else self._handler.function

    @property
    def runs_here(self) -> bool:
        """Whether whoever asks runs in one of this worker's jobs or in its lifespan, which cannot wait for its end."""
        in_job = self._worker_loop is not None and self._worker_loop.runs_here
        return in_job or (self._handler is not None and self._handler.runs_here)

    async def start(self) -> None:
        """Start to take jobs; starting twice changes nothing.

        Where one of its own jobs asks while it stops, it starts when it has stopped; this returns at once.

        Raises:
            WrongLoop: another event loop that runs has the flow open.
            StoreError: the server cannot be used.
            DeclarationError: another flow owns one of the flow's queues, or its function can never run in a process.
        """
        self._take()
        if self._status == "stopping" and self.runs_here:
            self._beside.run(self.start)
            return
        while self._status == "stopping" and self._task is not None:
            await asyncio.wait({self._task})
        if self._status != "stopped":
            return
        self._status = "running"
        try:
            session = await self._runtime.open()
            await self._prove()
            await session.serve()
            worker_loop = WorkerLoop(self._runtime, self.queue, self._runner, self.concurrency, self._slots)
        except BaseException:
            self._leave()
            raise
        if self._status != "running":
            self._leave()  # stopped while it connected
            return
        self._begin(worker_loop)

    async def stop(self, grace: float | None = None) -> None:
        """Stop: take no more jobs and finish those in flight; a second call with a shorter grace hastens the first.

        Args:
            grace: After so many seconds, functions that still run are cancelled and their jobs released at once,
                without using up an attempt; a function that has not ended another second later is left behind.
                None waits as long as it takes.

        Where one of its own jobs or its lifespan asks, this returns at once, and the worker stops when they have ended.

        Raises:
            ValidationError: `grace` is no number.
            WrongLoop: another event loop that runs has the flow open.
        """
        check_seconds("grace", grace, optional=True)
        try:
            self.ask_to_stop()
        except WrongLoop:
            if not self.runs_here:
                raise
            self._beside.run_in(self._runtime.session, partial(self.stop, grace))
            return
        if self.runs_here:
            self._beside.run(partial(self.stop, grace))
            return
        task, worker_loop = self._task, self._worker_loop
        if task is None or worker_loop is None:
            return
        if grace is not None:
            await asyncio.wait({task}, timeout=grace)
            worker_loop.release_running()
            # Long enough for a server that is there to answer; one that is away is not waited for.
            await asyncio.wait({task}, timeout=GRACE + ANSWER_TIMEOUT)
            task.cancel()
        await asyncio.wait({task})

    def ask_to_stop(self) -> None:
        """Take no more jobs from now on, without waiting for anything; `stop` does the rest.

        Raises:
            WrongLoop: another event loop that runs has the flow open.
        """
        self._take()
        if self._again is not None:
            self._again.cancel()
        if self._status == "running":
            self._status = "stopping"
        if self._worker_loop is not None:
            self._worker_loop.stop()

    def _take(self) -> None:
        """Forget the start in a loop that has ended; raises WrongLoop where another one runs and has the flow."""
        session, left = self._runtime.take(), self._session
        if left is session:
            return
        self._session, self._task, self._worker_loop, self._status = session, None, None, "stopped"
        if left is not None and self._handler is not None:
            self._handler.forsake(inherited=left.process != session.process)

    async def _prove(self) -> None:
        if self._handler is not None:
            try:
                await self._handler.prove()
            except HostUnable as error:  # which may pass
                tell_unable(self._runtime.events, self.queue, error)

    def _leave(self) -> None:
        self._status = "stopped"
        if self._handler is not None:
            self._handler.close()

    def _begin(self, worker_loop: WorkerLoop) -> None:
        self.left = self.released = 0
        self._status = "running"
        self._pause.began()
        self._worker_loop = worker_loop
        self._task = asyncio.get_running_loop().create_task(self._work(worker_loop), name=f"flows-{self.queue}")
        self._task.add_done_callback(partial(self._ended, worker_loop))

    def _ended(self, worker_loop: WorkerLoop, task: asyncio.Task[None]) -> None:
        """Begin again after a while where nobody has stopped it, as where a program cancels tasks that it finds."""
        self._let_go(worker_loop)  # of a task that was cancelled before it began, no code has run
        if worker_loop.stopping.is_set() or self._session is None or self._session.over:
            return
        # Not before that: a loop that is closing cancels all tasks, and then nobody has died.
        self._again = task.get_loop().call_later(self._pause.next(), self._begin_again, self._session, why_ended(task))

    def _begin_again(self, session: Session, error: str) -> None:
        if is_closing(session.loop) or not session.opened or session.over:
            return
        if self._status == "stopped" and self._session is session:
            self._runtime.events.emit("service.died", service=f"worker of {self.queue}", error=error)
            self._begin(WorkerLoop(self._runtime, self.queue, self._runner, self.concurrency, self._slots))

    def _let_go(self, worker_loop: WorkerLoop) -> None:
        if self._worker_loop is worker_loop:  # else another loop has it by now
            self.released = worker_loop.released
            self.left = worker_loop.left + (0 if self._handler is None else self._handler.abandoned)
            self._task = self._worker_loop = None
            self._leave()

    async def _work(self, worker_loop: WorkerLoop) -> None:
        session, events = self._runtime.session, self._runtime.events
        if self._handler is not None:
            self._handler.open()
        session.add_worker(worker_loop, self._task)
        events.emit("worker.started", queue=self.queue, concurrency=self.concurrency)
        try:
            await self._run(worker_loop)
        finally:
            session.remove_worker(worker_loop)
            self._let_go(worker_loop)
            events.emit("worker.stopped", queue=self.queue)

    async def _run(self, worker_loop: WorkerLoop) -> None:
        """Take turns, with the resource of the function open all the time."""
        with room_for(self.concurrency if self._slots is None else 0):  # else they make it, together
            if self._handler is None:
                await worker_loop.run()
                return
            hurried = True
            try:
                await self._handler.hold(self._runtime.events, self.queue, worker_loop.stopping)
                await worker_loop.run()
                hurried = False
            finally:
                await self._handler.release(hurried=hurried)


def what_follows(grace: float | None, *, idle: bool) -> str:
    """Return what follows when workers are to stop while the server is away, for an event."""
    bounds = [] if grace is None else [grace + GRACE + ANSWER_TIMEOUT]
    if idle:  # they wait for the turn that is under way, and then for its report
        bounds.append(2 * DEADLINE)
    when = f"in {min(bounds):.0f} s at most" if bounds else "some time after the functions that run have ended"
    return f"the server is away: what cannot be reported to it is given up {when}"


class ParentWorker(Worker):
    """A worker of a parent queue, which creates the children; no worker waits with the parent."""

"""Starts and stops all workers of a flow in this process, and runs them until a signal: what users' classes have."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from flows.errors import HostUnable, StoreUnavailable, WrongLoop
from flows.kernel.around.beside import Beside
from flows.kernel.program.console import shown_log
from flows.kernel.program.interrupt import hide_traceback, interrupted
from flows.kernel.program.run_until_signal import Runnable, run_until_signal, stop_interrupted
from flows.kernel.program.wait_for_server import start_when_there
from flows.kernel.worker import what_follows
from flows.model.arguments import check_flag, check_seconds

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from flows.kernel.program.worker_pool import WorkerPool
    from flows.kernel.runtime import Runtime

_NO_WORKERS: Final = "this process has no worker function: import the module that has them before the flow runs"


@dataclass(frozen=True, slots=True)
class Hooks:
    """What is done besides, by whose workers they are."""

    prepare: Callable[[], Awaitable[None]]
    """Before a start, in the loop that has the flow."""
    closed: Callable[[], Awaitable[None]]
    """After a stop, when the flow is disconnected."""


class Lifecycle:
    """The starts and stops of one flow's workers.

    Args:
        name: How events call it.
        runtime: The flow's.
        pool: Its workers.
        hooks: What is done besides.
    """

    def __init__(self, name: str, runtime: Runtime, pool: WorkerPool, hooks: Hooks) -> None:
        self._name = name
        self._runtime = runtime
        self._events = runtime.events
        self._pool = pool
        self._hooks = hooks
        self._stops = 0
        #: Whether it was told that workers were started, and not yet that they were stopped.
        self._started = False
        #: One for each `run` under way, which ends when it is set.
        self._asked: set[asyncio.Event] = set()
        self._beside = Beside(self._events)

    def place(self) -> tuple[str | None, str]:
        """Return where its jobs are: the URL of the server, None for the embedded one, and the namespace."""
        return self._runtime.server().url, self._runtime.settings.keys.namespace

    async def start(self) -> None:
        """Connect, then start all workers; starting twice changes nothing.

        Raises:
            WrongLoop: another event loop that runs has the flow open.
            StoreError: the server cannot be used.
            DeclarationError: another flow owns one of the queues, or what `prepare` refuses.
            HostUnable: no thread or descriptor is left for what workers need.
        """
        stops = self._stops
        self._runtime.take()
        await self._hooks.prepare()
        session = await self._runtime.open()
        if stops == self._stops:
            self._pool.begin(session)
        await self._pool.announce(session)
        started: Counter[str] = Counter()
        for worker in self._pool.workers:
            if stops == self._stops and worker.status != "running":  # else the flow was stopped meanwhile
                await worker.start()
                started[worker.queue] += worker.concurrency
        if started:
            self._started = True
            without = {"without_worker": unserved} if (unserved := self._pool.unserved()) else {}
            self._events.emit("flow.started", flow=self._name, server=session.where, queues=dict(started), **without)

    async def stop(self, grace: float | None = None) -> None:
        """Stop all workers, each after the jobs in flight, and disconnect; stopping twice changes nothing.

        Where one of the flow's own jobs asks, this returns at once, and the flow stops when its jobs have ended.

        Args:
            grace: After so many seconds what still runs is cancelled and released. None waits.

        Raises:
            WrongLoop: another event loop that runs has the flow open.
        """
        check_seconds("grace", grace, optional=True)
        try:
            self._runtime.take()
        except WrongLoop:
            if not self._runs_here:
                raise
            # A plain function of a job, in a loop of its own: what it asks for is done in the flow's.
            self._beside.run_in(self._runtime.session, partial(self.stop, grace))
            return
        self._stops += 1
        for asked in self._asked:
            asked.set()
        if self._runs_here:
            for worker in self._pool.workers:
                worker.ask_to_stop()
            self._beside.run(partial(self._stop, grace))
        elif interrupted():
            hide_traceback()
            await stop_interrupted(self._runnable(0), grace)
        else:
            await self._stop(grace)

    async def run(self, grace: float | None, *, signals: bool, wait_for_server: float | None, logger: Any) -> int:
        """Start all workers and run until SIGTERM, SIGINT or `stop`; then stop within `grace` seconds.

        Args:
            grace: After so many seconds what still runs is cancelled and released. None waits.
            signals: False leaves the signals to others, and runs until `stop` is called or this is cancelled.
            wait_for_server: For so many seconds a server that cannot be reached yet is waited for; None: for ever.
            logger: Where the flow logs; where logging is not configured, it is shown on stderr until this ends.

        Returns:
            The exit status: 1 where leases have to run out, or there was no server in time.

        Raises:
            WrongLoop: another event loop that runs has the flow open.
            FlowsError: signals are wanted, and this is not the main thread.
            StoreError: the server cannot be used; where it cannot be reached, only with `wait_for_server=0`.
            HostUnable: no thread or descriptor is left for what workers need; only with `wait_for_server=0`.
            DeclarationError: another flow owns one of the queues.
        """
        check_seconds("grace", grace, optional=True)
        check_seconds("wait_for_server", wait_for_server, optional=True)
        check_flag("signals", signals)
        self._runtime.take()
        # An embedded server that does not start now does not start later.
        wait = 0 if self._runtime.server().url is None else wait_for_server
        asked = asyncio.Event()
        self._asked.add(asked)
        with shown_log(logger):
            try:
                return await run_until_signal(self._runnable(wait), asked, grace, signals=signals)
            except (StoreUnavailable, HostUnable) as error:
                if wait_for_server == 0:
                    raise
                self._events.emit("flow.gave_up", flow=self._name, seconds=wait, error=str(error))
                return 1
            finally:
                self._asked.discard(asked)

    @property
    def _runs_here(self) -> bool:
        return any(worker.runs_here for worker in self._pool.workers)

    def _runnable(self, wait_for_server: float | None) -> Runnable:
        return Runnable(
            start=lambda: start_when_there(self._start_to_run, wait_for_server, self._events),
            stop=self._stop,
            running=self._pool.running,
            left=self._left,
        )

    async def _start_to_run(self) -> None:
        await self.start()
        if not self._pool.workers:
            self._events.emit("flow.no_workers", flow=self._name, remedy=_NO_WORKERS)

    def _left(self) -> int:
        return sum(worker.left for worker in self._pool.workers)

    async def _stop(self, grace: float | None) -> None:
        await self._pool.begin_no_more()
        if self._started and self._events.outage.lasts:
            follows = what_follows(grace, idle=not self._pool.running())
            self._events.emit("flow.stopping", flow=self._name, follows=follows)
        await asyncio.gather(*(worker.stop(grace) for worker in self._pool.workers))
        # Else a worker was started again meanwhile.
        if all(worker.status == "stopped" for worker in self._pool.workers):
            await self._runtime.close()
            await self._hooks.closed()
            if self._started:  # else another stop has told so
                self._started = False
                released = sum(worker.released for worker in self._pool.workers)
                self._events.emit("flow.stopped", flow=self._name, released=released, left=self._left())

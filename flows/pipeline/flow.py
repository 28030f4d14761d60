"""`Flow`, which users hold: it is declared, started and stopped here, and its bases work with jobs and workers."""

from __future__ import annotations

import asyncio
import types
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar

from flows.errors import DeclarationError, HostUnable, StoreUnavailable, WrongLoop
from flows.kernel.around.beside import Beside
from flows.kernel.runtime import Runtime
from flows.kernel.worker import what_follows
from flows.model.arguments import check_flag, check_seconds
from flows.model.declared.description import Descriptor
from flows.model.flow_options import FlowOptions
from flows.pipeline.console import shown_log
from flows.pipeline.declaration import declare, wrong_arguments
from flows.pipeline.flow_jobs import FlowJobs
from flows.pipeline.flow_workers import FlowWorkers
from flows.pipeline.interrupt import hide_traceback, interrupted
from flows.pipeline.loop_thread import awaited
from flows.pipeline.run_until_signal import Runnable, run_until_signal, stop_interrupted
from flows.pipeline.signature import JobT, KeyT, ParamsT
from flows.pipeline.stages import check_stages
from flows.pipeline.sync import SyncFlow
from flows.pipeline.wait_for_server import start_when_there
from flows.pipeline.worker_pool import WorkerPool

if TYPE_CHECKING:
    from types import TracebackType

    from flows.config import Server
    from flows.telemetry.events import Events


_NO_WORKERS: Final = "this process has no worker function: import the module that has them before the flow runs"


class Flow(FlowJobs[ParamsT, KeyT], FlowWorkers[JobT], Generic[JobT, ParamsT, KeyT]):
    """A pipeline of queues: `Flow[Job, Params, LookupKeys](options)`.

    `Job` is the union of the queues' job classes, `Params` the model that `create_job` takes, and `LookupKeys` a
    Literal of the lookup attributes (left out where there are none).

    Raises DeclarationError where the options or the type arguments cannot work.
    """

    _declared: tuple[Any, ...] = ()

    if not TYPE_CHECKING:

        def __class_getitem__(cls, arguments: Any) -> Any:
            """Remember the type arguments, so that params are validated at run time."""
            given = arguments if isinstance(arguments, tuple) else (arguments,)
            try:
                alias = super().__class_getitem__(arguments)
            except TypeError as error:
                raise DeclarationError(wrong_arguments(cls.__name__, given, error)) from error
            if any(isinstance(argument, TypeVar) for argument in given):
                return alias
            body = {"_declared": alias.__args__, "__module__": cls.__module__, "__doc__": cls.__doc__}
            return types.new_class(cls.__name__, (alias,), {}, lambda namespace: namespace.update(body))

    def __init__(self, options: FlowOptions[JobT, KeyT]) -> None:
        if not isinstance(options, FlowOptions):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DeclarationError(f"Flow({options!r}): give a FlowOptions")
        self._declaration = declare(options, self._declared)
        params: type[ParamsT] = self._declaration.params  # type: ignore[assignment]
        #: Made once for the loops of this process and its plain callers.
        descriptor = Descriptor(self._declaration.options, params)
        super().__init__(Runtime(self._declaration.options, descriptor), self._declaration, params)
        #: Of plain callers: a runtime is open in one loop at a time.
        self._sync_runtime = Runtime(self._declaration.options, descriptor, "flow.sync.close()")
        self._sync: SyncFlow[ParamsT, KeyT] = SyncFlow(self._sync_runtime, self._declaration, params)
        self._pool = WorkerPool(self._runtime, self._declaration)
        for runtime in (self._runtime, self._sync_runtime):
            runtime.served = self._pool.served
        self._stops = 0
        #: Whether it was told that workers were started, and not yet that they were stopped.
        self._started = False
        #: One for each `run` under way, which ends when it is set.
        self._asked: set[asyncio.Event] = set()
        self._beside = Beside(self._runtime.events)
        self.name = options.name

    @property
    def events(self) -> Events:
        """The events of this process: subscribe to them, or wait for one."""
        return self._runtime.events

    @property
    def sync(self) -> SyncFlow[ParamsT, KeyT]:
        """Plain, blocking calls for views, scripts, threads and functions of workers: `flow.sync.create_job(params)`.

        They work beside an event loop that has the flow open, but not inside one, and connect by themselves.
        """
        return self._sync

    async def _bind(self, server: Server | None, namespace: str, ahead_ms: int = 0) -> None:
        """Use another server, namespace and clock from the next opening on, for plain callers too: what tests do.

        Raises:
            FlowsError: a loop that runs has the flow open.
        """
        await self._give_up()
        for runtime in (self._runtime, self._sync_runtime):
            runtime.bind(server, namespace, ahead_ms)

    async def _give_up(self) -> None:
        """Give up what ended loops have left, and disconnect plain callers.

        Raises:
            FlowsError: a loop that runs has the flow open.
        """
        self._runtime.give_up()
        await self._close_sync()

    async def _close_sync(self) -> None:
        if self._sync_runtime.in_use:
            await awaited(self._sync_runtime.close)

    def __repr__(self) -> str:
        queues, running = len(self._declaration.options.queues), sum(w.status == "running" for w in self._pool.workers)
        return f"<Flow {self.name}: {_counted(queues, 'queue')}, {_counted(running, 'worker')} running>"

    async def start_all(self) -> None:
        """Connect the flow, then start all workers; starting twice changes nothing.

        Raises:
            WrongLoop: another event loop that runs has the flow open.
            StoreError: the server cannot be used.
            DeclarationError: another flow owns one of the queues, or a queue needs a field that nothing writes.
            HostUnable: no thread or descriptor is left for what workers need.
        """
        stops = self._stops
        self._runtime.take()
        check_stages(self._declaration, self._pool.workers)
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
            self.events.emit("flow.started", flow=self.name, server=session.where, queues=dict(started), **without)

    async def _start_to_run(self) -> None:
        await self.start_all()
        if not self._pool.workers:
            self.events.emit("flow.no_workers", flow=self.name, remedy=_NO_WORKERS)

    async def stop_all(self, grace: float | None = None) -> None:
        """Stop all workers, each after the jobs in flight, and disconnect; stopping twice changes nothing.

        `flow.sync` is disconnected too; a later call connects again.

        Args:
            grace: After so many seconds what still runs is cancelled and released. None waits.

        Where one of the flow's own jobs asks, this returns at once, and the flow stops when its jobs have ended.

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
            self._beside.run_in(self._runtime.session, partial(self.stop_all, grace))
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

    async def run(
        self, grace: float | None = 30.0, *, signals: bool = True, wait_for_server: float | None = 60.0
    ) -> int:
        """Start all workers and run until SIGTERM, SIGINT or `stop_all`; then stop within `grace` seconds.

        A second signal stops at once. Several flows of one process may run at the same time: each hears the signals.

        Args:
            grace: After so many seconds what still runs is cancelled and released. None waits.
            signals: False leaves the signals to others, and runs until `stop_all` is called or this is cancelled.
            wait_for_server: For so many seconds a server that cannot be reached yet is waited for; None: for ever.

        Where logging is not configured, the log is shown on stderr until this ends.

        Returns the exit status for `sys.exit`: 0 where all jobs in flight were finished or released, 1 where a
        function did not end or the server could not be reached, so that leases have to run out. 1 also where there was
        no server within `wait_for_server` seconds, after one line in the log.

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
        with shown_log(self._declaration.options.logger):
            try:
                return await run_until_signal(self._runnable(wait), asked, grace, signals=signals)
            except (StoreUnavailable, HostUnable) as error:
                if wait_for_server == 0:
                    raise
                self.events.emit("flow.gave_up", flow=self.name, seconds=wait, error=str(error))
                return 1
            finally:
                self._asked.discard(asked)

    @property
    def _runs_here(self) -> bool:
        return any(worker.runs_here for worker in self._pool.workers)

    def _runnable(self, wait_for_server: float | None) -> Runnable:
        return Runnable(
            start=lambda: start_when_there(self._start_to_run, wait_for_server, self.events),
            stop=self._stop,
            running=self._pool.running,
            left=self._left,
        )

    def _left(self) -> int:
        return sum(worker.left for worker in self._pool.workers)

    async def _stop(self, grace: float | None) -> None:
        await self._pool.begin_no_more()
        if self._started and self.events.outage.lasts:
            follows = what_follows(grace, idle=not self._pool.running())
            self.events.emit("flow.stopping", flow=self.name, follows=follows)
        await asyncio.gather(*(worker.stop(grace) for worker in self._pool.workers))
        # Else a worker was started again meanwhile.
        if all(worker.status == "stopped" for worker in self._pool.workers):
            await self._runtime.close()
            await self._close_sync()
            if self._started:  # else another stop has told so
                self._started = False
                released = sum(worker.released for worker in self._pool.workers)
                self.events.emit("flow.stopped", flow=self.name, released=released, left=self._left())

    async def __aenter__(self) -> Self:
        """Start all workers, as `start_all` does."""
        await self.start_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop all workers, as `stop_all` does."""
        await self.stop_all()


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"

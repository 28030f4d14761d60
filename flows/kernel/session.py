"""All that a flow has open in one event loop of one process: connections and services."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from flows.errors import StoreFull
from flows.kernel.built_in.companion import Companion
from flows.kernel.deploy.drainer import Drainer
from flows.kernel.fleet.heartbeat import Heartbeat, Serving
from flows.kernel.reconciler import Reconciler
from flows.kernel.renewer import Holder, Renewer
from flows.kernel.rescuer import Rescuer
from flows.kernel.unable import within_limits
from flows.store.client.connection import Connection
from flows.store.client.hints import check_publishing
from flows.store.client.server_check import check_server
from flows.store.client.signals import Signals
from flows.store.embedded import EmbeddedServer
from flows.store.fleet.declarations import declare
from flows.store.fleet.heartbeats import Heartbeats
from flows.store.jobs.control import Control
from flows.store.jobs.creation import Creation
from flows.store.jobs.delayed_creation import DelayedCreation
from flows.store.jobs.drain import Drain
from flows.store.jobs.fetch import Fetch
from flows.store.jobs.greeting import greeting
from flows.store.jobs.leases import LeaseRenewal, Rescue, server_ms
from flows.store.jobs.ownership import queues_of, register, undeclared
from flows.store.jobs.reconcile import Reconciliation
from flows.store.jobs.turns import Turns, new_worker_id
from flows.store.jobs.wakeups import Wakeups
from flows.store.runs.run_store import RunStore

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence

    from flows.config import Server
    from flows.model.declared.description import Descriptor
    from flows.model.flow_options import FlowOptions
    from flows.model.job import Job
    from flows.store.jobs.flow_settings import FlowSettings
    from flows.telemetry.events import Events

#: Sessions of a parent process, kept for ever: were one collected, it would close what the parent still uses.
_inherited: Final[list[Session]] = []


class Working(Holder, Serving, Protocol):
    """What a session needs of a worker."""


class Session:
    """The shared parts of one flow in one event loop; opened by the first that needs them, closed by the flow."""

    def __init__(
        self, options: FlowOptions[Job, str], settings: FlowSettings, events: Events, descriptor: Descriptor
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.process = os.getpid()
        #: Those of the flow; once it is open, with what the server knows of earlier releases.
        self.settings = self._declared = settings
        self.events = events
        self.opened = False
        #: Which server it has opened, for a log line.
        self.where = ""
        self.companion = Companion()
        #: How many calls are opening or closing it just now.
        self.switching = 0
        self._options = options
        self._descriptor = descriptor
        self._thread = threading.current_thread().name
        self._lock = asyncio.Lock()
        self._closing: asyncio.Task[None] | None = None
        self._serving = self._forsaken = False
        self._tasks: set[asyncio.Task[Any]] = set()
        self._workers: set[asyncio.Task[None]] = set()
        self._until_shutdown: AsyncGenerator[None] | None = None

    def __repr__(self) -> str:
        """Return where it is, for an error's text."""
        return f"the event loop of thread {self._thread!r}"

    @property
    def over(self) -> bool:
        """Whether its loop has ended, has lost the flow to another one, or is another process's."""
        return self._forsaken or self.process != os.getpid() or self.loop.is_closed()

    @property
    def in_use(self) -> bool:
        """Whether its loop runs, and has the flow open."""
        return not self.over and self.loop.is_running() and (self.opened or self.switching > 0)

    async def open(self, server: Server) -> None:
        """Connect, check the server and record what the flow owns; opening twice changes nothing.

        Raises:
            StoreError: the server cannot be used.
            DeclarationError: another flow owns one of the queues or names.
            HostUnable: no descriptor or no memory is left for it.
        """
        async with self._lock:
            with within_limits(f"flow {self._options.name!r} cannot be opened"):
                await self._open(server)

    async def _open(self, server: Server) -> None:
        if self.opened:
            return
        self._serving = False
        url, self.where = await asyncio.to_thread(_embedded) if server.url is None else (server.url, str(server))
        self.connection = Connection(url, f"flows-{self._options.name}")
        try:
            await self.connection.open()
            await check_server(self.connection, allow_eviction=self._options.allow_eviction)
            self.connection.greet_with(greeting(self.settings))
            self.settings = await register(self.connection, self._declared, self._options)
            await self._declare()
            queues = await queues_of(self.connection, self.settings, self._options)
            reconciliation = Reconciliation(self.connection, self.settings, queues, self._declared.layouts)
            await reconciliation.introduce()
            left = await undeclared(self.connection, self.settings, self._options)
            await check_publishing(self.connection, self.settings.keys.ended(self._options.name, ""))
            self._make_parts(url, reconciliation)
        except BaseException:
            await self.connection.close()
            raise
        self.opened = True
        await self._close_with_loop()
        self.events.emit("flow.connected", flow=self._descriptor.shown, server=self.where)
        for queue in left:
            self.events.emit("queue.undeclared", **asdict(queue))

    async def _declare(self) -> None:
        """Record what the flow declares, for programs that look at it; a full server keeps nobody from working."""
        self.description = await self._descriptor.description()
        with contextlib.suppress(StoreFull):
            await declare(self.connection, self.settings, self.description)

    def _make_parts(self, url: str, reconciliation: Reconciliation) -> None:
        self.creation = Creation(self.connection, self.settings)
        self.delayed_creation = DelayedCreation(self.connection, self.settings)
        self.fetch = Fetch(self.connection, self.settings)
        self.control = Control(self.connection, self.settings)
        self.runs = RunStore(self.connection, self.settings)
        self.signals = Signals(url, self.events)
        self._blocking = Connection(url, f"flows-{self._options.name}-wakeups", patient=False)
        self.wakeups = Wakeups(self._blocking, self.connection, self.settings.keys, self.events)
        lease = self._options.lease.total_seconds()
        hang_limit = self._options.hang_limit.total_seconds()
        self.renewer = Renewer(LeaseRenewal(url, self.settings), lease, hang_limit, self.events)
        heartbeats = Heartbeats(self.settings, new_worker_id(), self.description)
        self.heartbeat = Heartbeat(heartbeats, self.description.digest, lease, hang_limit, self.renewer.wake)
        self.renewer.heartbeat = self.heartbeat
        clock = partial(server_ms, self.connection, self.settings)
        self.rescuer = Rescuer(self._rescue, self.control.cascade, clock, lease, self.events)
        former = [(queue.name, name) for queue in self._options.queues for name in queue.formerly]
        self.drainer = Drainer(former, self._drain, self.events)
        self.reconciler = Reconciler(reconciliation, min(lease / 2, 15), self.events)

    async def serve(self) -> None:
        """Start what workers need, before the first of them claims a job; doing it twice changes nothing.

        Raises:
            StoreUnavailable: the server cannot be reached, or has no room for one more connection.
            HostUnable: no thread can be started that keeps leases.
        """
        async with self._lock:
            if self.opened and not self._serving:
                with within_limits("no worker can start, since nothing would keep its leases"):
                    await self._blocking.open()
                    await self.renewer.start()
                    self.wakeups.start()
                    self.rescuer.start()
                    self.drainer.start()
                    for former in self.drainer.former:
                        self.rescuer.add(former)
                    self.reconciler.start()
                    self._serving = True
                    self.companion.serve()

    def add_worker(self, holder: Working, task: asyncio.Task[None] | None) -> None:
        """Renew a worker's leases, rescue the jobs of its queue and receive its cancellations, from now on."""
        if task is not None:
            self._workers.add(task)
            task.add_done_callback(self._workers.discard)
        self.renewer.add(holder)
        self.heartbeat.add(holder)
        self.rescuer.add(holder.queue)
        self.background(self.signals.subscribe(self.settings.keys.cancel(holder.queue), self.renewer.poke))

    def remove_worker(self, holder: Working) -> None:
        """Stop serving a worker: what `add_worker` started for it ends."""
        self.renewer.remove(holder)
        self.heartbeat.remove(holder)
        self.rescuer.remove(holder.queue)
        self.signals.unsubscribe(self.settings.keys.cancel(holder.queue), self.renewer.poke)

    async def close(self) -> None:
        """Stop the services and disconnect; closing twice changes nothing."""
        # Whoever is cancelled here leaves at once; the closing goes on to its end all the same.
        self.switching += 1
        self._closing = self.loop.create_task(self._close())
        self._closing.add_done_callback(self._switched)
        await asyncio.shield(self._closing)

    def forsake(self) -> None:
        """Leave it behind, since another loop takes the flow over; called in another thread or process.

        What belongs to a loop that has ended cannot be closed any more. A loop that only pauses closes it when it
        runs again.
        """
        self._forsaken = True
        if self.process != os.getpid():
            _inherited.append(self)
            return
        if self._serving:
            self.renewer.forsake()
        self.companion.forsake()
        self.call_soon(self._leave)

    def turns(self, queue: str, worker_id: str, fields: Sequence[str]) -> Turns:
        """Return the turns of a worker."""
        return Turns(self.connection, self.settings, queue, worker_id, fields)

    def call_soon(self, callback: Callable[[], None]) -> None:
        """Schedule a callback in the event loop, from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self.loop.call_soon_threadsafe(callback)

    def background(self, work: Coroutine[Any, Any, None]) -> None:
        """Start a coroutine as a background task; `close` waits for it."""
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def _close(self) -> None:
        async with self._lock:
            if not self.opened:
                return
            self.opened = False
            await self.companion.close()
            if self._tasks:
                await asyncio.gather(*self._tasks, return_exceptions=True)
            if self._serving:
                self._serving = False
                await self.reconciler.stop()
                await self.drainer.stop()
                await self.rescuer.stop()
                await self.wakeups.stop()
                await self.renewer.stop()
            if not self.events.outage.lasts:
                await self.heartbeat.leave(self.connection)
            self.events.outage.forget()
            await self._blocking.close()
            await self.signals.close()
            await self.connection.close()

    async def _close_with_loop(self) -> None:
        """Let it be closed when its loop is shut down, as `asyncio.run` does at its end, where nobody has closed it."""
        if self._until_shutdown is None:
            self._until_shutdown = self._wait_for_shutdown()
            await anext(self._until_shutdown)

    async def _wait_for_shutdown(self) -> AsyncGenerator[None]:
        try:
            yield
        finally:
            await self._close()

    def _leave(self) -> None:
        for task in self._workers:
            task.cancel()
        self._closing = self.loop.create_task(self._close())

    def _switched(self, _closing: object) -> None:
        self.switching -= 1

    def _rescue(self, queue: str) -> Rescue:
        return Rescue(self.connection, self.settings, queue)

    def _drain(self, queue: str, former: str) -> Drain:
        return Drain(self.connection, self.settings, queue, former)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.events.emit("store.unavailable", error=str(error))


def _embedded() -> tuple[str, str]:
    """Start the embedded server where none runs, and return its URL and, for a log line, where it is."""
    server = EmbeddedServer()
    url = server.start()
    return url, f"the embedded server at {url}, data in {server.data_dir}"

"""Opens and closes what the workers of one flow share in one process: connections, services and events."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from flows.config import choose_server
from flows.kernel.reconciler import Reconciler
from flows.kernel.renewer import Holder, Renewer
from flows.kernel.rescuer import Rescuer
from flows.model.outcome import Fail
from flows.store.client.connection import Connection
from flows.store.client.embedded import EmbeddedServer
from flows.store.client.server_check import check_server
from flows.store.client.signals import Signals
from flows.store.jobs.control import Control
from flows.store.jobs.creation import Creation
from flows.store.jobs.fetch import Fetch
from flows.store.jobs.flow_settings import FlowSettings
from flows.store.jobs.leases import LeaseRenewal, Rescue
from flows.store.jobs.ownership import register
from flows.store.jobs.reconcile import Reconciliation
from flows.store.jobs.turns import Turns
from flows.store.jobs.wakeups import Wakeups
from flows.telemetry.events import Events

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from flows.model.flow_options import FlowOptions
    from flows.model.job import Job
    from flows.store.jobs.finished import FinishedAttempt


class Runtime:
    """The shared parts of one flow; opened by the first that needs them, closed by the flow."""

    def __init__(self, options: FlowOptions[Job, str]) -> None:
        self.options = options
        self.settings = FlowSettings.of(options)
        self.events = Events(options.logger or logging.getLogger("flows"))
        self.server = choose_server(options.redis_url)
        self._switching = asyncio.Lock()
        self._closing: asyncio.Task[None] | None = None
        self._opened = False
        self._serving = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    async def open(self) -> None:
        """Connect, check the server and record what the flow owns; opening twice changes nothing.

        Raises:
            StoreError: the server cannot be used.
            DeclarationError: another flow owns one of the queues or names.
        """
        loop = asyncio.get_running_loop()
        if self._opened and self._loop is loop:
            return
        if self._loop is not loop:
            # What belonged to a loop that has ended cannot be used again.
            self._loop, self._opened, self._switching = loop, False, asyncio.Lock()
            self._tasks.clear()
        async with self._switching:
            if self._opened:
                return
            self._serving = False
            named = self.server.url
            url = await asyncio.to_thread(EmbeddedServer().start) if named is None else named
            self.connection = Connection(url, f"flows-{self.options.name}")
            try:
                await self.connection.open()
                await check_server(self.connection, allow_eviction=self.options.allow_eviction)
                await register(self.connection, self.settings, self.options)
                queues = [name for name, _queue in self.options.walk()]
                self._reconciliation = Reconciliation(self.connection, self.settings, queues)
                await self._reconciliation.introduce()
            except BaseException:
                await self.connection.close()
                raise
            self._make_parts(url)
            self._opened = True
            self.events.emit("flow.connected", flow=self.options.name, server=str(self.server))

    def _make_parts(self, url: str) -> None:
        self.creation = Creation(self.connection, self.settings)
        self.fetch = Fetch(self.connection, self.settings)
        self.control = Control(self.connection, self.settings)
        self.signals = Signals(url)
        self._blocking = Connection(url, f"flows-{self.options.name}-wakeups")
        self.wakeups = Wakeups(self._blocking, self.connection, self.settings.keys)
        lease = self.options.lease.total_seconds()
        renewal = LeaseRenewal(url, self.settings)
        self.renewer = Renewer(renewal, lease, self.options.hang_limit.total_seconds(), self.events)
        self.rescuer = Rescuer(self._rescue, self.control.cascade, lease / 6, self.events)
        self.reconciler = Reconciler(self._reconciliation, min(lease / 2, 15), self.events)

    def add_worker(self, holder: Holder) -> None:
        """Renew a worker's leases, rescue the jobs of its queue and receive its cancellations, from now on."""
        if not self._serving:
            self._serving = True
            self.wakeups.start()
            self.renewer.start()
            self.rescuer.start()
            self.reconciler.start()
        self.renewer.add(holder)
        self.rescuer.add(holder.queue)
        self.background(self.signals.subscribe(self.settings.keys.cancel(holder.queue), self.renewer.poke))

    def remove_worker(self, holder: Holder) -> None:
        """Stop serving a worker: what `add_worker` started for it ends."""
        self.renewer.remove(holder)
        self.rescuer.remove(holder.queue)
        self.signals.unsubscribe(self.settings.keys.cancel(holder.queue), self.renewer.poke)

    async def close(self) -> None:
        """Stop the services and disconnect; closing twice changes nothing."""
        loop = asyncio.get_running_loop()
        if self._loop is loop:
            # Whoever is cancelled here leaves at once; the closing goes on to its end all the same.
            self._closing = loop.create_task(self._close())
            await asyncio.shield(self._closing)

    async def _close(self) -> None:
        async with self._switching:
            if not self._opened:
                return
            self._opened = False
            if self._tasks:
                await asyncio.gather(*self._tasks, return_exceptions=True)
            if self._serving:
                self._serving = False
                await self.reconciler.stop()
                await self.rescuer.stop()
                await self.wakeups.stop()
                await self.renewer.stop()
            await self._blocking.close()
            await self.signals.close()
            await self.connection.close()

    def turns(self, queue: str, worker_id: str, fields: Sequence[str]) -> Turns:
        """Return the turns of a worker."""
        return Turns(self.connection, self.settings, queue, worker_id, fields)

    async def children_results(self, flow: str, job_id: str, queue: str) -> bytes | None:
        """Read the results of a parent's many children."""
        return await self.fetch.children_results(flow, job_id, queue)

    def call_soon(self, callback: Callable[[], None]) -> None:
        """Schedule a callback in the event loop, from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(callback)

    def background(self, work: Coroutine[Any, Any, None]) -> None:
        """Start a coroutine as a background task; `close` waits for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def emit_outcomes(self, queue: str, ended: list[FinishedAttempt], words: list[str]) -> None:
        """Emit the events of the attempts that one turn recorded."""
        if ended:
            self.events.emit("job.recorded", queue=queue, count=len(ended))
        for attempt, word in zip(ended, words, strict=True):
            if word == "ok" and isinstance(attempt.outcome, Fail):
                error = attempt.outcome.error
                self.events.emit(
                    "job.failed",
                    queue=queue,
                    job_id=attempt.claimed.id,
                    error=error.type,
                    message=error.message[:500],
                )

    def _rescue(self, queue: str) -> Rescue:
        return Rescue(self.connection, self.settings, queue)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.events.emit("store.unavailable", error=str(error))

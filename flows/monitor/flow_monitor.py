"""Watches the queues of one flow: reads them at each tick, and shows what was read in all sinks."""

# pyright: reportPrivateUsage=false
# (a monitor sees whether its flow is open)

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Self

from flows.errors import DeclarationError, FlowsError, StoreUnavailable
from flows.model.duration import as_timedelta, check_duration
from flows.monitor.reading import Reading, Served, Sink, served_by
from flows.telemetry.events import described
from flows.telemetry.measured import Created, Measured
from flows.telemetry.service import Service

if TYPE_CHECKING:
    from types import TracebackType

    from flows.model.explain.queue_state import QueueState
    from flows.pipeline.flow import Flow

#: An answer is waited for so many seconds at least, and a sink too.
_PATIENCE: Final = 2.0
#: A reading says nothing any more once so many ticks have passed without another.
_TICKS: Final = 3
#: Processes tell what they do every 7.5 seconds, or more often where leases are short.
_HEARTBEATS: Final = 5.0
_SHORTEST: Final = timedelta(milliseconds=50)


class FlowMonitor:
    """Shows the state of a flow's queues again and again: `async with FlowMonitor(flow, sinks=[…]):`.

    A tick is one script, whose cost grows with the number of queues and not with that of jobs. Any number of monitors
    may run, in any processes that declare the flow, with workers or without.

    Args:
        flow: Which one.
        every: The time between two ticks, 50 ms at least; a number is seconds.
        sinks: Where it is shown.

    Raises:
        DeclarationError: an argument cannot be used; the message says which.
    """

    def __init__(
        self, flow: Flow[Any, Any, Any], *, every: timedelta | float = 1.0, sinks: Iterable[Sink] = ()
    ) -> None:
        interval = as_timedelta(every)
        check_duration("FlowMonitor(every=…)", interval)
        if interval < _SHORTEST:
            raise DeclarationError(f"FlowMonitor(every={every!r}): give 50 ms or more")
        self._flow = flow
        self._every: float = interval.total_seconds()
        self._sinks = _checked(sinks)
        self._patience = max(_PATIENCE, self._every)
        self._service = Service("monitor", self._watch, flow.events)
        self._open: list[Sink] = []
        self._served: Mapping[str, Served] = {}
        self._asked = -math.inf
        self._listening: list[Callable[[], None]] = []
        self._server: tuple[str, int | None] | None = None

    async def snapshot(self) -> dict[str, QueueState]:
        """Return the state of each queue by its name, as it is now.

        Raises:
            StoreError: the server cannot be used.
        """
        return await self._flow.states()

    async def __aenter__(self) -> Self:
        """Open the sinks, and show the first reading; a server that is away is waited for.

        Raises:
            PortInUse: a sink cannot serve where it was told to.
            DeclarationError: another flow owns one of the queues, or a sink cannot be opened.
            StoreError: the server cannot be used, and not only just now.
        """
        self._server = self._flow._runtime.server().address  # noqa: SLF001
        try:
            for sink in self._sinks:
                self._open.append(sink)
                await sink.open(self._flow.name)
            await self._tick(first=True)
        except BaseException:
            await self._close()
            raise
        self._listening = [
            self._flow.events.attempts.listen(self._measure),
            self._flow.events.creations.listen(self._created),
            self._flow._sync_runtime.events.creations.listen(self._created),  # noqa: SLF001
        ]
        self._service.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Show what is there at the end, and close the sinks."""
        while self._listening:
            self._listening.pop()()
        await self._service.stop()
        try:
            if self._flow._runtime.in_use:  # noqa: SLF001 - else it has been stopped, and this would connect it again
                await self._tick()
        finally:
            await self._close()

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due = max(due + self._every, loop.time())  # a tick that took long is followed by one, not by several
            await asyncio.sleep(due - loop.time())
            await self._tick()

    async def _tick(self, *, first: bool = False) -> None:
        outage = self._flow.events.outage
        queues: Mapping[str, QueueState] = {}
        served: Mapping[str, Served] = {}
        up = False
        try:
            async with asyncio.timeout(self._patience):
                queues, served = await self.snapshot(), await self._who_serves()
            up = True
        except TimeoutError:
            outage.met("monitor", StoreUnavailable(f"no answer within {self._patience:g} s"))
        except FlowsError as error:
            if first and not isinstance(error, StoreUnavailable):
                raise
            outage.met("monitor", error)
        else:
            outage.over("monitor")
        lasts = _TICKS * self._every + self._patience
        reading = Reading(self._flow.name, up, queues, time.monotonic(), lasts, served, self._server)
        await asyncio.gather(*(self._show(sink, reading) for sink in self._open))

    async def _who_serves(self) -> Mapping[str, Served]:
        """Return what processes do for each queue; it is asked for more seldom than they tell it."""
        now = time.monotonic()
        if now - self._asked >= _HEARTBEATS:
            self._served, self._asked = served_by(await self._flow.processes()), now
        return self._served

    async def _show(self, sink: Sink, reading: Reading) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await sink.show(reading)
        except Exception as error:  # noqa: BLE001 - a sink may be user code
            self._failed(sink, error)

    def _measure(self, attempt: Measured) -> None:
        for sink in self._open:
            try:
                sink.measure(attempt)
            except Exception as error:  # noqa: BLE001 - a sink may be user code
                self._failed(sink, error)

    def _created(self, creation: Created) -> None:
        for sink in self._open:
            try:
                sink.created(creation)
            except Exception as error:  # noqa: BLE001 - a sink may be user code
                self._failed(sink, error)

    async def _close(self) -> None:
        self._flow.events.outage.forget("monitor")
        while self._open:
            sink = self._open.pop()
            try:
                await sink.close(self._flow.name)
            except Exception as error:  # noqa: BLE001 - a sink may be user code
                self._failed(sink, error)

    def _failed(self, sink: Sink, error: Exception) -> None:
        name = type(sink).__qualname__
        self._flow.events.emit_seldom((name,), "sink.failed", sink=name, **described(error))


def _checked(sinks: Iterable[Sink]) -> tuple[Sink, ...]:
    if not isinstance(sinks, Iterable) or isinstance(sinks, Sink):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise DeclarationError(f"FlowMonitor(sinks={sinks!r}): give a list of sinks")
    given = tuple(sinks)
    for sink in given:
        if not isinstance(sink, Sink):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DeclarationError(f"FlowMonitor(sinks=[{sink!r}]): subclass flows.monitor.Sink")
    return given

"""Receives published messages on one connection for all listeners; a message hastens, and decides nothing.

A message may be lost, with the connection or before there is one. So each listener has to read the state from time to
time. When the connection is lost, and when it opens, every listener is called once: messages may have been missed.

The channels are sharded ones: in a cluster a message stays on the node that has the channel's slot, which is that of
the flow's keys, and scripts may publish it. On a single server nothing else is different.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from typing import TYPE_CHECKING, Final, TypeAlias

from flows.errors import StoreUnavailable
from flows.store.client.hints import warn_of_silence
from flows.store.client.opener import Opener
from flows.store.client.wire import ANSWER_TIMEOUT, Disconnected, ReplyError, Wire, pack_command
from flows.telemetry.service import Service

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.telemetry.events import Events

#: Called with each message, or with None when something may have been missed.
Listener: TypeAlias = "Callable[[str | None], None]"

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 10.0

_logger = logging.getLogger("flows.store")


class Signals:
    """Receives messages on one connection, which opens for the first listener, and again when it was lost."""

    def __init__(self, url: str, events: Events) -> None:
        self._opener = Opener(url, "flows-signals")
        self._listeners: dict[str, list[Listener]] = {}
        self._wire: Wire | None = None
        #: The channels that the server has confirmed on this wire.
        self._heard: set[str] = set()
        self._service = Service("signals", self._listen_forever, events)
        self._wanted = asyncio.Event()
        self._tried = asyncio.Event()
        self._closed = False

    async def subscribe(self, channel: str, listener: Listener) -> None:
        """Call `listener` with each message of a channel, from the return of this on if the server can be reached."""
        first = channel not in self._listeners
        self._listeners.setdefault(channel, []).append(listener)
        self._wanted.set()
        if not self._closed:
            self._service.start()
        await self._tried.wait()
        if first and (wire := self._wire) is not None:
            with contextlib.suppress(Disconnected):
                answer = await _say(wire, "SSUBSCRIBE", channel)
                if isinstance(answer, ReplyError):
                    warn_of_silence("listen", answer)
                elif wire is self._wire and channel in self._listeners:
                    self._heard.add(channel)

    def hears(self, channel: str) -> bool:
        """Return whether messages of a channel come at the moment, as far as is known here."""
        return channel in self._heard

    def unsubscribe(self, channel: str, listener: Listener) -> None:
        """Stop calling `listener` for a channel."""
        listeners = self._listeners.get(channel, [])
        with contextlib.suppress(ValueError):
            listeners.remove(listener)
        if not listeners and self._listeners.pop(channel, None) is not None and self._wire is not None:
            # Nobody waits for the answer. Where it is an error, messages come that no listener gets.
            self._heard.discard(channel)
            _say(self._wire, "SUNSUBSCRIBE", channel).add_done_callback(lambda answer: answer.exception())

    async def close(self) -> None:
        """Close the connection; closing twice changes nothing."""
        self._closed = True
        self._tried.set()
        await self._service.stop()

    async def _listen_forever(self) -> None:
        pause = _FIRST_PAUSE
        while not self._closed:
            while not self._listeners:
                self._wanted.clear()
                await self._wanted.wait()
            wire = None
            try:
                wire = await self._opener.open()
                _end_if_cancelled()
                await self._subscribe_to_all(wire)
                pause = _FIRST_PAUSE
                await wire.ended.wait()
            except (Disconnected, StoreUnavailable, ReplyError) as error:
                _logger.debug("no message can be received: %s", error)
                if isinstance(error, ReplyError):
                    warn_of_silence("listen", error)
            finally:
                self._wire = None
                self._tried.set()
                lost = tuple(self._heard)
                self._heard.clear()
                for channel in lost:
                    self._call(channel, None)
                if wire is not None:
                    wire.close()
            await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - jitter
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _subscribe_to_all(self, wire: Wire) -> None:
        if self._closed:
            return  # redis-py 8.1 at times swallows a cancellation while it connects
        wire.on_message = self._receive
        self._wire = wire
        channels = tuple(self._listeners)
        for answer in await asyncio.gather(*(_say(wire, "SSUBSCRIBE", channel) for channel in channels)):
            if isinstance(answer, ReplyError):
                raise answer
        self._heard.update(self._listeners.keys() & channels)
        self._tried.set()
        for channel in tuple(self._listeners):
            self._call(channel, None)

    def _receive(self, channel: bytes, message: bytes) -> None:
        self._call(channel.decode(), message.decode("utf-8", "replace"))

    def _call(self, channel: str, message: str | None) -> None:
        for listener in dict.fromkeys(self._listeners.get(channel, ())):
            listener(message)


def _end_if_cancelled() -> None:
    """End this task where it was cancelled: redis-py 8.1 at times swallows that while it connects.

    Raises:
        CancelledError: it was; else `asyncio.run` would wait for ever for its end.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _say(wire: Wire, verb: str, channel: str) -> asyncio.Future[object]:
    return wire.send(pack_command((verb, channel)), 1, ANSWER_TIMEOUT)

"""A connection to one server: opens again when it was lost, sends again, and turns error replies into typed errors.

Everything that is sent here is safe to send twice: when a connection ends, requests without an answer are sent again.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from typing import TYPE_CHECKING, Any, Final

from flows.errors import FlowsError, KeyConflict, StoreError, StoreFull, StoreUnavailable, UnsafeServer
from flows.store.client.opener import Opener
from flows.store.client.wire import (
    ANSWER_TIMEOUT,
    Disconnected,
    ReplyError,
    Wire,
    first_error,
    pack_all,
    pack_command,
    pack_more,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flows.store.client.packed_script import Packed, PackedCall
    from flows.store.client.scripts import Argument, Command, Script

#: How long a request is tried over lost connections and a server that is busy or loading, in seconds.
DEADLINE: Final = 15.0
#: The codes of errors that pass by themselves.
TRANSIENT: Final = frozenset(
    {
        *("LOADING", "BUSY", "MASTERDOWN", "CLUSTERDOWN", "MISCONF", "NOREPLICAS"),
        *("ASK", "TRYAGAIN"),  # a slot is on its way to another node: it is waited for, and never asked there
        *("READONLY", "UNBLOCKED"),
    }
)
#: The codes of a server that was a primary when the connection was opened, and is none now. It leaves connections open:
#: who does not close them stays with it for ever.
_DEMOTED: Final = frozenset({"READONLY", "UNBLOCKED"})
#: What a script is told that touches keys of other slots than those that it declares.
_SEVERAL_SLOTS: Final = ("do not hash to the same slot", "access a non local key")
_FIRST_PAUSE = 0.01
_LONGEST_PAUSE = 1.0

_logger = logging.getLogger("flows.store")


class Connection:
    """A connection that opens when it is first used, and again when it was lost.

    Args:
        url: The server.
        name: What `CLIENT LIST` shows.
        patient: False gives a request up as soon as a lost connection could not be opened again at once.
        within: A request is tried for so many seconds, and so long may the server be silent; None: as a worker has it,
            which is better late than refused.
    """

    def __init__(self, url: str, name: str, *, patient: bool = True, within: float | None = None) -> None:
        self._patient = patient
        self._within = within
        #: Gets each reply as soon as it is read, before any task goes on, where it is set; it raises nothing.
        self.heard: Callable[[Any], None] | None = None
        self._greeting = b""
        self._greeted: Wire | None = None
        self._opener = Opener(url, name) if within is None else Opener(url, name, within)
        self._wire: Wire | None = None
        self._opening: asyncio.Task[Wire] | None = None
        self._unwanted: asyncio.Task[Wire] | None = None

    async def open(self) -> None:
        """Connect now, with one try: at the start, it is better to raise at once where there is no server.

        Opening twice changes nothing: whoever begins again, after something else was missing, has it open already.

        Raises:
            StoreUnavailable: there is no server, or it refuses the credentials.
        """
        if self._wire is not None and not self._wire.closed:
            return
        try:
            await self._connected()
        except Disconnected as error:
            raise StoreUnavailable(str(error)) from error

    def greet_with(self, packed: bytes) -> None:
        """Send this command before the next one, and first of all whenever it opens; nobody waits for the answer."""
        self._greeting, self._greeted = packed, None

    async def close(self) -> None:
        """Close the connection."""
        if self._opening is not None:
            # Should this be cancelled meanwhile, what has just been opened is closed all the same.
            self._unwanted = self._opening
            await asyncio.wait({self._opening})
        if self._wire is not None:
            self._wire.close()
            self._wire = None
        await asyncio.sleep(0)

    async def call(self, *command: Argument, timeout: float = ANSWER_TIMEOUT) -> Any:
        """Send one command and return its reply.

        Raises:
            StoreError: the server refuses it, or cannot be reached within the deadline.
        """
        return await self._request(pack_command(command), 1, timeout, strict=True)

    async def run(
        self, script: Script, named: dict[str, Argument], rest: Sequence[Argument] = (), packed: Sequence[Packed] = ()
    ) -> Any:
        """Run a script and return its reply; packed arguments go after `rest`.

        Raises:
            StoreError: the server refuses it, or cannot be reached within the deadline.
        """
        command = script.command(named, rest)
        count, parts = sum(more.arguments for more in packed), [more.packed for more in packed]
        try:
            return await self._request(pack_more(command, count, parts), 1, ANSWER_TIMEOUT, strict=True, script=script)
        except _NoScript:
            data = pack_more(script.in_full(command), count, parts)
            return await self._request(data, 1, ANSWER_TIMEOUT, strict=True, script=script)

    async def call_packed(self, call: PackedCall) -> Any:
        """Send a call of a packed script and return its reply.

        Raises:
            StoreError: the server refuses it, or cannot be reached within the deadline.
        """
        try:
            return await self._request(call.by_digest(), 1, ANSWER_TIMEOUT, strict=True, script=call.script)
        except _NoScript:
            return await self._request(call.in_full(), 1, ANSWER_TIMEOUT, strict=True, script=call.script)

    def send_at_once(self, call: PackedCall) -> asyncio.Future[Any] | None:
        """Send a call in this tick, once, and return the future of its reply; None where nothing is connected.

        The future may raise Disconnected, and its result may be a ReplyError: then send the call by `call_packed`.
        """
        wire = self._wire
        if wire is None or wire.closed or self._greeted is not wire:
            return None
        sent = wire.send(call.by_digest(), 1, ANSWER_TIMEOUT)
        sent.add_done_callback(_retrieve)  # nobody may ask for it
        return sent

    async def together(self, commands: list[Command]) -> list[Any]:
        """Send commands in one write and return their replies, an error among them as a ReplyError.

        Raises:
            StoreError: the server cannot be reached within the deadline.
        """
        if not commands:
            return []
        replies = await self._request(pack_all(commands), len(commands), ANSWER_TIMEOUT)
        return replies if len(commands) > 1 else [replies]

    async def packed(self, data: bytes, replies: int) -> Any:
        """Send commands that are packed already and return their replies, an error among them as a ReplyError.

        Raises:
            StoreError: the server cannot be reached within the deadline.
        """
        return await self._request(data, replies, ANSWER_TIMEOUT)

    async def _request(
        self, data: bytes, replies: int, timeout: float, *, strict: bool = False, script: Script | None = None
    ) -> Any:
        """Send a request until it is answered; `strict` raises an error reply, else the error is returned."""
        within = self._within
        # Where there is little time, that of the first try counts too.
        started, pause = time.monotonic() if within else 0.0, _FIRST_PAUSE
        timeout = min(timeout, within or timeout)
        while True:
            try:
                wire = self._wire
                if wire is None or wire.closed:
                    wire = await self._connected()
                if self._greeted is not wire:
                    self._greet(wire)
                reply = await wire.send(data, replies, timeout, self.heard)
            except Disconnected as error:
                failure: FlowsError = StoreUnavailable(str(error))
                cause: Exception = error
            else:
                found = first_error(reply if replies > 1 else (reply,))
                if found is None or (not strict and found.code not in TRANSIENT):
                    return reply
                cause, failure = found, translated(found, script)
                if found.code not in TRANSIENT:
                    raise failure from found
                if found.code in _DEMOTED:
                    wire.close("the server is no primary any more")
            hasty = not self._patient and started > 0 and isinstance(cause, Disconnected)
            started = started or time.monotonic()
            if hasty or time.monotonic() - started > (within or DEADLINE):
                raise failure from cause
            await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - jitter
            pause = min(pause * 2, within / 4 if within else _LONGEST_PAUSE)

    async def _connected(self) -> Wire:
        """Open the connection, one time for all callers that wait, and return the wire.

        In a task of its own, since redis-py 8.1 at times swallows a cancellation while it connects: whoever is
        cancelled here leaves at once, and the connection serves the next.
        """
        if self._opening is None:
            self._opening = asyncio.get_running_loop().create_task(self._opener.open())
            self._opening.add_done_callback(self._opened)
        try:
            async with asyncio.timeout(self._within):
                return await asyncio.shield(self._opening)
        except TimeoutError:
            raise Disconnected(f"no answer from {self._opener.url} within {self._within:g} s") from None

    def _greet(self, wire: Wire) -> None:
        """Send the greeting, which the server answers before what is sent next; once more where it was not ready."""

        def answered(answer: asyncio.Future[Any]) -> None:
            reply = None if answer.cancelled() or answer.exception() else answer.result()
            if isinstance(reply, ReplyError):
                _logger.debug("the server did not take the greeting: %s", reply)
                if reply.code in TRANSIENT and self._greeted is wire:
                    self._greeted = None

        self._greeted = wire
        if self._greeting:
            wire.send(self._greeting, 1, ANSWER_TIMEOUT).add_done_callback(answered)

    def _opened(self, opening: asyncio.Task[Wire]) -> None:
        self._opening = None
        if not opening.cancelled() and opening.exception() is None:
            self._wire = opening.result()
            if opening is self._unwanted:
                self._wire.close()

    def __repr__(self) -> str:
        """Return the server's URL, without the password."""
        return f"<Connection {self._opener.url}>"


def _retrieve(sent: asyncio.Future[Any]) -> None:
    if not sent.cancelled():
        sent.exception()


class _NoScript(StoreError):
    """The server does not have the script that was named by its digest."""


def translated(error: ReplyError, script: Script | None = None) -> StoreError:  # noqa: PLR0911 - one per kind of error
    """Return the typed error for an error reply; the error of a script names file and line."""
    text = script.located(str(error)) if script else str(error)
    code = error.code
    if code == "NOSCRIPT":
        return _NoScript(text)
    if code == "OOM" or "OOM command not allowed" in text:
        return StoreFull("the server is out of memory and refuses new jobs: free some, or raise its maxmemory")
    if code == "FLOWSCONFLICT" or "FLOWSCONFLICT" in text:
        return KeyConflict(f"{text.partition('FLOWSCONFLICT ')[2]}: delete or rename that key")
    if code == "WRONGTYPE":
        return KeyConflict(f"one of our keys holds another type: {text}")
    if code in {"NOAUTH", "WRONGPASS", "NOPERM"}:
        return StoreUnavailable(f"the server refuses these credentials: {text}")
    if code in _DEMOTED:
        return StoreUnavailable(f"the server is a replica, which takes no writes: give the URL of its primary ({text})")
    if code in TRANSIENT:
        return StoreUnavailable(f"the server is not ready: {text}")
    if code == "CROSSSLOT" or any(words in text for words in _SEVERAL_SLOTS):
        return UnsafeServer(
            "the server is in cluster mode, and the keys of the flow are in several slots of it: "
            f'put them into one by a namespace in braces, such as namespace="{{shop}}:" ({text})'
        )
    if code == "MOVED":
        return UnsafeServer(
            f"the server is a node of a cluster, and another node has the flow's keys: use that ({text})"
        )
    return StoreError(text)

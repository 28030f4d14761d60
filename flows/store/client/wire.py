"""One socket with implicit pipelining: all requests of one tick of the loop take two writes at most.

`opener.py` opens the connection by redis-py (TLS, authentication, database), then `Wire` takes its transport over.
redis-py itself takes a connection from a pool for every command in flight, which costs more than all of the rest of a
job.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from flows.store.client.resp import Reader, pack_command
    from flows.store.client.scripts import Argument, Command
else:
    try:
        from hiredis import Reader, pack_command
    except ImportError:
        from flows.store.client.resp import Reader, pack_command

__all__ = [
    "ANSWER_TIMEOUT",
    "Disconnected",
    "ReplyError",
    "Wire",
    "first_error",
    "pack_arguments",
    "pack_command",
    "pack_more",
]


#: How long a server may be silent before the connection counts as lost, in seconds.
ANSWER_TIMEOUT: Final = 5.0
#: The slowest line over which a request has time to arrive, in bytes per second. What has left our buffer may be under
#: way for a while, in those of the system or of a proxy, and of that nothing tells.
_SLOWEST: Final = 16_384
#: A timer that comes so many seconds late shows that the loop was blocked.
_BLOCKED: Final = 0.5
#: Then the server has so many seconds more to answer.
_EXTENSION: Final = 1.0


class ReplyError(Exception):
    """An error reply of the server; its first word is the code."""

    @property
    def code(self) -> str:
        """The first word, such as `WRONGTYPE`."""
        return str(self).partition(" ")[0]


def first_error(replies: Sequence[object]) -> ReplyError | None:
    """Return the first of the replies that is an error, or None."""
    if ReplyError not in map(type, replies):  # mostly there is none, and this finds that out fastest
        return None
    return next(reply for reply in replies if isinstance(reply, ReplyError))


class Disconnected(Exception):
    """The connection ended before the answer came: the server may or may not have run what was sent."""


class _Request:
    __slots__ = ("count", "future", "heard", "patience", "replies", "sent")

    def __init__(
        self,
        future: asyncio.Future[Any],
        count: int,
        sent: float,
        patience: float,
        heard: Callable[[Any], None] | None,
    ) -> None:
        self.future = future
        self.heard = heard
        self.count = count
        self.sent = sent
        #: For how many seconds nothing may come while this is the oldest request.
        self.patience = patience
        self.replies: list[Any] = []


class Wire(asyncio.Protocol):
    """An open connection, whose requests are answered in the order in which they were sent."""

    def __init__(self, connection: object, writer: asyncio.StreamWriter) -> None:
        self._connection = connection
        # Kept, because a StreamWriter closes its transport when it is collected.
        self._writer = writer
        self._transport = writer.transport
        self._loop = asyncio.get_running_loop()
        self._reader = Reader(replyError=ReplyError)
        self._requests: deque[_Request] = deque()
        #: What is written at the end of this tick; None while nothing was sent in it.
        self._outgoing: list[bytes] | None = None
        self._watchdog: asyncio.TimerHandle | None = None
        #: When bytes last came in or went out; the latter is seen by the watchdog only.
        self._alive = 0.0
        self._given = self._gone = 0
        self.closed = False
        #: Called with channel and message of each publication on the sharded channels it listens to, where it is set.
        self.on_message: Callable[[bytes, bytes], None] | None = None
        self.ended = asyncio.Event()
        self._transport.set_protocol(self)

    def send(
        self, packed: bytes, replies: int, timeout: float, heard: Callable[[Any], None] | None = None
    ) -> asyncio.Future[Any]:
        """Send packed commands and return the future of their reply, or of the list of their replies.

        The future raises Disconnected when the connection ends first, or when the server was silent for `timeout`
        seconds: a request or an answer that takes long to get through is waited for while it moves. What is to happen
        at once is done by `heard`, which gets the reply when it is read, before any task goes on, and raises nothing.
        """
        future: asyncio.Future[Any] = self._loop.create_future()
        if self.closed:
            future.set_exception(Disconnected("the connection is closed"))
            return future
        size = len(packed)
        self._given += size
        self._requests.append(_Request(future, replies, self._loop.time(), timeout + size / _SLOWEST, heard))
        if self._outgoing is None:
            # The first goes at once, whatever else the loop has to do; those that come with it share the next write.
            self._transport.write(packed)
            self._outgoing = []
            self._loop.call_soon(self._flush)
        else:
            self._outgoing.append(packed)
        if self._watchdog is None:
            self._watchdog = self._loop.call_later(timeout, self._watch)
        return future

    def close(self, reason: str = "the connection was closed") -> None:
        """Close the connection; requests that wait raise Disconnected."""
        self._end(Disconnected(reason))

    def data_received(self, data: bytes) -> None:
        """Give each whole reply to the oldest request that has none."""
        self._alive = self._loop.time()
        reader, requests, on_message = self._reader, self._requests, self.on_message
        next_reply = reader.gets
        try:
            reader.feed(data)
            while (reply := next_reply()) is not False:
                if on_message is not None and isinstance(reply, list) and reply[:1] == [b"smessage"]:
                    _message, channel, message = reply  # pyright: ignore[reportUnknownVariableType]
                    on_message(channel, message)  # pyright: ignore[reportUnknownArgumentType]
                    continue
                request = requests[0]
                count, replies = request.count, request.replies
                if count > 1:  # never where messages come in between: a connection that subscribes asks for one reply
                    replies.append(reply)
                    while len(replies) < count:
                        if (reply := next_reply()) is False:
                            return
                        replies.append(reply)
                    reply = replies
                requests.popleft()
                if not request.future.done():
                    request.future.set_result(reply)
                    if request.heard is not None:
                        request.heard(reply)
        except Exception as error:  # noqa: BLE001 - whatever a broken stream raises, the stream is over
            self._end(Disconnected(f"the server's answer could not be read: {error}"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Close the connection: requests that wait raise Disconnected."""
        self._end(Disconnected(str(exc) if exc else "the server closed the connection"))

    def _flush(self) -> None:
        outgoing, self._outgoing = self._outgoing, None
        if outgoing and not self.closed:
            self._transport.write(b"".join(outgoing))

    def _watch(self) -> None:
        """Close the connection where nothing has moved for too long; one timer serves all requests."""
        assert self._watchdog is not None  # noqa: S101 - it calls this
        late = self._loop.time() - self._watchdog.when()
        self._watchdog = None
        if not self._requests:
            return
        if late > _BLOCKED:
            # Meanwhile neither was a request written to its end nor an answer read: that is not the server's fault.
            self._watchdog = self._loop.call_later(_EXTENSION, self._watch)
            return
        unsent = self._transport.get_write_buffer_size()
        before, self._gone = self._gone, self._given - unsent
        if unsent and self._gone > before:
            self._alive = self._loop.time()
        oldest = self._requests[0]
        left = max(oldest.sent, self._alive) + oldest.patience - self._loop.time()
        if left <= 0:
            self._end(Disconnected("the server did not answer in time"))
        else:
            self._watchdog = self._loop.call_later(left, self._watch)

    def _end(self, error: Disconnected) -> None:
        if self.closed:
            return
        self.closed = True
        self.ended.set()
        if self._watchdog is not None:
            self._watchdog.cancel()
        self._transport.abort()
        while self._requests:
            request = self._requests.popleft()
            if not request.future.done():
                request.future.set_exception(error)


def pack_all(commands: list[Command]) -> bytes:
    """Return the bytes of several commands."""
    return b"".join([pack_command(command) for command in commands])


def pack_arguments(arguments: Sequence[Argument]) -> bytes:
    """Return the bytes of arguments, to be put after those of a command by `pack_more`."""
    packed = pack_command(tuple(arguments))
    return packed[packed.index(b"\n") + 1 :]


def pack_more(command: Command, count: int, packed: Iterable[bytes]) -> bytes:
    """Return the bytes of a command that goes on with `count` arguments, packed by `pack_arguments`."""
    return b"".join((b"*%d\r\n" % (len(command) + count), pack_arguments(command), *packed))

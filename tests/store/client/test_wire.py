"""The wire: replies are read whole, in order, and by both readers; a lost connection is opened again."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import hiredis
import pytest
from redis import Redis

from flows.errors import StoreUnavailable
from flows.store.client import connection as connection_module
from flows.store.client import resp, wire
from flows.store.client.connection import TRANSIENT, Connection, translated
from flows.store.client.opener import Opener
from flows.store.client.wire import Disconnected, ReplyError, Wire, pack_all
from flows.testing import private_server
from tests.waiting import until
from tests.world import World

READERS = pytest.mark.parametrize("reader", [hiredis.Reader, resp.Reader], ids=["hiredis", "resp"])
PACKERS = [hiredis.pack_command, resp.pack_command]

#: Replies as they come, and what they mean.
STREAM = (
    (b"+OK\r\n", b"OK"),
    (b"+\r\n", b""),
    (b":-12\r\n", -12),
    (b"$-1\r\n", None),
    (b"*-1\r\n", None),
    (b"$0\r\n\r\n", b""),
    (b"$6\r\na\r\nb\r\n\r\n", b"a\r\nb\r\n"),
    (b"*0\r\n", []),
    (b"*3\r\n:1\r\n*2\r\n$1\r\nx\r\n$-1\r\n+y\r\n", [1, [b"x", None], b"y"]),
)


@READERS
def test_replies_may_be_split_anywhere(reader: type[resp.Reader]) -> None:
    """The stream is cut in two at every byte, and into single bytes; the replies are the same."""
    data = b"".join(raw for raw, _value in STREAM)
    wanted = [value for _raw, value in STREAM]
    cuts = [[data[:at], data[at:]] for at in range(len(data) + 1)]
    for parts in (*cuts, [data[at : at + 1] for at in range(len(data))]):
        reading, found = reader(replyError=ReplyError), []
        for part in parts:
            reading.feed(part)
            while (reply := reading.gets()) is not False:
                found.append(reply)
        assert found == wanted


@READERS
def test_errors_are_values(reader: type[resp.Reader]) -> None:
    """An error reply, alone or within a list, is a ReplyError that knows its code."""
    reading = reader(replyError=ReplyError)
    reading.feed(b"-WRONGTYPE bad \xff key\r\n*2\r\n-ERR x\r\n:1\r\n")
    error, several = reading.gets(), reading.gets()
    assert (type(error), error.code) == (ReplyError, "WRONGTYPE")
    assert (type(several[0]), str(several[0]), several[1]) == (ReplyError, "ERR x", 1)


@READERS
def test_a_long_reply_in_many_parts(reader: type[resp.Reader]) -> None:
    """A megabyte in pieces, and what follows it."""
    reading = reader(replyError=ReplyError)
    data = b"$1000000\r\n" + b"x" * 1_000_000 + b"\r\n" + b":1\r\n" * 1000
    found = []
    for at in range(0, len(data), 4096):
        reading.feed(data[at : at + 4096])
        while (reply := reading.gets()) is not False:
            found.append(reply)
    assert (len(found[0]), found[1:]) == (1_000_000, [1] * 1000)


def test_a_stranger_is_an_error() -> None:
    """What is no RESP2 ends the connection instead of being guessed at."""
    reading = resp.Reader(replyError=ReplyError)
    reading.feed(b"HTTP/1.1 400 Bad Request\r\n")
    with pytest.raises(ValueError, match=r"HTTP|TTP"):
        reading.gets()


@pytest.mark.parametrize(
    "command", [("PING",), ("SET", "ключ", b"\x00\xff\r\n"), ("ZADD", "k", 0, "w"), ("SET", "f", 1.5), ("GET", "")]
)
def test_both_packers_agree(command: tuple[str | bytes | float, ...]) -> None:
    """Text, bytes and numbers."""
    first, second = (pack(command) for pack in PACKERS)
    assert first == second


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Wire]:
    """Open a wire by redis-py's means."""
    line = await Opener(url, "test-wire").open()
    try:
        yield line
    finally:
        line.close()
        await asyncio.sleep(0)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    """Make a connection that is closed in the end."""
    connection = Connection(url, "test-wire")
    try:
        yield connection
    finally:
        await connection.close()


@pytest.fixture(params=[hiredis.Reader, resp.Reader], ids=["hiredis", "resp"])
def _reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "Reader", request.param)


@pytest.mark.usefixtures("_reader")
async def test_everyone_gets_their_own_reply(redis_url: str) -> None:
    """A thousand requests at once, single ones and groups, are answered in the order in which they were sent."""
    async with connected(redis_url) as connection:
        await connection.open()

        async def one(number: int) -> bool:
            text = str(number).encode()
            if number % 3:
                return bool(await connection.call("ECHO", text) == text)
            group = [("ECHO", text), ("PING",), ("ECHO", text + b"!")]
            return bool(await connection.together(group) == [text, b"PONG", text + b"!"])

        assert all(await asyncio.gather(*(one(number) for number in range(1000))))


@pytest.mark.usefixtures("_reader")
async def test_groups_of_replies_may_be_split_anywhere(redis_url: str) -> None:
    """Requests for one reply and for several, whose answers are cut in two at every byte: each gets its own."""
    answers = [b"+a\r\n", b"+b\r\n:1\r\n-ERR c\r\n", b"$2\r\nde\r\n*1\r\n+f\r\n", b"+g\r\n"]
    wanted = ["[b'a']", "[b'b', 1, ReplyError('ERR c')]", "[b'de', [b'f']]", "[b'g']"]
    data = b"".join(answers)
    async with opened(redis_url) as line:
        for at in range(len(data) + 1):
            futures = [line.send(b"", count, 5) for count in (1, 3, 2, 1)]
            for part in (data[:at], data[at:]):
                line.data_received(part)
            found = [future.result() for future in futures]
            assert [str(one if isinstance(one, list) else [one]) for one in found] == wanted


async def test_who_is_cancelled_does_not_shift_the_others(redis_url: str) -> None:
    """The reply of a request that nobody waits for any more is dropped, whole."""
    async with connected(redis_url) as connection:
        await connection.open()
        tasks = [
            asyncio.create_task(connection.together([("ECHO", str(number)), ("ECHO", "x")])) for number in range(100)
        ]
        await asyncio.sleep(0)
        for task in tasks[::3]:
            task.cancel()
        replies = await asyncio.gather(*tasks, return_exceptions=True)
        for number, reply in enumerate(replies):
            if number % 3:
                assert reply == [str(number).encode(), b"x"]
            else:
                assert isinstance(reply, asyncio.CancelledError)
        assert await connection.call("ECHO", "last") == b"last"


async def test_what_is_sent_in_one_tick_shares_two_writes(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Implicit pipelining: of ten requests the first goes at once, and the others together."""
    async with opened(redis_url) as line:
        writes: list[bytes] = []
        transport = line._transport
        monkeypatch.setattr(line, "_transport", Recording(transport, writes))
        replies = await asyncio.gather(*(line.send(pack_all([("ECHO", str(n))]), 1, 5) for n in range(10)))
        assert replies == [str(number).encode() for number in range(10)]
        assert [data.count(b"ECHO") for data in writes] == [1, 9]


class Recording:
    """A transport that remembers what is written."""

    def __init__(self, transport: asyncio.WriteTransport, writes: list[bytes]) -> None:
        self._transport, self._writes = transport, writes

    def write(self, data: bytes) -> None:
        """Remember and write."""
        self._writes.append(data)
        self._transport.write(data)

    def abort(self) -> None:
        """End the transport."""
        self._transport.abort()


async def test_a_loop_that_was_blocked_is_not_the_servers_fault(redis_url: str) -> None:
    """What could neither be written to the end nor read in time is answered all the same."""
    async with opened(redis_url) as line:
        much = "x" * 2_000_000  # more than a socket holds
        answer = line.send(pack_all([("ECHO", much)]), 1, 0.1)
        await asyncio.sleep(0)
        time.sleep(0.7)  # noqa: ASYNC251 - that is what is tested
        assert await answer == much.encode()


async def test_a_server_that_does_not_answer_is_left(redis_url: str) -> None:
    """One watchdog for all requests: when the oldest is late, the connection ends and all are told."""
    async with opened(redis_url) as line:
        waiting = [line.send(pack_all([("BLPOP", "never", 0)]), 1, 0.02), line.send(pack_all([("PING",)]), 1, 5)]
        for error in await asyncio.gather(*waiting, return_exceptions=True):
            assert isinstance(error, Disconnected)
        with pytest.raises(Disconnected, match="is closed"):
            await line.send(pack_all([("PING",)]), 1, 5)


async def test_a_killed_connection_is_opened_again_and_the_request_sent_again(world: World, redis_url: str) -> None:
    """Everything that is sent is safe to send twice; who waits notices nothing."""
    async with connected(redis_url) as connection:
        own = await connection.call("CLIENT", "ID")
        waiting = asyncio.create_task(connection.call("BLPOP", f"{world.namespace}list", 5, timeout=5))
        await until(lambda: world.redis.client_list(client_id=[own])[0]["flags"].strip("U") == "b")
        world.redis.client_kill_filter(_id=own)
        world.redis.rpush(f"{world.namespace}list", "a")
        assert (await waiting)[1] == b"a"
        assert await connection.call("CLIENT", "ID") != own


async def test_a_server_that_is_gone_is_an_error_after_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request is tried until its deadline; `open` tries once. When the server is back, so is the connection."""
    monkeypatch.setattr(connection_module, "DEADLINE", 0.05)
    with private_server() as url:
        connection = Connection(url, "test")
        assert await connection.call("PING") == b"PONG"
    with pytest.raises(StoreUnavailable):
        await connection.call("PING")
    with pytest.raises(StoreUnavailable, match="no answer from unix://"):
        await connection.open()
    await connection.close()


@pytest.mark.parametrize("query", ["?password=wrong-one", ""], ids=["a wrong password", "no password"])
async def test_wrong_credentials_are_said_at_once(query: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trying again does not help: the error comes with the first answer, and the password is not in it."""
    monkeypatch.setattr(connection_module, "DEADLINE", 0.05)
    with private_server() as url, Redis.from_url(url) as redis:
        redis.config_set("requirepass", "secret")
        try:
            connection = Connection(url + query, "test")
            with pytest.raises(StoreUnavailable, match="credentials") as caught:
                await connection.call("PING")
            assert "wrong-one" not in f"{caught.value}{connection!r}"
        finally:
            redis.config_set("requirepass", "")


@pytest.mark.parametrize("code", sorted(TRANSIENT - {"READONLY", "UNBLOCKED"}))
async def test_a_server_that_is_not_ready_is_waited_for(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transient error is tried again, alone and among several replies; in the end it is StoreUnavailable."""
    answers = [f"-{code} wait\r\n".encode(), b"+OK\r\n", b"+OK\r\n-%b wait\r\n" % code.encode(), b"+OK\r\n+OK\r\n"]
    async with scripted(answers) as connection:
        assert await connection.call("PING") == b"OK"
        assert await connection.together([("PING",), ("PING",)]) == [b"OK", b"OK"]
    monkeypatch.setattr(connection_module, "DEADLINE", 0)
    async with scripted([f"-{code} wait\r\n".encode()] * 3) as connection:
        with pytest.raises(StoreUnavailable, match="not ready"):
            await connection.call("PING")


@asynccontextmanager
async def scripted(answers: list[bytes]) -> AsyncIterator[Connection]:
    """Serve the answers, one for each write, to a connection whose greeting is answered by +OK."""
    left = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            greeting = sum(data.count(word) for word in (b"CLIENT", b"HELLO", b"AUTH", b"SELECT"))
            writer.write(b"+OK\r\n" * greeting if greeting else left.pop(0))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with connected(f"redis://127.0.0.1:{port}") as connection:
        yield connection
    server.close()
    with suppress(TimeoutError):
        await asyncio.wait_for(server.wait_closed(), 1)


async def test_a_stream_that_cannot_be_read_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replies are never mixed up: the connection is opened again."""
    monkeypatch.setattr(connection_module, "DEADLINE", 5)
    async with scripted([b"!nonsense\r\n", b"+OK\r\n"]) as connection:
        assert await connection.call("PING") == b"OK"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("OOM command not allowed", "StoreFull"),
        ("EXECABORT Transaction discarded: OOM command not allowed", "StoreFull"),
        ("FLOWSCONFLICT a:b holds a string", "KeyConflict"),
        ("ERR FLOWSCONFLICT a:b holds a string", "KeyConflict"),
        ("WRONGTYPE Operation", "KeyConflict"),
        ("NOAUTH Authentication required.", "StoreUnavailable"),
        ("NOPERM no", "StoreUnavailable"),
        ("LOADING wait", "StoreUnavailable"),
        ("ERR what", "StoreError"),
    ],
)
def test_error_replies_have_types(text: str, error: str) -> None:
    """Each kind is one of the errors that users may catch."""
    assert type(translated(ReplyError(text))).__name__ == error


async def test_waiting_for_a_cancelled_opening_is_not_cancelled(redis_url: str) -> None:
    """Who opens the connection may be cancelled; the others who wait for it get it all the same."""
    async with connected(redis_url) as connection:
        first = asyncio.create_task(connection.call("PING"))
        second = asyncio.create_task(connection.call("ECHO", "x"))
        await asyncio.sleep(0)
        first.cancel()
        with suppress(asyncio.CancelledError):
            await first
        assert await second == b"x"


@pytest.mark.usefixtures("_reader")
async def test_what_is_published_comes_between_the_replies(redis_url: str, redis: Redis, namespace: str) -> None:
    """It goes to whoever hears, and shifts no reply; a list that a command answers with is no message."""
    async with opened(redis_url) as line:
        heard: list[tuple[bytes, bytes]] = []
        line.on_message = lambda channel, message: heard.append((channel, message))
        channel = f"{namespace}a"
        assert await line.send(pack_all([("SSUBSCRIBE", channel)]), 1, 5) == [b"ssubscribe", channel.encode(), 1]
        answers = [line.send(pack_all([("PING", str(number))]), 1, 5) for number in range(100)]
        for number in range(100):
            redis.spublish(channel, f"message {number}")
        assert await asyncio.gather(*answers) == [[b"pong", str(number).encode()] for number in range(100)]
        assert await line.send(pack_all([("PING", "message")]), 1, 5) == [b"pong", b"message"]
        assert heard == [(channel.encode(), f"message {number}".encode()) for number in range(100)]


async def test_whoever_waits_for_its_end_is_told(redis_url: str) -> None:
    """However it comes."""
    async with opened(redis_url) as line:
        assert not line.ended.is_set()
        line.close()
        assert line.ended.is_set()


async def test_an_opening_that_is_cancelled_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that accepts and never greets is let go: at once, or where redis-py 8.1 swallows that, after a while."""
    monkeypatch.delattr(asyncio.StreamWriter, "__del__")  # of some versions of Python; others warn instead
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        opening = asyncio.create_task(Opener(url, "test-wire").open())
        peer, _address = await asyncio.to_thread(silent.accept)
        with peer:
            assert await asyncio.to_thread(peer.recv, 100)  # the greeting, in the middle of which it is cancelled
            opening.cancel()
            with suppress(asyncio.CancelledError, Disconnected):
                await opening
            peer.settimeout(20)
            while await asyncio.to_thread(peer.recv, 100):
                pass

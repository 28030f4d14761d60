"""The proxy cuts where it says, and does to the way what it says."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from flows.testing import private_server
from tests.faults.framing import Commands, Replies, is_push
from tests.faults.ports import free_port
from tests.faults.proxy import Proxy
from tests.waiting import LONG, blocking_until, patient


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Run a server on a port."""
    port = free_port()
    with private_server(port=port):
        yield port


@pytest.fixture
def direct(port: int) -> Iterator[redis.Redis]:
    """Open a client that goes past the proxy."""
    with connect(port) as client:
        client.flushall()
        yield client


@pytest.fixture
def proxy(port: int) -> Iterator[Proxy]:
    """Run a proxy before it."""
    with Proxy(port) as proxy:
        yield proxy


@pytest.fixture
def client(proxy: Proxy) -> Iterator[redis.Redis]:
    """Open a client that goes through the proxy."""
    with connect(proxy.port) as client:
        yield client


def connect(port: int, patience: float = LONG) -> redis.Redis:
    """Make a client that sends nothing twice."""
    return redis.Redis(port=port, decode_responses=True, retry=Retry(NoBackoff(), 0), socket_timeout=patience)


@pytest.fixture
def hasty(proxy: Proxy) -> Iterator[redis.Redis]:
    """Open a client that goes through the proxy, and soon gives up."""
    with connect(proxy.port, patient(1.0)) as client:
        yield client


def test_counts_commands_but_no_handshake(proxy: Proxy, client: redis.Redis) -> None:
    """A pipeline counts each of its commands."""
    with client.pipeline(transaction=True) as pipe:
        pipe.set("key", "x" * 100_000).get("key")
        assert pipe.execute() == [True, "x" * 100_000]
    client.execute_command("CLIENT", "ID")
    assert proxy.count() == 4
    assert [words[0] for _connection, words in proxy.seen] == [b"MULTI", b"SET", b"GET", b"EXEC"]
    proxy.reset()
    assert proxy.count() == 0


def test_cuts_before_a_command_reaches_the_server(proxy: Proxy, client: redis.Redis, direct: redis.Redis) -> None:
    """What came before it was done, and was answered."""
    client.incr("key")
    proxy.cut_before(2)
    client.incr("key")
    with pytest.raises(redis.ConnectionError):
        client.incr("key")
    assert proxy.wait_cut()
    assert direct.get("key") == "2"
    assert client.incr("key") == 3


def test_cuts_after_a_command_was_executed(proxy: Proxy, client: redis.Redis, direct: redis.Redis) -> None:
    """Its reply is lost, and only its own."""
    proxy.cut_after(2)
    client.incr("key")
    with pytest.raises(redis.ConnectionError):
        client.incr("key")
    assert proxy.wait_cut(1)
    assert direct.get("key") == "2"
    assert client.incr("key") == 3


@pytest.mark.parametrize("k", range(1, 6))
def test_cuts_inside_what_was_sent_in_one_go(proxy: Proxy, client: redis.Redis, direct: redis.Redis, k: int) -> None:
    """Of five commands in one write, exactly k - 1 are done when the cut is before the k-th, and k when after."""
    for order, done in ((proxy.cut_before, k - 1), (proxy.cut_after, k)):
        direct.delete("key")
        proxy.reset()
        order(k)
        with client.pipeline(transaction=False) as pipe:
            for _ in range(5):
                pipe.incr("key")
            with pytest.raises(redis.ConnectionError):
                pipe.execute()
        assert proxy.wait_cut(1)
        assert int(direct.get("key") or 0) == done


def test_drops_a_transaction_that_it_cuts(proxy: Proxy, client: redis.Redis, direct: redis.Redis) -> None:
    """A cut before EXEC leaves nothing; one after it leaves all."""
    for order, value in ((proxy.cut_before, None), (proxy.cut_after, "1")):
        direct.delete("key")
        proxy.reset()
        order(3)
        with client.pipeline(transaction=True) as pipe, pytest.raises(redis.ConnectionError):
            pipe.incr("key").execute()
        assert direct.get("key") == value


def test_cuts_a_command_that_waits_when_it_is_answered(proxy: Proxy, direct: redis.Redis) -> None:
    """A wake-up that was popped is lost with its reply."""
    proxy.cut_after(1)
    direct.zadd("wake", {"w": 0})
    with connect(proxy.port) as client, pytest.raises(redis.ConnectionError):
        client.bzpopmin(["wake"], timeout=1)
    assert direct.zcard("wake") == 0


def test_resets_all_connections(proxy: Proxy, client: redis.Redis) -> None:
    """The next command opens a new one."""
    client.ping()
    assert proxy.connections() == 1
    assert proxy.cut_all() == 1
    assert proxy.connections() == 0
    assert client.ping()
    assert proxy.connects == 2


def test_refuses_new_connections(proxy: Proxy, client: redis.Redis) -> None:
    """Those that are open stay."""
    client.ping()
    proxy.refuse()
    assert client.ping()
    with connect(proxy.port) as other, pytest.raises(redis.ConnectionError):
        other.ping()
    proxy.accept()
    with connect(proxy.port) as other:
        assert other.ping()


def test_holds_back_what_goes_up_until_the_way_is_open(proxy: Proxy, hasty: redis.Redis, direct: redis.Redis) -> None:
    """The client has given up, and its command arrives all the same: so do real networks."""
    hasty.ping()
    proxy.blackhole("up")
    with pytest.raises(redis.TimeoutError):
        hasty.set("key", 1)
    assert direct.get("key") is None
    proxy.open()
    blocking_until(lambda: direct.get("key") == "1")
    assert hasty.ping()


def test_holds_back_what_comes_down(proxy: Proxy, hasty: redis.Redis, direct: redis.Redis) -> None:
    """The command is done, and its client does not hear of it."""
    hasty.ping()
    proxy.blackhole("down")
    with pytest.raises(redis.TimeoutError):
        hasty.set("key", 1)
    blocking_until(lambda: direct.get("key") == "1")
    proxy.open()
    assert hasty.get("key") == "1"


def test_delays_round_trips(proxy: Proxy, client: redis.Redis) -> None:
    """A pipeline is as late as one command and not as fifty: what is sent meanwhile travels along."""
    client.ping()
    proxy.delay(100)
    started = time.monotonic()
    with client.pipeline(transaction=False) as pipe:
        for _ in range(50):
            pipe.ping()
        pipe.execute()
    assert 0.1 <= time.monotonic() - started < patient(50 * 0.1 / 2)


def test_lets_through_so_many_bytes_in_a_second(proxy: Proxy, client: redis.Redis) -> None:
    """Twenty kilobytes at a hundred kilobytes a second take a fifth of one; without it, two megabytes take no 20 s."""
    client.ping()
    proxy.throttle(100_000)
    started = time.monotonic()
    client.set("key", "x" * 20_000)
    assert time.monotonic() - started >= 0.2
    proxy.throttle(0)
    started = time.monotonic()
    client.set("key", "x" * 2_000_000)
    assert time.monotonic() - started < patient(20 / 2)


def test_resets_clients_when_the_server_is_away() -> None:
    """They are not left waiting."""
    with Proxy(free_port()) as proxy, connect(proxy.port) as client, pytest.raises(redis.ConnectionError):
        client.ping()


def test_finds_the_ends_of_commands_in_any_pieces() -> None:
    """Cut into bytes, it finds the same commands as in one piece."""
    data = b"*2\r\n$3\r\nGET\r\n$4\r\na\r\nb\r\n*1\r\n$4\r\nPING\r\nPING\r\n"
    for size in (1, 2, 7, len(data)):
        commands = Commands()
        found = [one for at in range(0, len(data), size) for one in commands.feed(data[at : at + size])]
        assert [one.words for one in found] == [[b"GET", b"a\r\nb"], [b"PING"], [b"PING"]]
        assert b"".join(one.raw for one in found) == data


def test_finds_the_ends_of_replies_in_any_pieces() -> None:
    """Nested ones, empty ones, errors, and those of RESP3."""
    whole = [
        b"+OK\r\n",
        b"$-1\r\n",
        b"*-1\r\n",
        b"*0\r\n",
        b"*2\r\n*2\r\n$2\r\n\r\n\r\n:1\r\n-ERR no\r\n",
        b"%1\r\n+a\r\n*1\r\n_\r\n",
        b"|1\r\n+ttl\r\n:1\r\n$3\r\nabc\r\n",
        b">2\r\n+invalidate\r\n*0\r\n",
    ]
    data = b"".join(whole)
    for size in (1, 3, len(data)):
        replies = Replies()
        found = [one for at in range(0, len(data), size) for one in replies.feed(data[at : at + size])]
        assert found == whole
    assert is_push(whole[-1])
    assert is_push(b"*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n")
    assert not is_push(whole[4])

"""The server does to itself what it is told: it is killed, frozen, robbed of the end of its file and of its clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.faults.clock import clock_available
from tests.faults.server import Server

WRITES = 500


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Run a server."""
    with Server(tmp_path) as running:
        yield running


def count(server: Server) -> int:
    """Return how many writes a server remembers."""
    with server.client() as client:
        return int(client.get("count") or 0)


def write(server: Server, times: int = WRITES) -> None:
    """Write so often."""
    with server.client() as client:
        for _ in range(times):
            client.incr("count")


def test_keeps_its_data_and_its_port_when_it_is_killed(server: Server) -> None:
    """What it has answered is in the file already, so a SIGKILL loses nothing."""
    url = server.url
    write(server)
    server.kill()
    assert not server.running
    server.restart()
    assert count(server) == WRITES
    assert server.url == url


def test_keeps_its_data_when_it_is_stopped(server: Server) -> None:
    """It ends by itself."""
    write(server)
    server.stop()
    server.restart()
    assert count(server) == WRITES


def test_loses_the_end_of_its_file(server: Server) -> None:
    """The cut is inside a record, and the server starts all the same; what stood before the cut is there."""
    write(server)
    server.kill()
    size = server.aof_bytes()
    cut = server.cut_tail(1000)
    assert cut == 1000
    assert server.aof_bytes() == size - cut
    server.restart()
    assert 0 < count(server) < WRITES


def test_forgets_all(server: Server) -> None:
    """Its data is gone, as after a disk was changed."""
    write(server)
    server.kill()
    server.forget()
    server.restart()
    assert count(server) == 0


def test_answers_nothing_while_it_is_frozen(server: Server) -> None:
    """Its connections stay open all the while."""
    with server.client() as patient, server.client(timeout=0.2) as client:
        patient.ping()
        server.freeze()
        with pytest.raises(redis.TimeoutError):
            client.ping()
        server.thaw()
        assert patient.ping()


def fill(client: redis.Redis) -> None:
    """Write fifty megabytes."""
    for number in range(50):
        client.set(f"key{number}", "x" * 1_000_000)


def test_refuses_when_its_memory_is_full(tmp_path: Path) -> None:
    """The profile `small` keeps what it has; `lru` drops it, and tells nobody."""
    with Server(tmp_path / "small", profile="small") as small, small.client() as client:
        with pytest.raises(redis.OutOfMemoryError):
            fill(client)
        assert client.exists("key0")
    with Server(tmp_path / "lru", profile="lru") as lru, lru.client() as client:
        fill(client)
        assert 2 <= client.dbsize() < 20


def test_remembers_what_was_slow(server: Server) -> None:
    """The SLOWLOG of a server outlives it here."""
    with server.client() as client:
        client.eval("for i = 1, 300000 do redis.call('PING') end", 0)
    server.kill()
    server.restart()
    (ms, command), *_ = server.slow_commands()
    assert ms > 1
    assert command[0] == "EVAL"


@pytest.mark.skipif(not clock_available(), reason="no C compiler")
def test_moves_its_wall_clock(tmp_path: Path) -> None:
    """What has a time to live ends an hour early, or late."""
    with Server(tmp_path, clock=True) as server, server.client() as client:
        client.set("key", 1, px=30_000)
        server.shift_clock(3_600_000)
        assert client.get("key") is None
        assert client.time()[0] == pytest.approx(time.time() + 3600, abs=2)
        client.set("key", 1, px=30_000)
        server.shift_clock(-3_600_000)
        assert client.time()[0] == pytest.approx(time.time() - 3600, abs=2)
        assert client.pttl("key") > 3_600_000


def test_says_why_it_does_not_start(tmp_path: Path) -> None:
    """The end of its log is in the error."""
    server = Server(tmp_path, settings={"no-such-setting": "1"})
    with pytest.raises(RuntimeError, match="no-such-setting"):
        server.start()
    server.close()

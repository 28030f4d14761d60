"""A thin line: what takes longer to get through than a server may be silent is waited for, both ways, and sent once."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import cast

import pytest
import pytest_asyncio
import redis
from pydantic import BaseModel

from flows import Flow, FlowOptions, Job, JobResult, QueueOptions
from flows.store.client import connection as connection_module
from flows.store.client import opener, wire
from flows.store.client.connection import Connection
from flows.store.client.wire import Disconnected, Wire
from flows.testing import private_server
from tests.faults.ports import free_port
from tests.faults.proxy import Proxy
from tests.waiting import patient

#: How long the server may be silent here, in seconds, and how fast the line is, in bytes per second.
SILENCE = 0.25
RATE = 800_000
BLOB = "x" * 500_000  # more than twice as long under way


class Given(BaseModel):
    """What a job is given."""

    blob: str


class Work(Job):
    """What its worker sees."""

    blob: str


class Answer(JobResult):
    """What it answers."""

    answer: str


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Run a server on a port."""
    port = free_port()
    with private_server(port=port):
        yield port


@pytest.fixture
def proxy(port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """Run a thin line before it, to clients that bear little silence."""
    for module in (connection_module, opener):
        monkeypatch.setattr(module, "ANSWER_TIMEOUT", SILENCE)
    with Proxy(port) as proxy:
        yield proxy


@pytest_asyncio.fixture
async def connection(proxy: Proxy) -> AsyncIterator[Connection]:
    """Open a connection over it."""
    connection = Connection(proxy.url, "test-slow")
    await connection.open()
    proxy.throttle(RATE)
    yield connection
    await connection.close()


async def test_large_jobs_are_created_claimed_run_and_fetched(proxy: Proxy, port: int) -> None:
    """At the first attempt, and nothing is asked for twice."""

    async def work(job: Work) -> Answer:
        return Answer(answer=job.blob)

    def make(url: str) -> Flow[Work, Given]:
        return Flow[Work, Given](FlowOptions("thin", [QueueOptions("work", job=Work)], redis_url=url))

    far, near = make(proxy.url), make(f"redis://127.0.0.1:{port}")
    far.create_workers(Work, work)
    async with far, near:
        proxy.throttle(RATE)
        job_id = await far.create_job(Given(blob=BLOB))
        record = await near.wait_for(job_id, 20)
        fetched = await far.get_job(job_id)
    sent = Counter(words[0] for _connection, words in proxy.seen)
    assert (sent[b"MULTI"], sent[b"HGETALL"], proxy.connects) == (1, 1, 4)
    assert (record.status, record.attempts) == ("done", 1)
    assert fetched is not None
    assert fetched.view(Answer).answer == BLOB


async def test_an_answer_that_comes_is_waited_for(connection: Connection, proxy: Proxy, port: int) -> None:
    """As long as bytes come, it is on its way."""
    with redis.Redis(port=port) as near:
        near.set("blob", BLOB)
    assert await connection.call("GET", "blob", timeout=SILENCE) == BLOB.encode()
    assert proxy.connects == 1


class Draining:
    """A transport, and the writer that has it, whose buffer holds less each time that it is asked."""

    def __init__(self, *sizes: int) -> None:
        self.transport = self
        self._sizes = list(sizes)

    def get_write_buffer_size(self) -> int:
        """Return how much is left."""
        return self._sizes.pop(0) if self._sizes else 0

    def set_protocol(self, _protocol: object) -> None:
        """Do nothing."""

    write = abort = lambda *_arguments: None


async def test_a_request_that_leaves_slowly_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as our buffer drains it is on its way, however slow the line is; not when it stands still."""
    monkeypatch.setattr(wire, "_SLOWEST", math.inf)
    for sizes, looks in (((300, 200, 100), 4), ((300, 300, 300), 2)):
        began = time.monotonic()
        line = Wire(None, cast("asyncio.StreamWriter", Draining(*sizes)))
        with pytest.raises(Disconnected, match="in time"):
            await line.send(b"x" * 400, 1, 0.05)
        assert looks * 0.05 <= time.monotonic() - began


async def test_a_server_that_is_silent_is_given_up(connection: Connection, proxy: Proxy) -> None:
    """After so much silence, and what it takes to send the request over a slow line."""
    proxy.blackhole("down")
    line, began = connection._wire, time.monotonic()
    assert line is not None
    with pytest.raises(Disconnected, match="did not answer in time"):
        await line.send(b"*1\r\n$4\r\nPING\r\n", 1, SILENCE)
    assert SILENCE <= time.monotonic() - began < patient(10)
    await asyncio.sleep(0)

"""Real workers of a limited queue: they keep to the limit, start in time, and send nothing in vain."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta
from math import ceil
from typing import Any

import pytest
from pydantic import BaseModel
from redis import Redis

from flows import Flow, FlowOptions, Job, Limiter, QueueOptions
from flows.store.jobs.turns import Turn, Turns
from flows.testing import private_server
from tests.faults.rules.exact import fullest
from tests.scale import SCALE, scaled
from tests.waiting import patient

#: A limit of so many in a second.
RATE = 50
WORKERS = 8
#: What a function's clock may be behind the server's start, in seconds: windows are exact at the server.
JITTER = 0.2
#: Beside those that claim or end a job, all workers together send at most so many scripts a second.
MOST_IN_VAIN = 5


class Mail(BaseModel):
    """What a job is made of."""

    n: int


class Send(Job):
    """What its function needs."""

    n: int


class Sent:
    """A flow whose function notes when it begins."""

    def __init__(self, url: str, count: int, **options: Any) -> None:
        self.starts: list[float] = []
        self.running = self.peak = 0
        self._count, self._all = count, asyncio.Event()
        queue = QueueOptions("send", job=Send, **options)
        self.flow = Flow[Send, Mail, str](FlowOptions(name="mail", redis_url=url, queues=[queue]))
        self.flow.create_workers(Send, self._send, count=WORKERS, concurrency=RATE)

    async def _send(self, job: Send) -> None:
        del job
        self.starts.append(time.time())
        self.running += 1
        self.peak = max(self.peak, self.running)
        await asyncio.sleep(0.005)
        self.running -= 1
        if len(self.starts) == self._count and not self.running:
            self._all.set()

    async def all(self) -> None:
        """Send everything."""
        await self.flow.create_jobs(Mail(n=n) for n in range(self._count))
        async with self.flow:
            await asyncio.wait_for(self._all.wait(), patient(self._count / RATE + 30))


class Useful:
    """Counts the turns that claim or end a job."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.turns = 0
        turn = Turns.turn

        async def counted(turns: Turns, ended: Sequence[Any], want: int, *, busy: bool) -> Turn:
            answer = await turn(turns, ended, want, busy=busy)
            self.turns += bool(ended or answer.jobs)
            return answer

        monkeypatch.setattr(Turns, "turn", counted)


def scripts(redis: Redis) -> int:
    """Return how many scripts a server has run."""
    stats: Any = redis.info("commandstats")
    return sum(stats.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in ("evalsha", "eval"))


@pytest.mark.scale
async def test_a_limited_queue_starts_in_time_and_nobody_spins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty a second with eight workers: `make scale` runs it for a minute, and looks at the clock too."""
    count = scaled(150, full=60 * RATE)
    useful = Useful(monkeypatch)
    with private_server() as url, Redis.from_url(url) as redis:
        sent = Sent(url, count, limits=[Limiter(RATE, timedelta(seconds=1))])
        before, began = scripts(redis), time.time()
        await sent.all()
        seconds = time.time() - began
        in_vain = scripts(redis) - before - useful.turns
    starts = sorted(sent.starts)
    assert fullest([(int(start * 1000), 1) for start in starts], int(1000 * (1 - JITTER))) <= RATE
    assert in_vain <= MOST_IN_VAIN * ceil(seconds) + 5 * WORKERS, f"{in_vain} scripts in {seconds:.1f} s"
    late = sorted(at - before - 1 for at, before in zip(starts[RATE:], starts, strict=False))
    p95 = late[int(len(late) * 0.95)]
    print(f"{in_vain} scripts in vain, {useful.turns} useful in {seconds:.1f} s; p95 late {1000 * p95:.1f} ms")  # noqa: T201
    if SCALE > 1:
        assert p95 <= 0.010, f"the next start came {1000 * p95:.1f} ms after it could"


async def test_slots_are_never_over_and_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three at a time, over all workers; whoever frees one lets the next begin, so all are used, and nobody spins."""
    useful = Useful(monkeypatch)
    with private_server() as url, Redis.from_url(url) as redis:
        sent = Sent(url, 90, max_concurrency=3)
        before, began = scripts(redis), time.time()
        await sent.all()
        in_vain = scripts(redis) - before - useful.turns
        seconds = time.time() - began
    assert sent.peak == 3
    assert in_vain <= 90 + MOST_IN_VAIN * ceil(seconds) + 5 * WORKERS, f"{in_vain} scripts in {seconds:.1f} s"

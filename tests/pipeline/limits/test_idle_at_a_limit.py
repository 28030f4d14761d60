"""Workers of a limited queue sleep until its limits let the next job start: counted by what they send."""

from __future__ import annotations

import time
from typing import Any

import pytest

from flows import Limiter
from flows.store.client.connection import Connection
from tests.pipeline.limits.test_rules_at_work import Deliver, Mail, Make, Send, all_done, make

__all__ = ["make"]


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Note when each turn is sent."""
    sent: list[float] = []
    call = Connection.call_packed

    def noted(connection: Connection, *given: Any) -> Any:
        sent.append(time.monotonic())
        return call(connection, *given)

    monkeypatch.setattr(Connection, "call_packed", noted)
    return sent


async def worked(flow: Mail, jobs: int) -> tuple[list[float], float]:
    """Let eight workers do so many jobs; return when each began, and how long all of it took."""
    began: list[float] = []

    async def deliver(_job: Deliver) -> None:
        began.append(time.monotonic())

    flow.create_workers("deliver", deliver, count=8, concurrency=10)
    ids = await flow.create_jobs([Send()] * jobs)
    start = time.monotonic()
    async with flow:
        await all_done(flow, ids)
    return began, time.monotonic() - start


async def test_nobody_spins_at_a_limit(make: Make, turns: list[float]) -> None:
    """50 a second for four seconds: no more turns than one a job and five a second, though eight workers wait."""
    began, seconds = await worked(make(limits=[Limiter(50, 1.0)]), 200)
    assert len(began) == 200
    assert max(began) - min(began) > 2
    assert 4 <= len(turns) <= 200 + 8 + 5 * seconds


async def test_tokens_ahead_spare_scripts(make: Make, turns: list[float]) -> None:
    """One in 10 ms: a turn brings several, each of which waits for its time in its lane."""
    began, seconds = await worked(make(limits=[Limiter(1, 0.01)]), 100)
    assert len(began) == 100
    assert max(began) - min(began) > 0.5
    assert len(turns) <= 100 + 8 + 5 * seconds


async def test_nobody_spins_for_want_of_a_slot(make: Make, turns: list[float]) -> None:
    """Two run at a time, and each end brings the next: two turns a job at most, and those of workers that begin."""
    began, seconds = await worked(make(max_concurrency=2), 100)
    assert len(began) == 100
    assert len(turns) <= 200 + 8 + 5 * seconds

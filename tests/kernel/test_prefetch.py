"""The prefetch: how many jobs a worker claims now, by how fast its jobs end."""

from __future__ import annotations

import pytest

from flows.kernel import prefetch
from flows.kernel.prefetch import Prefetch
from flows.store.jobs.finished import MOST_JOBS


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Give the test a clock of its own: its only element is the time."""
    now = [100.0]
    monkeypatch.setattr(prefetch.time, "monotonic", lambda: now[0])
    return now


def run(one: Prefetch, clock: list[float], rate: int, seconds: float = 0.5) -> None:
    """Let jobs end at a rate."""
    for _ in range(int(seconds * 100)):
        clock[0] += 0.01
        one.ended(rate // 100)


def test_a_worker_that_begins_claims_what_it_can_run(clock: list[float]) -> None:
    """Nothing is claimed ahead before it is known how fast jobs end."""
    assert clock
    assert Prefetch(1).room(0, 0) == 1
    assert Prefetch(8).room(3, 0) == 5
    assert Prefetch(1).room(1, 0) == 0
    assert Prefetch(1000).room(0, 0) == MOST_JOBS


@pytest.mark.parametrize(("rate", "ahead"), [(100, 2), (1_000, 20), (10_000, 200), (1_000_000, 400)])
def test_fast_jobs_are_claimed_ahead(clock: list[float], rate: int, ahead: int) -> None:
    """As many jobs are held as end within 20 ms, 400 at most and 100 a call."""
    one = Prefetch(1)
    run(one, clock, rate)
    assert one.room(0, 0) == pytest.approx(min(1 + ahead, MOST_JOBS), abs=2)


def test_slow_jobs_are_not_claimed_ahead(clock: list[float]) -> None:
    """A worker whose jobs take 100 ms holds the one that it runs."""
    one = Prefetch(1)
    run(one, clock, 10_000)
    for _ in range(5):
        clock[0] += 0.1
        one.ended(1)
    assert one.room(1, 0) == 0


def test_a_worker_that_is_stuck_forgets_its_rate(clock: list[float]) -> None:
    """After jobs were handed back nothing is claimed ahead until jobs end quickly again."""
    one = Prefetch(2)
    run(one, clock, 10_000)
    one.slow()
    assert one.room(1, 0) == 1
    assert one.room(2, 0) == 0
    run(one, clock, 10_000)
    assert one.room(2, 0) > 90


def test_a_few_places_are_not_worth_a_claim(clock: list[float]) -> None:
    """While half of what may be held is ready, no claim is made for the rest."""
    one = Prefetch(1)
    run(one, clock, 5_000)
    assert one.room(1, 90) == 0
    assert one.room(1, 30) > 50


def test_nothing_is_claimed_ahead_where_each_job_takes_a_token(clock: list[float]) -> None:
    """However quickly jobs end: no more than the free lanes can begin."""
    one = Prefetch(10, ahead=False)
    run(one, clock, 20_000)
    assert (one.room(0, 0), one.room(10, 0), one.room(4, 2)) == (10, 0, 4)

"""retry: an attempt failed and is made again after a delay."""

from __future__ import annotations

import pytest

from tests.world import NOW, TTL, World, line, processing, retry


def test_delays_the_job_and_keeps_the_error(world: World) -> None:
    """The attempt counts; the job stands among the delayed ones at its due time."""
    world.seed(jobs={"shop:1": processing(a="1", _fence="2", _attempts="2")}, processing={"pick": {"1": NOW + 9}})
    assert world.report(retry("1", 2, delay_ms=700, error='{"type":"E"}')) == ["ok"]
    after = processing(a="1", _fence="2", _attempts="2") | {
        "_status": "delayed",
        "_error": '{"type":"E"}',
        "_history": line("retry", 2, more='"error":{"type":"E"}'),
    }
    assert world.snapshot() == {"jobs": {"shop:1": after}, "delayed": {"pick": {"1": NOW + 700}}}


def test_a_delayed_job_lives_until_it_is_due_and_its_time_beyond(world: World) -> None:
    """However long the delay is, the hash and its lookup lists outlive it."""
    world.seed(jobs={"shop:1": processing(_lookups="user:7")}, lookups={"shop:user:7": ["1"]})
    world.redis.pexpire(world.key("lookups", "shop:user:7"), TTL)
    world.report(retry("1", delay_ms=5 * TTL))
    assert world.lives("jobs", "shop:1", 6 * TTL)
    assert world.lives("lookups", "shop:user:7", 6 * TTL)


@pytest.mark.parametrize("ttl", [TTL, 0], ids=["a TTL", "no TTL"])
def test_a_job_without_a_ttl_gets_none(world: World, ttl: int) -> None:
    """A child has no TTL while its parent waits, nor has a job of a flow without one; a retry gives it none."""
    world.seed(jobs={"shop:1": processing()})
    world.redis.persist(world.key("jobs", "shop:1"))
    world.report(retry("1"), ttl=ttl)
    assert world.life("jobs", "shop:1") == -1


def test_a_flow_whose_jobs_live_for_ever_takes_their_ttl(world: World) -> None:
    """The setting has changed since the job was created: it must not expire while it is delayed."""
    world.seed(jobs={"shop:1": processing()})
    world.report(retry("1"), ttl=0)
    assert world.life("jobs", "shop:1") == -1


def test_only_a_new_earliest_due_time_wakes_a_worker(world: World) -> None:
    """A worker has to set its alarm anew only where the earliest due time has changed."""
    world.seed(jobs={"shop:1": processing(), "shop:2": processing()})
    world.report(retry("1", delay_ms=500))
    assert world.snapshot(unseen=frozenset())["wake"] == {"pick": {"w": 0}}
    world.redis.delete(world.key("wake", "pick"))
    world.report(retry("2", delay_ms=600))
    assert "wake" not in world.snapshot(unseen=frozenset())


def test_the_last_twenty_lines_of_the_history_are_kept(world: World) -> None:
    """However often it is retried, a job's history stays bounded: the oldest lines go."""
    world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"pick": ["1"]})
    for fence in range(1, 26):
        world.claim()
        world.report(retry("1", fence, delay_ms=1))
        world.now += 10
    lines = world.job("shop:1")["_history"].split("\n")
    wanted = [(n, NOW + 10 * (n - 1)) for n in range(6, 26)]
    assert lines == [line("retry", n, at=at, more='"error":{"type":"E"}') for n, at in wanted]

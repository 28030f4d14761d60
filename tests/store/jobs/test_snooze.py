"""snooze: a job comes back after a delay, and the attempt does not count."""

from __future__ import annotations

import pytest

from tests.world import NOW, TTL, World, attempt, line, processing, snooze


def test_delays_the_job_without_using_up_an_attempt(world: World) -> None:
    """The same as a retry, but for the count of attempts and the error."""
    world.seed(
        jobs={"shop:1": processing(a="1", _fence="3", _attempts="3", _error="{}")}, processing={"pick": {"1": NOW + 9}}
    )
    assert world.report(snooze("1", 3, delay_ms=700)) == ["ok"]
    after = processing(a="1", _fence="3", _error="{}") | {
        "_status": "delayed",
        "_attempts": "2",
        "_history": line("snooze", 3, more='"reason":"later"'),
    }
    assert world.snapshot() == {"jobs": {"shop:1": after}, "delayed": {"pick": {"1": NOW + 700}}}
    assert world.lives("jobs", "shop:1", TTL + 700)


def test_a_job_can_be_snoozed_for_ever(world: World) -> None:
    """Ten times claimed and snoozed, the job is still on its first attempt, and each claim raised the fence."""
    world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"pick": ["1"]})
    for fence in range(1, 11):
        [job] = world.claim()
        assert (job.attempt, job.fence) == (1, fence)
        world.report(snooze("1", fence, delay_ms=10))
        world.now += 10


@pytest.mark.parametrize(("until", "due"), [(NOW + 900, NOW + 900), (NOW - 5, NOW)], ids=["to come", "past"])
def test_a_job_can_be_snoozed_until_a_time(world: World, until: int, due: int) -> None:
    """The server's clock decides when that is; what is past is due at once."""
    world.seed(jobs={"shop:1": processing()}, processing={"pick": {"1": NOW + 9}})
    world.report(snooze("1", delay_ms=-1, until_ms=until))
    assert world.snapshot()["delayed"] == {"pick": {"1": due}}


def test_a_job_that_is_for_others_is_not_this_workers_to_wake_for(world: World) -> None:
    """It wakes another worker, which sets its alarm; one that this worker has set before is passed on."""
    world.seed(jobs={"shop:1": {"a": "1"}, "shop:2": {"a": "2"}}, waiting={"pick": ["1", "2"]})
    world.claim(2)
    for_others, usual = attempt("snooze", "1", 1, 5000, -1, '"why"'), snooze("2", 1, 9000)
    assert world.turn(usual, want=1).due == 9000
    world.redis.delete(world.key("wake", "pick"))
    assert world.turn(for_others, want=1).due == 0
    seen = world.snapshot(unseen=frozenset())
    assert seen["delayed"] == {"pick": {"1": NOW + 5000, "2": NOW + 9000}}
    assert "timer" not in seen
    assert seen["wake"] == {"pick": {"w": 0}}
    assert world.turn(want=1, worker_id="w2").due == 5000

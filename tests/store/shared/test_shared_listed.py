"""listed.lua of shared queues: the list of what has ended lives as long as any flow keeps its jobs."""

from __future__ import annotations

from tests.world import KEPT, NOW, World, cancel, fail, processing


def test_the_list_lives_as_long_as_the_longest_of_its_flows(shared: World) -> None:
    """Whoever's job has ended last; what a flow keeps shorter than the caller does not shorten it."""
    for name in ("farm:2", "shop:1"):
        shared.seed(jobs={name: processing()}, processing={"pick": {name: NOW + 9}})
        assert shared.report(fail(name)) == ["ok"]
        left = shared.redis.pttl(shared.keys.ended_jobs("pick", "failed"))
        assert KEPT[1] < left <= 90_000_000
    assert shared.redis.zrange(shared.keys.ended_jobs("pick", "failed"), 0, -1) == ["farm:2", "shop:1"]


def test_a_flow_that_keeps_such_jobs_shorter_does_not_shorten_it(shared: World) -> None:
    """Cancelled ones of `farm` are kept for less than an hour."""
    shared.seed(jobs={"shop:1": processing()}, processing={"pick": {"shop:1": NOW + 9}})
    assert shared.report(cancel("shop:1")) == ["cancelled"]
    assert 3_000_000 < shared.redis.pttl(shared.keys.ended_jobs("pick", "cancelled")) <= KEPT[2]


def test_a_queue_of_one_flow_lists_as_long_as_that_one_keeps(shared: World) -> None:
    """Nothing in its `meta` says otherwise."""
    shared.seed(jobs={"shop:1": processing("ship")}, processing={"ship": {"1": NOW + 9}})
    assert shared.report(fail("1"), queue="ship") == ["ok"]
    assert 0 < shared.redis.pttl(shared.keys.ended_jobs("ship", "failed")) <= KEPT[1]


def test_a_flow_whose_settings_cannot_be_read_keeps_nothing_longer(shared: World) -> None:
    """Nor does it stop the end of another flow's job."""
    shared.redis.set(shared.keys.settings("farm"), "nonsense")
    shared.seed(jobs={"shop:1": processing()}, processing={"pick": {"shop:1": NOW + 9}})
    assert shared.report(fail("shop:1")) == ["ok"]
    assert 0 < shared.redis.pttl(shared.keys.ended_jobs("pick", "failed")) <= KEPT[1]


def test_a_queue_whose_meta_is_no_hash_lists_as_long_as_the_caller_keeps(shared: World) -> None:
    """The end of a job does not wait for what has been edited by hand."""
    shared.seed(jobs={"shop:1": processing()}, processing={"pick": {"shop:1": NOW + 9}})
    shared.redis.delete(shared.keys.meta("pick"))
    shared.redis.set(shared.keys.meta("pick"), "?")
    assert shared.report(fail("shop:1")) == ["ok"]
    assert 0 < shared.redis.pttl(shared.keys.ended_jobs("pick", "failed")) <= KEPT[1]

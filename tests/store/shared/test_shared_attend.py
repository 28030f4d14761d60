"""attend.lua of queues that several flows share: each job is dealt with as its own flow says."""

from __future__ import annotations

from tests.world import KEPT, LEASE, NOW, TTL, World, fail, finish, processing


def test_each_job_has_its_own_flows_times(shared: World) -> None:
    """When it is claimed, and when it has ended, in one script with jobs of the other flow."""
    shared.seed(jobs={"shop:1": {"a": "1"}, "farm:2": {"a": "2"}}, waiting={"pack": ["shop:1", "farm:2"]})
    for name in ("shop:1", "farm:2"):
        shared.edit(name, _status="waiting", _queue="pack")
        shared.redis.pexpire(shared.key("jobs", name), 1000)
    shared.claim(2, queue="pack")
    left = {name: shared.redis.pttl(shared.key("jobs", name)) for name in ("shop:1", "farm:2")}
    assert 600_000 < left["shop:1"] <= TTL
    assert 500_000 < left["farm:2"] <= 600_000
    assert shared.report(fail("farm:2"), fail("shop:1"), queue="pack") == ["ok", "ok"]
    left = {name: shared.redis.pttl(shared.key("jobs", name)) for name in ("shop:1", "farm:2")}
    assert 0 < left["shop:1"] <= KEPT[1]
    assert KEPT[1] < left["farm:2"] <= 90_000_000


def test_a_flow_that_is_not_known_has_the_callers_times(shared: World) -> None:
    """Its settings were deleted: its jobs go on all the same."""
    shared.redis.delete(shared.keys.settings("farm"))
    shared.seed(jobs={"farm:2": processing("pack")}, processing={"pack": {"farm:2": NOW + 9}})
    assert shared.report(fail("farm:2"), queue="pack") == ["ok"]
    assert 0 < shared.redis.pttl(shared.key("jobs", "farm:2")) <= KEPT[1]


def test_a_stranger_to_one_flow_is_no_owner_in_another(shared: World) -> None:
    """The same fence and worker, another flow: the word says so, and nothing changes."""
    shared.seed(jobs={"farm:2": processing(_fence="3")}, processing={"pick": {"farm:2": NOW + 9}})
    before = shared.snapshot()
    assert shared.report(finish("farm:2", 2), finish("shop:2", 3)) == ["stale", "gone"]
    assert shared.snapshot() == before


def test_leases_are_renewed_and_rescued_by_members(shared: World) -> None:
    """Of each flow: kept with its lease, or back at the head of the queue."""
    jobs = {"farm:2": processing(), "shop:1": processing()}
    shared.seed(jobs=jobs, processing={"pick": {"farm:2": NOW + 9, "shop:1": NOW + 9}})
    assert shared.run("renew", "farm:2", 1, "shop:1", 2) == ["kept", "stale"]
    assert shared.snapshot()["processing"] == {"pick": {"farm:2": NOW + LEASE, "shop:1": NOW + 9}}
    shared.now += 10
    assert shared.run("rescue") == [["shop:1", "rescued"]]
    shared.now += LEASE
    assert shared.run("rescue") == [["farm:2", "rescued"]]
    assert shared.snapshot()["waiting"] == {"pick": ["farm:2", "shop:1"]}
    assert shared.job("farm:2")["_rescues"] == "1"


def test_a_turn_that_is_sent_twice_gives_the_same_jobs(shared: World) -> None:
    """Of all flows, and claims no others; one whose lease was lost meanwhile is left out."""
    shared.seed(jobs={"shop:1": {"a": "1"}, "farm:2": {"a": "2"}}, waiting={"pick": ["shop:1", "farm:2"]})
    first = shared.turn(want=2, number=5)
    assert shared.turn(want=2, number=5).claimed == first.claimed
    shared.edit("shop:1", _status="waiting")
    assert shared.turn(want=2, number=5).ids == ["farm:2"]


def test_progress_is_written_to_the_jobs_own_flow(shared: World) -> None:
    """The field of its hash, and the log beside it."""
    shared.seed(jobs={"farm:2": processing()}, processing={"pick": {"farm:2": NOW + 9}})
    assert shared.run("progress", "farm:2", 1, "[0.5]", 0, 2, 0, '{"text":"x"}') == ["ok"]
    assert shared.job("farm:2")["_progress"] == "[0.5]"
    assert shared.redis.llen(shared.keys.log("farm", "2")) == 1

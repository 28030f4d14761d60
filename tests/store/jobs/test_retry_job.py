"""retry_job: a job that failed or was cancelled gets a new life."""

from __future__ import annotations

import pytest
from redis.exceptions import ResponseError

from tests.world import HOUR, TTL, World, fail, processing


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_lets_the_job_wait_where_it_ended(world: World, state: str) -> None:
    """Attempts and crashes count anew; the fence does not, so that every earlier attempt stays a stranger."""
    ended = {"_status": state, "_rescues": "2", "_cancel": "x", "_error": "{}", "_ended": "5"}
    ended |= {"_reason": "x"} if state == "cancelled" else {}
    world.seed(jobs={"shop:1": processing("pack", a="1", _visit="1", _fence="3") | ended}, waiting={"pack": ["7"]})
    assert world.run("retry_job", id="1") == "retried"
    life = {"_status": "waiting", "_attempts": "0", "_visit": "2", "_fence": "3"}
    assert world.snapshot(unseen=frozenset({"call"})) == {
        "jobs": {"shop:1": processing("pack", a="1") | life},
        "waiting": {"pack": ["7", "1"]},
        "wake": {"pack": {"w": 0}},
    }


def test_a_job_that_no_worker_has_had_begins_again(world: World) -> None:
    """Cancelled while it waited for its first claim, it has no queue yet: it is the first."""
    world.seed(jobs={"shop:1": {"a": "1", "_status": "cancelled"}})
    assert world.run("retry_job", id="1") == "retried"
    assert [job.id for job in world.claim()] == ["1"]


def test_nothing_of_the_children_of_its_former_life_is_left(world: World) -> None:
    """Late children of the former life do not count in the new one, and new children are created."""
    former = {"_next": "ship", "_policy": "fail", "_result": "{}", "_built": "1", "_building": "0"}
    world.seed(
        jobs={"shop:1": processing("pack") | {"_status": "failed", **former}},
        pending={"shop:1": {"c"}},
        building={"shop:1": ["c"]},
    )
    world.run("retry_job", id="1")
    assert set(world.snapshot()) == {"jobs", "waiting"}
    assert former.keys().isdisjoint(world.job("shop:1"))


@pytest.mark.parametrize("ttl", [TTL, 0], ids=["a TTL", "no TTL"])
def test_the_new_life_has_the_time_of_a_new_job(world: World, ttl: int) -> None:
    """The retention of its end no longer bounds it, with a TTL or without."""
    world.seed(jobs={"shop:1": processing(_lookups="user:7") | {"_status": "failed"}}, lookups={"shop:user:7": ["1"]})
    for kind, name in (("jobs", "shop:1"), ("lookups", "shop:user:7")):
        world.redis.pexpire(world.key(kind, name), HOUR)
    world.run("retry_job", id="1", ttl=ttl)
    if ttl:
        assert world.lives("jobs", "shop:1", ttl)
        assert world.lives("lookups", "shop:user:7", ttl)
    else:
        assert (world.life("jobs", "shop:1"), world.life("lookups", "shop:user:7")) == (-1, -1)


def test_a_job_without_lookups_may_live_for_ever(world: World) -> None:
    """Where jobs have no time to live before they end, nothing else has to be given one."""
    world.seed(jobs={"shop:1": processing() | {"_status": "failed"}})
    assert world.run("retry_job", id="1", ttl=0) == "retried"
    assert world.life("jobs", "shop:1") == -1


@pytest.mark.parametrize("state", ["waiting", "processing", "delayed", "children", "done"])
def test_other_states_are_answered_and_left(world: World, state: str) -> None:
    """Only what has failed or was cancelled can be retried."""
    world.seed(jobs={"shop:1": processing() | {"_status": state}})
    before = world.snapshot()
    assert world.run("retry_job", id="1") == state
    assert world.snapshot() == before


def test_of_a_missing_job_nothing_is_written(world: World) -> None:
    """No hash comes into being; a new job, which has no state yet, waits."""
    assert world.run("retry_job", id="1") == "gone"
    world.seed(jobs={"shop:2": {"a": "1"}})
    assert world.run("retry_job", id="2") == "waiting"
    world.redis.set(world.key("jobs", "shop:1"), "not ours")
    assert world.run("retry_job", id="1") == "gone"
    assert world.snapshot() == {"jobs": {"shop:2": {"a": "1"}, "shop:1": "not ours"}}


def test_sent_twice_gives_one_life(world: World) -> None:
    """The second call finds a job that waits."""
    world.seed(jobs={"shop:1": processing() | {"_status": "failed"}})
    world.run("retry_job", id="1")
    once = world.snapshot()
    assert world.run("retry_job", id="1") == "waiting"
    assert world.snapshot() == once


def test_a_key_of_the_queue_of_another_type_is_named(world: World) -> None:
    """Nothing is written: the job stays failed and can be retried when the key is ours again."""
    world.seed(jobs={"shop:1": processing() | {"_status": "failed"}})
    world.redis.set(world.key("waiting", "pick"), "not ours")
    before = world.snapshot()
    with pytest.raises(ResponseError, match=f"FLOWSCONFLICT {world.key('waiting', 'pick')} holds a string"):
        world.run("retry_job", id="1")
    assert world.snapshot() == before


def test_notes_of_what_is_to_be_cancelled_that_are_none_hinder_nothing(world: World) -> None:
    """The job is retried all the same."""
    world.seed(jobs={"shop:1": processing() | {"_status": "cancelled"}})
    world.redis.set(world.key("cancelling", "shop"), "not ours")
    assert world.run("retry_job", id="1") == "retried"
    assert world.snapshot()["cancelling"] == {"shop": "not ours"}


def test_a_call_that_is_sent_twice_answers_the_same(world: World) -> None:
    """The answer was lost and the job has failed again meanwhile: the same call gives it no third life."""
    world.seed(jobs={"shop:1": {"_status": "failed", "_queue": "pick", "_fence": "1", "_worker": "w1"}})
    call = world.settings.new_call()
    assert world.run("retry_job", flow="shop", first="pick", id="1", call=call) == "retried"
    [job] = world.claim()
    world.report(fail("1", job.fence))
    assert world.run("retry_job", flow="shop", first="pick", id="1", call=call) == "retried"
    assert world.job("shop:1")["_status"] == "failed"
    assert world.run("retry_job", flow="shop", first="pick", id="1") == "retried"
    assert world.job("shop:1")["_status"] == "waiting"

"""move: a job that no worker has waits in another queue of its flow, as if it had just come there."""

from __future__ import annotations

import pytest
from redis.exceptions import ResponseError

from flows.model.names import is_job_id
from tests.world import HOUR, NOW, TTL, World, processing

LONG_QUEUE = 10_001


def move(world: World, job_id: str = "1", target: str = "ship", **named: str | int) -> str:
    """Call the script."""
    return str(world.run("move", id=job_id, target=target, **named))


def test_moves_a_job_that_was_never_claimed(world: World) -> None:
    """Hash, lists and counts; the job stands behind those that wait there."""
    world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"pick": ["0", "1", "2"], "ship": ["7"]})
    assert move(world) == "moved"
    seen = world.snapshot(unseen=frozenset({"call"}), counts=True)
    assert seen["waiting"] == {"pick": ["0", "2"], "ship": ["7", "1"]}
    assert seen["wake"] == {"ship": {"w": 0}}
    assert seen["meta"] == {"pick": {"moved_out": "1"}, "ship": {"moved_in": "1"}}
    job = world.job("shop:1")
    assert (job["a"], job["_status"], job["_queue"], job["_visit"]) == ("1", "waiting", "ship", "1")
    [claimed] = world.claim(queue="ship", want=2)[-1:]
    assert (claimed.id, claimed.attempt, claimed.visit) == ("1", 1, 1)


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_moves_a_job_that_has_ended(world: World, state: str) -> None:
    """As a retry, in another queue: counts begin anew, but the fence; it is listed among those that ended no more."""
    job = processing(a="1", _visit="1", _fence="3", _attempts="2", _rescues="1", _error="{}", _ended="5")
    job |= {"_status": state} | ({"_reason": "x"} if state == "cancelled" else {})
    world.seed(jobs={"shop:1": job})
    world.redis.zadd(world.key("ended", f"pick:{state}"), {"1": 5, "2": 6})
    assert move(world) == "moved"
    after = world.job("shop:1")
    assert {"_ended", "_error", "_reason"}.isdisjoint(after)
    assert (after["_status"], after["_queue"]) == ("waiting", "ship")
    assert (after["_fence"], after["_attempts"], after["_visit"]) == ("3", "0", "2")
    assert world.redis.zrange(world.key("ended", f"pick:{state}"), 0, -1) == ["2"]
    assert world.snapshot()["waiting"] == {"ship": ["1"]}


def test_moves_a_delayed_job_at_once(world: World) -> None:
    """It does not wait until it is due."""
    job = processing(_fence="1", _attempts="1") | {"_status": "delayed"}
    world.seed(jobs={"shop:1": job}, delayed={"pick": {"1": NOW + 5000}})
    assert move(world) == "moved"
    assert world.snapshot()["waiting"] == {"ship": ["1"]}
    assert "delayed" not in world.snapshot()


def test_the_path_says_how_long_it_waited_in_the_old_queue(world: World) -> None:
    """Also of a job that was handed back before; what waited did not run."""
    world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"pick": ["1"]})
    world.redis.hset(world.key("jobs", "shop:1"), "_attempt", f"2 w 0 1 0 {NOW - 700} pack=5/9,")
    world.redis.hset(world.key("jobs", "shop:1"), mapping={"_status": "waiting", "_queue": "pick"})
    move(world)
    assert world.redis.hget(world.key("jobs", "shop:1"), "_attempt") == f"2 w 0 2 0 {NOW} pack=5/9,pick=700/0,"
    world.redis.hset(world.key("jobs", "shop:1"), "_attempt", f"2 w 1 2 0 {NOW - 30} pick=700/20")
    world.redis.hset(world.key("jobs", "shop:1"), "_queue", "pick")
    move(world)
    assert world.redis.hget(world.key("jobs", "shop:1"), "_attempt") == f"2 w 0 3 0 {NOW} pick=730/20,"


def test_what_is_there_already_stays(world: World) -> None:
    """Where it waits, and where it has failed: a retry is something else."""
    world.seed(jobs={"shop:1": {"a": "1"}, "shop:2": processing(_status="failed")}, waiting={"pick": ["1"]})
    before = world.snapshot()
    assert [move(world, job_id, "pick") for job_id in "12"] == ["there", "there"]
    assert world.snapshot() == before


@pytest.mark.parametrize("state", ["processing", "children", "done"])
def test_a_job_in_another_state_is_not_moved(world: World, state: str) -> None:
    """A worker has it, it waits for its children, or it is done."""
    world.seed(jobs={"shop:1": processing("pack", _status=state)})
    before = world.snapshot()
    assert move(world) == state
    assert world.snapshot() == before


def test_what_is_no_job_of_the_flow_is_not_moved(world: World) -> None:
    """It is gone, another type, or a child: those belong to their parents' queues."""
    world.seed(jobs={"pack:box:c": {"a": "1"}}, waiting={"pack:box": ["c"]})
    world.redis.set(world.key("jobs", "shop:2"), "theirs")
    before = world.snapshot()
    assert [move(world, "1"), move(world, "2")] == ["gone", "gone"]
    assert move(world, "c", flow="pack:box", first="pack:box") == "child"
    assert world.snapshot() == before


def test_sent_twice_it_moves_once(world: World) -> None:
    """The second call answers as the first, also where the job was moved back meanwhile."""
    world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"pick": ["1"]})
    call = world.keys.call("c")
    assert move(world, call=call) == "moved"
    assert move(world, target="pick") == "moved"
    assert move(world, call=call) == "moved"
    assert world.snapshot()["waiting"] == {"pick": ["1"]}


def test_a_long_list_is_not_searched(world: World) -> None:
    """The id stays in it, which is counted; a claim drops it, and counts nothing as lost."""
    others = [str(number) for number in range(LONG_QUEUE)]
    world.seed(jobs={"shop:x": {"a": "1"}}, waiting={"pick": ["x", *others]})
    assert move(world, "x") == "moved"
    assert world.redis.llen(world.key("waiting", "pick")) == LONG_QUEUE + 1
    assert world.snapshot(counts=True)["meta"]["pick"] == {"moved_out": "1", "stale": "1"}
    assert world.claim() == []
    meta = world.snapshot(counts=True)["meta"]["pick"]
    assert meta["stale"] == "0"
    assert "misplaced" not in meta


def test_its_life_is_that_of_a_new_visit(world: World) -> None:
    """The retention of its end no longer bounds it, nor its lookups."""
    world.seed(jobs={"shop:1": processing(_lookups="user:7") | {"_status": "failed"}}, lookups={"shop:user:7": ["1"]})
    for kind, name in (("jobs", "shop:1"), ("lookups", "shop:user:7")):
        world.redis.pexpire(world.key(kind, name), HOUR)
    move(world)
    assert world.life("jobs", "shop:1") > TTL - HOUR
    assert world.life("lookups", "shop:user:7") > TTL - HOUR


@pytest.mark.parametrize("place", ["ship:waiting", "pick:waiting"])
def test_a_key_that_is_not_ours_stops_it_before_anything_is_written(world: World, place: str) -> None:
    """Where it would wait, or where it waits."""
    world.seed(jobs={"shop:1": {"a": "1"}})
    queue, _, kind = place.partition(":")
    world.redis.set(world.key(kind, queue), "theirs")
    before = world.snapshot()
    with pytest.raises(ResponseError, match="FLOWSCONFLICT"):
        move(world)
    assert world.snapshot() == before


def test_nonsense_is_moved_and_fails_at_its_next_claim(world: World) -> None:
    """An edited field stops no script half way."""
    assert not is_job_id("1")
    world.seed_damaged(jobs={"shop:1": {"_attempt": "nonsense", "_status": "waiting"}}, waiting={"pick": ["1"]})
    assert move(world) == "moved"
    assert world.claim(queue="ship") == []
    assert world.job("shop:1")["_status"] == "failed"


def test_children_of_a_cancelled_parent_are_cancelled_first(world: World) -> None:
    """As by a retry."""
    world.seed(jobs={"shop:1": processing("pack") | {"_status": "cancelled"}}, cancelling={"shop": {"shop:1": "1"}})
    assert move(world) == "cancelling"

"""ruled/slots: how many jobs run at a time, in a queue, in each of its groups, and in queues that share slots."""

from __future__ import annotations

from typing import Any

import pytest
from redis import Redis

from flows.model.limits.rules import Rules
from tests.store.ruled.ruled_world import GROUP, Ruled
from tests.world import LEASE, NOW, finish, release


def kept(world: Ruled) -> tuple[dict[str, str], dict[str, str]]:
    """Return whose slots are written down, and what groups hold."""
    found: dict[str, Any] = world.snapshot()
    return found.get("slots", {}).get("pick", {}), found.get("load", {}).get("pick", {})


def woken(world: Ruled, queue: str = "pick") -> bool:
    """Take a wake-up of a queue, if there is one."""
    return bool(world.redis.zpopmin(world.keys.wake(queue)))


def test_no_more_run_than_there_are_slots(redis: Redis, namespace: str) -> None:
    """Whoever holds them; a queue without one left is told so, and nothing else is written than leases."""
    world = Ruled(redis, namespace, slots=3)
    world.wait(*"12345")
    assert (world.take(2).ids, world.take(2, worker_id="w2").ids) == (["1", "2"], ["3"])
    woken(world)
    turn = world.take(2, worker_id="w3")
    assert (turn.ids, turn.left, turn.due, woken(world)) == ([], 0, 0, False)
    assert kept(world) == ({}, {})
    assert {"slots", "load", "fair"}.isdisjoint(world.snapshot())


def test_who_takes_the_last_slot_wakes_nobody(redis: Redis, namespace: str) -> None:
    """Another worker would find none: not even where this one asked for no more than it got."""
    world = Ruled(redis, namespace, slots=2)
    world.wait(*"1234")
    woken(world)
    assert (world.take(1).left, woken(world)) == (3, True)
    turn = world.take(1, worker_id="w2")
    assert (turn.ids, turn.left, woken(world)) == (["2"], 0, False)
    turn = world.take(1, [finish("2")], worker_id="w2")
    assert (turn.ids, turn.left, woken(world)) == (["3"], 0, False)


def test_a_queue_whose_workers_are_full_keeps_no_slot_from_others(shared: Ruled) -> None:
    """It has taken the last of those shared, and no worker of it asked in vain: the next one goes to whoever asks."""
    shared.redis.hset(shared.key("sharing", "gpu"), "", 1)
    shared.wait(*"12")
    woken(shared)
    turn = shared.take(1)
    assert (turn.ids, turn.left, woken(shared)) == (["1"], 0, False)
    assert shared.snapshot()["sharing"]["gpu"]["pick"] == "0"


def test_who_takes_the_last_shared_slot_wakes_one_where_others_hold_some(shared: Ruled) -> None:
    """They may give theirs back while its own are held for long: who is woken waits for those."""
    shared.wait("1", queue="ship")
    assert shared.take(1, queue="ship").ids == ["1"]
    shared.redis.hset(shared.key("sharing", "gpu"), "", 2)
    shared.wait(*"23")
    woken(shared)
    turn = shared.take(1)
    assert (turn.ids, turn.left, woken(shared)) == (["2"], 1, True)


def test_a_slot_is_free_when_its_lease_was_taken_back(redis: Redis, namespace: str) -> None:
    """The worker was killed: whoever rescues its job wakes one that starts the next."""
    world = Ruled(redis, namespace, slots=1)
    world.wait("1", "2")
    world.take()
    world.now += LEASE + 1
    woken(world)
    assert world.run("rescue") == [["1", "rescued"]]
    assert woken(world)
    assert world.take(worker_id="w2").ids == ["1"]


def test_one_slot_more_is_told_when_a_turn_ends_more_than_it_takes(redis: Redis, namespace: str) -> None:
    """Another worker is woken for it."""
    world = Ruled(redis, namespace, slots=3)
    world.wait(*"123456")
    world.take(3)
    woken(world)
    turn = world.take(1, [finish("1"), finish("2")])
    assert (turn.ids, turn.left, woken(world)) == (["4"], 2, True)


def test_a_worker_that_takes_nothing_wakes_another(redis: Redis, namespace: str) -> None:
    """It stops, and its slot is free."""
    world = Ruled(redis, namespace, slots=1)
    world.wait("1", "2")
    world.take()
    woken(world)
    world.take(0, [finish("1")])
    assert woken(world)
    assert world.take(worker_id="w2").ids == ["2"]
    woken(world)
    assert world.report(finish("2"), worker_id="w2") == ["ok"]
    assert woken(world)


def test_the_number_may_change_while_they_run(redis: Redis, namespace: str) -> None:
    """Nothing is stopped, and nothing starts until it fits."""
    world = Ruled(redis, namespace, slots=2)
    world.wait(*"123456")
    world.redis.hset(world.key("fair", "pick"), "slots", 3)
    assert len(world.take().ids) == 3
    world.redis.hset(world.key("fair", "pick"), "slots", 1)
    assert world.take(ended=[finish("1"), finish("2")]).ids == []
    assert world.take(ended=[finish("3")]).ids == ["4"]
    world.redis.hdel(world.key("fair", "pick"), "slots")
    assert world.take().ids == ["5"]


def test_a_group_has_slots_of_its_own(redis: Redis, namespace: str) -> None:
    """Each of two; a group without one is parked until one is free, and costs nothing until then."""
    world = Ruled(redis, namespace, group=GROUP, slots_per_group=2)
    world.wait(*(f"x{number}" for number in range(5)), group="x")
    world.wait("y0", group="y")
    turn = world.take()
    assert (turn.ids, turn.left, turn.due) == (["x0", "y0", "x1"], 0, 0)
    assert world.redis.zscore(world.key("parked", "pick"), '1/"x"') == float("inf")
    assert kept(world) == ({"x0": '1 "x"', "x1": '1 "x"', "y0": '1 "y"'}, {'"x"': "2", '"y"': "1"})
    again = world.take(ended=[finish("x0"), finish("y0")])
    assert (again.ids, kept(world)) == (["x2"], ({"x1": '1 "x"', "x2": '1 "x"'}, {'"x"': "2"}))


@pytest.mark.parametrize("way", ["report", "rescue", "cancel", "delete", "release", "gone"])
def test_whatever_takes_a_job_out_of_processing_frees_its_slot(redis: Redis, namespace: str, way: str) -> None:
    """Its group takes part again, and a worker is woken."""
    world = Ruled(redis, namespace, group=GROUP, slots_per_group=1, slots=5)
    world.wait("x1", "x2", group="x", cost=1)
    assert world.take().ids == ["x1"]
    assert world.take().ids == []
    woken(world)
    match way:
        case "report":
            world.report(finish("x1"))
        case "rescue":
            world.now += LEASE + 1
            world.run("rescue")
        case "cancel":
            world.run("cancel", id="x1", reason="why")
            world.report(finish("x1"))
        case "delete":
            world.run("delete", id="x1")
        case "release":
            world.report(release("x1"))
        case _:
            world.redis.delete(world.keys.job("shop", "x1"))
            world.report(finish("x1"))
    assert (kept(world), woken(world)) == (({}, {}), True)
    jobs = world.take().jobs
    assert len(jobs) == 1
    while jobs:
        jobs = world.take(ended=[finish(job.id, job.fence) for job in jobs]).jobs
    assert {"parked", "ring", "slots", "load"}.isdisjoint(world.snapshot())


def test_a_slot_is_freed_once(redis: Redis, namespace: str) -> None:
    """Sent again, by a rescue and by its own worker: the load is what is held."""
    world = Ruled(redis, namespace, group=GROUP, slots_per_group=2)
    world.wait("x1", "x2", "x3", group="x")
    world.take()
    world.report(finish("x1"))
    assert world.report(finish("x1")) == ["stale"]
    assert kept(world) == ({"x2": '1 "x"'}, {'"x"': "1"})


def test_a_group_that_waits_for_a_time_is_not_woken_by_a_slot(redis: Redis, namespace: str) -> None:
    """It is held, or limited: its time has not come."""
    world = Ruled(redis, namespace, group=GROUP, slots_per_group=2)
    world.wait("x1", "x2", group="x")
    world.take(1)
    world.redis.zrem(world.key("ring", "pick/1"), '"x"')
    world.redis.zadd(world.key("parked", "pick"), {'1/"x"': NOW + 500.5})
    world.report(finish("x1"))
    assert world.take().ids == []
    world.now += 501
    assert world.take().ids == ["x2"]


def test_a_job_may_take_several_slots(redis: Redis, namespace: str) -> None:
    """Nothing overtakes one that does not fit; one over all slots takes all."""
    world = Ruled(redis, namespace, slots=4)
    world.wait("1", cost=3)
    world.wait("2", cost=2)
    world.wait("3")
    world.wait("4", cost=99)
    first = world.take()
    assert (first.ids, first.left, first.due) == (["1"], 0, 0)
    assert (kept(world), world.snapshot()["waiting"]) == (({"1": "3 "}, {"": "2"}), {"pick": ["2", "3", "4"]})
    second = world.take(ended=[finish("1")])
    assert (second.ids, kept(world)) == (["2", "3"], ({"2": "2 "}, {"": "1"}))
    assert world.take(ended=[finish("2")]).ids == []
    assert world.take(ended=[finish("3")]).ids == ["4"]
    assert kept(world) == ({"4": "4 "}, {"": "3"})
    world.report(finish("4"))
    assert kept(world) == ({}, {})


def test_a_job_may_take_several_slots_of_its_group(redis: Redis, namespace: str) -> None:
    """The other groups go on meanwhile; one over all slots of its group takes those."""
    world = Ruled(redis, namespace, group=GROUP, slots_per_group=3, slots=9)
    world.wait("x1", group="x", cost=2)
    world.wait("x2", group="x", cost=5)
    world.wait("y1", "y2", group="y")
    turn = world.take()
    assert (turn.ids, kept(world)[1]) == (["x1", "y1", "y2"], {'"x"': "2", '"y"': "2", "": "1"})
    assert world.snapshot()["group"] == {'pick/1/"x"': ["x2"]}
    assert world.take(ended=[finish("x1")]).ids == ["x2"]
    assert kept(world)[1] == {'"x"': "3", '"y"': "2", "": "2"}


def test_a_group_that_is_read_again_has_not_got_its_slots_back(redis: Redis, namespace: str) -> None:
    """The ring is read on when other groups turn out to be empty, and what was given is not written yet."""
    world = Ruled(redis, namespace, group=GROUP, slots_per_group=1)
    world.wait("1", "2", group="a")
    world.redis.zadd(world.key("ring", "pick/1"), {f'"{group}"': 0 for group in "bcd"})
    assert world.take(4).ids == ["1"]


def test_numbers_of_groups_may_change(redis: Redis, namespace: str) -> None:
    """For all of them, and for one, where the field `slots_per_group:` says that there is such a thing."""
    world = Ruled(redis, namespace, group=GROUP, slots_per_group=1)
    for group in "xy":
        world.wait(*(f"{group}{number}" for number in range(5)), group=group)
    numbers = {"slots_per_group": 2, 'slots_per_group:"y"': 4}
    world.redis.hset(world.key("fair", "pick"), mapping=numbers)
    assert len(world.take().ids) == 4
    world.redis.hset(world.key("fair", "pick"), "slots_per_group:", 1)
    assert world.take(ended=[finish("y0")]).ids == ["y2", "y3", "y4"]


@pytest.mark.parametrize("rules", [{"slots": 2}, {"group": GROUP, "slots_per_group": 1}], ids=["queue", "group"])
@pytest.mark.parametrize("kind", ["slots", "load"])
def test_a_key_of_another_type_stops_the_turn_and_nothing_else(
    redis: Redis, namespace: str, kind: str, rules: dict[str, Any]
) -> None:
    """What ends a job does not stop for it."""
    world = Ruled(redis, namespace, **rules)
    world.wait("x1", group="x")
    world.take()
    world.redis.delete(world.key(kind, "pick"))
    world.redis.set(world.key(kind, "pick"), "not ours")
    with pytest.raises(Exception, match=f"FLOWSCONFLICT {world.key(kind, 'pick')} holds a string"):
        world.take()
    assert world.report(finish("x1")) == ["ok"]


def test_a_queue_without_slots_needs_no_keys_of_slots(redis: Redis, namespace: str) -> None:
    """What stands there is not looked at."""
    world = Ruled(redis, namespace, priorities=2)
    for kind in ("slots", "load"):
        world.redis.set(world.key(kind, "pick"), "not ours")
    world.wait("1", cost=3)
    assert world.take().ids == ["1"]
    assert world.take(ended=[finish("1")]).words == ["ok"]


@pytest.fixture
def shared(redis: Redis, namespace: str) -> Ruled:
    """Two queues that share two slots."""
    rules = Rules(slots=2, shared_slots="gpu")
    return Ruled(redis, namespace, slots=2, shared_slots="gpu", others={"ship": rules})


def test_leases_of_all_queues_that_share_slots_are_summed(shared: Ruled) -> None:
    """However many each could have; the number that was set counts for all."""
    shared.wait("1")
    shared.wait(*"2345", queue="ship")
    assert (shared.take().ids, shared.take(queue="ship").ids) == (["1"], ["2"])
    assert shared.take(queue="ship").ids == []
    shared.redis.hset(shared.key("sharing", "gpu"), "", 3)
    assert shared.take(queue="ship").ids == ["3"]
    sharing = shared.snapshot()["sharing"]["gpu"]
    assert (sharing["pick"], sharing["ship"], sharing[""]) == ("0", f"{NOW} {NOW} 1", "3")


def test_costs_count_in_shared_slots(shared: Ruled) -> None:
    """What a job of another queue holds beyond one slot is summed too."""
    shared.wait("1", cost=2)
    shared.wait("2", queue="ship")
    assert (shared.take().ids, shared.take(queue="ship").ids) == (["1"], [])
    shared.report(finish("1"))
    assert woken(shared, "ship")
    assert shared.take(queue="ship").ids == ["2"]


def test_shared_slots_are_left_to_who_waits_longer(shared: Ruled) -> None:
    """Who has got some goes to the end of the line: a worker that ends a job and could take the next one leaves it."""
    shared.wait(*"12345")
    shared.wait("6", "7", queue="ship")
    assert shared.take().ids == ["1", "2"]
    shared.now += 1
    assert shared.take(queue="ship").ids == []
    shared.now += 1
    assert shared.take(ended=[finish("1")]).ids == ["3"]  # it has waited longer
    shared.now += 1
    woken(shared, "ship")
    turn = shared.take(ended=[finish("2")])
    assert (turn.ids, turn.left, woken(shared, "ship")) == ([], 0, True)
    assert shared.take(queue="ship").ids == ["6"]
    shared.now += 1
    woken(shared)
    assert shared.take(queue="ship", ended=[finish("6")]).ids == []
    assert woken(shared)
    assert shared.take().ids == ["4"]


def test_what_a_queue_that_was_woken_leaves_goes_to_the_next(shared: Ruled) -> None:
    """It had nothing to start any more: the one that waits behind it is woken, and not for ever."""
    shared.wait("1", "2")
    shared.wait("6", queue="ship")
    assert shared.take().ids == ["1", "2"]
    assert shared.take(queue="ship").ids == []
    shared.wait("3")
    shared.run("cancel", id="6", reason="why")
    shared.now += 1
    assert shared.take(ended=[finish("1")]).ids == []
    woken(shared)
    assert (shared.take(queue="ship").ids, woken(shared)) == ([], True)
    assert shared.take().ids == ["3"]
    woken(shared)
    woken(shared, "ship")
    shared.take(queue="ship")
    assert (woken(shared), woken(shared, "ship")) == (False, False)


@pytest.mark.parametrize("stop", ["paused", "held"])
def test_a_queue_that_may_not_start_leaves_shared_slots(shared: Ruled, stop: str) -> None:
    """It ends a job while it is paused or held: the other queue is woken."""
    shared.wait(*"123")
    shared.wait("6", queue="ship")
    shared.take()
    shared.take(queue="ship")
    woken(shared, "ship")
    shared.redis.hset(shared.keys.meta("pick"), stop, NOW + 60_000)
    assert (shared.take(ended=[finish("1")]).ids, woken(shared, "ship")) == ([], True)
    assert shared.take(queue="ship").ids == ["6"]


def test_a_queue_whose_workers_are_gone_is_not_waited_for(shared: Ruled) -> None:
    """Who waits polls within some seconds; after that, nothing is left to it."""
    shared.wait("1", "2")
    shared.wait("6", queue="ship")
    shared.take()
    shared.take(queue="ship")
    shared.wait("3")
    shared.now += 10_000
    assert shared.take(ended=[finish("2")]).ids == []
    shared.now += 1
    assert shared.take(ended=[finish("1")]).ids == ["3"]


def test_a_queue_that_needs_several_slots_is_waited_for(shared: Ruled) -> None:
    """Jobs of one slot would else take each that is freed, for ever."""
    shared.wait("1", "2")
    shared.wait("6", queue="ship", cost=2)
    assert shared.take().ids == ["1", "2"]
    assert shared.take(queue="ship").ids == []
    shared.wait("3")
    shared.now += 1
    assert (shared.take(ended=[finish("1")]).ids, woken(shared, "ship")) == ([], True)
    woken(shared)
    assert (shared.take(queue="ship").ids, woken(shared)) == ([], False)  # now it knows how many it needs
    assert (shared.take().ids, woken(shared, "ship")) == ([], False)
    shared.now += 1
    assert (shared.take(ended=[finish("2")]).ids, woken(shared, "ship")) == ([], True)
    assert shared.take(queue="ship").ids == ["6"]


def test_shared_slots_of_another_type_stop_the_turn_and_nothing_else(shared: Ruled) -> None:
    """What ends a job does not stop for it."""
    shared.wait("1")
    shared.take()
    shared.redis.delete(shared.key("sharing", "gpu"))
    shared.redis.set(shared.key("sharing", "gpu"), "not ours")
    with pytest.raises(Exception, match=f"FLOWSCONFLICT {shared.key('sharing', 'gpu')} holds a string"):
        shared.take()
    assert shared.report(finish("1")) == ["ok"]


def test_a_queue_whose_leases_are_no_set_holds_none(shared: Ruled) -> None:
    """Another queue's keys were edited: this one goes on."""
    shared.wait("6", queue="ship")
    shared.take(queue="ship")
    shared.redis.delete(shared.keys.processing("ship"))
    shared.redis.set(shared.keys.processing("ship"), "x")
    shared.redis.set(shared.key("load", "ship"), "x")
    shared.wait("1", "2")
    assert shared.take().ids == ["1", "2"]

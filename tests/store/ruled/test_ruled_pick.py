"""ruled/pick: which jobs a turn of a ruled queue brings, in which order, and what it says of those that it leaves."""

from __future__ import annotations

import pytest
from redis import Redis

from flows import Limiter
from flows.model.limits.rules import Rules
from tests.store.ruled.ruled_world import GROUP, Ruled
from tests.world import LEASE, NOW, finish, release

SUSPECT = {"_status": "waiting", "_queue": "pick", "_fence": "1", "_worker": "w0", "_attempts": "1", "_rescues": "2"}


@pytest.fixture
def bands(redis: Redis, namespace: str) -> Ruled:
    """A queue of three priorities, 1 first."""
    return Ruled(redis, namespace, priorities=3)


@pytest.fixture
def groups(redis: Redis, namespace: str) -> Ruled:
    """A queue with groups."""
    return Ruled(redis, namespace, group=GROUP)


def test_a_claim_writes_what_it_writes_in_a_plain_queue(bands: Ruled) -> None:
    """The whole of it: the hash, the lease, and the rest of the list; an answer says that the job starts at once."""
    bands.wait("1", "2", priority=2)
    turn = bands.take(1)
    assert turn.raw == [["1", 1, 1, 0, 0, NOW - 1, None, 0, "1"]]
    mine = {"_status": "processing", "_queue": "pick", "_fence": "1", "_attempts": "1", "_worker": "w1"}
    assert bands.snapshot() == {
        "jobs": {"shop:1": {"a": "1", "_priority": "2", **mine}, "shop:2": {"a": "1", "_priority": "2"}},
        "waiting": {"pick/2": ["2"]},
        "processing": {"pick": {"1": NOW + LEASE}},
    }


@pytest.mark.parametrize("fields", ["", "a", "a none b"])
def test_the_fields_of_the_class_stand_behind_the_start(redis: Redis, namespace: str, fields: str) -> None:
    """However many they are, and whatever else the rules have read."""
    world = Ruled(redis, namespace, Limiter(5, 1.0, group_key=GROUP), priorities=2, group=GROUP)
    world.wait("1", group="x", priority=2, b="7")
    values = {"a": "1", "b": "7"}
    [job] = world.take(field_names=fields).raw
    assert job[6:] == [None, 0, *map(values.get, fields.split())]


def test_the_first_priority_goes_first(bands: Ruled) -> None:
    """Jobs of another one come when no job of a lower number waits, within one turn and from turn to turn."""
    for number in range(9):
        bands.wait(str(number), priority=3 - number % 3)
    first = bands.take(4)
    assert (first.ids, first.left) == (["2", "5", "8", "1"], 5)
    bands.wait("late")
    assert bands.take(2).ids == ["late", "4"]
    last = bands.take()
    assert (last.ids, last.left) == (["7", "0", "3", "6"], 0)


def test_a_long_list_is_read_on(bands: Ruled) -> None:
    """A turn takes as many as it wants, though some ids on the way are dropped."""
    ids = [f"{number:03}" for number in range(150)]
    bands.wait(*ids)
    bands.redis.delete(*(bands.keys.job("shop", job_id) for job_id in ids[:60]))
    turn = bands.take(80)
    assert (turn.ids, turn.dropped, turn.left) == (ids[60:140], [60, 0, 0], 10)
    assert bands.snapshot()["meta"] == {"pick": {"expired": "60"}}


def test_a_group_of_few_is_read_by_pages(groups: Ruled) -> None:
    """Two groups of many, and one of one: each takes its turn until it is empty, and nothing is left behind."""
    groups.wait(*(f"a{number}" for number in range(30)), group="a")
    groups.wait(*(f"b{number}" for number in range(30)), group="b")
    groups.wait("c0", group="c")
    first = groups.take(41)
    assert (first.ids.count("c0"), sum(job_id[0] == "a" for job_id in first.ids)) == (1, 20)
    assert [job_id for job_id in first.ids if job_id[0] == "a"] == [f"a{number}" for number in range(20)]
    assert (first.left, len(groups.take().ids), groups.take().left) == (20, 20, 0)
    found = groups.snapshot()
    assert {"group", "ring", "waiting"}.isdisjoint(found)
    assert found["fair"]["pick"]["n1"] == "0"


def test_what_workers_without_rules_have_put_is_moved(groups: Ruled) -> None:
    """They push into the plain list; each id goes to its group's, and is claimed from there."""
    for job_id in "12":
        groups.redis.hset(groups.keys.job("shop", job_id), mapping={"a": "1", GROUP: '"x"'})
    groups.redis.rpush(groups.keys.waiting("pick"), "1", "2", "3")
    groups.redis.hset(groups.keys.job("shop", "3"), "a", "1")
    turn = groups.take(1)
    assert (turn.ids, turn.dropped, turn.left) == (["3"], [0, 0, 0], 2)
    assert groups.snapshot()["group"] == {'pick/1/"x"': ["1", "2"]}
    assert groups.take().ids == ["1", "2"]


def test_what_stands_in_the_list_of_another_priority_is_moved(bands: Ruled) -> None:
    """An id is claimed from where its hash says; where it was left on purpose, it is dropped."""
    bands.wait("1", priority=3)
    bands.wait("2", priority=3)
    bands.redis.rpush(bands.keys.waiting("pick"), "1", "2")
    bands.redis.hset(bands.keys.stale("pick"), "2", 1)
    bands.redis.hincrby(bands.keys.meta("pick"), "stale", 1)
    turn = bands.take(1)
    assert (turn.ids, turn.dropped) == (["1"], [0, 0, 0])
    assert bands.snapshot()["waiting"] == {"pick/3": ["2", "1"]}
    assert bands.snapshot(counts=True)["meta"]["pick"]["stale"] == "0"
    again = bands.take()
    assert (again.ids, again.dropped) == (["2"], [0, 0, 1])


def test_an_id_without_a_job_is_dropped_where_it_stands(bands: Ruled) -> None:
    """It has no priority any more, and is not moved to the first."""
    bands.wait("1", priority=3)
    bands.redis.delete(bands.keys.job("shop", "1"))
    assert bands.take().dropped == [1, 0, 0]
    assert "waiting" not in bands.snapshot()


def test_an_id_that_was_left_behind_is_no_lost_job(bands: Ruled) -> None:
    """Its job has left a long list that was not searched for it: that was counted then."""
    bands.redis.rpush(bands.keys.waiting("pick"), "1")
    bands.redis.hset(bands.keys.stale("pick"), "1", 1)
    bands.redis.hincrby(bands.keys.meta("pick"), "stale", 1)
    assert bands.take().dropped == [0, 0, 0]
    found = bands.snapshot(counts=True)
    assert (found["meta"]["pick"], "waiting" in found) == ({"stale": "0"}, False)


def test_a_job_whose_group_has_no_list_starts_from_the_plain_one(groups: Ruled) -> None:
    """Something else stands at the group's key: its jobs are not moved for ever."""
    groups.redis.set(groups.key("group", 'pick/1/"x"'), "not ours")
    groups.wait("1", group="x")
    turn = groups.take()
    assert (turn.ids, turn.left) == (["1"], 0)


def test_a_group_whose_list_is_none_leaves_the_ring(groups: Ruled) -> None:
    """The others go on."""
    groups.wait("1", group="x")
    groups.wait("2", group="y")
    groups.redis.delete(groups.key("group", 'pick/1/"x"'))
    groups.redis.set(groups.key("group", 'pick/1/"x"'), "not ours")
    assert groups.take().ids == ["2"]
    groups.wait("3", "4", group="z")
    groups.redis.zadd(groups.key("ring", "pick/1"), {'"x"': 0})
    assert groups.take(2).ids == ["3", "4"]


@pytest.mark.parametrize("kind", ["ring", "waiting", "parked", "fair"])
def test_a_key_of_another_type_stops_the_turn_before_it_writes(groups: Ruled, kind: str) -> None:
    """Nothing rolls back: what a turn writes to is asked for first, and named."""
    groups.wait("1", group="x")
    groups.take(1)
    name = "pick/1" if kind == "ring" else "pick"
    groups.redis.delete(groups.key(kind, name))
    groups.redis.set(groups.key(kind, name), "not ours")
    before = groups.snapshot()
    with pytest.raises(Exception, match=f"FLOWSCONFLICT {groups.key(kind, name)} holds a string"):
        groups.take(1, [finish("1")])
    assert groups.snapshot() == before


def test_a_job_that_was_rescued_twice_is_handed_out_alone(groups: Ruled) -> None:
    """It goes back to the head of its list until nothing runs beside it, and its group keeps its turn."""
    groups.wait("1", "2", group="x")
    groups.edit("shop:2", **SUSPECT)
    groups.wait("3", group="y")
    groups.wait("4", group="x")
    assert groups.take().ids == ["1", "3"]
    busy = groups.take(busy=1)
    assert (busy.ids, busy.left) == ([], 2)
    assert groups.snapshot()["group"] == {'pick/1/"x"': ["2", "4"]}
    assert groups.take().ids == ["2"]
    assert groups.take().ids == ["4"]
    assert groups.snapshot()["fair"]["pick"]["n1"] == "0"


def test_a_job_that_was_rescued_twice_goes_back_to_a_list_that_was_read_on(bands: Ruled) -> None:
    """Without groups ids are read many at a time, and cut off at the end."""
    bands.wait("1", "2", "3")
    bands.edit("shop:2", **SUSPECT)
    assert bands.take().ids == ["1"]
    assert bands.snapshot()["waiting"] == {"pick": ["2", "3"]}


def test_stops_at_a_mebibyte(bands: Ruled) -> None:
    """The answer is bounded; what is left is told, and another worker is woken."""
    ids = [str(number) for number in range(6)]
    bands.wait(*ids, a="x" * 400_000)
    bands.redis.delete(bands.keys.wake("pick"))
    turn = bands.take(6)
    assert (turn.ids, turn.left) == (ids[:3], 3)
    assert bands.redis.exists(bands.keys.wake("pick"))


def test_stops_at_a_thousand_lookup_lists(bands: Ruled) -> None:
    """Each of them gets its time anew."""
    bands.wait("1", "2", "3", _lookups="\n".join(f"user:{number}" for number in range(500)))
    assert [bands.take(3).ids for _ in range(2)] == [["1", "2"], ["3"]]


def test_looks_at_a_thousand_ids_at_most(bands: Ruled) -> None:
    """A long row of dead ids is cleared by several turns, and who has looked wakes the next."""
    bands.redis.rpush(bands.keys.waiting("pick"), *map(str, range(1_500)))
    bands.wait("x")
    bands.redis.delete(bands.keys.wake("pick"))
    first = bands.take()
    assert (first.ids, first.left, first.dropped[0]) == ([], 501, 1_000)
    assert bands.redis.exists(bands.keys.wake("pick"))
    assert bands.take().ids == ["x"]


def test_moves_fewer_than_it_looks_at(groups: Ruled) -> None:
    """A move writes more: 10,000 jobs of an older version are moved by turns of bounded length, all of them."""
    ids = [f"{number:04}" for number in range(1_000)]
    for job_id in ids:
        groups.redis.hset(groups.keys.job("shop", job_id), mapping={"a": "1", GROUP: '"x"'})
    groups.redis.rpush(groups.keys.waiting("pick"), *ids)
    first = groups.take(5)
    assert (first.ids, first.left) == ([], 1_000)
    assert 300 <= groups.redis.llen(groups.key("group", 'pick/1/"x"')) <= 400
    turns = [groups.take(100) for _ in range(15)]
    assert [job_id for turn in turns for job_id in turn.ids] == ids
    assert "waiting" not in groups.snapshot()


def test_nothing_is_claimed_while_the_queue_is_held(bands: Ruled) -> None:
    """The alarm is set to the end of the hold, and a hold that is over counts no more."""
    bands.wait("1")
    bands.redis.hset(bands.keys.meta("pick"), "held", NOW + 700)
    turn = bands.take()
    assert (turn.ids, turn.left, turn.due) == ([], 0, 700)
    bands.now += 699
    assert bands.take().ids == []
    bands.now += 1
    assert bands.take().ids == ["1"]


def test_nothing_is_claimed_while_the_queue_is_paused(bands: Ruled) -> None:
    """As in a plain queue."""
    bands.wait("1")
    bands.redis.hset(bands.keys.meta("pick"), "paused", NOW + 700)
    turn = bands.take()
    assert (turn.ids, turn.left, turn.due) == ([], 0, 700)


def test_a_delayed_job_comes_to_its_place_and_sets_the_alarm(groups: Ruled) -> None:
    """It joins its group when it is due, and the worker that waits for it is told when."""
    job = {"_status": "delayed", "_queue": "pick", "_fence": "1", "_worker": "w1", "_attempts": "1", GROUP: '"x"'}
    groups.seed(jobs={"shop:1": job}, delayed={"pick": {"1": NOW + 50}})
    assert groups.take().due == 50
    groups.now += 50
    assert groups.take().ids == ["1"]


def test_a_released_job_comes_first_in_its_group(groups: Ruled) -> None:
    """It goes to the head of its group's list, and not before other groups' turns."""
    groups.wait("x1", "x2", group="x")
    groups.wait("y1", group="y")
    assert groups.take(1).ids == ["x1"]
    assert groups.take(1, [release("x1")]).ids == ["y1"]
    assert groups.take().ids == ["x1", "x2"]


def test_sent_again_it_answers_the_same(redis: Redis, namespace: str) -> None:
    """A lost answer takes no second token, slot or virtual time, and says when its jobs start."""
    world = Ruled(redis, namespace, Limiter(2, 1.0, group_key=GROUP), group=GROUP, slots=9, slots_per_group=5)
    world.wait("1", "2", "3", group="x")
    world.take(2)
    world.now += 960
    first = world.take(3, number=70)
    assert [(job.id, job.at - world.now) for job in first.jobs] == [("3", 41)]
    before, window = world.snapshot(unseen=frozenset()), world.window('pick:1/"x"')
    assert window == [NOW + 1, 2, NOW + 1_001, 1]
    world.now += 30
    again = world.take(3, number=70)
    assert [(job.id, job.at - world.now) for job in again.jobs] == [("3", 11)]
    world.now += 30
    assert [job.at - world.now for job in world.take(3, number=70).jobs] == [0]
    assert (world.snapshot(unseen=frozenset()), world.window('pick:1/"x"')) == (before, window)


def test_a_child_queue_has_rules_of_its_own(redis: Redis, namespace: str) -> None:
    """Its jobs bear its name."""
    world = Ruled(redis, namespace, others={"pack:box": Rules(priorities=2)})
    world.seed(jobs={"pack:box:1": {"n": "1", "_parent": "shop:9", "_priority": "2"}}, waiting={"pack:box/2": ["1"]})
    assert world.take(queue="pack:box", field_names="n").ids == ["1"]


def test_a_plain_queue_beside_it_is_picked_as_ever(redis: Redis, namespace: str) -> None:
    """Its answers have no start."""
    world = Ruled(redis, namespace, priorities=3)
    world.seed(jobs={"shop:1": {"a": "1", "_status": "waiting", "_queue": "ship"}}, waiting={"ship": ["1"]})
    [job] = world.turn(want=1, queue="ship", fields=("a",)).claimed
    assert job.values == ("1",)


def test_jobs_that_end_make_room_in_the_same_turn(redis: Redis, namespace: str) -> None:
    """A worker of a full queue goes on without waiting."""
    world = Ruled(redis, namespace, slots=1)
    world.wait("1", "2")
    assert world.take().ids == ["1"]
    turn = world.take(ended=[finish("1")])
    assert (turn.words, turn.ids, turn.left) == (["ok"], ["2"], 0)

"""What a queue with rules keeps beside its jobs is put right: groups, counts, slots, and the layout."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha1
from typing import Any

import pytest
from redis import Redis

from flows.model.limits.rules import Rules
from tests.store.rules.ruled_world import rule_keys, ruled_world
from tests.world import LEASE, NOW, World, processing

A, B, C = (f"0000000{n}-0000-7000-8000-000000000000" for n in (1, 2, 3))
MINUTE = 60_000


@pytest.fixture
def world(redis: Redis, namespace: str) -> World:
    """Make a world in which `pick` and `pack` have rules."""
    return ruled_world(redis, namespace)


def test_nothing_is_reported_where_all_is_well(world: World) -> None:
    """Groups that take part, that are parked or held, their jobs, counts and slots."""
    world.seed(
        jobs={f"shop:{A}": {"user": "7"}, f"shop:{B}": {"user": "8"}, f"shop:{C}": {"_priority": "2"}},
        group={"pick/1/7": [A], "pick/1/8": [B]},
        waiting={"pick/2": [C]},
        ring={"pick/1": {"7": 0, "": 3}},
        parked={"pick": {"1/8": NOW + 9, "2/9": NOW + 9}},
        fair={"pick": {"n1": "2", "v1": "3"}},
    )
    before = world.snapshot()
    assert world.reconcile() == []
    assert world.snapshot() == before


def test_a_job_that_stands_nowhere_is_put_where_it_belongs(world: World) -> None:
    """By its priority and group; the group takes part again."""
    world.seed_damaged(jobs={f"shop:{A}": {"user": "7", "_priority": "2"}, f"shop:{B}": {"_priority": "3"}})
    assert sorted(world.reconcile()) == [("pick", A, "placed_waiting"), ("pick", B, "placed_waiting")]
    found = world.snapshot()
    assert (found["group"], found["waiting"]) == ({"pick/2/7": [A]}, {"pick/3": [B]})
    assert (found["ring"], found["fair"]) == ({"pick/2": {"7": 0}}, {"pick": {"n2": "1"}})


def test_a_job_that_waits_in_the_first_queue_of_another_release_stays_there(world: World) -> None:
    """It was never claimed, and stands in the list of its priority there."""
    world.seed(
        jobs={f"shop:{A}": {"_priority": "2"}},
        waiting={"pack/2": [A]},
        reconcile={"shop": {"first:pack": "1"}},
    )
    assert world.reconcile() == []
    assert world.snapshot()["waiting"] == {"pack/2": [A]}


def test_a_job_that_an_older_worker_has_put_into_the_first_list_stays_there(world: World) -> None:
    """It stands where somebody looks, and is not pushed twice."""
    world.seed(jobs={f"shop:{A}": {"user": "7", "_priority": "2"}}, waiting={"pick": [A]})
    assert world.reconcile() == []
    assert world.snapshot()["waiting"] == {"pick": [A]}


@pytest.mark.parametrize("others", [{}, {"ring": {"pick/2": {"7": 0}}}, {"parked": {"pick": {"2/7": NOW + 9}}}])
def test_a_group_that_takes_no_part_does_again(others: dict[str, Any], world: World) -> None:
    """Its jobs would never come; that it takes part in another priority is no help. It is woken for."""
    world.seed(jobs={f"shop:{A}": {"user": "7"}}, group={"pick/1/7": [A]}, fair={"pick": {"n1": "1"}}, **others)
    assert world.reconcile() == [("pick", A, "ring")]
    assert world.snapshot()["ring"]["pick/1"] == {"7": 0}
    assert world.snapshot(unseen=frozenset())["wake"]["pick"] == {"w": 0}
    assert world.reconcile() == []


def test_a_group_that_waits_for_a_slot_that_nobody_will_free_takes_part(world: World) -> None:
    """None of its jobs holds one; where one does, it is un-parked when that ends."""
    world.seed(jobs={f"shop:{A}": {"user": "7"}, f"shop:{B}": {"user": "8"}})
    world.seed(group={"pick/1/7": [A], "pick/1/8": [B]}, fair={"pick": {"n1": "2"}})
    for group in ("7", "8"):
        world.redis.zadd(rule_keys(world).parked("pick"), {f"1/{group}": "inf"})
    world.seed(load={"pick": {"8": "1"}}, slots={"pick": {C: "1 8"}}, processing={"pick": {C: NOW + LEASE}})
    world.seed(jobs={f"shop:{C}": processing(user="8")})
    assert world.reconcile() == [("pick", "", "ring")]
    found = world.snapshot()
    assert (found["ring"], [*found["parked"]["pick"]]) == ({"pick/1": {"7": 0}}, ["1/8"])


def test_what_is_parked_for_nothing_goes(world: World) -> None:
    """A group without jobs whose time is over, or a name that is none; a hold that lasts stays."""
    world.seed(parked={"pick": {"1/7": NOW, "1/8": NOW + 9, "strange": NOW + 9}})
    world.redis.zadd(rule_keys(world).parked("pick"), {"1/9": "inf"})
    assert world.reconcile() == []
    assert world.snapshot()["parked"] == {"pick": {"1/8": NOW + 9}}


@pytest.mark.parametrize("count", ["0", "7", "-3", "x", None])
def test_how_many_wait_in_groups_is_counted_anew(count: str | None, world: World) -> None:
    """Of those that take part and those that are parked, each once; a count that is right is left."""
    world.seed(
        jobs={f"shop:{A}": {"user": "7"}, f"shop:{B}": {"user": "8"}, f"shop:{C}": {"user": "7"}},
        group={"pick/1/7": [A, C], "pick/1/8": [B]},
        ring={"pick/1": {"7": 0}},
        parked={"pick": {"1/8": NOW + 9, "1/7": NOW + 9}},
        fair={"pick": {"v1": "3", "n2": "0"} | ({} if count is None else {"n1": count})},
    )
    assert world.reconcile() == [("pick", "", "counted")]
    assert world.snapshot()["fair"] == {"pick": {"v1": "3", "n1": "3", "n2": "0"}}


def counted_in_parts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let five groups be too many for one step."""
    load = type(world.settings).script

    def shortened(settings: Any, name: str, queue: str = "") -> Any:
        script = load(settings, name, queue)
        text = (
            script.text.replace("local MOST_COUNTED = 5000", "local MOST_COUNTED = 3").replace("PAGE = 50", "PAGE = 5")
            if name == "reconcile"
            else script.text
        )
        return replace(script, text=text, sha=sha1(text.encode(), usedforsecurity=False).hexdigest())

    monkeypatch.setattr(type(world.settings), "script", shortened)


@pytest.mark.parametrize("comes", [False, True])
def test_more_groups_than_one_step_counts_are_walked_through(
    *, comes: bool, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where jobs come or go meanwhile, the count is left to the next pass."""
    counted_in_parts(world, monkeypatch)
    world.seed(
        group={f"pick/1/{n}": ["x", "y"] for n in range(300)},
        ring={"pick/1": dict.fromkeys(map(str, range(200)), 0)},
        parked={"pick": {f"1/{n}": NOW + 9 for n in range(150, 300)}},
        fair={"pick": {"n1": "5"}},
    )
    found: list[Any] = []
    goes_on, came = 1, False
    while goes_on:
        world.redis.hdel(world.keys.reconcile("shop"), "at")
        _wait, goes_on, repairs = world.run("reconcile", "pick")
        found += repairs
        if comes and not came and " ring " in (world.redis.hget(world.keys.reconcile("shop"), "cursor") or ""):
            came = bool(world.redis.hincrby(rule_keys(world).fair("pick"), "n1", 1))
    assert came == comes
    assert world.snapshot()["fair"]["pick"]["n1"] == ("6" if comes else "600")
    assert found == ([] if comes else [["pick", "", "counted"]])


def limited(redis: Redis, namespace: str) -> World:
    """Make a world in which `pick` has slots for each user, and jobs have costs."""
    return ruled_world(redis, namespace, pick=Rules(group="user", slots=9, slots_per_group=3))


def seed_running(world: World, **fields: str) -> None:
    """Let A run, which holds two slots of user 7."""
    world.seed(
        jobs={f"shop:{A}": processing(user="7", _cost="2", **fields)},
        processing={"pick": {A: NOW + LEASE}},
        slots={"pick": {A: "2 7"}},
        load={"pick": {"7": "2", "": "1"}},
    )


def test_slots_that_running_jobs_hold_are_left(redis: Redis, namespace: str) -> None:
    """Neither freed nor counted anew."""
    world = limited(redis, namespace)
    seed_running(world)
    before = world.snapshot()
    assert world.reconcile() == []
    assert world.snapshot() == before


def test_a_slot_of_no_running_job_is_freed(redis: Redis, namespace: str) -> None:
    """And the loads are counted anew; the queue is woken."""
    world = limited(redis, namespace)
    seed_running(world)
    world.seed(slots={"pick": {B: "1 7", C: "3 8"}})
    world.redis.hset(rule_keys(world).load("pick"), mapping={"7": 3, "8": 3, "": 3})
    assert sorted(world.reconcile()) == [("pick", "", "counted"), ("pick", B, "slot"), ("pick", C, "slot")]
    assert world.snapshot()["slots"] == {"pick": {A: "2 7"}}
    assert world.snapshot()["load"] == {"pick": {"7": "2", "": "1"}}
    assert world.snapshot(unseen=frozenset())["wake"]["pick"] == {"w": 0}


@pytest.mark.parametrize("load", [{}, {"7": "9", "": "1"}, {"7": "2"}, {"7": "2", "": "1", "8": "4"}, {"7": "x"}])
def test_loads_that_were_edited_are_counted_anew(load: dict[str, str], redis: Redis, namespace: str) -> None:
    """From what is held."""
    world = limited(redis, namespace)
    seed_running(world)
    world.redis.delete(rule_keys(world).load("pick"))
    world.seed(load={"pick": load} if load else {})
    assert world.reconcile() == [("pick", "", "counted")]
    assert world.snapshot()["load"] == {"pick": {"7": "2", "": "1"}}


def test_slots_that_were_lost_are_held_again(redis: Redis, namespace: str) -> None:
    """By what runs: of no group and at no cost nothing has to be noted."""
    world = limited(redis, namespace)
    world.seed(
        jobs={
            f"shop:{A}": processing(user="7", _cost="2"),
            f"shop:{B}": processing(),
            f"shop:{C}": processing(_cost="3"),
        },
        processing={"pick": dict.fromkeys((A, B, C), NOW + LEASE)},
    )
    assert sorted(world.reconcile()) == [("pick", "", "counted"), ("pick", A, "slot"), ("pick", C, "slot")]
    found = world.snapshot()
    assert (found["slots"], found["load"]) == ({"pick": {A: "2 7", C: "3 "}}, {"pick": {"7": "2", "": "3"}})


def test_slots_of_a_queue_that_has_them_no_more_go(world: World) -> None:
    """With the jobs that held them."""
    world.seed(slots={"pick": {A: "1 7"}}, load={"pick": {"7": "1"}})
    assert sorted(world.reconcile()) == [("pick", "", "counted"), ("pick", A, "slot")]
    assert not {"slots", "load"} & world.snapshot().keys()


@pytest.mark.parametrize("kind", ["parked", "fair", "slots", "load", "ring"])
def test_a_key_that_holds_something_else_is_reported_and_stops_nothing_else(kind: str, world: World) -> None:
    """The rest of the pass goes on."""
    world.seed_damaged(jobs={f"shop:{A}": {"_queue": "ship"}})
    name = "pick/1" if kind == "ring" else "pick"
    world.redis.set(world.key(kind, name), "something")
    found = world.reconcile()
    assert ("ship", A, "placed_waiting") in found
    assert {word.partition(" ")[0] for _queue, _job, word in found} == {"placed_waiting", "error"}


def layouts(world: World, **more: Any) -> dict[str, str]:
    """Make a pass ten minutes later, and return what is kept of layouts."""
    world.reconcile(**more)
    meta = world.snapshot(counts=True).get("meta", {})
    return {queue: fields["rules"] for queue, fields in meta.items() if "rules" in fields}


def test_a_process_says_that_it_declares_its_layout(world: World) -> None:
    """Also in a call that finds nothing to do; so nobody sets it back meanwhile, and one that was, is there again."""
    named = {"layouts": "pick 3 user\npack 2 -"}
    assert layouts(world, **named) == {"pick": "3 user", "pack": "2 -"}
    world.now += 20 * MINUTE
    world.run("introduce", **named)
    assert layouts(world, layouts="") == {"pick": "3 user", "pack": "2 -"}


@pytest.mark.parametrize(
    "left",
    [
        {"waiting": {"pick/2": ["1"]}},
        {"group": {"pick/1/7": ["1"]}, "ring": {"pick/1": {"7": 0}}, "fair": {"pick": {"n1": "1"}}},
        {"group": {"pick/3/7": ["1"]}, "parked": {"pick": {"3/7": NOW + 99 * MINUTE}}, "fair": {"pick": {"n3": "1"}}},
    ],
)
def test_a_layout_that_nobody_declares_goes_when_its_lists_are_empty(left: dict[str, Any], world: World) -> None:
    """Not while jobs stand in lists that only it has, and not before those who declare it are gone for a while."""
    world.seed(meta={"pick": {"rules": "3 user", "rules_seen": str(NOW)}}, **left)
    world.now += 20 * MINUTE
    assert layouts(world) == {"pick": "3 user"}
    for kind, entries in left.items():
        world.redis.delete(*(world.key(kind, name) for name in entries))
    assert layouts(world) == {}
    assert "rules_seen" not in world.snapshot(counts=True).get("meta", {}).get("pick", {})


def test_a_layout_that_was_declared_lately_stays(world: World) -> None:
    """Also where its lists are empty: its workers may put jobs there."""
    world.seed(meta={"pick": {"rules": "3 user"}})
    assert layouts(world) == {"pick": "3 user"}
    world.now += 9 * MINUTE
    assert layouts(world) == {"pick": "3 user"}
    world.now += 2 * MINUTE
    assert layouts(world) == {}


def test_a_layout_is_set_back_to_what_is_declared(world: World) -> None:
    """Of a queue that still has some rules."""
    world.seed(meta={"pick": {"rules": "5 user", "rules_seen": str(NOW)}})
    world.now += 20 * MINUTE
    assert layouts(world, layouts="pick 2 -") == {"pick": "2 -"}

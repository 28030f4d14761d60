"""Where a job stands that waits in a queue with rules: what its hash says decides, whichever script puts it there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from redis import Redis

from flows.model.limits.rules import Rules
from tests.store.rules.ruled_world import rule_keys, ruled_world
from tests.world import (
    NOW,
    State,
    World,
    advance,
    await_children,
    finish,
    processing,
    release,
)


@pytest.fixture
def world(redis: Redis, namespace: str) -> World:
    """Make a world in which `pick` and `pack` have rules."""
    return ruled_world(redis, namespace)


def places(world: World) -> State:
    """Return the lists, the rings, and how many stand in groups."""
    found = world.snapshot(unseen=frozenset())
    return {kind: found.get(kind, {}) for kind in ("waiting", "group", "ring", "fair", "wake")}


#: Of a job in `pick`, the fields by which it is placed, its band, and its group.
PLACED: dict[str, tuple[dict[str, str], int, str]] = {
    "nothing is said": ({}, 1, ""),
    "a priority": ({"_priority": "2"}, 2, ""),
    "the last priority": ({"_priority": "3"}, 3, ""),
    "one that is lower than there are": ({"_priority": "9"}, 3, ""),
    "one that is higher": ({"_priority": "0"}, 1, ""),
    "one below nothing": ({"_priority": "-7"}, 1, ""),
    "an edited one": ({"_priority": "high"}, 1, ""),
    "no number": ({"_priority": "nan"}, 1, ""),
    "without an end": ({"_priority": "inf"}, 3, ""),
    "half of one": ({"_priority": "2.7"}, 2, ""),
    "a group": ({"user": '"a b"'}, 1, '"a b"'),
    "a group of none": ({"user": "null"}, 1, ""),
    "an empty one": ({"user": '""'}, 1, '""'),
    "one of 200 bytes": ({"user": f'"{"x" * 198}"'}, 1, f'"{"x" * 198}"'),
    "a longer one": ({"user": f'"{"x" * 199}"'}, 1, "e6e0ad9cd4c4e5afc08d5fd81d2a8cf24a6cdb7d"),
    "both": ({"_priority": "3", "user": "7"}, 3, "7"),
}


def expected(band: int, group: str, *ids: str) -> State:
    """Return what stands where, when these ids wait in `pick`."""
    wake = {"pick": {"w": 0}}
    if not group:
        name = "pick" if band == 1 else f"pick/{band}"
        return {"waiting": {name: [*ids]}, "group": {}, "ring": {}, "fair": {}, "wake": wake}
    return {
        "waiting": {},
        "group": {f"pick/{band}/{group}": [*ids]},
        "ring": {f"pick/{band}": {group: 0}},
        "fair": {"pick": {f"n{band}": str(len(ids))}},
        "wake": wake,
    }


@pytest.mark.parametrize("name", PLACED)
def test_a_job_waits_by_its_priority_and_its_group(name: str, world: World) -> None:
    """In the list of its band, or of its group there, which takes part in the ring and is counted."""
    fields, band, group = PLACED[name]
    if name == "a longer one":
        group = str(world.redis.eval("return redis.sha1hex(ARGV[1])", 0, fields["user"]))
    world.seed(jobs={"shop:1": processing("pack", **fields)}, processing={"pack": {"1": NOW + 9}})
    assert world.report(advance("1", to="pick"), queue="pack") == ["ok"]
    assert places(world) == expected(band, group, "1")


def moved(world: World) -> None:
    """Move it by hand."""
    world.seed(jobs={"shop:1": {"_status": "waiting", "_queue": "ship", **GROUPED}}, waiting={"ship": ["1"]})
    world.run("move", id="1", target="pick")


def retried(world: World) -> None:
    """Retry it by hand."""
    world.seed(jobs={"shop:1": processing(_status="failed", _ended="5", **GROUPED)})
    world.run("retry_job", id="1")


def created(world: World) -> None:
    """Create it by the script."""
    fields = [part for pair in GROUPED.items() for part in pair]
    world.run("create", "1", "", len(fields), *fields, delay_ms=0, until_ms=-1, lookup_ttl=120_000)


def released(world: World) -> None:
    """Hand it back."""
    world.seed(jobs={"shop:1": processing(**GROUPED)}, processing={"pick": {"1": NOW + 9}})
    world.report(release("1"))


def rescued(world: World) -> None:
    """Take it back from a worker that died."""
    world.seed(jobs={"shop:1": processing(**GROUPED)}, processing={"pick": {"1": NOW}})
    world.run("rescue")


def joined(world: World) -> None:
    """Let the last child of a parent end, whose next queue is `pick`."""
    parent = processing("pack", _status="children", _next="pick", **GROUPED)
    parent["children:pack:jobs"] = f'["{world.key("jobs", "pack:box:c")}"]'
    world.seed(
        jobs={"shop:1": parent, "pack:box:c": processing("pack:box", _parent="shop:1")},
        children={"pack": {"1": NOW}},
        pending={"shop:1": {"c"}},
        parents={"pack:box": {"c": "shop:1"}},
        processing={"pack:box": {"c": NOW + 9}},
    )
    world.report(finish("c", result="1"), queue="pack:box")


def drained(world: World) -> None:
    """Let its queue have a new name."""
    world.seed(
        jobs={"shop:1": GROUPED},
        waiting={"old": ["1"]},
        meta={"old": {"owner": "shop"}},
        queues={"shop": {"old": "first", "pick": "first"}},
    )
    world.run("drain", former="old")


GROUPED = {"_priority": "2", "user": "7"}
WAYS: list[Callable[[World], Any]] = [moved, retried, created, released, rescued, joined, drained]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_whatever_puts_a_job_into_the_queue_finds_its_place(way: Callable[[World], Any], world: World) -> None:
    """No script pushes a job past its band and group."""
    way(world)
    assert places(world) == expected(2, "7", "1") | {"wake": places(world)["wake"]}
    assert "pick" in places(world)["wake"]


def test_what_is_handed_back_or_taken_back_is_the_next_of_its_group(world: World) -> None:
    """It has waited already; what comes anew, or is due, waits behind those of its own group."""
    world.seed(
        jobs={f"shop:{n}": processing(user="7") for n in ("1", "2")} | {"shop:3": processing("pack", user="7")},
        processing={"pick": {"1": NOW + 9, "2": NOW}, "pack": {"3": NOW + 9}},
        group={"pick/1/7": ["4"]},
    )
    world.report(release("1"))
    world.run("rescue")
    world.report(advance("3", to="pick"), queue="pack")
    assert places(world)["group"] == {"pick/1/7": ["2", "1", "4", "3"]}


def test_jobs_of_one_script_are_put_together(world: World) -> None:
    """Each list gets its own in their order, each band is counted once, and groups are counted over all scripts."""
    users = {"1": "7", "2": "8", "3": "7", "4": None, "5": "7"}
    jobs = {
        f"shop:{n}": processing("pack", _priority="2" if n == "5" else "1", **({"user": user} if user else {}))
        for n, user in users.items()
    }
    world.seed(jobs=jobs, processing={"pack": dict.fromkeys(users, NOW + 9)})
    world.report(*[advance(n, to="pick") for n in "1234"], queue="pack")
    world.report(advance("5", to="pick"), queue="pack")
    assert places(world) == {
        "waiting": {"pick": ["4"]},
        "group": {"pick/1/7": ["1", "3"], "pick/1/8": ["2"], "pick/2/7": ["5"]},
        "ring": {"pick/1": {"7": 0, "8": 0}, "pick/2": {"7": 0}},
        "fair": {"pick": {"n1": "3", "n2": "1"}},
        "wake": {"pick": {"w": 0}},
    }


def test_a_group_that_takes_part_keeps_its_virtual_time(world: World) -> None:
    """It neither gains nor loses by a job that comes, whether others of it wait or its list was just emptied."""
    world.seed(
        jobs={f"shop:{n}": processing("pack", user=n) for n in ("1", "2")},
        processing={"pack": {"1": NOW + 9, "2": NOW + 9}},
        group={"pick/1/1": ["0"]},
        ring={"pick/1": {"1": 5, "2": 6}},
    )
    world.report(advance("1", to="pick"), advance("2", to="pick"), queue="pack")
    assert places(world)["ring"] == {"pick/1": {"1": 5, "2": 6}}


@pytest.mark.parametrize("group", [[], ["0"]], ids=["empty", "not empty"])
def test_a_parked_group_stays_parked(group: list[str], world: World) -> None:
    """A job that comes to it does not let it take part before its time: neither when others of it wait, nor alone."""
    world.seed(jobs={"shop:1": processing("pack", user="7")}, processing={"pack": {"1": NOW + 9}})
    world.seed(parked={"pick": {"1/7": NOW + 99}}, **({"group": {"pick/1/7": group}} if group else {}))
    world.report(advance("1", to="pick"), queue="pack")
    assert places(world)["ring"] == {}
    assert places(world)["group"] == {"pick/1/7": [*group, "1"]}


def test_a_group_that_is_parked_in_one_priority_takes_part_in_another(world: World) -> None:
    """Each priority has its own."""
    world.seed(jobs={"shop:1": processing("pack", user="7")}, processing={"pack": {"1": NOW + 9}})
    world.seed(parked={"pick": {"2/7": NOW + 99}})
    world.report(advance("1", to="pick"), queue="pack")
    assert places(world)["ring"] == {"pick/1": {"7": 0}}


def test_something_else_in_the_place_of_a_group_harms_nobody(world: World) -> None:
    """The job waits in the list of its band; nothing is written half, and those beside it go where they belong."""
    world.seed(
        jobs={f"shop:{n}": processing("pack", user=n) for n in ("1", "2")},
        processing={"pack": {"1": NOW + 9, "2": NOW + 9}},
    )
    world.redis.set(rule_keys(world).group("pick", 1, "1"), "no list")
    assert world.report(advance("1", to="pick"), advance("2", to="pick"), queue="pack") == ["ok", "ok"]
    found = places(world)
    assert (found["waiting"], found["ring"], found["fair"]) == (
        {"pick": ["1"]},
        {"pick/1": {"2": 0}},
        {"pick": {"n1": "1"}},
    )


WRONG = [("waiting", "pick"), ("waiting", "pick/2"), ("waiting", "pick/3"), ("ring", "pick/2"), ("fair", "pick"),
         ("parked", "pick")]  # fmt: skip


@pytest.mark.parametrize(("kind", "name"), WRONG)
def test_a_key_that_holds_something_else_fails_the_job_and_no_other(kind: str, name: str, world: World) -> None:
    """Before anything is pushed: the error names the key."""
    world.seed(
        jobs={"shop:1": processing("pack"), "shop:2": processing("pack")},
        processing={"pack": {"1": NOW + 9, "2": NOW + 9}},
    )
    world.redis.set(world.key(kind, name), "something")
    assert world.report(advance("1", to="pick"), advance("2", to="ship"), queue="pack") == ["ok", "ok"]
    assert world.job("shop:1")["_status"] == "failed"
    assert world.key(kind, name) in world.job("shop:1")["_error"]
    assert world.redis.lrange(world.key("waiting", "ship"), 0, -1) == ["2"]


def test_a_plain_queue_of_the_flow_stays_as_it_is(world: World) -> None:
    """One list, whatever priority and group its jobs have."""
    world.seed(jobs={"shop:1": processing("pick", _priority="2", user="7")}, processing={"pick": {"1": NOW + 9}})
    world.report(advance("1", to="ship"))
    found = world.snapshot()
    assert found["waiting"] == {"ship": ["1"]}
    assert not {"group", "ring", "fair"} & found.keys()
    [job] = world.claim(queue="ship")
    assert job.id == "1"


@pytest.mark.parametrize("queue", ["ship", "pack"])
def test_a_queue_without_groups_needs_no_keys_of_groups(queue: str, world: World) -> None:
    """What stands there is not looked at, and refuses no job."""
    world.seed(jobs={"shop:1": processing()}, processing={"pick": {"1": NOW + 9}})
    for kind, name in (("ring", f"{queue}/1"), ("fair", queue), ("parked", queue)):
        world.redis.set(world.key(kind, name), "something")
    assert world.report(advance("1", to=queue)) == ["ok"]
    assert world.snapshot(unseen=frozenset())["waiting"] == {queue: ["1"]}
    world.run("rescue", queue=queue)  # which counts what waits


@pytest.mark.parametrize("queue", ["ship", "pick"])
def test_a_due_job_that_its_promoter_claims_wakes_nobody(queue: str, world: World) -> None:
    """In queues with rules and in those without."""
    world.seed(jobs={"shop:1": {"_status": "delayed", "_queue": queue}}, delayed={queue: {"1": NOW}})
    assert [job.id for job in world.claim(queue=queue)] == ["1"]
    assert "wake" not in world.snapshot(unseen=frozenset())


@pytest.mark.parametrize("queue", ["ship", "pack"])
def test_what_comes_back_is_the_next_and_what_comes_is_the_last(queue: str, redis: Redis, namespace: str) -> None:
    """Also where a queue has one list, with rules or without."""
    world = ruled_world(redis, namespace, pack=Rules(slots=9), pick=Rules(priorities=2))
    world.seed(
        jobs={"shop:1": processing(queue), "shop:2": processing("pick")},
        processing={queue: {"1": NOW + 9}, "pick": {"2": NOW + 9}},
        waiting={queue: ["3", "4"]},
    )
    world.report(release("1"), queue=queue)
    world.report(advance("2", to=queue))
    assert world.snapshot()["waiting"] == {queue: ["1", "3", "4", "2"]}


def test_a_queue_that_is_only_limited_has_one_list(redis: Redis, namespace: str) -> None:
    """Nothing is read of a job to place it there."""
    world = ruled_world(redis, namespace, pack=Rules(slots=3))
    world.seed(jobs={"shop:1": processing(_priority="2", user="7")}, processing={"pick": {"1": NOW + 9}})
    world.report(advance("1"))
    assert world.snapshot()["waiting"] == {"pack": ["1"]}


def test_children_are_placed_by_their_own_hashes(redis: Redis, namespace: str) -> None:
    """The rules of a child queue stand under its full name; its siblings have none."""
    world = ruled_world(redis, namespace, **{"pack:box": Rules(priorities=2, group="n")})
    world.seed(jobs={"shop:9": processing("pack")}, processing={"pack": {"9": NOW + 9}})
    world.report(await_children("9", children=(("box", "b"), ("label", "l"))), queue="pack")
    found = world.snapshot()
    assert found["waiting"] == {"pack:label": ["l"]}
    assert list(found["group"].values()) == [["b"]]
    [name] = found["group"]
    assert name.startswith("pack:box/1/")


def test_how_many_wait_counts_all_lists(world: World) -> None:
    """Also those of groups; a count that was edited below nothing, or into nonsense, counts as nothing."""
    world.seed(waiting={"pick": ["1"], "pick/3": ["2", "3"]}, fair={"pick": {"n1": "4", "n2": "-9", "n3": "x"}})
    assert world.run("drain", queue="ship", former="pick", meta="") == [0, 0]
    world.seed(meta={"pick": {"owner": "shop"}})
    assert world.run("drain", queue="ship", former="pick")[1] == 2 + 4


def test_workers_that_know_no_rules_put_jobs_into_the_first_list(redis: Redis, namespace: str) -> None:
    """So what they put there is seen by both."""
    old, new = World(redis, namespace), ruled_world(redis, namespace)
    old.seed(jobs={"shop:1": processing("pack", user="7", _priority="2")}, processing={"pack": {"1": NOW + 9}})
    old.report(advance("1", to="pick"), queue="pack")
    assert new.snapshot()["waiting"] == {"pick": ["1"]}

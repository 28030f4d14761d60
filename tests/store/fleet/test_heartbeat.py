"""heartbeat: what a process says of itself stands on the server until it leaves, or for an hour after it was killed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.world import HOUR, NOW, World

COUNTS = 30_000


def call(world: World, number: int = 1, *queues: str, name: str = "p1", now: int = NOW, **more: Any) -> str:
    """Send a heartbeat of the process `p1`, which serves these queues; of those with `-` before them it did."""
    keys = world.keys
    rest = [
        argument for queue in queues for argument in (queue.removeprefix("-"), int(not queue.startswith("-")), "", "")
    ]
    named = {
        "processes": keys.processes("shop"),
        "process": keys.process("shop", name),
        "declarations": keys.declarations("shop"),
        "process_name": name,
        "number": number,
        "digest": "ab",
        "counts_ms": COUNTS,
        "totals": "done failed",
        "kept": HOUR,
        "leaves": 0,
    }
    answer: str = world.run("heartbeat", '{"host":"h"}', *rest, now=now, **{**named, **more})
    return answer


def state(world: World) -> dict[str, Any]:
    """Return what is there."""
    return world.snapshot(unseen=frozenset())


def test_stands_in_the_indexes_until_it_counts_no_more(world: World) -> None:
    """Of the flow and of each queue; what it says has the server's time and its number."""
    world.seed_damaged(flow={"shop": {"ab": "{}"}})
    assert call(world, 1, "pick", "pack:label") == "beat"
    until = {"p1": NOW + COUNTS}
    assert state(world) == {
        "flow": {"shop": {"ab": "{}", "ab:seen": str(NOW)}},
        "process": {"shop:p1": f'{{"at":{NOW},"n":1,"host":"h"}}'},
        "processes": {"shop": until},
        "workers": {"pick": until, "pack:label": until},
    }
    assert world.lives("process", "shop:p1", HOUR + COUNTS)


def test_says_that_the_declaration_is_gone(world: World) -> None:
    """Whoever has sent it then sends the text again; a key of another type is left alone."""
    assert call(world) == "undeclared"
    assert "flow" not in state(world)
    world.redis.set(world.key("flow", "shop"), "not ours")
    assert call(world, 2) == "beat"


def test_sent_again_it_changes_nothing(world: World) -> None:
    """Nor does one that comes late."""
    call(world, 2, "pick")
    before = state(world)
    assert call(world, 2, "pick", now=NOW + 1) == "again"
    assert call(world, 1, "pick", now=NOW + 2) == "again"
    assert state(world) == before
    assert call(world, 3, "pick", now=NOW + 3) == "undeclared"
    assert state(world)["workers"] == {"pick": {"p1": NOW + 3 + COUNTS}}


def test_a_queue_that_is_served_no_more(world: World) -> None:
    """The process is not among its workers any more."""
    call(world, 1, "pick", "pack")
    call(world, 2, "pick", "-pack")
    assert set(state(world)["workers"]) == {"pick"}


def test_leaves(world: World) -> None:
    """Nothing of it is left; sent again, and where it has never been, that is as well."""
    call(world, 1, "pick")
    call(world, 1, "pick", name="p2")
    for _ in range(2):
        assert call(world, 2, "-pick", leaves=1) == "left"
    left = state(world)
    assert left["workers"] == {"pick": {"p2": NOW + COUNTS}}
    assert left["processes"] == {"shop": {"p2": NOW + COUNTS}}
    assert set(left["process"]) == {"shop:p2"}


def test_leaves_with_a_number_that_was_had(world: World) -> None:
    """It has gone all the same, also from queues that it says it serves; what they have seen was counted."""
    call(world, 2, "pick")
    world.redis.hset(world.key("meta", "pick"), "done", 1)
    assert call(world, 1, "pick", leaves=1) == "left"
    assert state(world) == {}
    assert call(world, 3, "pick", leaves=1) == "left"
    assert set(state(world)) == {"stats"}


def test_ten_thousand_that_were_killed_are_gone_after_an_hour_and_a_heartbeat(world: World) -> None:
    """From the indexes; what they said has gone by itself."""
    dead = {f"d{number}": NOW for number in range(10_000)}
    for kind, name in (("processes", "shop"), ("workers", "pick")):
        world.redis.zadd(world.key(kind, name), dead)
    call(world, 1, "pick", name="d0", now=NOW - COUNTS)
    assert world.life("process", "shop:d0") <= HOUR + COUNTS
    call(world, 1, "pick", now=NOW + HOUR)
    assert len(state(world)["processes"]["shop"]) == 10_001
    call(world, 2, "pick", now=NOW + HOUR + 1)
    until = {"p1": NOW + HOUR + 1 + COUNTS}
    assert (state(world)["processes"], state(world)["workers"]) == ({"shop": until}, {"pick": until})


@pytest.mark.parametrize("kind", ["processes", "workers", "process"])
def test_a_key_of_another_type(world: World, kind: str) -> None:
    """An index is left alone, and the others are written; what a process says takes the place of whatever was there."""
    key = world.key(kind, {"processes": "shop", "workers": "pick", "process": "shop:p1"}[kind])
    world.redis.rpush(key, "not ours")
    call(world, 1, "pick", "pack")
    assert world.redis.type(key) == ("string" if kind == "process" else "list")
    assert world.redis.zscore(world.key("workers", "pack"), "p1") == NOW + COUNTS
    assert call(world, 2, leaves=1) == "left"


@pytest.mark.parametrize("text", ["", "{", '{"at":1,"n":x,', '{"at":1,"n":-1}', "\u00e9"])
def test_nonsense_in_its_place_is_written_over(world: World, text: str) -> None:
    """It counts as never sent."""
    world.redis.set(world.key("process", "shop:p1"), text)
    assert call(world) == "undeclared"
    assert state(world)["process"] == {"shop:p1": f'{{"at":{NOW},"n":1,"host":"h"}}'}

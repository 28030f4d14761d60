"""observe: what all queues hold at one moment, at a cost that does not depend on how much that is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.scale import scaled
from tests.store.views.costs import MOST, cost
from tests.world import NOW, QUEUES, World

COUNTED = ("waiting", "delayed", "processing", "children", "failed", "cancelled", "workers", "fields")
NAMES = ("queue", *COUNTED, "oldest", "due")


def observed(world: World, *queues: str) -> list[dict[str, Any]]:
    """Call the script; return what it answers of each queue, `meta` as a dict."""
    now, rows = world.run("observe", *queues)
    assert now == NOW
    return [
        {**dict(zip(NAMES, row, strict=False)), "meta": dict(zip(row[-2][::2], row[-2][1::2], strict=True))}
        for row in rows
    ]


def test_every_place_is_counted(world: World) -> None:
    """In the order in which the queues were asked for; one that holds nothing is there as well."""
    world.seed(
        waiting={"pick": ["1", "2"], "pack:label": ["c"]},
        delayed={"pick": {"3": NOW + 9, "4": NOW + 5}},
        processing={"pick": {"5": NOW}},
        children={"pack": {"6": NOW}},
        meta={"pick": {"owner": "shop", "expired": "4"}},
    )
    world.redis.zadd(f"{world.namespace}flows:ended:pick:failed", {"7": NOW, "8": NOW})
    world.redis.zadd(f"{world.namespace}flows:ended:pick:cancelled", {"9": NOW})
    world.redis.zadd(f"{world.namespace}flows:workers:pick", {"web.1": NOW + 1, "web.2": NOW, "gone": NOW - 1})
    pick, pack, label, ship = observed(world, "pick", "pack", "pack:label", "ship")
    assert pick == {
        **dict(zip(NAMES, ("pick", 2, 2, 1, 0, 2, 1, 2, 2, "", str(NOW + 5)), strict=True)),
        "meta": {"owner": "shop", "expired": "4"},
    }
    assert (pack["children"], label["waiting"]) == (1, 1)
    assert ship == {**dict(zip(NAMES, ("ship", 0, 0, 0, 0, 0, 0, 0, 0, "", ""), strict=True)), "meta": {}}


def test_the_oldest_is_the_first_that_still_waits(world: World) -> None:
    """By `since`, or by its id; an id that was left in the list does not count where another one is behind it."""
    made = f"{NOW >> 16:08x}-{NOW & 0xFFFF:04x}-7000-8000-000000000000"
    world.seed_damaged(
        jobs={
            "shop:old": {"_status": "cancelled"},
            "shop:1": {"_status": "waiting", "_queue": "ship"},
            f"shop:{made}": {"a": "1"},
        },
        waiting={"ship": ["old", "gone", "1"], "pick": [made]},
    )
    world.redis.hset(world.key("jobs", "shop:1"), "_attempt", f"1 w1 0 1 0 {NOW - 7} -")
    ship, pick = observed(world, "ship", "pick")
    assert (ship["oldest"], pick["oldest"]) == (str(NOW - 7), str(NOW))


def test_keys_of_other_types_are_not_known(world: World) -> None:
    """Whatever somebody has written at a key of ours, the other places and the other queues are told."""
    for place in ("waiting", "delayed", "processing", "children", "meta"):
        world.redis.set(world.key(place, "pick"), "not ours")
    for key in ("ended:pick:failed", "workers:pick"):
        world.redis.set(f"{world.namespace}flows:{key}", "not ours")
    world.seed(waiting={"pack": ["1"]}, jobs={"shop:1": "not ours"})
    pick, pack = observed(world, "pick", "pack")
    assert [pick[name] for name in NAMES] == ["pick", -1, -1, -1, -1, -1, 0, -1, -1, "", ""]
    assert pack["waiting"] == 1


@pytest.mark.scale
def test_it_costs_the_same_however_much_there_is(world: World) -> None:
    """No command of it grows with a queue: at ten and at a million ids of each place the same ones are sent."""
    sent: list[dict[str, int]] = []
    for count in (10, scaled(5_000, full=1_000_000)):
        for queue in QUEUES[:2]:
            with world.redis.pipeline(transaction=False) as pipeline:
                for start in range(0, count, 1000):
                    ids = [str(number) for number in range(start, min(count, start + 1000))]
                    pipeline.rpush(world.key("waiting", queue), *ids)
                    for place in ("delayed", "processing", "children"):
                        pipeline.zadd(world.key(place, queue), dict.fromkeys(ids, NOW))
                pipeline.execute()
        least, commands = cost(world, lambda: world.run("observe", *QUEUES))
        assert least <= MOST
        sent.append(commands)
    assert sent[0] == sent[1]

"""observe: what all queues hold at one moment, at a cost that does not depend on how much that is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.scale import scaled
from tests.store.views.costs import MOST, cost
from tests.store.views.test_position import job_id
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


def waits(queue: str, since: int) -> dict[str, str]:
    """Return the hash of a job that waits."""
    return {"_status": "waiting", "_queue": queue, "_attempt": f"1 w1 0 1 0 {since} -"}


def test_who_still_waits_is_said_by_the_hash(world: World) -> None:
    """A new one has no field for it, where new jobs come to; of who is elsewhere, only the time of the id counts."""
    made, later = job_id(NOW), job_id(NOW + 9)
    world.seed_damaged(
        jobs={
            **{f"{flow}:{made}": {"a": "1"} for flow in ("shop", "pack:label")},
            "shop:1": waits("pick", 7),
            "pack:label:2": waits("pack:label", 7),
            "shop:3": waits("pick", 7),
            "shop:4": {**waits("ship", 7), "_status": ""},
            "shop:5": waits("ship", 8),
            f"shop:{made}x": waits("pick", 7),
            "pack:box:6": waits("pack:box", 9),
        },
        waiting={
            "pick": [made, "1"],
            "pack:label": [made, "2"],
            "pack:box": ["6", made],
            "ship": [f"{made}x", "3", "4", "5"],
            "pack": [f"{made}x", later],
        },
    )
    world.redis.hdel(world.key("jobs", "shop:4"), "_status")
    queues = ("pick", "pack:label", "pack:box", "ship", "pack")
    assert [row["oldest"] for row in observed(world, *queues)] == [str(NOW), str(NOW), "9", "8", str(NOW)]
    world.redis.hset(world.key("jobs", f"shop:{made}x"), mapping=waits("pack", 10**15))
    assert observed(world, "pack")[0]["oldest"] == str(NOW)


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

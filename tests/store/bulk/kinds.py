"""One job of each kind, and the proof that a script for many of them does what the one for a single job does."""

from __future__ import annotations

from tests.world import NOW, Argument, State, World, processing

#: Ids in the order in which they are given, with one that is not there and one that comes twice.
IDS = (
    *("new", "waits", "new2", "delayed", "runs", "parent", "child", "failed", "cancelled", "done", "torn"),
    *("gone", "failed", "new"),
)


def seed(world: World) -> None:
    """Write a job of each kind; all but the child stand in the flow, and in lookup lists."""
    lookups = "user:7\nteam:a"
    kinds = {
        "new": {"a": "1"},
        "new2": {"a": "1"},
        "waits": processing("pack", _status="waiting", _attempts="0", _visit="1"),
        "delayed": {"_status": "delayed", "_queue": "pack"},
        "runs": processing(),
        "parent": processing("pack")
        | {"_status": "children", "_policy": "continue", "children:pack:jobs": f'["{world.namespace}job:pack:box:c"]'},
        "child": {"a": "1"},
        "failed": processing() | {"_status": "failed", "_ended": str(NOW - 5), "_error": "{}"},
        "cancelled": {"_status": "cancelled", "_ended": str(NOW - 5), "_reason": "x"},
        "done": processing() | {"_status": "done", "_ended": str(NOW - 5)},
        "torn": processing() | {"_status": "cancelled", "_ended": str(NOW - 5), "_reason": "x"},
    }
    world.seed(
        jobs={f"shop:{name}": {**fields, "_lookups": lookups} for name, fields in kinds.items()}
        | {"pack:box:c": {"_parent": "shop:parent"}},
        lookups={"shop:user:7": [*kinds, "other"], "shop:team:a": [*reversed(kinds), "other"]},
        waiting={"pick": ["new", "x", "new2", "child"], "pack": ["waits"], "pack:box": ["c"]},
        delayed={"pack": {"delayed": NOW + 5}},
        processing={"pick": {"runs": NOW + 5}},
        children={"pack": {"parent": NOW - 5}},
        pending={"shop:parent": {"c"}},
        parents={"pack:box": {"c": "shop:parent"}},
        cancelling={"shop": {"shop:torn": "1"}},
    )
    for name in ("failed", "cancelled", "torn"):
        state = "failed" if name == "failed" else "cancelled"
        world.redis.zadd(world.key("ended", f"pick:{state}"), {name: NOW - 5})


def outcome(world: World) -> State:
    """Return all that is there, with what is counted and what has ended."""
    return world.snapshot(unseen=frozenset({"call"}), counts=True)


def same_as_single(world: World, single: str, many: str, **named: Argument) -> tuple[list[str], list[str]]:
    """Act on all ids one after another, and on a second scene at once: the answers and what is left are the same.

    Returns the words, and what else the many answer.
    """
    seed(world)
    alone = [world.run(single, id=job_id, **named) for job_id in IDS]
    expected = outcome(world)
    world.redis.delete(*world.redis.scan_iter(f"{world.namespace}*"))
    seed(world)
    words, names, errors = world.run(many, *IDS, **named)
    assert outcome(world) == expected
    assert words == [answer if isinstance(answer, str) else answer[0] for answer in alone]
    assert errors == []
    return words, names

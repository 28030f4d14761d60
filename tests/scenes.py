"""Of each script, scenes in which it writes what it can: for tests that hold for every script."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from flows.store.client.scripts import Argument
from flows.store.keys.operators import OperatorKeys
from tests.more_scenes import MORE_SCENES, count_log, seed_log
from tests.outcomes import ended
from tests.schedule_scenes import SCHEDULE_SCENES
from tests.tree_scenes import TREE_SCENES
from tests.world import NOW, QUEUES, TTL, VERBS, World, finish, packed, processing

BOX: Final = "pack:box"
UUID: Final = "00000001-0000-7000-8000-000000000000"

#: What is there before, and how the script is called.
Scene = tuple[Callable[[World], None], Callable[[World], Any]]


def seed_attempts(world: World) -> None:
    """Let worker `w1` have a job for each verb, and the last child of a parent; others wait, are due, or are gone."""
    jobs = {f"shop:{verb}": processing(_lookups="user:7", _history="{}") for verb in VERBS}
    jobs |= {"shop:w": {"_lookups": "user:7"}, "shop:late": {"_status": "delayed", "_queue": "pick"}}
    world.seed(
        jobs=jobs,
        processing={"pick": dict.fromkeys(VERBS, NOW + 9)},
        waiting={"pick": ["gone", "w"]},
        delayed={"pick": {"late": NOW}},
        lookups={"shop:user:7": ["dead", "w"]},
    )


def seed_family(world: World, *, policy: str = "continue") -> None:
    """Let a parent wait for one child, which worker `w1` has."""
    parent = processing("pack", _status="children", _policy=policy, _next="ship", _lookups="user:7")
    parent["children:pack:jobs"] = f'["{world.key("jobs", "pack:box:c")}"]'
    world.seed(
        jobs={"shop:9": parent, "pack:box:c": processing(BOX, _parent="shop:9")},
        children={"pack": {"9": NOW}},
        pending={"shop:9": {"c"}},
        parents={BOX: {"c": "shop:9"}},
        processing={BOX: {"c": NOW}},
    )


def seed_parent(world: World) -> None:
    """Let worker `w1` have a job that has written children of another visit."""
    world.seed(
        jobs={"shop:9": processing("pack")},
        settled={"shop:9:children:pack": {"old": "{}"}},
        building={"shop:9": [world.key("jobs", "pack:box:old")]},
    )


def seed_built(world: World) -> None:
    """Let worker `w1` have a job that has written all of its children."""
    seed_parent(world)
    world.run("build", *packed((("box", "a"),)), queue="pack", id="9", fence=1, offset=0)


def seed_cancelled(world: World) -> None:
    """Let a parent be cancelled whose children are left to others."""
    seed_family(world)
    world.seed(jobs={"pack:box:w": {"_parent": "shop:9"}}, waiting={BOX: ["w"]})
    world.redis.sadd(world.key("pending", "shop:9"), "w")
    both = ",".join(f'"{world.key("jobs", f"pack:box:{child}")}"' for child in "cw")
    world.edit("shop:9", **{"children:pack:jobs": f"[{both}]"})
    world.run("cancel", id="9", reason="why", **call(world))


def seed_ended(world: World) -> None:
    """Let a job be failed that had children once."""
    failed = processing(_status="failed", _ended="5", _error="{}", _lookups="user:7")
    world.seed(
        jobs={"shop:1": failed}, pending={"shop:1": {"c"}}, log={"shop:1": ["a"]}, lookups={"shop:user:7": ["1"]}
    )


def seed_damage(world: World) -> None:
    """Let jobs stand where they should not."""
    seed_family(world)
    world.seed_damaged(
        jobs={f"shop:{UUID}": {"_status": "waiting"}, "pack:box:c": processing(BOX, _status="done", _parent="shop:9")},
        processing={"pick": {"nobody": NOW + 10**9}},
    )


def seed_history(world: World) -> None:
    """Let our keys be of another server's history."""
    world.redis.hset(world.keys.history(), mapping={"replid": "0", "epoch": "7"})


def seed_former(world: World) -> None:
    """Let jobs stand in a queue that has another name by now."""
    world.seed(
        jobs={"shop:1": {"_lookups": "user:7"}, "shop:2": {"_status": "delayed", "_queue": "old"}},
        waiting={"old": ["1"]},
        delayed={"old": {"2": NOW}},
        lookups={"shop:user:7": ["1"]},
        meta={"old": {"owner": "shop"}},
        queues={"shop": {"old": "first", "pick": "first"}},
    )


def seed_paused(world: World) -> None:
    """Let a job wait in a queue that is paused."""
    world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"pick": ["1"]}, meta={"pick": {"paused": "inf"}})


def all_ended() -> list[list[Argument]]:
    """Return an attempt that ended by each verb."""
    return [ended(verb, verb) for verb in VERBS]


def call(world: World) -> dict[str, Argument]:
    """Return a key for the call, so that two calls leave the same."""
    return {"call": world.keys.call("c")}


def move_edited(world: World) -> object:
    """Move a job whose users and name become others."""
    named: dict[str, Argument] = {"edited": "user", "enters": "user:8\nuser:9", "lookup_ttl": TTL, **call(world)}
    return world.run("move_edited", "user", "[8, 9]", "b", "2", id="1", target="ship", **named)


def ask_stacks(world: World) -> object:
    """Ask a process for its stacks."""
    return world.run("ask_stacks", process=world.keys.process("shop", "p1"))


def tell_stacks(world: World) -> object:
    """Tell the stacks of a process."""
    return world.run("tell_stacks", text='{"tasks":1}', dump=OperatorKeys(world.keys.namespace).dump("p1"))


def find_waiting(world: World) -> object:
    """Find the jobs that wait in the first queue."""
    asked: dict[str, Argument] = {
        "source": world.keys.waiting("pick"),
        "source_kind": "waiting",
        "place_state": "waiting",
        "place_queue": "pick",
        "query": '{"want":{"where":[]},"but":[]}',
        "newest_first": 0,
        "at_index": 0,
        "at_time": 0,
        "at_id": "",
        "at_before": "",
        "most_looked": 500,
        "most_found": 100,
    }
    return world.run("find", **asked)


def seed_debounced(world: World) -> None:
    """Let a job be delayed by the calls with its key, and looked up by what it had first."""
    rest: list[Argument] = ["0", "user:7\n#debounce:k", 2, "_lookups", "user:7\n#debounce:k"]
    world.run("create", *rest, delay_ms=0, until_ms=-1, lookup_ttl=120_000, condition="debounce 9 99", **call(world))
    world.redis.delete(world.keys.call("c"))


def with_key(world: World, key: str, condition: str) -> object:
    """Create a job with a key."""
    lookups = f"user:8\n{key}"
    rest: list[Argument] = ["1", lookups, 4, "a", "1", "_lookups", lookups]
    return world.run("create", *rest, delay_ms=0, until_ms=-1, lookup_ttl=120_000, condition=condition, **call(world))


def seed_releases(world: World) -> None:
    """Let five releases have declared the flow, and a process have worked on two queues."""
    releases = {f"{number:04x}": "{}" for number in range(5)} | {f"{number:04x}:seen": "1" for number in range(5)}
    world.seed_damaged(
        flow={"shop": releases},
        process={"shop:p1": '{"at":1,"n":1,"host":"h"}'},
        processes={"shop": {"p1": NOW, "dead": 1}},
        workers={"pick": {"p1": NOW}, "pack": {"p1": NOW}},
        stats={"pick": {"m1": "|||", "last": "1"}},
    )


def fleet(world: World, **named: Argument) -> dict[str, Argument]:
    """Return the names of what a process says of itself."""
    keys = world.keys
    return {
        "declarations": keys.declarations("shop"),
        "processes": keys.processes("shop"),
        "process": keys.process("shop", "p1"),
        "process_name": "p1",
        "digest": "0000",
        "most": 5,
        "number": 2,
        "counts_ms": 30_000,
        "totals": "done failed",
        "kept": 3_600_000,
        "leaves": 0,
        **named,
    }


#: Scripts that write nothing.
READ_ONLY: Final = frozenset(
    {"count_endings", "due_schedules", "explain", "find", "locate", "observe", "position", "read_limits", "undeclared"}
)
#: Of each script, what is there and how it is called: so that it writes what it can.
SCENES: Final[dict[str, list[Scene]]] = {
    "turn": [(seed_attempts, lambda world: world.turn(*all_ended(), want=5, number=1))],
    "report": [
        (seed_attempts, lambda world: world.report(*all_ended())),
        (seed_family, lambda world: world.report(finish("c", result="1"), queue=BOX)),
        (lambda world: seed_family(world, policy="fail"), lambda world: world.report(ended("fail", "c"), queue=BOX)),
    ],
    "greet": [(seed_history, lambda world: world.run("greet"))],
    "rescue": [(seed_family, lambda world: world.run("rescue", queue=BOX))],
    "renew": [(seed_family, lambda world: world.run("renew", "c", 1, queue=BOX))],
    "cancel": [
        (seed_family, lambda world: world.run("cancel", id="9", reason="why", **call(world))),
        (seed_family, lambda world: world.run("cancel", id="c", flow=BOX, first=BOX, reason="why", **call(world))),
    ],
    "cascade": [(seed_cancelled, lambda world: world.run("cascade", parent="shop:9"))],
    "delete": [
        (seed_ended, lambda world: world.run("delete", id="1", **call(world))),
        (seed_family, lambda world: world.run("delete", id="c", flow=BOX, first=BOX, **call(world))),
    ],
    "build": [
        (
            seed_parent,
            lambda world: world.run("build", *packed((("box", "a"),)), queue="pack", id="9", fence=1, offset=0),
        )
    ],
    "add_line": [(seed_family, lambda world: world.run("add_line", id="9", new_line="{}", **call(world)))],
    "count_endings": [(seed_log, count_log)],
    "publish": [(seed_built, lambda world: world.run("publish", queue="pack", id="9", fence=1))],
    "progress": [
        (seed_family, lambda world: world.run("progress", "c", 1, "0.5", 0, 2, 9, "{}", queue=BOX, **call(world)))
    ],
    "retry_job": [(seed_ended, lambda world: world.run("retry_job", id="1", **call(world)))],
    "move": [
        (seed_ended, lambda world: world.run("move", id="1", target="ship", **call(world))),
        (
            lambda world: world.seed(jobs={"shop:1": {"_lookups": "user:7"}}, waiting={"pick": ["1"]}),
            lambda world: world.run("move", id="1", target="ship", **call(world)),
        ),
    ],
    "move_edited": [
        (
            lambda world: world.seed(
                jobs={"shop:1": {"a": "1", "_lookups": "user:7\nuser:8\nname:j"}},
                waiting={"pick": ["1"]},
                lookups={"shop:user:7": ["0", "1"], "shop:user:8": ["1"]},
            ),
            move_edited,
        ),
        (lambda world: world.seed(jobs={"shop:1": {"_lookups": "user:7"}}, waiting={"pick": ["1"]}), move_edited),
    ],
    "create": [
        (
            lambda _world: None,
            lambda world: world.run("create", "1", "user:7", 2, "a", "1", delay_ms=9, until_ms=-1, lookup_ttl=120_000),
        ),
        (
            lambda _world: None,
            lambda world: world.run("create", "1", "user:7", 2, "a", "1", delay_ms=0, until_ms=-1, lookup_ttl=120_000),
        ),
        (lambda _world: None, lambda world: with_key(world, "#key:k", "key")),
        (lambda _world: None, lambda world: with_key(world, "#unique:k", "unique ended")),
        (seed_debounced, lambda world: with_key(world, "#debounce:k", "debounce 9 99")),
    ],
    "withdraw": [
        (
            lambda world: world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"pick": ["1"]}),
            lambda w: w.run("withdraw", id="1"),
        )
    ],
    "register": [
        (
            lambda _world: None,
            lambda world: world.run("register", "pick", "shop", "flow", owner="shop", queue_count=1, former_count=0),
        )
    ],
    "declare": [
        (seed_releases, lambda world: world.run("declare", **fleet(world))),
        (seed_releases, lambda world: world.run("declare", "{}", **fleet(world, digest="abcd"))),
    ],
    "heartbeat": [
        (
            seed_releases,
            lambda world: world.run(
                "heartbeat", '{"host":"h"}', "pick", 1, "0:1", "0:1", "pack", 0, "", "", **fleet(world, now=1 << 42)
            ),
        ),
        (
            seed_releases,
            lambda world: world.run(
                "heartbeat", '{"host":"h"}', "pick", 0, "", "", "pack", 0, "", "", **fleet(world, leaves=1)
            ),
        ),
    ],
    "ask_stacks": [(seed_releases, ask_stacks)],
    "tell_stacks": [(lambda _world: None, tell_stacks)],
    "drain": [(seed_former, lambda world: world.run("drain", former="old"))],
    "find": [(seed_former, find_waiting)],
    "explain": [
        (seed_family, lambda world: world.run("explain", *QUEUES, id="9")),
        (seed_former, lambda world: world.run("explain", *QUEUES, id="1")),
    ],
    "locate": [(seed_former, lambda world: world.run("locate", "1"))],
    "observe": [(seed_former, lambda world: world.run("observe", "pick", "pack"))],
    "pause": [
        (seed_former, lambda world: world.run("pause", until_ms="inf", note="why")),
        (seed_paused, lambda world: world.run("pause", until_ms="0", note="")),
    ],
    "position": [(seed_former, lambda world: world.run("position", "pick", id="1"))],
    "undeclared": [(seed_former, lambda world: world.run("undeclared", "pick"))],
    "introduce": [(seed_damage, lambda world: world.run("introduce"))],
    "reconcile": [(seed_damage, lambda world: world.run("reconcile", *QUEUES))],
    **MORE_SCENES,
    **SCHEDULE_SCENES,
    **TREE_SCENES,
}


def everything(world: World) -> dict[str, Any]:
    """Return all that is there, and how long it lives, in minutes."""
    keys = sorted(world.redis.scan_iter(f"{world.namespace}*", count=10_000))
    return {
        **world.snapshot(unseen=frozenset()),
        "lives": {key: (world.redis.pttl(key) + 20_000) // 60_000 for key in keys},
    }


def clear(world: World) -> None:
    """Remove everything."""
    keys = [*world.redis.scan_iter(f"{world.namespace}*", count=10_000)]
    if keys:
        world.redis.unlink(*keys)

"""Scenes of the scripts that act on many jobs, and of those that set limits and priorities: see scenes.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from flows.store.client.scripts import Argument
from tests.world import NOW, World, processing

Scene = tuple[Callable[[World], None], Callable[[World], Any]]


def seed_many(world: World) -> None:
    """Let a job wait, one be delayed, one run, one have failed, and a parent wait for its child."""
    parent = processing("pack", _status="children", _policy="continue", _next="ship", _lookups="user:7")
    parent["children:pack:jobs"] = f'["{world.key("jobs", "pack:box:c")}"]'
    world.seed(
        jobs={
            "shop:1": {"_lookups": "user:7"},
            "shop:2": {"_status": "delayed", "_queue": "pick"},
            "shop:3": processing(),
            "shop:4": processing(_status="failed", _ended="5", _error="{}", _lookups="user:7"),
            "shop:9": parent,
            "pack:box:c": {"_parent": "shop:9"},
        },
        waiting={"pick": ["1"], "pack:box": ["c"]},
        delayed={"pick": {"2": NOW + 9}},
        processing={"pick": {"3": NOW + 9}},
        children={"pack": {"9": NOW}},
        pending={"shop:9": {"c"}},
        parents={"pack:box": {"c": "shop:9"}},
        lookups={"shop:user:7": ["1", "4", "9"]},
    )


def many(script: str, **named: Argument) -> Scene:
    """Return the scene in which a script acts on all of these jobs."""
    return seed_many, lambda world: world.run(script, *"12349", **{"call": world.keys.call("c"), **named})


def seed_parked(world: World) -> None:
    """Let a group wait in its turn, and another be parked."""
    world.seed(jobs={"shop:1": {"guild": "7"}})
    world.redis.rpush(world.key("group", "pick/1/7"), "1")
    world.redis.zadd(world.key("ring", "pick/1"), {"7": 0})
    world.redis.zadd(world.key("parked", "pick"), {"1/8": NOW + 5})


def hold(scope: str, group: str = "") -> Scene:
    """Return the scene in which a queue is held, or a group of it."""
    named: dict[str, Argument] = {"scope": scope, "group": group, "id": "", "field": "guild", "priorities": 1}
    return seed_parked, lambda world: world.run("hold", delay_ms=1_000, until_ms=0, **named)


def set_live(world: World) -> object:
    """Set a limit of one group, and take another number back."""
    rest = ("live:8", "5/1000", "live", "")
    return world.run("set_live", len(rest), *rest, "pick", "8", hash_kind="limit", hash_name="api")


def read_limits(world: World) -> object:
    """Read the limits of a queue."""
    return world.run("read_limits", "api", "g", group="8", id="", field="guild", sharing="")


def seed_waiting(world: World) -> None:
    """Let a job wait."""
    world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"pick": ["1"]})


def seed_app(world: World) -> None:
    """Let two releases of an app have been seen, the older one long ago."""
    releases = {"app:0000": "{}", "app:0000:seen": "1", "app:0001": "{}", "app:0001:seen": str(NOW)}
    world.seed_damaged(flow={"run": releases})


def sync(world: World, digest: str) -> object:
    """Say that a release of the app is here."""
    named: dict[str, Argument] = {"declarations": world.keys.declarations("run"), "app": "app", "digest": digest}
    return world.run("sync", "{}", **named, most=5, alive_ms=30_000, written=1)


def seed_log(world: World) -> None:
    """Log two endings."""
    for word in ("done", "failed"):
        world.redis.xadd(world.keys.endings("shop", word), {"id": "1", "type": '"mail"'}, id="1000-0")


def count_log(world: World) -> object:
    """Count what has ended."""
    log = world.keys.endings("shop", "done")
    return world.run("count_endings", log=log, borders="0 2000", field="type", most=10, **{"from": ""})


def seed_running(world: World) -> None:
    """Let a job run that has streamed nothing yet."""
    world.seed(jobs={"shop:1": processing()}, processing={"pick": {"1": NOW + 9}})


def stream(world: World) -> object:
    """Write two pieces of text that a job streams."""
    return world.run("stream", "1", 1, 0, 2, '{"text":"a"}', '{"text":"b"}', call=world.keys.call("c"))


def seed_tenant(world: World) -> None:
    """Let a service have a tenant."""
    world.redis.hset(world.key("tenants", "shop"), mapping={"acme": "1 {}", "#rev": "1"})


def change_tenant(seen: int, record: str) -> Scene:
    """Return the scene in which it is changed or removed."""
    named: dict[str, Argument] = {"service": "shop", "tenant_id": "acme", "seen": seen, "record": record}
    return seed_tenant, lambda world: world.run("change_tenant", **named)


MORE_SCENES: Final[dict[str, list[Scene]]] = {
    "cancel_jobs": [many("cancel_jobs", reason="why")],
    "change_tenant": [change_tenant(1, '{"n":1}'), change_tenant(0, "")],
    "delete_jobs": [many("delete_jobs")],
    "sync": [(seed_app, lambda world: sync(world, "app:0001")), (seed_app, lambda world: sync(world, "app:0002"))],
    "hold": [hold("queue"), hold("group", "7")],
    "move_jobs": [many("move_jobs", target="ship")],
    "read_limits": [(seed_parked, read_limits)],
    "retry_jobs": [many("retry_jobs")],
    "set_live": [(seed_parked, set_live)],
    "set_priority": [(seed_waiting, lambda world: world.run("set_priority", id="1", priority=2))],
    "stream": [(seed_running, stream)],
}

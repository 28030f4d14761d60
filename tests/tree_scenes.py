"""Scenes of the scripts of trees: see scenes.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from flows.store.client.scripts import Argument
from tests.store.trees.tree_world import DONE, ID, OK, RUN, begun, created, tree_named, written
from tests.world import World

Scene = tuple[Callable[[World], None], Callable[[World], Any]]


def sent(script: str, *rest: Argument, **named: Argument) -> Callable[[World], Any]:
    """Return what sends a script, with its usual arguments but for these."""
    return lambda world: world.run(script, *rest, **{**tree_named(world), "call": world.keys.call(script), **named})


def seed_instance(world: World) -> None:
    """Let an instance have ended an execution that made it expire, with all that one has."""
    sent("create_instance", *created(["app", "imports", "tree_digest", "d"], key="k"))(world)
    sent("begin_execution", *begun())(world)
    sent("log_task", '{"text":"x"}', '{"text":"y"}', path="#.b")(world)
    records = ("#.a", OK, "1", "#.b", OK, "2")
    sent("write_tasks", *written(*records, end_record=DONE, ttl_ms=600_000, call_id="a"))(world)
    forget_calls(world)


def seed_under_way(world: World) -> None:
    """Let an execution be under way, with a task that is done."""
    seed_instance(world)
    sent("begin_execution", *begun("e2", 5))(world)
    sent("write_tasks", *written("#.a", '{"status":"running"}', "", execution="e2", call_id="b"))(world)
    forget_calls(world)


def seed_index(world: World) -> None:
    """Let an instance be in the index."""
    sent("index_instances", ID, 1, "imports", "acme", "1", "{}")(world)


def forget_calls(world: World) -> None:
    """Forget the answers of the calls that have seeded it."""
    for key in world.redis.scan_iter(f"{world.namespace}flows:call:*"):
        world.redis.delete(key)


END: Final[dict[str, Any]] = {"execution": "e2", "end_record": DONE, "ttl_ms": 600_000}
OTHER: Final = begun("e3", 5, ["#.b"], tree_digest="e", tree="[]")

TREE_SCENES: Final[dict[str, list[Scene]]] = {
    "begin_execution": [(seed_instance, sent("begin_execution", *OTHER))],
    "change_instance": [
        (
            seed_instance,
            sent("change_instance", 2, "tree", "[]", "#.b", if_revision=5, is_of_tree=1),
        )
    ],
    "create_instance": [
        (lambda _world: None, sent("create_instance", *created(["app", "imports"], key="k"))),
        (lambda _world: None, sent("create_instance", *created(["app", "imports"]))),
    ],
    "delete_instance": [(seed_instance, sent("delete_instance"))],
    "drop_tasks": [(seed_instance, sent("drop_tasks", "#.b", if_changed=1))],
    "index_instances": [(seed_index, sent("index_instances", ID, 2, "imports", "other", "", "{}"))],
    "log_task": [(seed_instance, sent("log_task", '{"text":"z"}', '{"text":"z"}', path="#.b", most_lines=1))],
    "mark_indexed": [(seed_instance, sent("mark_indexed", ID, 5, "gone", 0, "other", 1))],
    "unindex_instances": [(seed_index, sent("unindex_instances", ID))],
    "write_tasks": [
        (seed_under_way, sent("write_tasks", *written("#.a", OK, "1", **END))),
        (seed_under_way, sent("write_tasks", *written("#.a", OK, "1", execution="e2", is_child=1))),
    ],
}
assert RUN == "e1"

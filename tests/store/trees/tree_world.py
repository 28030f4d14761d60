"""Instances below one namespace, at a time that the test owns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from redis import Redis

from flows.store.client.scripts import Argument
from flows.store.keys.trees import TreeKeys
from tests.world import World

#: The instance of most tests, its execution, and a record.
ID: Final = "0193"
RUN: Final = "e1"
OK: Final = '{"status":"ok","run":"e1"}'
RUNNING: Final = '{"status":"running","run":"e1"}'
DONE: Final = '{"status":"done","run":"e1"}'
#: The keys of an instance, as snapshots name them.
PARTS: Final = ("tree", "treetasks", "treeresults", "treelog")


def tree_named(world: World, instance_id: str = ID) -> dict[str, Argument]:
    """Return the keys and the usual arguments of scripts of trees."""
    keys = TreeKeys(world.namespace)
    return {
        "instance_id": instance_id,
        "instance": keys.tree(instance_id),
        "tasks": keys.tasks(instance_id),
        "results": keys.results(instance_id),
        "log": keys.log(instance_id),
        "apps": keys.apps(),
        "if_revision": 1,
        "if_changed": 1,
        "is_another_tree": 0,
        "is_of_tree": 0,
        "path": "#.a",
        "most_lines": 1000,
        "outbox": keys.outbox("imports"),
        "rows": keys.rows(),
    }


def created(fields: Sequence[Argument], instance_id: str = ID, key: str = "") -> list[Argument]:
    """Return what `create_instance` takes for one instance of the app `imports`."""
    held = f"imports:{key}" if key else ""
    flat = [*fields, *(["key", held] if key else [])]
    return [instance_id, "imports", held, len(flat), *flat]


def begun(execution: str = RUN, if_revision: int = 1, gone: Sequence[str] = (), **named: Any) -> list[Argument]:
    """Return what `begin_execution` takes for one execution; a tree is another one than the instance has."""
    digest, tree = named.get("tree_digest", "d"), {"tree": named["tree"]} if "tree" in named else {}
    flat = [part for pair in {"_path": "#", "tree_digest": digest, **tree}.items() for part in pair]
    record = f'{{"status":"working","run":"{execution}"}}'
    head = (named.get("instance_id", ID), execution, if_revision, record, digest, len(tree), len(flat), len(gone))
    return [*head, *flat, *gone]


def written(*records: Argument, instance_id: str = ID, **named: Argument) -> list[Argument]:
    """Return what `write_tasks` takes for one write: of each record its path, its text, and its result or nothing."""
    usual = {"execution": RUN, "fence": 1, "is_child": 0, "first": 0, "end_record": "", "ttl_ms": "", "call_id": "c"}
    made: list[Argument] = []
    texts: list[Argument] = []
    for path, text, result in zip(records[::3], records[1::3], records[2::3], strict=True):
        texts += (path, text)
        if result != "":
            made += (path, result)
    return [instance_id, *{**usual, **named}.values(), len(made), len(texts), *made, *texts]


class TreeWorld(World):
    """Instances of the app `imports`."""

    def __init__(self, redis: Redis, namespace: str, **settings: Any) -> None:
        """Use the usual settings, or others."""
        super().__init__(redis, namespace, **settings)
        self.trees = TreeKeys(namespace)

    def _usual(self, **named: Argument) -> dict[str, Argument]:
        return {**super()._usual(**named), **tree_named(self, str(named.get("instance_id", ID)))}

    def create(self, instance_id: str = ID, key: str = "", **named: Argument) -> str:
        """Create an instance; the id of the one that is there."""
        fields: list[Argument] = ["app", "imports", "generator", "site", "tree_digest", "d", "tree", "{}"]
        answers: list[list[str]] = self.run("create_instance", *created(fields, instance_id, key), **named)
        [[word, about]] = answers
        return about if word == "there" else f"{word}: {about}"

    def begin(self, execution: str = RUN, if_revision: int = 1, **named: Any) -> list[Any]:
        """Begin an execution; the answer."""
        found: list[list[Any]] = self.run("begin_execution", *begun(execution, if_revision, **named))
        return found[0]

    def write(self, *records: Argument, **named: Any) -> list[Any]:
        """Write records; the answer."""
        named.setdefault("call_id", self.settings.new_call())
        found: list[list[Any]] = self.run("write_tasks", *written(*records, **named))
        return found[0]

    def hash(self, kind: str, name: str = ID) -> dict[str, str]:
        """Return a hash, as it stands."""
        found: Any = self.redis.hgetall(self.key(kind, name))
        return found

    def due(self) -> dict[str, float]:
        """Return the outbox."""
        return dict(self.redis.zrange(self.trees.outbox("imports"), 0, -1, withscores=True))  # type: ignore[arg-type]

    @contextmanager
    def told(self, instance_id: str = ID) -> Iterator[list[str]]:
        """Gather the messages of an instance into the list that is yielded, which is full at the end."""
        found: list[str] = []
        with self.redis.pubsub(ignore_subscribe_messages=True) as listener:
            listener.ssubscribe(self.trees.changed(instance_id))
            while not listener.subscribed or not listener.shard_channels:
                listener.get_sharded_message(timeout=1)
            yield found
            self.redis.spublish(self.trees.changed(instance_id), "end")
            while True:
                message = listener.get_sharded_message(timeout=1)
                if message is not None:
                    if message["data"] == "end":
                        return
                    found.append(message["data"])

"""Reads keys by plain commands: who stands in which queue, whose children are there; and takes hashes away."""

from __future__ import annotations

import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

import redis

from tests.faults.flow_under_test import QUEUES

_PLACES: Final = {"waiting": "llen", "processing": "zcard", "delayed": "zcard", "children": "zcard"}
_MANY: Final = 1000


def standing(client: redis.Redis, *queues: str, places: Iterable[str] = _PLACES) -> int:
    """Return how many ids stand in these queues, or in all; `places` names those that count."""
    with client.pipeline(transaction=False) as pipeline:
        for queue in queues or QUEUES:
            for place in places:
                getattr(pipeline, _PLACES[place])(f"queue:{queue}:{place}")
        counts: list[Any] = pipeline.execute()
    return sum(counts)


def rest_reconciler(client: redis.Redis) -> None:
    """Let the reconciler rest for a minute, its longest pause: what it could repair, others have to do."""
    seconds, _micros = client.time()  # type: ignore[misc]
    client.hset("flows:reconcile:orders", "at", str((seconds + 59) * 1000))


def dropped(client: redis.Redis, name: str) -> int:
    """Return how many ids the claims of all queues have dropped as `expired`, `malformed` or `misplaced`."""
    found: list[Any] = [client.hget(f"queue:{queue}:meta", name) for queue in QUEUES]
    return sum(int(count or 0) for count in found)


def read(client: redis.Redis, keys: Sequence[str]) -> list[dict[str, str]]:
    """Return the hashes at these keys; one that is not there is empty."""
    found: list[dict[str, str]] = []
    for start in range(0, len(keys), _MANY):
        with client.pipeline(transaction=False) as pipeline:
            for key in keys[start : start + _MANY]:
                pipeline.hgetall(key)
            found += pipeline.execute()
    return found


def there(client: redis.Redis, keys: Sequence[str]) -> list[str]:
    """Return those of the keys that exist."""
    found: list[Any] = []
    for start in range(0, len(keys), _MANY):
        with client.pipeline(transaction=False) as pipeline:
            for key in keys[start : start + _MANY]:
                pipeline.exists(key)
            found += pipeline.execute()
    return [key for key, exists in zip(keys, found, strict=True) if exists]


def children(client: redis.Redis) -> dict[str, list[str]]:
    """Return the keys of all children that are there, by their parent's id."""
    keys = sorted(key for key in client.scan_iter("job:pack:*", count=10_000) if ":children:" not in key)
    found: dict[str, list[str]] = defaultdict(list)
    for key, fields in zip(keys, read(client, keys), strict=True):
        found[fields.get("_parent", "nobody").rpartition(":")[2]].append(key)
    return found


def take_away(client: redis.Redis, chance: random.Random, keys: Sequence[str]) -> None:
    """Let hashes disappear: some are deleted, the others expire."""
    with client.pipeline(transaction=False) as pipeline:
        for key in keys:
            if chance.random() < 0.5:
                pipeline.delete(key)
            else:
                pipeline.pexpire(key, 1)
        pipeline.execute()
    time.sleep(0.005)


def endings(results: Iterable[dict[str, Any]]) -> Counter[str]:
    """Count the children in results as their parent sees them, by how they ended."""
    return Counter(str(child["status"]) for result in results for of in result.values() for child in of)

"""What must hold of runs at rest, when all have ended: nothing of them stands anywhere, and each goes in its time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from redis import Redis

_ENDED = frozenset({"done", "failed", "cancelled"})
_PLACES = ("waiting", "processing", "delayed", "building")


def wrongs(client: Redis, namespace: str) -> Iterator[str]:
    """Yield what does not hold, a sentence each."""
    for key in client.scan_iter(f"{namespace}*", count=10_000):
        name = str(key).removeprefix(namespace)
        if name.startswith("job:run:"):
            yield from _of_job(client, str(key), name)
        elif name.startswith("queue:") and name.rpartition(":")[2].partition("/")[0] in _PLACES:
            yield f"{name} is there: {_held(client, str(key))}"
        elif name.startswith("flows:waiters:"):
            yield f"{name} is there: {client.hgetall(key)}"


def _of_job(client: Redis, key: str, name: str) -> Iterator[str]:
    if client.type(key) != "hash":
        return
    if ":children:" in name:
        yield f"{name} is there: {client.hgetall(key)}"
        return
    status = client.hget(key, "_status")
    if status not in _ENDED:
        yield f"{name} is {status}"
    elif int(client.ttl(key)) < 0:
        yield f"{name} has ended, and stays for ever"
    waits = [field for field, value in fields(client, key).items() if value.startswith('{"status":"waiting"')]
    if waits and status == "done":
        yield f"{name} is done, and {waits} wait"


def fields(client: Redis, key: str) -> dict[str, str]:
    """Return the steps of a run's hash."""
    found: Any = client.hgetall(key)
    return {name: value for name, value in found.items() if name.startswith("step:")}


def _held(client: Redis, key: str) -> object:
    return client.lrange(key, 0, 5) if client.type(key) == "list" else client.zrange(key, 0, 5)

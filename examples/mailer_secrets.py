"""Looks for secrets where none may be: in the keys of the server, in logs, in what the dashboard shows, in bodies."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from typing import Any, Final

from flows.api import Admin
from flows.api.jobs import log, show
from flows.store.client.connection import Connection

#: So many jobs are looked at as the dashboard shows them.
SHOWN = 200
#: How all of a key is read, by its type.
READS: Final[dict[bytes, tuple[str, ...]]] = {
    b"string": ("GET",),
    b"hash": ("HGETALL",),
    b"list": ("LRANGE", "0", "-1"),
    b"set": ("SMEMBERS",),
    b"zset": ("ZRANGE", "0", "-1"),
    b"stream": ("XRANGE", "-", "+"),
}


def count_seen(secrets: Iterable[str], texts: Iterable[bytes]) -> int:
    """Return how many times a secret stands in texts."""
    sought = [secret.removeprefix("whsec_").encode() for secret in secrets]
    return sum(text.count(one) for text in texts for one in sought)


async def count_on_server(secrets: Iterable[str], redis_url: str | None, namespace: str, ids: Sequence[str]) -> int:
    """Return how many times a secret stands in the keys of a namespace, and in what operators are shown of jobs."""
    sought, texts = list(secrets), list[bytes]()
    async with Admin(redis_url, namespace) as admin:
        for job_id in ids[:SHOWN]:
            texts.append((await show(admin, job_id, whole=True)).model_dump_json().encode())
            texts.append((await log(admin, job_id, whole=True)).model_dump_json().encode())
        seen = count_seen(sought, texts)
        async with aclosing(_values(admin.link.connection, namespace)) as values:
            async for value in values:
                seen += count_seen(sought, [value])
    return seen


async def _values(connection: Connection, namespace: str) -> AsyncGenerator[bytes]:
    cursor: Any = b"0"
    while True:
        cursor, keys = await connection.call("SCAN", cursor, "MATCH", f"*{namespace}*", "COUNT", 1000)
        for key in keys:
            kind = await connection.call("TYPE", key)
            value: Any = await connection.call(READS[kind][0], key, *READS[kind][1:]) if kind in READS else None
            yield repr((key, value)).encode()
        if cursor == b"0":
            return

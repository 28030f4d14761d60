"""Reads which flows a namespace has, their queues, and to which flow a job belongs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from flows.store.client.connection import translated
from flows.store.client.wire import ReplyError
from flows.store.keys.jobs import JobKeys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.store.client.connection import Connection
    from flows.store.client.scripts import Command

#: How a flow's own name stands among the names that are taken.
_FLOW: Final = b"flow of "
#: Among what stands beside a declaration: when it was seen, and results.
_DIGEST: Final = re.compile(rb"([^:]+:)?[0-9a-f]+")


async def read_flows(connection: Connection, keys: JobKeys) -> dict[str, tuple[str, ...]]:
    """Return the flows of the namespace by name, sorted, each with the full names of the queues that it ever had.

    Raises:
        StoreError: the server cannot be used.
    """
    flat: list[bytes] = await connection.call("HGETALL", keys.names())
    kinds = zip(flat[::2], flat[1::2], strict=True)
    flows = sorted(name.decode("utf-8", "replace") for name, kind in kinds if kind == _FLOW + name)
    commands: list[Command] = [("HKEYS", keys.queues(flow)) for flow in flows]
    return dict(zip(flows, map(_names, await connection.together(commands)), strict=True))


async def read_namespaces(connection: Connection) -> set[str]:
    """Return the namespaces in which a flow has ever connected; it looks at all keys, so it is for small servers.

    Raises:
        StoreError: the server cannot be used.
    """
    names, cursor = JobKeys("").names(), b"0"
    found: set[str] = set()
    while True:
        cursor, keys = await connection.call("SCAN", cursor, "MATCH", f"*{names}", "COUNT", 10_000)
        found |= {key.decode("utf-8", "replace").removesuffix(names) for key in keys}
        if cursor == b"0":
            return found


async def read_digests(connection: Connection, keys: JobKeys, flow: str) -> set[str]:
    """Return the digests of what a flow was declared as; those of runs begin with an app's name and `:`.

    Raises:
        StoreError: the server cannot be used.
    """
    fields: list[bytes] = await connection.call("HKEYS", keys.declarations(flow))
    return {digest[0].decode() for field in fields if (digest := _DIGEST.fullmatch(field))}


async def flow_of_job(connection: Connection, keys: JobKeys, job_id: str, flows: Sequence[str]) -> str | None:
    """Return which of these flows a job belongs to; None where it is gone.

    Args:
        connection: To the server.
        keys: Those of the namespace.
        job_id: The job's id.
        flows: Names of flows, and full names of child queues, which are the flows of children.

    Raises:
        StoreError: the server cannot be used.
    """
    commands: list[Command] = [("EXISTS", keys.job(flow, job_id)) for flow in flows]
    for flow, reply in zip(flows, await connection.together(commands), strict=True):
        if isinstance(reply, ReplyError):
            raise translated(reply)
        if reply == 1:
            return flow
    return None


async def read_layouts(connection: Connection, keys: JobKeys, queues: Sequence[str]) -> str:
    """Return in which lists the jobs of queues may stand, as `FlowSettings.with_layouts` takes it.

    Raises:
        StoreError: the server cannot be used.
    """
    commands: list[Command] = [("HGET", keys.meta(queue), "rules") for queue in queues]
    found = zip(queues, await connection.together(commands), strict=True)
    texts = ((queue, layout.decode("utf-8", "replace")) for queue, layout in found if isinstance(layout, bytes))
    return "\n".join(f"{queue} {layout}" for queue, layout in texts if _is_layout(layout))


async def read_settings(connection: Connection, keys: JobKeys, flow: str) -> tuple[dict[str, str], str]:
    """Return what processes of a flow have written for others, as lines of its settings.

    By queue where its jobs go next from the queues that other flows share, and what the ends of its jobs leave behind.

    Raises:
        StoreError: the server cannot be used.
    """
    [text] = await connection.together([("GET", keys.settings(flow))])
    lines = text.decode("utf-8", "replace").split("\n") if isinstance(text, bytes) else []
    shared = {line.split(" ")[1]: line for line in lines if line.startswith("= ") and line.count(" ") > 1}
    return shared, "\n".join(line for line in lines if line.startswith(("@ ", "> ")))


def _names(reply: Any) -> tuple[str, ...]:
    """Return names; none where somebody has put something else into the key."""
    return () if isinstance(reply, ReplyError) else tuple(sorted(name.decode("utf-8", "replace") for name in reply))


def _is_layout(text: str) -> bool:
    priorities, _, group = text.partition(" ")
    return priorities.isdigit() and bool(group) and " " not in group and len(priorities) <= 2  # noqa: PLR2004 - digits

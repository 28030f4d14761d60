"""Reads which processes work on a flow, and on one of its queues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flows.model.fleet.process import Process, digest_of, read_process
from flows.store.client.connection import translated
from flows.store.client.wire import ReplyError

if TYPE_CHECKING:
    from flows.store.client.connection import Connection
    from flows.store.client.scripts import Command
    from flows.store.jobs.flow_settings import FlowSettings

#: So many processes are listed at most, those that were heard of last.
_MOST: Final = 1000
#: So many processes of a queue are asked for their releases.
_MOST_OF_QUEUE: Final = 200
#: An index of ours that holds another type reads as empty.
_WRONG_TYPE: Final = "WRONGTYPE"


async def read_processes(connection: Connection, settings: FlowSettings, flow: str | None = None) -> list[Process]:
    """Return the processes that have workers of a flow, and those that were killed within the last hour.

    Those that live come first, each kind by name. A process that has stopped in order is not listed.

    Args:
        connection: To the server.
        settings: Those of any flow in the namespace.
        flow: Its name; the settings' own where it is left out.

    Raises:
        StoreError: the server cannot be used.
    """
    flow = flow or settings.flow
    now, listed = await _listed(connection, settings, settings.keys.processes(flow), _MOST)
    texts = await _heartbeats(connection, settings, flow, [name for name, _until in listed])
    found = [read_process(name, until, text, now) for (name, until), text in zip(listed, texts, strict=True)]
    return sorted(found, key=lambda process: (not process.alive, process.name))


async def live_releases(connection: Connection, settings: FlowSettings, queue: str) -> set[str | None]:
    """Return the digests of the releases whose processes have workers of a queue just now; None: one is not known.

    Raises:
        StoreError: the server cannot be used.
    """
    now, listed = await _listed(connection, settings, settings.keys.workers(queue), _MOST_OF_QUEUE)
    live = [name for name, until in listed if until > now]
    return set(map(digest_of, await _heartbeats(connection, settings, settings.flow, live)))


async def _listed(
    connection: Connection, settings: FlowSettings, index: str, most: int
) -> tuple[int, list[tuple[str, float]]]:
    """Return the server's time, and the names in an index with the times until which they count."""
    commands: list[Command] = [("TIME",), ("ZREVRANGE", index, 0, most - 1, "WITHSCORES")]
    time, flat = [_plain(reply) for reply in await connection.together(commands)]
    now = int(time[0]) * 1000 + int(time[1]) // 1000 + settings.ahead_ms
    names = [name.decode("utf-8", "replace") for name in flat[::2]]
    return now, list(zip(names, map(float, flat[1::2]), strict=True))


async def _heartbeats(
    connection: Connection, settings: FlowSettings, flow: str, names: list[str]
) -> list[bytes | None]:
    if not names:
        return []
    found: list[bytes | None] = await connection.call("MGET", *(settings.keys.process(flow, name) for name in names))
    return found


def _plain(reply: Any) -> Any:
    if isinstance(reply, ReplyError):
        if reply.code == _WRONG_TYPE:
            return []
        raise translated(reply)
    return reply

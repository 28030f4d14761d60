"""Writes which workflows the processes of an app define, and reads which apps know which workflows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, cast

from flows.store.fleet.declarations import MOST, read_fields

if TYPE_CHECKING:
    from flows.model.declared.description import Description
    from flows.store.client.connection import Connection
    from flows.store.client.scripts import Argument
    from flows.store.jobs.answers import SyncAnswer
    from flows.store.jobs.flow_settings import FlowSettings

#: A workflow is known while a process that defines it was heard of within so many milliseconds.
ALIVE_MS: Final = 30_000
_SEEN: Final = ":seen"
_WRITTEN: Final = ":written"


async def sync(
    connection: Connection, settings: FlowSettings, app: str, description: Description, *, written: bool
) -> SyncAnswer:
    """Record what this process of an app defines, and drop what its earlier releases did and nobody has seen lately.

    Args:
        connection: To the server.
        settings: Those of the flow of runs.
        app: The app's name.
        description: Of what it defines; its digest begins with the app's name.
        written: Whether a deploy script writes it: it then counts until the next one does, without a live process.

    Returns:
        "known" or "written"; "conflict" where the key holds another type: nothing is written then.

    Raises:
        StoreError: the server cannot be used.
    """
    script = settings.script("sync")
    named: dict[str, Argument] = {
        **settings.named(),
        "declarations": settings.keys.declarations(settings.flow),
        "app": app,
        "digest": description.digest,
        "most": MOST,
        "alive_ms": ALIVE_MS,
        "written": int(written),
    }
    word = await connection.run(script, named)
    if word == b"wanted":
        word = await connection.run(script, named, [description.text])
    return cast("SyncAnswer", word.decode())


@dataclass(frozen=True, slots=True)
class DeclaredWorkflow:
    """A workflow as one release of an app defines it."""

    app: str
    name: str
    queue: str
    version: str
    seen: datetime | None
    """When a process of that release was heard of last, by the server's clock, in UTC."""
    live: bool
    """Whether that was within 30 s, or a deploy script has written it last."""
    declared: dict[str, Any]
    """All that is said of it, as plain JSON: schemas, lookups, rules."""


async def read_workflows(connection: Connection, settings: FlowSettings) -> list[DeclaredWorkflow]:
    """Return the workflows that the apps of the namespace define, those of each app's newest release first.

    What was edited into nonsense is left out.

    Raises:
        StoreError: the server cannot be used.
    """
    seconds, micros = await connection.call("TIME")
    now = int(seconds) * 1000 + int(micros) // 1000 + settings.ahead_ms
    fields = await read_fields(connection, settings, None)
    found: list[DeclaredWorkflow] = []
    for digest, text in fields.items():
        app, mark, name = digest.partition(":")
        if mark and name and ":" not in name and f":{name}" != _WRITTEN:
            seen = _whole(fields.get(f"{digest}{_SEEN}"))
            live = now - seen < ALIVE_MS or fields.get(f"{app}{_WRITTEN}") == digest.encode()
            found += _read(app, text, seen, live=live)
    return sorted(found, key=lambda one: 0.0 if one.seen is None else -one.seen.timestamp())


def _read(app: str, text: bytes, seen: int, *, live: bool) -> list[DeclaredWorkflow]:
    try:
        at = datetime.fromtimestamp(seen / 1000, UTC) if seen else None
        return [
            DeclaredWorkflow(app, str(one["name"]), str(one["queue"]), str(one["version"]), at, live, dict(one))
            for one in json.loads(text)["workflows"]
        ]
    except (ValueError, TypeError, KeyError, OverflowError, OSError, RecursionError):
        return []


def _whole(raw: bytes | None) -> int:
    return int(raw) if raw is not None and raw.isdigit() else 0

"""Writes what a flow declares, where that is new, and reads the declarations of its releases back."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final, cast

from flows.errors import KeyConflict
from flows.model.declared.declared_flow import DeclaredClass, DeclaredFlow, read_declared, read_results

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flows.model.declared.description import Description
    from flows.store.client.connection import Connection
    from flows.store.client.scripts import Argument
    from flows.store.jobs.answers import DeclareAnswer
    from flows.store.jobs.flow_settings import FlowSettings

#: Of a flow, so many declarations are kept.
MOST: Final = 5
_SEEN: Final = ":seen"
_RESULT: Final = "result:"


async def declare(connection: Connection, settings: FlowSettings, description: Description) -> DeclareAnswer:
    """Record what this process declares; the text is sent only where the server does not know it.

    Returns "known" or "written"; "conflict" where the key holds another type: nothing is written then.

    Raises:
        StoreError: the server cannot be used.
    """
    script = settings.script("declare")
    named: dict[str, Argument] = {
        **settings.named(),
        "declarations": settings.keys.declarations(settings.flow),
        "digest": description.digest,
        "most": MOST,
    }
    word = await connection.run(script, named)
    if word == b"wanted":
        word = await connection.run(script, named, [description.text])
    return cast("DeclareAnswer", word.decode())


async def declare_results(connection: Connection, settings: FlowSettings, results: Mapping[str, str]) -> None:
    """Record, by queue, what the functions of this process say that they return; the last one that says it counts.

    Raises:
        StoreError: the server cannot be used.
    """
    fields = [part for queue, text in results.items() for part in (f"{_RESULT}{queue}", text)]
    if fields:
        with contextlib.suppress(KeyConflict):
            await connection.call("HSET", settings.keys.declarations(settings.flow), *fields)


async def read_declared_results(
    connection: Connection, settings: FlowSettings, flow: str | None = None
) -> dict[str, tuple[DeclaredClass, ...]]:
    """Return, by queue, the classes of result that its functions say they return, where some have said so.

    Args:
        connection: To the server.
        settings: Those of any flow in the namespace.
        flow: Its name; the settings' own where it is left out.

    Raises:
        StoreError: the server cannot be used.
    """
    fields = await read_fields(connection, settings, flow)
    return {name.removeprefix(_RESULT): read_results(text) for name, text in fields.items() if name.startswith(_RESULT)}


async def read_declarations(
    connection: Connection, settings: FlowSettings, flow: str | None = None
) -> list[DeclaredFlow]:
    """Return the declarations of a flow, the one that was seen last first; those that were edited are left out.

    Args:
        connection: To the server.
        settings: Those of any flow in the namespace.
        flow: Its name; the settings' own where it is left out.

    Raises:
        StoreError: the server cannot be used.
    """
    fields = await read_fields(connection, settings, flow)
    found = (
        read_declared(digest, text, _digits(fields.get(f"{digest}{_SEEN}")))
        for digest, text in fields.items()
        if ":" not in digest
    )
    declared = [one for one in found if one is not None]
    return sorted(declared, key=lambda one: 0.0 if one.seen is None else one.seen.timestamp(), reverse=True)


async def read_fields(connection: Connection, settings: FlowSettings, flow: str | None) -> dict[str, bytes]:
    """Return the fields of a flow's declarations; none where the key holds another type.

    Raises:
        StoreError: the server cannot be used.
    """
    try:
        flat: list[bytes] = await connection.call("HGETALL", settings.keys.declarations(flow or settings.flow))
    except KeyConflict:
        return {}
    return {name.decode("utf-8", "replace"): value for name, value in zip(flat[::2], flat[1::2], strict=True)}


def _digits(value: bytes | None) -> bytes | None:
    return value if value is not None and value.isdigit() else None

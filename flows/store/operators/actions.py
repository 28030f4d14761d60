"""Writes what operators have asked for and what came of it, and reads it back: one stream, bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flows.errors import ValidationError
from flows.store.keys.operators import OperatorKeys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flows.store.client.connection import Connection
    from flows.store.client.scripts import Argument

#: About so many entries are kept.
KEPT: Final = 10_000
#: How an entry is called: the server's milliseconds, and a number.
_MOST_DIGITS: Final = 20


async def write_action(connection: Connection, keys: OperatorKeys, fields: Mapping[str, str]) -> str:
    """Add an entry and return its id; sent again after a lost answer, it may stand there twice.

    Raises:
        StoreFull: the server is out of memory.
        StoreError: the server cannot be used.
    """
    flat: list[Argument] = [part for pair in fields.items() for part in pair]
    entry: bytes = await connection.call("XADD", keys.actions(), "MAXLEN", "~", KEPT, "*", *flat)
    return entry.decode()


async def read_actions(
    connection: Connection, keys: OperatorKeys, before: str, count: int
) -> list[tuple[str, dict[str, str]]]:
    """Return entries by their ids, newest first.

    Args:
        connection: To the server.
        keys: Those of the namespace.
        before: Only entries before the one of this id; empty for all.
        count: So many at most.

    Raises:
        ValidationError: `before` is no id of an entry.
        StoreError: the server cannot be used.
    """
    if before and not _is_entry(before):
        raise ValidationError(f"{before!r:.80} is no cursor of the audit: give what the page before had, or ''")
    newest = f"({before}" if before else "+"
    found = await connection.call("XREVRANGE", keys.actions(), newest, "-", "COUNT", count)
    return [(entry.decode(), _fields(flat)) for entry, flat in found]


def _fields(flat: list[bytes]) -> dict[str, str]:
    texts = [part.decode("utf-8", "replace") for part in flat]
    return dict(zip(texts[::2], texts[1::2], strict=True))


def _is_entry(text: str) -> bool:
    at, _, number = text.partition("-")
    return all(part.isascii() and part.isdigit() and len(part) <= _MOST_DIGITS for part in (at, number))

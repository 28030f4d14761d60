"""Deletes all keys of a namespace, for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from flows.store.client.connection import Connection

_PAGE: Final = 1000


async def delete_namespace(connection: Connection, namespace: str) -> None:
    """Delete every key that begins with a namespace, which is not empty.

    Raises:
        StoreError: the server cannot be used.
    """
    assert namespace  # noqa: S101 - or everything would go
    cursor = b"0"
    while True:
        cursor, keys = await connection.call("SCAN", cursor, "MATCH", f"{_literal(namespace)}*", "COUNT", _PAGE)
        if keys:
            await connection.call("UNLINK", *keys)
        if cursor == b"0":
            return


def _literal(text: str) -> str:
    """Return a text in which no character stands for others."""
    return "".join(f"\\{character}" if character in "*?[]\\" else character for character in text)

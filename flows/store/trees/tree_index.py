"""The index of instances in Redis: rows by id, and the ids of each app and realm in order of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from flows.store.keys.trees import realm_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.store.client.scripts import Argument
    from flows.store.trees.tree_link import TreeLink

#: So many rows are put at once.
_PAGE: Final = 100


class IndexedRow(NamedTuple):
    """A row as it is put into the index."""

    id: str
    revision: int
    app: str
    realm: str
    is_working: bool
    row: bytes


class TreeIndex:
    """The index of one namespace."""

    def __init__(self, link: TreeLink) -> None:
        self._link = link

    async def put(self, rows: Sequence[IndexedRow]) -> int:
        """Put rows, and return how many are newer than what was known.

        Raises:
            StoreFull: some are not put.
            StoreError: they may or may not be put.
        """
        put = 0
        for at in range(0, len(rows), _PAGE):
            rest: list[Argument] = []
            for one in rows[at : at + _PAGE]:
                realm, working = realm_text(one.realm), "1" if one.is_working else ""
                rest += (one.id, one.revision, one.app, realm, working, one.row)
            put += int(await self._link.run("index_instances", {"rows": self._link.keys.rows()}, rest))
        return put

    async def take_out(self, ids: Sequence[str]) -> int:
        """Take instances out, and return how many were in it.

        Raises:
            StoreError: they may or may not be taken out.
        """
        taken = 0
        for at in range(0, len(ids), _PAGE):
            part = ids[at : at + _PAGE]
            taken += int(await self._link.run("unindex_instances", {"rows": self._link.keys.rows()}, part))
        return taken

    async def count(self, apps: Sequence[str]) -> int:
        """Return how many instances of these apps are in it.

        Raises:
            StoreError: they cannot be counted.
        """
        connection, keys = await self._link.connection(), self._link.keys
        return sum([int(await connection.call("ZCARD", keys.indexed(app))) for app in apps])

    async def page(
        self, app: str, realm: str | None, before: str, count: int, *, working: bool = False
    ) -> list[tuple[str, bytes | None]]:
        """Return ids of an app, or of one realm of it, from before an id on, newest first, each with its row.

        With `working`, they are those that are worked on, whatever their realm.

        Raises:
            StoreError: they cannot be read.
        """
        connection, keys = await self._link.connection(), self._link.keys
        key = keys.indexed(app) if realm is None else keys.indexed_realm(app, realm)
        key = keys.working(app) if working else key
        newest = f"({before}" if before else "+"
        found: list[bytes] = await connection.call("ZREVRANGEBYLEX", key, newest, "-", "LIMIT", 0, count)
        if not found:
            return []
        rows: list[Any] = await connection.call("HMGET", keys.rows(), *found)
        # Behind the revision, the app and the realm, a line each.
        return [
            (one.decode(), None if row is None else row.split(b"\n", 3)[3])
            for one, row in zip(found, rows, strict=True)
        ]

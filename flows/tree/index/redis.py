"""`RedisIndex`: finds instances in Redis, on the server of their app or on another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self

from pydantic_core import from_json, to_json

from flows.store.trees.tree_index import IndexedRow, TreeIndex
from flows.store.trees.tree_link import GivenLines, OwnLines, TreeLink, tree_settings
from flows.tree.index.protocol import InstancePage
from flows.tree.storage.protocol import InstanceRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.kernel.runtime import Runtime
    from flows.store.client.connection import Connection
    from flows.tree.index.protocol import Find

#: So many rows are looked at by one call.
_LOOKED: Final = 500
#: A call of `find` looks at so many rows at most: then it answers with those that it has, and a cursor.
_MOST_LOOKED: Final = 20_000


class RedisIndex:
    """Finds instances by app and realm, and those that are worked on; what else is asked, it looks for among those.

    Args:
        redis_url: Another server than the app's; None: the app's, over its connection.
        namespace: What stands before every key; in an app, that of the app stands.

    Raises DeclarationError where the URL or the namespace is none.
    """

    def __init__(self, redis_url: str | None = None, *, namespace: str = "") -> None:
        self._lines = OwnLines(redis_url)
        self._is_elsewhere = redis_url is not None
        settings = tree_settings(namespace)
        self._index = TreeIndex(TreeLink(self._lines.opened, lambda: settings))

    def __repr__(self) -> str:
        return f"<RedisIndex on {self._lines if self._is_elsewhere else 'the server of its app'}>"

    @classmethod
    def over(cls, connection: Connection, namespace: str) -> Self:
        """Return an index over an open connection, which whoever has opened it closes."""
        index, settings = cls(namespace=namespace), tree_settings(namespace)
        index._index = TreeIndex(TreeLink(GivenLines(connection).opened, lambda: settings))
        return index

    def bind(self, app: str, runtime: Runtime) -> None:  # noqa: ARG002 - the protocol's
        """Take the namespace of an app, and its connection unless it has a server of its own."""
        opens = self._lines.opened if self._is_elsewhere else runtime.open
        self._index = TreeIndex(TreeLink(opens, lambda: runtime.settings))

    async def close(self) -> None:
        """Disconnect where the connection is its own; closing twice changes nothing."""
        await self._lines.close()

    async def put(self, rows: Sequence[InstanceRow]) -> None:
        """Take rows: see `Index.put`."""
        put = [
            IndexedRow(one.id, one.revision, one.app, one.realm, one.status == "working", _write(one)) for one in rows
        ]
        await self._index.put(put)

    async def remove(self, ids: Sequence[str]) -> None:
        """Forget instances: see `Index.remove`."""
        await self._index.take_out(ids)

    async def find(self, app: str, query: Find) -> InstancePage:
        """Return a page of the instances of an app: see `Index.find`; of a rare kind it may be short."""
        found: list[InstanceRow] = []
        cursor, looked = query.cursor, 0
        while looked < _MOST_LOOKED:
            page = await self._index.page(app, query.realm, cursor, _LOOKED, working=query.status == "working")
            looked += len(page)
            for _, text in page:
                row = None if text is None else _read(text)
                if row is None or not query.matches(row):
                    continue
                if len(found) == query.limit:
                    return InstancePage(found, found[-1].id)
                found.append(row)
            if len(page) < _LOOKED:
                return InstancePage(found, "")
            cursor = page[-1][0]
        return InstancePage(found, cursor)


_FIELDS: Final = ("id", "app", "generator", "realm", "name", "labels", "ephemeral", "status", "progress")
_NUMBERS: Final = ("created", "updated", "revision")


def _write(row: InstanceRow) -> bytes:
    return to_json({name: getattr(row, name) for name in (*_FIELDS, *_NUMBERS)})


def _read(text: bytes) -> InstanceRow:
    found: dict[str, Any] = from_json(text)
    return InstanceRow(**{name: found[name] for name in (*_FIELDS, *_NUMBERS)})

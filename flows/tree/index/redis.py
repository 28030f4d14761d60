"""`RedisIndex`: finds instances in Redis, on the server of their app or on another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json, to_json

from flows.store.trees.tree_index import IndexedRow, TreeIndex
from flows.tree.index.protocol import InstancePage
from flows.tree.storage.on_redis import OnRedis
from flows.tree.storage.protocol import InstanceRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.store.trees.tree_link import TreeLink
    from flows.tree.index.protocol import Find

#: So many rows are looked at by one call.
_LOOKED: Final = 500
#: A call of `find` looks at so many rows at most: then it answers with those that it has, and a cursor.
_MOST_LOOKED: Final = 20_000


class RedisIndex(OnRedis):
    """Finds instances by app and realm, and those that are worked on; what else is asked, it looks for among those.

    Args:
        redis_url: Another server than the app's; None: the app's, over its connection.
        namespace: What stands before every key; in an app, that of the app stands.

    Raises DeclarationError where the URL or the namespace is none.
    """

    def _use(self, link: TreeLink) -> None:
        self._index = TreeIndex(link)

    async def put(self, rows: Sequence[InstanceRow]) -> None:
        """Take rows: see `Index.put`."""
        put = [
            IndexedRow(one.id, one.revision, one.app, one.realm, one.status == "working", _write(one)) for one in rows
        ]
        await self._index.put(put)

    async def remove(self, ids: Sequence[str]) -> None:
        """Forget instances: see `Index.remove`."""
        await self._index.take_out(ids)

    async def count(self, apps: Sequence[str]) -> int:
        """Return how many instances of these apps are in it."""
        return await self._index.count(apps)

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

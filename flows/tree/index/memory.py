"""`MemoryIndex`: finds the instances of a `MemoryStorage`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.tree.index.protocol import InstancePage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.tree.index.protocol import Find
    from flows.tree.storage.protocol import InstanceRow


class MemoryIndex:
    """Finds instances in this process alone, by looking at each."""

    def __init__(self) -> None:
        self._rows: dict[str, InstanceRow] = {}

    async def put(self, rows: Sequence[InstanceRow]) -> None:
        """Take rows: see `Index.put`."""
        for row in rows:
            known = self._rows.get(row.id)
            if known is None or known.revision < row.revision:
                self._rows[row.id] = row

    async def remove(self, ids: Sequence[str]) -> None:
        """Forget instances: see `Index.remove`."""
        for one in ids:
            self._rows.pop(one, None)

    async def find(self, app: str, query: Find) -> InstancePage:
        """Return a page of the instances of an app: see `Index.find`."""
        ids = sorted((one for one in self._rows if not query.cursor or one < query.cursor), reverse=True)
        rows = (row for row in map(self._rows.__getitem__, ids) if row.app == app and query.matches(row))
        found = [row for _, row in zip(range(query.limit + 1), rows, strict=False)]
        page = found[: query.limit]
        return InstancePage(page, page[-1].id if len(found) > query.limit else "")

"""Which instances there are, and of which the index is still to be told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flows.store.trees.instances import checked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from flows.store.client.scripts import Argument
    from flows.store.trees.tree_link import TreeLink

#: What a row shows of an instance.
ROW_FIELDS: Final = (
    *("app", "generator", "realm", "name", "labels", "ephemeral", "created", "updated", "record", "_order", "shown"),
)
#: So many keys are looked through at once.
_SCANNED: Final = 1000


class TreeOutbox:
    """The instances of one namespace, as those see them who look for many."""

    def __init__(self, link: TreeLink) -> None:
        self._link = link

    async def rows(self, ids: Sequence[str]) -> list[list[bytes | None]]:
        """Return ROW_FIELDS of instances; of one that is not there, nothing but None.

        Raises:
            StoreError: they cannot be read.
        """
        connection, keys = await self._link.connection(), self._link.keys
        found: list[list[bytes | None]] = await connection.together(
            [("HMGET", keys.tree(one), *ROW_FIELDS) for one in ids]
        )
        return checked(found)

    async def ids(self) -> AsyncIterator[list[str]]:
        """Yield the ids of all instances that are there meanwhile, some of them more than once.

        Raises:
            StoreError: they cannot be read.
        """
        connection, prefix = await self._link.connection(), self._link.keys.tree("")
        pattern = "".join(f"\\{character}" if character in "*?[]\\" else character for character in prefix) + "*"
        cursor = b"0"
        while True:
            cursor, found = await connection.call("SCAN", cursor, "MATCH", pattern, "COUNT", _SCANNED)
            yield [key.decode().removeprefix(prefix) for key in found]
            if cursor == b"0":
                return

    async def apps(self) -> list[str]:
        """Return the apps that have had instances.

        Raises:
            StoreError: they cannot be read.
        """
        connection = await self._link.connection()
        return sorted(app.decode() for app in await connection.call("HKEYS", self._link.keys.apps()))

    async def unindexed(self, app: str, limit: int) -> list[str]:
        """Return instances of an app that its index is to be told of by now.

        Raises:
            StoreError: they cannot be read.
        """
        connection, outbox = await self._link.connection(), self._link.keys.outbox(app)
        seconds, micro = await connection.call("TIME")
        now = self._link.clock.saw(int(seconds), int(micro))
        found: list[bytes] = await connection.call("ZRANGEBYSCORE", outbox, "-inf", now, "LIMIT", 0, limit)
        return [one.decode() for one in found]

    async def mark_indexed(self, app: str, moved: Sequence[tuple[str, int]]) -> int:
        """Take note that the index knows instances at these revisions of their rows; return how many have others now.

        Raises:
            StoreError: that may or may not be noted.
        """
        rest: list[Argument] = [part for one in moved for part in one]
        return int(await self._link.run("mark_indexed", {"outbox": self._link.keys.outbox(app)}, rest))

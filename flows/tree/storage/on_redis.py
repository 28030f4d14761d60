"""What stands in Redis for trees: on the server of their app, over its connection, or on another one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Self

from flows.store.trees.tree_link import GivenLines, OwnLines, TreeLink, tree_settings

if TYPE_CHECKING:
    from flows.kernel.runtime import Runtime
    from flows.store.client.connection import Connection
    from flows.store.client.signals import Signals


class OnRedis(ABC):
    """A storage or an index in Redis.

    Args:
        redis_url: Another server than the app's; None: the app's, over its connection.
        namespace: What stands before every key; in an app, that of the app stands.

    Raises DeclarationError where the URL or the namespace is none.
    """

    def __init__(self, redis_url: str | None = None, *, namespace: str = "") -> None:
        self._lines = OwnLines(redis_url)
        self._is_elsewhere = redis_url is not None
        settings = tree_settings(namespace)
        self._use(TreeLink(self._lines.opened, lambda: settings))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} on {self._lines if self._is_elsewhere else 'the server of its app'}>"

    @classmethod
    def over(cls, connection: Connection, namespace: str, signals: Signals | None = None) -> Self:
        """Return one over an open connection, which whoever has opened it closes."""
        made, settings = cls(namespace=namespace), tree_settings(namespace)
        made._use(TreeLink(GivenLines(connection, signals).opened, lambda: settings))
        return made

    def bind(self, app: str, runtime: Runtime) -> None:  # noqa: ARG002 - the protocol's
        """Take the namespace of an app, and its connection unless it has a server of its own."""
        opens = self._lines.opened if self._is_elsewhere else runtime.open
        self._use(TreeLink(opens, lambda: runtime.settings))

    async def close(self) -> None:
        """Disconnect where the connection is its own; closing twice changes nothing."""
        await self._lines.close()

    @abstractmethod
    def _use(self, link: TreeLink) -> None:
        """Work over this link from now on."""

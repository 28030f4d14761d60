"""How task trees reach their server: over the connection of their app, or over one of their own."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, TypeAlias

from flows.config import choose_server
from flows.errors import DeclarationError
from flows.model.names import check_namespace
from flows.store.client.connection import Connection
from flows.store.client.server_check import check_server
from flows.store.client.server_clock import ServerClock
from flows.store.client.signals import Signals
from flows.store.embedded import EmbeddedServer
from flows.store.jobs.flow_settings import FlowSettings
from flows.store.keys.jobs import JobKeys
from flows.store.keys.trees import TreeKeys
from flows.telemetry.events import Events

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from flows.store.client.packed_script import Packed
    from flows.store.client.scripts import Argument
    from flows.store.runs.run_store import RunStore

#: Scripts of trees are those of no flow: the name is the library's own.
_FLOW: Final = "flows.trees"


class Lines(Protocol):
    """What is open to a server."""

    @property
    def connection(self) -> Connection:
        """For commands."""
        ...

    @property
    def signals(self) -> Signals | None:
        """For messages; None: there is nothing for them."""
        ...

    @property
    def runs(self) -> RunStore | None:
        """Starts runs on the same server; None: none stand there."""
        ...


#: Opens lines, or has them open; raises StoreError where the server cannot be used.
Opens: TypeAlias = "Callable[[], Awaitable[Lines]]"


class TreeLink:
    """Runs scripts and commands for trees.

    Args:
        opens: What opens the lines; cheap where they are open.
        settings: Those of a flow below the same namespace, as they are when a call is made.
    """

    def __init__(self, opens: Opens, settings: Callable[[], FlowSettings]) -> None:
        self._opens = opens
        self._settings = settings
        #: The server's clock, as far as it is known.
        self.clock = ServerClock(settings().ahead_ms)

    @property
    def keys(self) -> TreeKeys:
        """The names of keys."""
        return TreeKeys(self._settings().keys.namespace)

    async def connection(self) -> Connection:
        """Return the connection.

        Raises:
            StoreError: the server cannot be used.
        """
        return (await self._opens()).connection

    async def signals(self) -> Signals | None:
        """Return what receives messages; None: nothing does.

        Raises:
            StoreError: the server cannot be used.
        """
        return (await self._opens()).signals

    async def runs(self) -> RunStore | None:
        """Return what starts runs on the same server; None: none stand there.

        Raises:
            StoreError: the server cannot be used.
        """
        return (await self._opens()).runs

    async def lineage(self) -> str:
        """Return the server's replication id: another one takes over by another, and may not have got the last writes.

        Raises:
            StoreError: the server cannot be used.
        """
        found: bytes = await (await self.connection()).call("INFO", "replication")
        ids = [line for line in found.split() if line.startswith(b"master_replid:")]
        return ids[0].partition(b":")[2].decode() if ids else ""

    async def run(
        self, script: str, named: dict[str, Argument], rest: Sequence[Argument] = (), packed: Sequence[Packed] = ()
    ) -> Any:
        """Run a script and return its answer; packed arguments go after `rest`.

        Raises:
            StoreError: the server cannot be used.
        """
        connection, settings = await self.connection(), self._settings()
        usual: dict[str, Argument] = {
            "ns": settings.keys.namespace,
            "never_a": settings.keys.never("a"),
            "never_b": settings.keys.never("b"),
            "now": -settings.ahead_ms,
            "call": settings.new_call(),
        }
        return await connection.run(settings.script(script), usual | named, rest, packed)


def tree_settings(namespace: str) -> FlowSettings:
    """Return settings for trees that stand below a namespace, and are asked for by nobody's flow.

    Raises:
        DeclarationError: it is no namespace.
    """
    check_namespace(namespace)
    return FlowSettings(_FLOW, "", JobKeys(namespace), 0, (0, 0, 0), 1, 1, 1)


class GivenLines(NamedTuple):
    """Lines that somebody else has open."""

    connection: Connection
    signals: Signals | None = None
    runs: RunStore | None = None

    async def opened(self) -> Lines:
        """Return them."""
        return self


class OwnLines:
    """Lines of their own to one server, which open when they are first used, in each event loop anew.

    Args:
        redis_url: As `FlowOptions` takes it.

    Raises DeclarationError where the URL is none.
    """

    def __init__(self, redis_url: str | None) -> None:
        if redis_url is not None and not isinstance(redis_url, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DeclarationError(f"redis_url is a {type(redis_url).__name__}: give a str")
        self._server = choose_server(redis_url)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._opening: asyncio.Task[_Opened] | None = None

    async def opened(self) -> Lines:
        """Return them, open.

        Raises:
            StoreError: the server cannot be used.
        """
        loop = asyncio.get_running_loop()
        if self._loop is not loop:  # what belongs to another loop can neither be used nor closed in this one
            self._loop, self._opening = loop, None
        if self._opening is None:
            self._opening = loop.create_task(self._open())
            self._opening.add_done_callback(self._forget_failed)
        return await asyncio.shield(self._opening)

    def __str__(self) -> str:
        """Return which server it is; the password is hidden."""
        return str(self._server)

    async def close(self) -> None:
        """Disconnect; closing twice changes nothing."""
        opening, self._opening = self._opening, None
        if opening is None or self._loop is not asyncio.get_running_loop():
            return
        await asyncio.wait({opening})
        if not opening.cancelled() and opening.exception() is None:
            await opening.result().close()

    async def _open(self) -> _Opened:
        url = self._server.url
        url = await asyncio.to_thread(EmbeddedServer().start) if url is None else url
        opened = _Opened(url)
        try:
            await opened.connection.open()
            await check_server(opened.connection)
        except BaseException:
            await opened.close()
            raise
        return opened

    def _forget_failed(self, opening: asyncio.Task[_Opened]) -> None:
        if opening.cancelled() or opening.exception() is not None:
            self._opening = None  # the next one tries again


class _Opened:
    #: What has lines of its own is on another server than the runs.
    runs: RunStore | None = None

    def __init__(self, url: str) -> None:
        self.connection = Connection(url, "flows-trees")
        self.signals = Signals(url, Events(logging.getLogger("flows")))

    async def close(self) -> None:
        await self.signals.close()
        await self.connection.close()

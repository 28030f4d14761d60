"""The one connection of an `Admin` and of its copies, and what was read over it lately of the flows there are."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, TypeVar

from flows.api.known_flow import KnownFlow, read_flow
from flows.config import choose_server
from flows.model.names import check_namespace
from flows.store.client.connection import Connection
from flows.store.client.server_check import check_server
from flows.store.client.signals import Signals
from flows.store.embedded import EmbeddedServer
from flows.store.keys.jobs import JobKeys
from flows.store.operators.directory import read_flows
from flows.telemetry.events import Events

if TYPE_CHECKING:
    from pydantic import BaseModel

    from flows.config import Server
    from flows.tree.host import Host

T = TypeVar("T")
#: Redis has so many seconds to answer what somebody looks at; then it is away, and that is told.
ANSWERED_WITHIN: Final = 1.0
#: What was read of flows counts for so many seconds: a board is asked for each second, by many.
_FRESH: Final = 2.0


class Link:
    """A connection to one server, opened by the first who needs it.

    Args:
        redis_url: As `FlowOptions` takes it.
        namespace: What stands before every key.
    """

    def __init__(self, redis_url: str | None, namespace: str) -> None:
        check_namespace(namespace)
        self.server: Server = choose_server(redis_url)
        self.keys = JobKeys(namespace)
        self.url = ""
        #: Redis has so many seconds to answer what is asked over `connection`; None: as long as a worker waits.
        self.within: float | None = None
        #: What jobs are created with, of flows whose code is here.
        self.params: dict[str, type[BaseModel]] = {}
        #: Apps of task trees whose code is here, by name.
        self.trees: dict[str, Host] = {}
        self._connection: Connection | None = None
        self._patient: Connection | None = None
        self._signals: Signals | None = None
        self._opening: asyncio.Task[None] | None = None
        self._read: dict[str, tuple[float, object]] = {}

    @property
    def connection(self) -> Connection:
        """The connection; whoever uses it has opened the link."""
        assert self._connection is not None, "use `async with Admin(...)`, or await admin.open() first"  # noqa: S101
        return self._connection

    @property
    def patient(self) -> Connection:
        """The connection for what is better done late than never; it opens when it is used."""
        if self.within is None:
            return self.connection
        if self._patient is None:
            self._patient = Connection(self.url, "flows-admin-bulk")
        return self._patient

    @property
    def signals(self) -> Signals:
        """What brings messages; it connects for the first who listens. Whoever uses it has opened the link."""
        if self._signals is None:
            self._signals = Signals(self.url, Events(logging.getLogger("flows")))
        return self._signals

    async def close_signals(self) -> None:
        """Let nobody listen any more; who listens next connects anew."""
        signals, self._signals = self._signals, None
        if signals is not None:
            await signals.close()

    async def open(self) -> None:
        """Connect and check the server; opening twice changes nothing.

        Raises:
            StoreError: the server cannot be used.
        """
        if self._connection is None:
            if self._opening is None:  # one for all who come meanwhile: they are told together that it has failed
                self._opening = asyncio.get_running_loop().create_task(self._open())
                self._opening.add_done_callback(self._opened)
            await asyncio.shield(self._opening)

    async def _open(self) -> None:
        url = self.server.url
        self.url = await asyncio.to_thread(EmbeddedServer().start) if url is None else url
        connection = Connection(self.url, "flows-admin", within=self.within)
        try:
            await connection.open()
            await check_server(connection, allow_eviction=True)
        except BaseException:
            await connection.close()
            raise
        self._connection = connection

    def _opened(self, opening: asyncio.Task[None]) -> None:
        self._opening = None
        if not opening.cancelled():
            opening.exception()  # nobody may wait for it any more

    async def close(self) -> None:
        """Disconnect; closing twice changes nothing."""
        if self._opening is not None:
            await asyncio.wait({self._opening})
        await self.close_signals()
        connections = (self._connection, self._patient)
        self._connection = self._patient = None
        self._read.clear()
        for connection in connections:
            if connection is not None:
                await connection.close()

    async def flows(self, *, wanted: str = "") -> dict[str, tuple[str, ...]]:
        """Return the flows of the namespace, each with the queues that it ever had.

        Args:
            wanted: A flow or queue that has to be among them; where it is not, they are read once more.

        Raises:
            StoreError: the server cannot be used.
        """
        found = await self._flows()
        if wanted and wanted not in found and not any(wanted in queues for queues in found.values()):
            self.forget()
            found = await self._flows()
        return found

    async def _flows(self) -> dict[str, tuple[str, ...]]:
        return await self.lately("flows", lambda: read_flows(self.connection, self.keys))

    async def flow(self, name: str) -> KnownFlow:
        """Return what is known of a flow.

        Raises:
            StoreError: the server cannot be used.
        """
        had = (await self.flows()).get(name, ())
        return await self.lately(f"flow {name}", lambda: read_flow(self.connection, self.keys, name, had))

    async def lately(self, what: str, read: Callable[[], Awaitable[T]]) -> T:
        """Return what was read within the last two seconds by the same name, or read it."""
        at, found = self._read.get(what, (0.0, None))
        if found is None or time.monotonic() - at > _FRESH:
            found = await read()
            self._read[what] = (time.monotonic(), found)
        return found  # type: ignore[return-value]

    def forget(self) -> None:
        """Read all anew when it is asked for next."""
        self._read.clear()

"""Gives the flows of one test a namespace of their own, on the server for tests, and a clock that the test can move."""

# pyright: reportPrivateUsage=false
# (the kit sees what users do not)

from __future__ import annotations

import asyncio
import secrets
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from flows.config import Server
from flows.store.client.connection import Connection
from flows.store.jobs.namespace import delete_namespace
from flows.testing.drain import Drained, drain
from flows.testing.enqueued import assert_enqueued
from flows.testing.faults import Action, fault
from flows.testing.server import server_for_tests

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from contextlib import AbstractContextManager

    from pydantic import BaseModel

    from flows.pipeline.flow import Flow

#: Jobs that still run when a test is over are cancelled after so many seconds.
_GRACE: Final = 1.0


class Isolated:
    """The flows of one test.

    Attributes:
        url: The URL of their server.
        namespace: What stands before all their keys.
    """

    def __init__(self, flows: tuple[Flow[Any, Any, Any], ...], url: str, namespace: str) -> None:
        self.url = url
        self.namespace = namespace
        self._flows = flows
        self._ahead = timedelta(0)

    async def drain(self, timeout: float = 10.0) -> Drained:
        """Run jobs until none waits and none runs, and return how they ended; delayed jobs stay.

        Workers are started where none run, and stopped again at the end.

        Args:
            timeout: Seconds.

        Raises:
            WaitTimeout: jobs still wait or run; the message says where.
        """
        return await drain(self._flows, timeout)

    async def assert_enqueued(
        self,
        kind: type[BaseModel],
        *,
        count: int | None = None,
        delayed_until: datetime | None = None,
        **fields: object,
    ) -> None:
        """Assert that jobs wait or are delayed: by default at least one, with `count` exactly so many.

        Args:
            kind: The params that they were created with, or the job class of the queue in which they are.
            count: How many there have to be.
            delayed_until: When they are due, to a second; None: any.
            fields: What fields of `kind` they have.

        Raises:
            AssertionError: there are others; the message says which.
        """
        await assert_enqueued(self._flows, kind, fields, count, delayed_until)

    def now(self) -> datetime:
        """Return the time of the flows' clock, in UTC: the server's, and as much later as the test has travelled."""
        return datetime.now(UTC) + self._ahead

    async def travel(self, by: timedelta | float) -> None:
        """Move the flows' clock on: what is due by then is due now.

        Workers that run are stopped first, each after the jobs in flight, and started again; so no lease runs out. What
        the server itself forgets after a time (`job_ttl`, `retention`) does not travel.

        Args:
            by: How far; a number is seconds.
        """
        self._ahead += by if isinstance(by, timedelta) else timedelta(seconds=by)
        running = [worker for flow in self._flows for worker in flow.workers if worker.status != "stopped"]
        await asyncio.gather(*(flow.stop_all() for flow in self._flows))
        await self._bind()
        for worker in running:
            await worker.start()

    def fault(self, point: str, action: Action = "raise", *, times: int = 1) -> AbstractContextManager[None]:
        """Let something go wrong at a point of the code, the next `times` that a worker of this process passes it.

        Args:
            point: One of `flows.testing.POINTS`.
            action: "raise" an exception there; "lose" the worker, as if its process had been killed there.
            times: How often.

        Raises:
            ValueError: there is no such point, or no such action.
        """
        return fault(self._flows, point, action, times)

    async def _bind(self) -> None:
        ahead_ms = int(self._ahead / timedelta(milliseconds=1))
        for flow in self._flows:
            await flow._bind(Server(self.url, "flows.testing"), self.namespace, ahead_ms)


@asynccontextmanager
async def isolated(*flows: Flow[Any, Any, Any], url: str | None = None) -> AsyncGenerator[Isolated]:
    """Bind flows to a namespace of their own on the server for tests, whatever server their options name.

    At the end they are stopped, their keys are deleted, and they are as they were before. What an earlier test has
    left open is given up: `flow.sync` is disconnected, and so is what an event loop had open that has ended.

    Args:
        flows: No event loop that runs has them open.
        url: Another server than that for tests.

    Raises:
        FlowsError: a loop that runs has one of the flows open; the message says which call closes it.
        MissingExtra: a server has to be started, and the extra `embedded` is not installed.
    """
    where = await asyncio.to_thread(server_for_tests) if url is None else url
    test = Isolated(flows, where, f"test-{secrets.token_hex(6)}:")
    for flow in flows:
        await flow._give_up()
    try:
        await test._bind()
        yield test
    finally:
        await asyncio.gather(*(flow.stop_all(_GRACE) for flow in flows))
        for flow in flows:
            await flow._bind(None, flow._declaration.options.namespace)
        connection = Connection(test.url, "flows-testing")
        try:
            await delete_namespace(connection, test.namespace)
        finally:
            await connection.close()

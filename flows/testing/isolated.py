"""Gives flows, services and apps of one test a namespace of their own, on a server for tests, and a clock to move."""

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
from flows.testing.programs import program_of
from flows.testing.server import server_for_tests

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from contextlib import AbstractContextManager

    from flows.testing.programs import Isolable, Program
    from flows.workflow.definition import Workflow

#: Jobs that still run when a test is over are cancelled after so many seconds.
_GRACE: Final = 1.0


class Isolated:
    """The flows and the apps of workflows of one test.

    Attributes:
        url: The URL of their server.
        namespace: What stands before all their keys.
    """

    def __init__(self, programs: list[Program], url: str, namespace: str) -> None:
        self.url = url
        self.namespace = namespace
        self._programs = programs
        self._ahead = timedelta(0)

    async def drain(self, timeout: float = 10.0) -> Drained:
        """Run jobs and runs until none waits and none runs, and return how they ended; delayed ones stay.

        Workers are started where none run, and stopped again at the end. Schedules that are due start their runs.

        Args:
            timeout: Seconds.

        Raises:
            WaitTimeout: jobs still wait or run; the message says where.
        """
        return await drain(self._programs, timeout)

    async def assert_enqueued(
        self,
        kind: type[Any] | Workflow[Any, Any],
        *,
        count: int | None = None,
        delayed_until: datetime | None = None,
        **fields: object,
    ) -> None:
        """Assert that jobs or runs wait or are delayed: by default at least one, with `count` exactly so many.

        Args:
            kind: The params that they were created with, or the job class of the queue in which they are; of runs, the
                type of their input, or their workflow.
            count: How many there have to be.
            delayed_until: When they are due, to a second; None: any.
            fields: What fields of `kind` they have.

        Raises:
            AssertionError: there are others; the message says which.
        """
        await assert_enqueued(self._programs, kind, fields, count, delayed_until)

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
        running = [[one for one in program.workers if one.status != "stopped"] for program in self._programs]
        await asyncio.gather(*(program.stop() for program in self._programs))
        await self._bind()
        for program, workers in zip(self._programs, running, strict=True):
            await program.resume(workers)

    def fault(self, point: str, action: Action = "raise", *, times: int = 1) -> AbstractContextManager[None]:
        """Let something go wrong at a point of the code, the next `times` that a worker of this process passes it.

        Args:
            point: One of `flows.testing.POINTS`.
            action: "raise" an exception there; "lose" the worker, as if its process had been killed there.
            times: How often.

        Raises:
            ValueError: there is no such point, or no such action.
        """
        return fault(self._programs, point, action, times)

    async def _bind(self) -> None:
        ahead_ms = int(self._ahead / timedelta(milliseconds=1))
        for program in self._programs:
            await program.bind(Server(self.url, "flows.testing"), self.namespace, ahead_ms)


@asynccontextmanager
async def isolated(*programs: Isolable, url: str | None = None) -> AsyncGenerator[Isolated]:
    """Bind flows and apps of workflows to a namespace of their own on the server for tests, whatever their options say.

    At the end they are stopped, their keys are deleted, and they are as they were before. What an earlier test has
    left open is given up: plain callers (`flow.sync`, `workflows.blocking`) are disconnected, and so is what an event
    loop had open that has ended.

    Args:
        programs: Flows, services, and apps of workflows; no event loop that runs has them open.
        url: Another server than that for tests.

    Raises:
        FlowsError: a loop that runs has one of them open; the message says which call closes it. Or it is none.
        MissingExtra: a server has to be started, and the extra `embedded` is not installed.
    """
    handled = [program_of(one) for one in programs]
    where = await asyncio.to_thread(server_for_tests) if url is None else url
    test = Isolated(handled, where, f"test-{secrets.token_hex(6)}:")
    for program in handled:
        await program.give_up()
    try:
        await test._bind()
        yield test
    finally:
        await asyncio.gather(*(program.stop(_GRACE) for program in handled))
        for program in handled:
            await program.unbind()
        connection = Connection(test.url, "flows-testing")
        try:
            await delete_namespace(connection, test.namespace)
        finally:
            await connection.close()

"""What stands beside an app's session: says every 10 s what the app defines, and finds queues that came later."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Final

from flows.errors import StoreError, StoreFull
from flows.kernel.built_in.companion import Companion
from flows.store.fleet.apps import sync
from flows.telemetry.service import Service

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.kernel.session import Session
    from flows.store.jobs.answers import SyncAnswer
    from flows.workflow.host import Host

#: What an app defines is said again after so many seconds, give or take a quarter.
EVERY: Final = 10.0
#: Rung where a run has come to a queue in which none has stood before.
WAKE: Final = "registry"


class Registry(Companion):
    """Keeps what an app defines known while it has workers, beside one session.

    Args:
        host: The app.
        session: Its session.
        serve: Has a worker for each of these queues that is to be served here.
    """

    def __init__(self, host: Host, session: Session, serve: Callable[[list[str]], None]) -> None:
        self._host = host
        self._session = session
        self._serve = serve
        self._woken = asyncio.Event()
        self._service = Service("registry", self._keep, host.runtime.events)
        self._serving = False

    def serve(self) -> None:
        """Begin: workers of the app are started."""
        if not self._serving:
            self._serving = True
            self._session.wakeups.hear(WAKE, self._woken.set)
            self._service.start()

    async def close(self) -> None:
        """End: the session is being closed."""
        if self._serving:
            self._serving = False
            self._session.wakeups.hear_no_more(WAKE)
            await self._service.stop()

    async def _keep(self) -> None:
        while True:
            try:
                await say(self._host, self._session, written=False)
                self._serve(await self._host.known())
            except StoreError as error:
                self._host.runtime.events.emit_seldom(("registry",), "store.unavailable", error=str(error))
            self._woken.clear()
            try:
                async with asyncio.timeout(random.uniform(0.75, 1.25) * EVERY):  # noqa: S311 - jitter
                    await self._woken.wait()
            except TimeoutError:
                continue


async def say(host: Host, session: Session, *, written: bool) -> SyncAnswer:
    """Record what an app defines; a full server keeps nobody from working.

    Args:
        host: The app.
        session: Its session.
        written: Whether a deploy script does: it then counts without a live process.

    Raises:
        StoreError: the server cannot be used.
    """
    try:
        return await sync(session.connection, session.settings, host.options.app, session.description, written=written)
    except StoreFull:
        if written:
            raise
        return "conflict"

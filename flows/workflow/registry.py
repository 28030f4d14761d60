"""What stands beside an app's session: says every 10 s what the app defines, finds new queues, fires schedules."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING, Final

from flows.errors import StoreError, StoreFull
from flows.kernel.built_in.companion import Companion
from flows.store.fleet.apps import sync
from flows.store.jobs.ownership import count_queues
from flows.telemetry.service import Service
from flows.workflow.schedules.scheduling import Scheduling

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.kernel.session import Session
    from flows.store.jobs.answers import SyncAnswer
    from flows.workflow.host import Host

#: What an app defines is said again after so many seconds.
EVERY: Final = 10.0
#: So often it is asked whether runs have come to a queue in which none has stood before, such as an override.
LOOK: Final = 2.0


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
        self._service = Service("registry", self._keep, host.runtime.events)
        self._scheduling: Scheduling | None = None
        self._serving = False

    def serve(self) -> None:
        """Begin: workers of the app are started."""
        if not self._serving:
            self._serving = True
            self._service.start()
            self._scheduling = Scheduling(self._host.options.app, self._host.schedules, self._session)
            self._scheduling.serve()

    async def close(self) -> None:
        """End: the session is being closed."""
        if self._serving:
            self._serving = False
            if self._scheduling is not None:
                await self._scheduling.close()
            await self._service.stop()

    async def _keep(self) -> None:
        said, queues = 0.0, 0
        while True:
            try:
                if time.monotonic() - said >= EVERY:
                    await say(self._host, self._session, written=False)
                    said = time.monotonic()
                count = await count_queues(self._session.connection, self._session.settings)
                if count != queues:
                    self._serve(await self._host.known())
                    queues = count
            except StoreError as error:
                self._host.runtime.events.emit_seldom(("registry",), "store.unavailable", error=str(error))
            await asyncio.sleep(random.uniform(0.75, 1.25) * LOOK)  # noqa: S311 - jitter


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

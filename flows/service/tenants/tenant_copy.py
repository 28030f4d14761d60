"""The copy that a process has of a service's tenants; whoever makes a change gives it to the service's queue."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from flows.errors import StoreError
from flows.model.creation.job_options import Due
from flows.model.limits.groups import group_text
from flows.service.tenants.tenant import read
from flows.store.keys.services import ServiceKeys
from flows.store.rules.hold import hold_group
from flows.store.rules.live import set_share, set_slots_of
from flows.store.services.tenants import mark_applied, read_revisions, read_tenants
from flows.telemetry.service import Service

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.kernel.runtime import Runtime
    from flows.kernel.session import Session
    from flows.service.tenants.tenant import Tenant

#: Where no message says that a tenant has changed, it is looked after so many seconds.
LOOK: Final = 5.0
#: The group of a paused tenant is held so long, in server milliseconds; and of others not at all.
_FOR_EVER: Final = Due(-1, 1 << 52)
_NOT: Final = Due(0)


class HasQueues(Protocol):
    """A service's flow, as its tenants have it."""

    @property
    def runtime(self) -> Runtime:
        """What its calls and workers have in common."""
        ...

    @property
    def job_queues(self) -> list[str]:
        """The queues from which jobs run."""
        ...


class TenantCopy:
    """The tenants of one service, as this process knows them.

    Args:
        flow: The flow that the service is.
        changed: Called with the ids of tenants whose record is another one, or is gone.
    """

    def __init__(self, flow: HasQueues, changed: Callable[[set[str]], None]) -> None:
        self._flow = flow
        self._runtime = flow.runtime
        self._service = self._runtime.options.name
        self._changed = changed
        self._revision = -1
        self._known: dict[str, Tenant] = {}
        #: The session that it is kept with, and what keeps it there.
        self._session: Session | None = None
        self._watch: Service | None = None
        self._woken = asyncio.Event()

    @property
    def is_kept(self) -> bool:
        """Whether it is kept as new as the channel and a look now and then make it."""
        return self._session is not None and not self._session.over

    def known(self, tenant_id: str) -> Tenant | None:
        """Return a tenant; None: there is none, as far as is known here."""
        return self._known.get(tenant_id)

    async def start(self) -> None:
        """Keep it from now on, and let it be no older than this moment where the server can be reached."""
        session = self._runtime.session
        if self._session is session:
            return
        self._session, self._revision, self._woken = session, -1, asyncio.Event()
        await session.signals.subscribe(self._channel(session), self._told)
        with contextlib.suppress(StoreError):  # it is tried again
            await self._read(session)
        self._watch = Service("tenants", partial(self._keep, session), self._runtime.events)
        self._watch.start()

    async def stop(self) -> None:
        """Keep it no more."""
        session, self._session = self._session, None
        watch, self._watch = self._watch, None
        if session is not None:
            session.signals.unsubscribe(self._channel(session), self._told)
        if watch is not None:
            await watch.stop()

    async def look(self, session: Session) -> None:
        """Read all tenants, and give the service's queue what it does not have yet, as who has just changed one does.

        Raises:
            StoreError: the server cannot be used.
        """
        while (applied := await self._read(session)) < self._revision:
            # Another process may write of an older record just now; whoever reads a newer one then writes after it.
            revision, new = self._revision, [one for one in self._known.values() if one.revision > applied]
            await asyncio.gather(*(self._apply(session, tenant) for tenant in new))
            await mark_applied(session.connection, session.settings, revision)

    async def hold(self, session: Session, tenant_id: str) -> None:
        """Let no job of a tenant start, as that is gone.

        Raises:
            StoreError: the server cannot be used.
        """
        for queue in self._flow.job_queues:
            await hold_group(session.connection, session.settings, queue, _FOR_EVER, group_text(tenant_id))

    def _told(self, _message: str | None) -> None:
        self._woken.set()

    async def _keep(self, session: Session) -> None:
        # Who changes a tenant gives that to the queue. Where that is overdue, who did it has died.
        overdue = False
        while True:
            self._woken.clear()
            try:
                revision, applied = await read_revisions(session.connection, session.settings)
                if overdue and applied < revision:
                    await self.look(session)
                elif revision != self._revision:
                    await self._read(session)
            except StoreError as error:
                self._runtime.events.emit_seldom(("tenants",), "store.unavailable", error=str(error))
            overdue = not await _told_within(LOOK, self._woken)

    async def _read(self, session: Session) -> int:
        """Read all tenants, and return up to which revision the service's queue has them."""
        found = await read_tenants(session.connection, session.settings)
        before, self._revision = self._known, found.revision
        known = {name: read(self._service, name, *record) for name, record in found.records.items()}
        self._known = {name: one for name, one in known.items() if one is not None}
        ids = before.keys() | self._known.keys()
        self._changed({one for one in ids if before.get(one) != self._known.get(one)})
        return found.applied

    async def _apply(self, session: Session, tenant: Tenant) -> None:
        connection, settings = session.connection, session.settings
        group, due = group_text(tenant.id), _FOR_EVER if tenant.paused else _NOT
        for queue in self._flow.job_queues:
            await set_share(connection, settings, queue, group, tenant.weight)
            await set_slots_of(connection, settings, queue, group, tenant.max_concurrency)
            await hold_group(connection, settings, queue, due, group)

    def _channel(self, session: Session) -> str:
        return ServiceKeys(session.settings.keys.namespace).tenants_changed(self._service)


async def _told_within(seconds: float, told: asyncio.Event) -> bool:
    """Wait until one is told, and return whether that came in time."""
    try:
        async with asyncio.timeout(seconds):
            await told.wait()
    except TimeoutError:
        return False
    return True

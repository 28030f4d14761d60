"""What a process with workers does for schedules: it records those of its app, and fires those that are due."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flows.model.runs.new_run import RUN_FLOW
from flows.store.schedules.firing import Firing
from flows.store.schedules.recorded import RecordedSchedules
from flows.workflow.schedules.declared_schedules import DeclaredSchedules, check_schedules, schedules_of
from flows.workflow.schedules.scheduler import Scheduler

if TYPE_CHECKING:
    from flows.kernel.session import Session
    from flows.workflow.host import Host

#: How often a process says that it still declares its schedules, in seconds: three times in what they are kept for.
_REFRESH: Final = 10.0


class Scheduling:
    """The scheduler of one app in this process."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._scheduler: Scheduler | None = None

    async def start(self) -> None:
        """Record the schedules of the app and fire what is due from now on; starting twice changes nothing.

        Raises:
            DeclarationError: the schedules do not go together.
            StoreError: the server cannot be used.
        """
        if self._scheduler is not None:
            return
        session = await self._host.open()
        declared = self._declared(session)
        await declared.declare()

        async def cancel_children(run_id: str) -> None:
            await session.control.cancel_children(RUN_FLOW, run_id)

        firing = Firing(session.connection, session.settings)
        self._scheduler = Scheduler(firing, cancel_children, declared.refresh, _REFRESH, session.events)
        self._scheduler.start()

    async def stop(self) -> None:
        """Fire nothing any more; stopping twice changes nothing."""
        scheduler, self._scheduler = self._scheduler, None
        if scheduler is not None:
            await scheduler.stop()

    async def keep(self) -> None:
        """Record the schedules of the app from a deploy script; they stay until the next one.

        Raises:
            DeclarationError: the schedules do not go together.
            StoreError: the server cannot be used.
        """
        await self._declared(await self._host.open()).declare(keep=True)

    def _declared(self, session: Session) -> DeclaredSchedules:
        definitions = [one for workflow in self._host.definitions.values() for one in schedules_of(workflow)]
        check_schedules(definitions)
        recorded = RecordedSchedules(session.connection, session.settings)
        return DeclaredSchedules(self._host.options.app, definitions, recorded, session.events)

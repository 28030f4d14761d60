"""What a process with workers does for schedules: it records those of its app, and fires those that are due."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flows.model.runs.new_run import RUN_FLOW
from flows.store.schedules.firing import Firing
from flows.store.schedules.recorded import RecordedSchedules
from flows.workflow.schedules.declared_schedules import DeclaredSchedules
from flows.workflow.schedules.scheduler import Scheduler

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.kernel.session import Session
    from flows.model.runs.schedule_definition import ScheduleDefinition

#: How often a process says that it still declares its schedules, in seconds: three times in what they are kept for.
_REFRESH: Final = 10.0


class Scheduling:
    """The schedules of one app in this process, beside its session.

    Args:
        app: The app.
        definitions: The schedules that its code declares.
        session: Its session, opened.
    """

    def __init__(self, app: str, definitions: Sequence[ScheduleDefinition], session: Session) -> None:
        self._session = session
        recorded = RecordedSchedules(session.connection, session.settings)
        self._declared = DeclaredSchedules(app, definitions, recorded, session.events)
        firing = Firing(session.connection, session.settings)
        self._scheduler = Scheduler(firing, self._cancel_children, self._declared.say, _REFRESH, session.events)

    def serve(self) -> None:
        """Record the schedules of the app, and fire what is due from now on; asking twice changes nothing."""
        self._scheduler.start()

    async def tick(self) -> None:
        """Fire at once what is due.

        Raises:
            StoreError: the server cannot be used.
        """
        await self._scheduler.tick()

    async def close(self) -> None:
        """Fire nothing any more; closing twice changes nothing."""
        await self._scheduler.stop()

    async def say(self, *, keep: bool = False) -> None:
        """Record the schedules of the app; with `keep`, as a deploy script does, until the next one.

        Raises:
            StoreError: the server cannot be used.
        """
        await self._declared.say(keep=keep)

    async def _cancel_children(self, run_id: str) -> None:
        await self._session.control.cancel_children(RUN_FLOW, run_id)

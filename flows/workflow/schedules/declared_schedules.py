"""Keeps the schedules of an app's code recorded while a process declares them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.model.runs.schedule_definition import ScheduleDefinition
    from flows.store.schedules.recorded import RecordedSchedules
    from flows.telemetry.events import Events


class DeclaredSchedules:
    """The schedules of an app's code, kept recorded while a process declares them.

    Args:
        app: The app.
        definitions: Those of all its workflows.
        recorded: Where they are recorded.
        events: Where it is told that one is another app's, or was deleted.
    """

    def __init__(
        self, app: str, definitions: Sequence[ScheduleDefinition], recorded: RecordedSchedules, events: Events
    ) -> None:
        self._app = app
        self._definitions = {one.id: one for one in definitions}
        self._recorded = recorded
        self._events = events
        self._taken: set[str] = set()
        self._recorded_once = False

    async def say(self, *, keep: bool = False) -> None:
        """Say that they are declared: by a process that works, or with `keep` by a deploy script, until the next one.

        The first time, what is new or was edited is recorded. Later only what is missing is: what another release has
        edited meanwhile stays, since the one that started last counts.

        Raises:
            StoreError: the server cannot be used.
        """
        if not self._recorded_once:
            await self._write(list(self._definitions))
            self._recorded_once = True
        if missing := await self._see(keep=keep):
            await self._write(missing)

    async def _see(self, *, keep: bool) -> list[str]:
        seen = await self._recorded.see(self._app, list(self._definitions), "kept" if keep else "seen")
        for schedule_id in seen.gone:
            self._events.emit("schedule.pruned", schedule=schedule_id, app=self._app)
        return seen.missing

    async def _write(self, ids: Sequence[str]) -> None:
        words = await self._recorded.write(self._app, [self._definitions[one] for one in ids])
        for schedule_id, word in zip(ids, words, strict=True):
            if word != "taken":
                self._taken.discard(schedule_id)
            elif schedule_id not in self._taken:
                self._taken.add(schedule_id)
                self._events.emit("schedule.taken", schedule=schedule_id, app=self._app)

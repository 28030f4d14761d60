"""Fires schedules whose slots have come, and starts runs of slots that are over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias, cast

from flows.model.runs.new_run import RUN_FLOW
from flows.store.keys.schedules import ScheduleKeys
from flows.store.runs.new_runs import run_arguments
from flows.store.schedules.recorded import as_fields

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.model.runs.schedule_definition import ScheduleDefinition
    from flows.store.client.connection import Connection
    from flows.store.client.scripts import Argument, Command
    from flows.store.jobs.flow_settings import FlowSettings

#: Whether slots were fired, and of each slot: its run was started, or stands behind the last one; it has run already;
#: or it does not run: the schedule is paused, the last run is open, no slot of the workflow is free, or as many runs
#: stand behind the last one as may.
FireAnswer: TypeAlias = Literal[
    "fired", "late", "early", "started", "queued", "ran", "paused", "open", "full", "queue full"
]
#: `changed` where the schedule was edited meanwhile; of each slot: its run was started, it has run, or it is still to
#: come.
BackfillAnswer: TypeAlias = Literal["filled", "changed", "started", "ran", "early"]
#: So many slots are fired by one script.
SLOTS_AT_ONCE: Final = 50
#: So many schedules are read at once.
_MOST_DUE: Final = 100


class DueSchedule(NamedTuple):
    """A schedule whose slot has come, as it stands in Redis."""

    id: str
    slot: int
    fields: dict[str, bytes]


class Due(NamedTuple):
    """Which schedules are due."""

    now_ms: int
    left_ms: int | None
    """How long it is until the next slot that has not come; None: there is none."""
    schedules: list[DueSchedule]


class Fired(NamedTuple):
    """What became of a firing."""

    word: FireAnswer
    left_ms: int
    """Where it was early: how many milliseconds are left."""
    slots: list[tuple[FireAnswer, str]]
    """Of each slot a word, and the run that it has, or that keeps it from running."""
    cancelled: list[str]
    """Runs that were cancelled, and whose children are still to be."""


class Firing:
    """Fires the schedules of one namespace."""

    def __init__(self, connection: Connection, settings: FlowSettings) -> None:
        self._connection = connection
        self._settings = settings
        self._keys = ScheduleKeys(settings.keys.namespace)

    async def due(self) -> Due:
        """Return which schedules are due.

        Raises:
            StoreError: the server cannot be used.
        """
        named = {**self._settings.named(), "most": _MOST_DUE}
        now, left, due = await self._connection.run(self._settings.script("due_schedules"), named)
        schedules = [DueSchedule(name.decode(), int(float(slot)), as_fields(fields)) for name, slot, fields in due]
        return Due(now, None if left < 0 else left, schedules)

    async def fire(
        self, definition: ScheduleDefinition, digest: bytes, seen: int, slots: Sequence[int], next_slot: int
    ) -> Fired:
        """Fire slots of a schedule, and move it on to its next slot; nothing where that is not the one that was seen.

        Raises:
            StoreError: the server cannot be used.
        """
        named = {
            **self._named(definition.id, digest),
            "schedules": self._keys.schedules(),
            "schedule_id": definition.id,
            "seen": seen,
            "next_ms": next_slot,
            "most": definition.most,
        }
        script = self._settings.script("fire")
        word, left, done, cancelled = await self._connection.run(script, named, _rest(definition, slots))
        return Fired(cast("FireAnswer", word.decode()), left, _pairs(done), [name.decode() for name in cancelled])

    async def backfill(
        self, definition: ScheduleDefinition, digest: bytes, slots: Sequence[int]
    ) -> tuple[BackfillAnswer, list[tuple[BackfillAnswer, str]]]:
        """Start the runs of slots that are over and have not run; a word for all, and of each slot one and its run.

        Raises:
            StoreError: the server cannot be used.
        """
        script, named = self._settings.script("backfill"), self._named(definition.id, digest)
        word, done = await self._connection.run(script, named, _rest(definition, slots))
        return cast("BackfillAnswer", word.decode()), _pairs(done)

    async def runs_of(self, slots: Sequence[tuple[str, int]]) -> list[str]:
        """Return the runs that slots have, each given as schedule and slot; empty where one has none that is kept.

        Raises:
            StoreError: the server cannot be used.
        """
        commands: list[Command] = [("HGET", self._keys.fired(one), slot) for one, slot in slots]
        found = await self._connection.together(commands) if commands else []
        return ["" if not isinstance(one, bytes) else one.decode() for one in found]

    def _named(self, schedule_id: str, digest: bytes) -> dict[str, Argument]:
        return {
            **self._settings.named(RUN_FLOW),
            "schedule": self._keys.schedule(schedule_id),
            "fired": self._keys.fired(schedule_id),
            "seen_digest": digest,
            "call": self._settings.new_call(),
        }


def _rest(definition: ScheduleDefinition, slots: Sequence[int]) -> list[Argument]:
    return [part for slot in slots for part in (slot, *run_arguments(definition.run_of(slot)))]


def _pairs(done: Sequence[Sequence[bytes]]) -> list[Any]:
    return [(word.decode(), run_id.decode()) for word, run_id in done]

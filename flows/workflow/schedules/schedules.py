"""`workflows.schedules`: schedules are listed, made, paused and filled while workers run."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar, overload

from flows.errors import ValidationError
from flows.model.arguments import check_text
from flows.model.creation.job_options import server_ms
from flows.model.runs.schedule_definition import read_definition
from flows.model.schedules.cron import Cron
from flows.model.schedules.due_slots import slots_between
from flows.model.schedules.errors import UnknownSchedule
from flows.model.schedules.every import Every
from flows.model.schedules.policies import check_schedule_id
from flows.store.schedules.firing import SLOTS_AT_ONCE, Firing
from flows.store.schedules.recorded import RecordedSchedules
from flows.workflow.schedule_definitions import definition_of

if TYPE_CHECKING:
    from datetime import datetime

    from flows.model.runs.schedule_definition import ScheduleDefinition
    from flows.model.schedules.record import ScheduleRecord
    from flows.workflow.definition import Workflow
    from flows.workflow.host import Host

#: `list` is a method of the class below.
_Ids: TypeAlias = list[str]
InT = TypeVar("InT")

#: A backfill starts so many runs at most.
_MOST: Final = 10_000


class Schedules:
    """The schedules of a namespace, of whatever app: `workflows.schedules`."""

    def __init__(self, host: Host) -> None:
        self._host = host

    async def list(self) -> list[ScheduleRecord]:
        """Return all schedules, that with the next slot first.

        Raises:
            StoreError: the server cannot be used.
        """
        return await (await self._recorded()).list()

    @overload
    async def create(
        self, schedule: Cron | Every, workflow: Workflow[InT, Any], input: InT, *, id: str | None = None
    ) -> ScheduleRecord: ...
    @overload
    async def create(
        self, schedule: Cron | Every, workflow: Workflow[Any, Any], *, id: str | None = None
    ) -> ScheduleRecord: ...
    @overload
    async def create(
        self, schedule: Cron | Every, workflow: str, input: object = None, *, id: str | None = None
    ) -> ScheduleRecord: ...
    async def create(
        self, schedule: Cron | Every, workflow: Workflow[Any, Any] | str, input: object = None, *, id: str | None = None
    ) -> ScheduleRecord:
        """Make a schedule while workers run; it stays until it is deleted.

        Args:
            schedule: Its times and policies; its `input` and `id` count where none are given here.
            workflow: Of which it starts runs; by its name, one of another code base.
            input: The input of each run.
            id: Names the schedule.

        Returns:
            What was recorded.

        Raises:
            ValidationError: no id is given, there is a schedule of this id, or the input is not of the workflow's
                type.
            UnknownWorkflow: no app ever had a workflow of this name.
            StoreError: the server cannot be used.
        """
        if not isinstance(schedule, (Cron, Every)):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValidationError(f"schedule {schedule!r:.80}: give a Cron(…) or an Every(…)")
        schedule_id = id if id is not None else schedule.id
        if schedule_id is None:
            raise ValidationError("create needs id=: by it the schedule is paused and deleted")
        check_schedule_id(schedule_id)
        given = schedule.input if input is None else input
        known = self._host.definitions.get(workflow, workflow) if isinstance(workflow, str) else workflow
        definition = definition_of(schedule, known, given, schedule_id, "create")
        if isinstance(workflow, str):
            await self._host.check_known(workflow)
        recorded = await self._recorded()
        if await recorded.write("", [definition]) == ["taken"]:
            raise ValidationError(f"there is a schedule {schedule_id!r} already: delete it first, or give another id")
        found = await recorded.record(schedule_id)
        if found is None:
            raise UnknownSchedule(schedule_id)
        return found

    async def edit(self, schedule_id: str, schedule: Cron | Every, input: object = None) -> ScheduleRecord:
        """Give a schedule that was created while workers run other times, policies and input; its slots are of now on.

        Args:
            schedule_id: Its id.
            schedule: Its times and policies; their `input` counts where none is given here.
            input: The input of each run.

        Returns:
            What was recorded.

        Raises:
            UnknownSchedule: there is none of this id.
            ValidationError: the code of an app declares it, or the input is not of the workflow's type.
            StoreError: the server cannot be used.
        """
        recorded = await self._recorded()
        found = await recorded.record(schedule_id)
        if found is None:
            raise UnknownSchedule(schedule_id)
        given = schedule.input if input is None else input
        known = self._host.definitions.get(found.workflow, found.workflow)
        if await recorded.write("", [definition_of(schedule, known, given, schedule_id, "edit")], edit=True) == [
            "taken"
        ]:
            raise ValidationError(
                f"schedule {schedule_id!r} is declared by the code of app {found.app!r}: edit it there, or pause it"
            )
        return await recorded.record(schedule_id) or found

    async def pause(self, schedule_id: str, note: str = "") -> bool:
        """Let the slots of a schedule pass, until `resume`; False where it was paused already.

        Args:
            schedule_id: Its id.
            note: Why; the schedule's record shows it.

        Raises:
            UnknownSchedule: there is none of this id.
            StoreError: the server cannot be used.
        """
        word = await (await self._recorded()).pause(schedule_id, check_text("note", note))
        return _known(schedule_id, word) == "paused"

    async def resume(self, schedule_id: str) -> bool:
        """Let a paused schedule go on with its next slot; False where it was not paused.

        What came meanwhile was not missed: it is not made up for. `backfill` does that.

        Raises:
            UnknownSchedule: there is none of this id.
            StoreError: the server cannot be used.
        """
        word = await (await self._recorded()).pause(schedule_id, None)
        return _known(schedule_id, word) == "resumed"

    async def trigger(self, schedule_id: str) -> str:
        """Start a run of a schedule now, also where it is paused, and return its id; its slots stay as they are.

        Raises:
            UnknownSchedule: there is none of this id.
            StoreError: the server cannot be used.
        """
        definition, _digest = await self._read(schedule_id)
        return (await self._host.start([definition.run_now()]))[0]

    async def backfill(self, schedule_id: str, start: datetime, end: datetime) -> _Ids:
        """Start the runs of past slots that have not run, all of them, whatever the schedule's policies are.

        A run says in its `schedule` which slot it is of; its id is of now. Asked again, it starts none again whose
        run is still kept.

        Args:
            schedule_id: The schedule's id.
            start: The first slot that counts, an aware datetime.
            end: The last one; it must be over.

        Returns:
            The ids of the runs that were started, in the order of their slots.

        Raises:
            ValidationError: the times are not aware, `end` is still to come, or there are over 10,000 slots between
                them.
            UnknownSchedule: there is no schedule of this id.
            StoreError: the server cannot be used; asked again, it goes on.
        """
        first, last = server_ms("start", start), server_ms("end", end)
        definition, digest = await self._read(schedule_id)
        if last > await (await self._recorded()).server_ms():
            raise ValidationError(f"end={end} is still to come: give a time that is over")
        slots = _some(definition, first, last)
        firing = await self._firing()
        started: _Ids = []
        for at in range(0, len(slots), SLOTS_AT_ONCE):
            word, done = await firing.backfill(definition, digest, slots[at : at + SLOTS_AT_ONCE])
            if word == "changed":
                raise ValidationError(f"schedule {schedule_id!r} was edited meanwhile: look at it, and ask again")
            started += [run_id for word, run_id in done if word == "started"]
        return started

    async def delete(self, schedule_id: str) -> bool:
        """Delete a schedule that was created while workers run; its runs stay. False where there is none.

        Raises:
            ValidationError: the code of an app declares it.
            StoreError: the server cannot be used.
        """
        word, app = await (await self._recorded()).delete(schedule_id)
        if word == "declared":
            raise ValidationError(
                f"schedule {schedule_id!r} is declared by the code of app {app!r}, whose workers would write it again: "
                "take it out of the code, or pause it"
            )
        return word == "deleted"

    async def _recorded(self) -> RecordedSchedules:
        session = await self._host.open()
        return RecordedSchedules(session.connection, session.settings)

    async def _firing(self) -> Firing:
        session = await self._host.open()
        return Firing(session.connection, session.settings)

    async def _read(self, schedule_id: str) -> tuple[ScheduleDefinition, bytes]:
        """Return a schedule, and the digest of what is recorded of it."""
        fields = await (await self._recorded()).read(schedule_id)
        if not fields:
            raise UnknownSchedule(schedule_id)
        return read_definition(schedule_id, fields), fields.get("digest", b"")


def _known(schedule_id: str, word: str) -> str:
    if word == "gone":
        raise UnknownSchedule(schedule_id)
    return word


def _some(definition: ScheduleDefinition, first: int, last: int) -> list[int]:
    slots = list(islice(slots_between(definition.schedule, first, last), _MOST + 1))
    if len(slots) > _MOST:
        raise ValidationError(f"there are over {_MOST:,} slots between start and end: backfill a shorter time")
    return slots

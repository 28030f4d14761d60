"""Records schedules, reads them, pauses and deletes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias, cast

from flows.model.schedules.record import ScheduleRecord, read_schedule
from flows.store.client.wire import ReplyError
from flows.store.keys.schedules import ScheduleKeys

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flows.model.runs.schedule_definition import ScheduleDefinition
    from flows.store.client.connection import Connection
    from flows.store.client.scripts import Argument
    from flows.store.jobs.answers import DeleteScheduleAnswer, PauseScheduleAnswer, SetSchedulesAnswer
    from flows.store.jobs.flow_settings import FlowSettings

#: What no process of its app has declared for so long goes, in milliseconds.
STALE_MS: Final = 30_000
#: So many are written by one script, and so many bytes.
_AT_ONCE: Final = 100
_BYTES: Final = 1 << 19


class Seen(NamedTuple):
    """What was found of the schedules that an app declares."""

    missing: list[str]
    """Those that are not recorded, or not as this app's."""
    gone: list[str]
    """Those of the app that nobody declares any more; they were deleted."""


class ScheduleHash(NamedTuple):
    """A schedule as it stands in Redis."""

    id: str
    fields: dict[str, bytes]
    next_ms: float


#: `list` is a method of the class below.
_Hashes: TypeAlias = list[ScheduleHash]


class RecordedSchedules:
    """The schedules of one namespace."""

    def __init__(self, connection: Connection, settings: FlowSettings) -> None:
        self._connection = connection
        self._settings = settings
        self.keys = ScheduleKeys(settings.keys.namespace)

    async def server_ms(self) -> int:
        """Return the server's time, by which slots are reckoned.

        Raises:
            StoreError: the server cannot be used.
        """
        now, _left, _due = await self._run("due_schedules", most=0)
        return int(now)

    async def write(
        self, app: str, definitions: Sequence[ScheduleDefinition], stale_ms: int = STALE_MS, *, edit: bool = False
    ) -> list[SetSchedulesAnswer]:
        """Record schedules, each as far as it is new or was edited; a word each.

        Args:
            app: The app whose code declares them; empty: they are made by hand.
            definitions: The schedules.
            stale_ms: Another app declares a schedule if it has said so since then.
            edit: One that was made by hand is made otherwise, where it is there.

        Raises:
            StoreError: the server cannot be used; those of earlier scripts are recorded.
        """
        now = await self.server_ms()
        words: list[Any] = []
        for part in _in_parts(definitions):
            rest: list[Argument] = []
            for one, fields in part:
                rest += [one.id, one.schedule.next_slot(now), 2 * len(fields)]
                rest += [text for pair in fields.items() for text in pair]
            answer = await self._run("set_schedules", *rest, app=app, stale_ms=stale_ms, edit=int(edit))
            words += [word.decode() for word in answer]
        return words

    async def see(self, app: str, ids: Sequence[str], how: Literal["seen", "kept"], stale_ms: int = STALE_MS) -> Seen:
        """Note which schedules the code of an app declares, all of them, and delete what it declares no more.

        Args:
            app: The app.
            ids: The ids of all its schedules.
            how: `seen` by a process that works, `kept` by a deploy script: until the next one.
            stale_ms: What no process has declared for so long is deleted.

        Raises:
            StoreError: the server cannot be used.
        """
        missing, gone = await self._run("see_schedules", *ids, app=app, how=how, stale_ms=stale_ms)
        return Seen([name.decode() for name in missing], [name.decode() for name in gone])

    async def list(self) -> list[ScheduleRecord]:
        """Return all schedules, that with the next slot first.

        Raises:
            StoreError: the server cannot be used.
        """
        return [read_schedule(one.id, one.fields, one.next_ms) for one in await self.hashes()]

    async def hashes(self) -> _Hashes:
        """Return all schedules as they stand in Redis, that with the next slot first.

        Raises:
            StoreError: the server cannot be used.
        """
        found = await self._connection.call("ZRANGE", self.keys.schedules(), 0, -1, "WITHSCORES")
        ids = [name.decode() for name in found[::2]]
        hashes: Any = await self._connection.together([("HGETALL", self.keys.schedule(one)) for one in ids])
        return [
            ScheduleHash(one, as_fields(pairs), float(score))
            for one, pairs, score in zip(ids, hashes, found[1::2], strict=True)
            if pairs and not isinstance(pairs, ReplyError)  # it is there yet, and is a hash
        ]

    async def record(self, schedule_id: str) -> ScheduleRecord | None:
        """Return what is known of a schedule; None where there is none.

        Raises:
            StoreError: the server cannot be used.
        """
        score = await self._connection.call("ZSCORE", self.keys.schedules(), schedule_id)
        fields = await self.read(schedule_id)
        return read_schedule(schedule_id, fields, None if score is None else float(score)) if fields else None

    async def read(self, schedule_id: str) -> dict[str, bytes]:
        """Return the fields of a schedule's hash; none where there is no such schedule.

        Raises:
            StoreError: the server cannot be used.
        """
        return as_fields(await self._connection.call("HGETALL", self.keys.schedule(schedule_id)))

    async def pause(self, schedule_id: str, note: str | None) -> PauseScheduleAnswer:
        """Pause a schedule with a note, or with None let it go on.

        Raises:
            StoreError: the server cannot be used.
        """
        word = await self._run("pause_schedule", schedule_id=schedule_id, paused=int(note is not None), note=note or "")
        return cast("PauseScheduleAnswer", word.decode())

    async def delete(self, schedule_id: str) -> tuple[DeleteScheduleAnswer, str]:
        """Delete a schedule; returns the word and, of one that is `declared`, the app whose code declares it.

        Raises:
            StoreError: the server cannot be used.
        """
        answer = await self._run("delete_schedule", schedule_id=schedule_id, stale_ms=STALE_MS)
        word, _, app = answer.decode().partition(" ")
        return cast("DeleteScheduleAnswer", word), app

    async def _run(self, script: str, *rest: Argument, **named: Argument) -> Any:
        return await self._connection.run(
            self._settings.script(script), {**self._settings.named(), "call": self._settings.new_call(), **named}, rest
        )


def as_fields(pairs: Sequence[bytes]) -> dict[str, bytes]:
    """Return the fields of a hash as a server lists them."""
    return {name.decode("utf-8", "replace"): value for name, value in zip(pairs[::2], pairs[1::2], strict=True)}


def _in_parts(
    definitions: Sequence[ScheduleDefinition],
) -> Iterator[list[tuple[ScheduleDefinition, dict[str, bytes]]]]:
    part: list[tuple[ScheduleDefinition, dict[str, bytes]]] = []
    size = 0
    for one in definitions:
        fields = one.fields()
        length = sum(map(len, fields.values()))
        if part and (len(part) == _AT_ONCE or size + length > _BYTES):
            yield part
            part, size = [], 0
        part.append((one, fields))
        size += length
    if part:
        yield part

"""How Python reads the answers of the scripts of schedules: for `tests/store/jobs/test_answers.py`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final

from flows.store.jobs.flow_settings import FlowSettings
from flows.store.schedules.firing import Due, DueSchedule, Firing
from flows.store.schedules.recorded import RecordedSchedules, Seen
from tests.store.schedules.stage import schedule

Reader = Callable[[Any, FlowSettings], Coroutine[Any, Any, Any]]


async def _write(connection: Any, settings: FlowSettings) -> Any:
    recorded = RecordedSchedules(connection, settings)
    recorded.server_ms = _no_time  # type: ignore[method-assign]
    return await recorded.write("shop", [schedule()])


async def _no_time() -> int:
    return 0


async def _due(connection: Any, settings: FlowSettings) -> Any:
    """Read what is due; the fields of a sample are no pairs."""
    run = connection.run

    async def paired(*arguments: Any) -> Any:
        now, left, due = await run(*arguments)
        return now, left, [(name, slot, fields * 2) for name, slot, fields in due]

    connection.run = paired
    return await Firing(connection, settings).due()


SCHEDULE_READERS: Final[dict[str, Reader]] = {
    "delete_schedule": lambda connection, settings: RecordedSchedules(connection, settings).delete("daily"),
    "due_schedules": _due,
    "pause_schedule": lambda connection, settings: RecordedSchedules(connection, settings).pause("daily", ""),
    "see_schedules": lambda connection, settings: RecordedSchedules(connection, settings).see("shop", [], "seen"),
    "set_schedules": _write,
}
SCHEDULES_TOLD: Final[dict[str, Callable[[Any, str], bool]]] = {
    "delete_schedule": lambda told, word: told[0] == word,
    "due_schedules": lambda due, _: due == Due(0, 0, [DueSchedule("1", 1, {"1": b"1"})]),
    "pause_schedule": lambda told, word: told == word,
    "see_schedules": lambda told, _: told == Seen(["1"], ["1"]),
    "set_schedules": lambda words, word: words == [word],
}

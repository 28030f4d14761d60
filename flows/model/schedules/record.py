"""`ScheduleRecord`: what is known of a schedule, as `workflows.schedules.list()` returns it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class ScheduleRecord:
    """A schedule as it stands in Redis; instants are aware datetimes in UTC.

    Attributes:
        id: Its id.
        workflow: The name of the workflow of its runs.
        app: The app whose code declares it; None: it was created while workers run.
        cron: Its cron expression; None: it goes by an interval.
        timezone: The zone of that.
        interval: Its interval; None: it goes by a cron expression.
        overlap: What happens while its last run is open.
        missed: What happens to slots that were missed.
        input: The input of its runs, as JSON says it.
        next_at: Its next slot; None: it has none.
        paused_at: Since when it is paused; None: it is not.
        note: What was noted at its pause.
        last_run: The id of the run that it has started last.
        last_slot: The last slot that came, whether it ran or not.
        created_at: When it was recorded first.
    """

    id: str
    workflow: str
    app: str | None
    cron: str | None
    timezone: str | None
    interval: timedelta | None
    overlap: str
    missed: str
    input: Any
    next_at: datetime | None
    paused_at: datetime | None
    note: str
    last_run: str | None
    last_slot: datetime | None
    created_at: datetime | None


def read_schedule(schedule_id: str, fields: Mapping[str, bytes], next_ms: float | None) -> ScheduleRecord:
    """Return what is known of a schedule; what its hash lacks, or holds otherwise than flows writes it, is left out."""
    texts = {name: value.decode("utf-8", "replace") for name, value in fields.items()}
    times = _members(texts.get("when"))
    every = times.get("every_ms")
    return ScheduleRecord(
        schedule_id,
        texts.get("workflow", ""),
        texts.get("app") or None,
        times.get("cron"),
        times.get("timezone"),
        timedelta(milliseconds=every) if isinstance(every, int) else None,
        texts.get("overlap", ""),
        texts.get("missed", ""),
        _json(texts.get("input")),
        _instant(next_ms),
        _instant(texts.get("paused")),
        texts.get("note", ""),
        texts.get("last") or None,
        _instant(texts.get("last_slot")),
        _instant(texts.get("created")),
    )


def _members(text: str | None) -> dict[str, Any]:
    found = _json(text)
    return dict(found) if isinstance(found, dict) else {}  # pyright: ignore[reportUnknownArgumentType]


def _json(text: str | None) -> Any:
    try:
        return None if text is None else from_json(text)
    except ValueError:
        return None


def _instant(ms: str | float | None) -> datetime | None:
    try:
        return None if ms is None else datetime.fromtimestamp(float(ms) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None

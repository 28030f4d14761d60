"""Makes what is answered of slots of schedules, with the runs that they have: these are read all at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from flows.api.views.schedules import DayMark, SlotView
from flows.model.ids import created_at
from flows.model.schedules.slot_words import ToldSlot
from flows.model.state import TERMINAL

if TYPE_CHECKING:
    from flows.api.reading.run_host import RunHost
    from flows.model.runs.run_record import RunRecord
    from flows.model.schedules.slot_words import SlotBook

#: More slots of a day are drawn as one mark; so many are reckoned to find gaps between them.
_SINGLE: Final = 60
_RECKONED: Final = 1_500
#: A longer pause than so many times the shortest one is a gap.
_GAP: Final = 3


@dataclass
class SlotReader:
    """Makes views of slots: `take` those of each schedule, then `fill` all of them."""

    host: RunHost
    _taken: list[tuple[str, ToldSlot, list[SlotView], int]] = field(
        default_factory=list[tuple[str, ToldSlot, list[SlotView], int]]
    )

    def take(self, schedule_id: str, told: list[ToldSlot]) -> list[SlotView]:
        """Return the views of some slots of a schedule, which `fill` completes."""
        views = [_view(one) for one in told]
        self._taken += [(schedule_id, one, views, at) for at, one in enumerate(told)]
        return views

    async def fill(self) -> None:
        """Complete the views that were made, by a round trip for the slots and another one for the runs.

        Raises:
            StoreError: the server cannot be used.
        """
        firing = await self.host.firing()
        asked = [(schedule_id, one.at) for schedule_id, one, _views, _at in self._taken]
        have = await firing.runs_of(asked)  # a backfill has started runs of slots that did not run
        told = [
            ToldSlot(one.at, "ran", run) if run else one
            for (_id, one, _views, _at), run in zip(self._taken, have, strict=True)
        ]
        ids = sorted({one.run for one in told if one.word == "ran"})
        records = dict(zip(ids, await self.host.row_reader.records(ids), strict=True))
        for (_id, _one, views, at), slot in zip(self._taken, told, strict=True):
            views[at] = _view(slot, records.get(slot.run) if slot.word == "ran" else None)


def marks(book: SlotBook, start: int, end: int, now: int, *, paused: bool) -> list[DayMark]:
    """Return when a schedule comes between two times; dense slots as one mark, from the first to the last of them.

    What was before anything is recorded of it is left out.
    """
    start = max(start, min(book.known, now))
    told = book.between(start, end, _RECKONED)
    if told is None:
        parts = ((start, min(now, end)), (max(now, start), end))
        return [_mark(first, last, now, paused=paused) for first, last in parts if first < last]
    if len(told) <= _SINGLE:
        return [
            DayMark(at=_time(one.at), until=None, word="paused" if paused and one.word == "planned" else one.word)
            for one in told
        ]
    pauses = [later.at - one.at for one, later in pairwise(told)]
    gap = _GAP * min(pauses)
    spans: list[list[int]] = []
    for one in told:
        is_next = spans and one.at - spans[-1][1] <= gap and (spans[-1][1] <= now) == (one.at <= now)
        if is_next:
            spans[-1][1] = one.at
        else:
            spans.append([one.at, one.at])
    return [_mark(first, last, now, paused=paused) for first, last in spans]


def _mark(first: int, last: int, now: int, *, paused: bool) -> DayMark:
    word: Any = "ran" if last <= now else "paused" if paused else "planned"
    return DayMark(at=_time(first), until=_time(last), word=word)


def _view(slot: ToldSlot, record: RunRecord[Any] | None = None) -> SlotView:
    late = (created_at(slot.run) - _time(slot.at)).total_seconds() if slot.word == "ran" and slot.run else 0.0
    return SlotView(
        at=_time(slot.at),
        word=slot.word,
        run=slot.run or None,
        status=None if record is None else record.status,
        late=max(0.0, late),
        took=None if record is None else _took(record),
        error_type=None if record is None or record.error is None else record.error.type,
    )


def _took(record: RunRecord[Any]) -> float | None:
    """Return how long a run took from its first beginning to its end; None: it has not begun, or has not ended."""
    if not record.job.path or record.job.status not in TERMINAL:
        return None
    return max(0.0, (record.since - record.created_at - record.job.path[0].waited).total_seconds())


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)

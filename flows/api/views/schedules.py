"""What is answered of schedules and their slots."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flows.api.views.view import View
from flows.model.runs.run_record import RunStatus
from flows.model.schedules.slot_words import SlotWord


class MovedSlot(View):
    """A slot that comes at another time than its schedule says."""

    slot: datetime
    local: str
    """The time on the clock of the schedule's zone that does not exist, such as `2027-03-28T02:30:00`."""


class SlotView(View):
    """One slot of a schedule."""

    at: datetime
    word: SlotWord
    """`ran`: it has a run. `missed`: nobody was there to fire it; `due`: nobody has fired it yet; `planned`: it is
    still to come; `unknown`: it is from before what is recorded. `paused`, `open` (its last run was), `full`,
    `queue full`: it was let pass for that."""
    run: str | None
    """The run that it has, or that has kept it from running."""
    status: RunStatus | None
    """That of its run; None: the run's record is gone, or it has none."""
    late: float
    """Seconds after the slot at which the run was started."""
    took: float | None
    """Seconds from the run's first beginning to its end; None: it has not ended."""
    error_type: str | None


class SlotsView(View):
    """Slots of one schedule."""

    slots: list[SlotView]
    """The first 1,000."""
    total: int
    without_run: int
    """How many are over and have no run: `schedules.backfill` starts these."""


class DayMark(View):
    """When a schedule comes: a slot, or many."""

    at: datetime
    until: datetime | None
    """Of many slots, too dense to be told apart: the last one."""
    word: SlotWord


class DayView(View):
    """When one schedule comes within a day."""

    id: str
    marks: list[DayMark]


class ScheduleView(View):
    """A schedule."""

    id: str
    workflow: str
    app: str | None
    """The app whose code declares it; None: it was created while workers run."""
    cron: str | None
    timezone: str | None
    interval: float | None
    """Seconds."""
    overlap: str
    missed: str
    input: Any
    next: datetime | None
    upcoming: list[datetime]
    """The next five slots, where this machine can reckon them."""
    moved: list[MovedSlot]
    """Those of them that come at another time than the schedule says, since the clock skips that."""
    slots: list[SlotView]
    """What became of the slots that came last, oldest first, where they were asked for."""
    paused: datetime | None
    note: str
    last_run: str | None
    last_slot: datetime | None
    created: datetime | None
    cut: bool = False
    """Whether its input is shown in part."""


class Backfilled(View):
    """The runs that were started for past slots."""

    word: str
    count: int
    runs: list[str]

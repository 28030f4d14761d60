"""Which slots of a schedule run now, and which is its next one."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flows.model.schedules.policies import Missed

#: So many missed slots run at most.
MOST_MISSED: Final = 1_000
#: With missed="skip" a slot may be as late as this, in milliseconds.
_LATE_MS: Final = 60_000
#: The newest slots are looked for in the last minute, hour, …: a schedule by the minute has 525,600 slots a year.
_WINDOWS_MS: Final = (60_000, 3_600_000, 86_400_000, 32 * 86_400_000, 366 * 86_400_000)


class Slots(Protocol):
    """What has slots: Cron and Every."""

    def next_slot(self, after_ms: int) -> int:
        """Return the first slot strictly after an instant."""
        ...


@dataclass(frozen=True, slots=True)
class DueSlots:
    """What is due of a schedule: `slots` run, in order, and `next` is the first one that is still to come."""

    slots: tuple[int, ...]
    next: int


def due_slots(schedule: Slots, first: int, now: int, missed: Missed) -> DueSlots:
    """Return what is due; all times in milliseconds since 1970.

    Args:
        schedule: Whose slots.
        first: The oldest slot that has not come yet.
        now: The server's time, at least `first`.
        missed: The schedule's policy.
    """
    if missed == "last":
        slots = newest_slots(schedule, first, now, 1)
    elif missed == "all":
        slots = newest_slots(schedule, first, now, MOST_MISSED)
    else:
        slots = newest_slots(schedule, max(first, now - _LATE_MS), now, MOST_MISSED)
    return DueSlots(slots, schedule.next_slot(now))


def slots_between(schedule: Slots, start: int, end: int) -> Iterator[int]:
    """Yield the slots from `start` to `end`, both included, in order."""
    slot = schedule.next_slot(start - 1)
    while slot <= end:
        yield slot
        slot = schedule.next_slot(slot)


def newest_slots(schedule: Slots, first: int, now: int, most: int) -> tuple[int, ...]:
    """Return the newest slots from `first` to `now`, both included, in order, so many at most."""
    for window in _WINDOWS_MS:
        start = now - window
        if start <= first:
            break
        slots = deque(slots_between(schedule, start, now), most)
        if len(slots) == most:
            return tuple(slots)
    return tuple(deque(slots_between(schedule, first, now), most))

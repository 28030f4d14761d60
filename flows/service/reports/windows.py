"""Which spans of time are due to be reported, pure: they neither overlap nor leave a gap."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from flows.model.schedules.due_slots import MOST_MISSED, newest_slots

if TYPE_CHECKING:
    from flows.model.schedules.due_slots import Slots

#: What becomes of slots that came while no worker ran: one report over all of them, or one of each. There is no
#: "skip": endings would be told by none.
MissedReports: TypeAlias = Literal["last", "all"]

#: The first of January 2024, in UTC, and so many slots from there on.
_SOME_DAY: Final = 1_704_067_200_000
_LOOKED_AT: Final = 60
_YEAR: Final = 366 * 86_400_000


class Window(NamedTuple):
    """A span from `since` to before `until`, in milliseconds since 1970, by the server's clock."""

    since: int
    until: int


def due_windows(schedule: Slots, last: int, now: int, missed: MissedReports) -> list[Window]:
    """Return the windows that are due, oldest first; each begins where the one before it ends.

    Args:
        schedule: The report's times.
        last: Where the last window ended.
        now: The server's time.
        missed: One window for all slots that came meanwhile, or one for each: the newest 1,000, the first of which
            also takes what was before.
    """
    if schedule.next_slot(last) > now:
        return []
    windows: list[Window] = []
    for slot in newest_slots(schedule, last + 1, now, 1 if missed == "last" else MOST_MISSED):
        windows.append(Window(last, slot))
        last = slot
    return windows


def longest_window(schedule: Slots) -> int:
    """Return how long a window is at most, in milliseconds; reckoned over the same days always."""
    slots: list[int] = [schedule.next_slot(_SOME_DAY)]
    while len(slots) < _LOOKED_AT:
        slots.append(schedule.next_slot(slots[-1]))
    return max(after - before for before, after in pairwise(slots))


def first_since(schedule: Slots, now: int) -> int:
    """Return where the first window of a new report begins: at the slot before now, so that it is a whole one."""
    return max(newest_slots(schedule, now - _YEAR, now, 1), default=now)

"""The sliding window by which a limiter is exact, as the scripts keep it: what they do is compared with this."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

#: Tokens are given out at most so far ahead of their time: whoever gets one sleeps until then.
AHEAD_MS: Final = 50
#: Tokens that are taken within a part of the interval come back together, so that a window is a short list.
PARTS: Final = 64
#: Spaces between starts are multiples of such a part of a millisecond: sums of them are exact.
GRID: Final = 1024


@dataclass(slots=True)
class Window:
    """The tokens of one limiter, or of one of its groups, that have not come back yet.

    Times are in milliseconds of the server's clock, which is cut to whole ones: a token that is taken *now* counts from
    the next millisecond, since it may have been that late. One that is given out for a later time counts from then, so
    lateness does not add up. A token comes back one interval after it counts.
    """

    reservoir: int
    interval: int
    """In milliseconds."""
    smooth: bool = False
    taken: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    """From when tokens count and how many, oldest first."""
    spaced: float = 0
    """The earliest start that the even spacing of a smooth limiter allows."""

    def ready_at(self, now: int, cost: int = 1) -> int:
        """Return when a job of this cost can start, at the earliest: now, or a later time; nothing is taken.

        That is never earlier than a start that was given out already. What costs more than the reservoir counts as a
        whole one: a limit that was lowered strands nobody.
        """
        self._pass_to(now)
        last = self.taken[-1][0] if self.taken else 0
        at = now if last <= now + 1 else last
        if self.smooth:
            at = max(at, math.ceil(self.spaced))
        missing = cost - (self.reservoir - self.held)
        for counts_from, count in self.taken:
            if missing <= 0:
                break
            missing -= count
            at = max(at, counts_from + self.interval)
        return at

    def take(self, at: int, now: int, cost: int = 1) -> None:
        """Take the tokens of a job that starts at `at`, which is not before `ready_at` says.

        A job of several limiters takes those of each at the latest of their times.
        """
        self._pass_to(now)
        counts_from = now + 1 if at <= now else at
        tokens = min(cost, self.reservoir)
        if self.smooth:
            # A start is at a whole millisecond, and what its time was rounded up by is not lost.
            exact = self.spaced if math.ceil(self.spaced) == counts_from else counts_from
            self.spaced = exact + tokens * self._spacing()
        if self.taken and self._part(self.taken[-1][0]) == self._part(counts_from):
            # All of them come back with the latest one.
            tokens += self.taken.pop()[1]
        self.taken.append((counts_from, tokens))

    @property
    def held(self) -> int:
        """How many tokens have not come back."""
        return sum(count for _at, count in self.taken)

    def _pass_to(self, now: int) -> None:
        """Forget the tokens that have come back by now; one that is given out for later may need them until then."""
        latest = now + AHEAD_MS + 1
        if self.taken and self.taken[-1][0] > latest:  # the clock was set back
            self.taken = [(min(at, latest), count) for at, count in self.taken]
        self.spaced = min(self.spaced, latest + self.reservoir * self._spacing())
        back = 0
        while back < len(self.taken) and self.taken[back][0] + self.interval <= now:
            back += 1
        del self.taken[:back]

    def _part(self, at: int) -> int:
        return math.floor(at * PARTS / self.interval)

    def _spacing(self) -> float:
        return math.ceil(self.interval * GRID / self.reservoir) / GRID

"""Histograms of times, in bounds that never change: any two can be added, those of other processes and hours too."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

#: In milliseconds: a time is counted at the first bound that it does not exceed, and one over the last behind them all.
BOUNDS_MS: Final = (
    *(1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700),
    *(1000, 1500, 2000, 3000, 5000, 7000, 10_000, 15_000, 30_000, 60_000),
    *(120_000, 240_000, 480_000, 900_000, 1_800_000, 3_600_000),
)
#: The same in seconds.
BOUNDS: Final = tuple(bound / 1000 for bound in BOUNDS_MS)
#: How many counts a histogram has.
BUCKETS: Final = len(BOUNDS_MS) + 1
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_BASE: Final = len(_DIGITS)
#: No count has more digits: it was edited.
_LONGEST: Final = 10


@dataclass(frozen=True, slots=True)
class Histogram:
    """How often times were counted in each bucket; `sum(histograms, Histogram())` adds them up."""

    counts: tuple[int, ...] = (0,) * BUCKETS
    """One for each of the 33 bounds, from 1 ms to an hour, and the last for what took longer."""

    @property
    def count(self) -> int:
        """How many times were counted."""
        return sum(self.counts)

    def percentile(self, percent: float) -> timedelta | None:
        """Return the bound that so many percent of the times do not exceed; None where nothing was counted.

        The true time is shorter, by half at most. For what took over an hour it is an hour.

        Args:
            percent: From 0 to 100.
        """
        total, seen = self.count, 0
        for at, count in enumerate(self.counts):
            seen += count
            if count and seen >= total * percent / 100:
                return timedelta(milliseconds=BOUNDS_MS[min(at, BUCKETS - 2)])
        return None

    def __add__(self, other: Histogram) -> Histogram:
        return Histogram(tuple(mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True)))

    def __sub__(self, other: Histogram) -> Histogram:
        """Return what was counted since then."""
        return Histogram(tuple(mine - theirs for mine, theirs in zip(self.counts, other.counts, strict=True)))


def write_histogram(counts: Sequence[int]) -> str:
    """Return the text of a histogram: the first bucket that is not empty, then the counts up to the last such one.

    Counts have the base 36, and those that are 0 are empty: `4:a,,1x`.
    """
    used = [at for at, count in enumerate(counts) if count > 0]
    if not used:
        return ""
    return f"{used[0]}:{','.join(map(base36, counts[used[0] : used[-1] + 1]))}"


def read_histogram(text: str) -> Histogram:
    """Return the histogram that a text stands for; what was edited into nonsense counts nothing."""
    first, colon, listed = text.partition(":")
    counts = [0] * BUCKETS
    if colon and len(first) <= len(str(BUCKETS)) and first.isdecimal() and first.isascii():
        for at, digits in enumerate(listed.split(",")[:BUCKETS], int(first)):
            if at < BUCKETS:
                counts[at] = from_base36(digits)
    return Histogram(tuple(counts))


def base36(number: int) -> str:
    """Return a number in base 36; empty for 0 and below."""
    digits = ""
    while number > 0:
        number, digit = divmod(number, _BASE)
        digits = _DIGITS[digit] + digits
    return digits


def from_base36(digits: str) -> int:
    """Return the number that digits of base 36 stand for; 0 where they are none."""
    try:
        return max(0, int(digits, _BASE)) if 0 < len(digits) <= _LONGEST else 0
    except ValueError:
        return 0

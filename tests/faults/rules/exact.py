"""Exact sliding windows in plain Python: how full the fullest was, and how soon so many starts could be over.

A start is a pair: its time in milliseconds, and its cost. A window is half open: from `begin` until `begin + interval`,
wherever it begins.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import TypeAlias

Start: TypeAlias = tuple[int, int]


def fullest(starts: Iterable[Start], interval: int) -> int:
    """Return the most tokens that any window of this length holds; 0 where nothing started."""
    inside: deque[Start] = deque()
    held = most = 0
    for start in sorted(starts):
        inside.append(start)
        held += start[1]
        while inside[0][0] <= start[0] - interval:
            held -= inside.popleft()[1]
        most = max(most, held)
    return most


def soonest(costs: Sequence[int], reservoir: int, interval: int, arrivals: Sequence[int] = ()) -> list[int]:
    """Return when each of these starts could be at the soonest, in this order; the first one comes at 0.

    A cost over the reservoir counts as the reservoir, as it does in the script.
    """
    inside: deque[Start] = deque()
    held = now = 0
    times: list[int] = []
    for given, arrival in zip(costs, arrivals or [0] * len(costs), strict=True):
        cost, now = min(given, reservoir), max(now, arrival)
        while inside and (inside[0][0] + interval <= now or held + cost > reservoir):
            begin, returned = inside.popleft()
            now = max(now, begin + interval)
            held -= returned
        inside.append((now, cost))
        held += cost
        times.append(now)
    return times


def most_held(spans: Iterable[tuple[int, int, int]]) -> int:
    """Return the most that was held at any time: each span is from, until and how much; what ends makes room first."""
    changes: list[tuple[int, int, int]] = []
    for begin, end, much in spans:
        changes += [(begin, 1, much), (end, 0, -much)]
    held = most = 0
    for _, _, change in sorted(changes):
        held += change
        most = max(most, held)
    return most

"""The bounds of what limits are made of, and the checks of numbers against them."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Final, TypeGuard

from flows.model.names import NAME

#: Priorities are 1 to so many; a queue may have fewer.
MOST_PRIORITIES: Final = 8
#: Limiters of one queue.
MOST_LIMITERS: Final = 8
#: Tokens of a limiter, slots of a queue, and what one job may take of them.
MOST_TOKENS: Final = 1_000_000
SHORTEST_INTERVAL: Final = timedelta(milliseconds=10)
LONGEST_INTERVAL: Final = timedelta(days=31)
#: A limiter that spaces starts evenly leaves at least so much between two.
SHORTEST_SPACING: Final = timedelta(milliseconds=1)
LEAST_SHARE: Final = 0.001
MOST_SHARE: Final = 1000.0

_MILLISECOND: Final = timedelta(milliseconds=1)


def is_whole(value: object, most: int = MOST_TOKENS, least: int = 1) -> TypeGuard[int]:
    """Return whether a value is a whole number from `least` to `most`; True and False are none."""
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def is_share(value: object) -> TypeGuard[float]:
    """Return whether a value is a share: a number from 0.001 to 1,000."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and LEAST_SHARE <= value <= MOST_SHARE


def is_limit_id(value: object) -> TypeGuard[str]:
    """Return whether a value can be the id of a limiter or of slots: it stands in keys."""
    return isinstance(value, str) and NAME.fullmatch(value) is not None


def interval_ms(interval: timedelta) -> int:
    """Return an interval in whole milliseconds, rounded up: a window is never shorter than was said."""
    return math.ceil(interval / _MILLISECOND)

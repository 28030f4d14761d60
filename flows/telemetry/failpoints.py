"""Points in the code at which a fault test kills, stops or delays its process; they do nothing unless armed.

`FLOWS_FAILPOINTS="after-claim-reply=kill@3;before-renew=sleep:2"` is read once, when flows is imported: at the third
passage of the first point the process kills itself, at each passage of the second it sleeps for two seconds.
"""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

#: The environment variable that arms failpoints.
VARIABLE: Final = "FLOWS_FAILPOINTS"

#: The points, named after what has just happened or comes next there.
POINTS: Final = frozenset(
    {
        "after-claim-reply",
        "before-user-code",
        "after-user-code",
        "before-turn-send",
        "after-turn-reply",
        "before-record",
        "after-record",
        "mid-fan-out",
        "after-fan-out",
        "before-renew",
        "in-rescue",
    }
)

_armed: dict[str, tuple[str, int]] = {}
#: What a test of this process does at a point, which it puts in place of an action.
_strikes: dict[str, Callable[[], None]] = {}


class InjectedFault(Exception):
    """The exception of the action `raise`."""


def arm(text: str) -> None:
    """Arm failpoints: `point=action[@n]`, separated by `;`; the empty text disarms all.

    The actions: kill, stop (by signals to the own process), abort, raise, `sleep:<seconds>`. With `@n` only the
    n-th passage counts.

    Raises:
        ValueError: there is no such point, or no such action.
    """
    armed: dict[str, tuple[str, int]] = {}
    for part in filter(None, text.split(";")):
        point, _, what = part.strip().partition("=")
        action, _, number = what.partition("@")
        if point not in POINTS:
            raise ValueError(f"{VARIABLE} names {point!r}; the points are {', '.join(sorted(POINTS))}")
        if not re.fullmatch(r"kill|stop|abort|raise|sleep:\d+(\.\d+)?", action):
            raise ValueError(
                f"{VARIABLE}: {point} cannot {action!r}; the actions are kill, stop, abort, raise and sleep:<seconds>"
            )
        armed[point] = (action, int(number or 0))
    _armed.clear()
    _armed.update(armed)


def failpoint(point: str) -> None:
    """Run the action of a point, if it is armed."""
    if _armed and point in _armed:
        _pass(point)
    if _strikes and point in _strikes:
        _strikes[point]()


@contextmanager
def struck(point: str, strike: Callable[[], None]) -> Generator[None]:
    """Call `strike` whenever this process passes a point, while the context lasts."""
    before = _strikes.get(point)
    _strikes[point] = strike
    try:
        yield
    finally:
        del _strikes[point]
        if before is not None:
            _strikes[point] = before


def _pass(point: str) -> None:
    action, left = _armed[point]
    if left > 1:
        _armed[point] = (action, left - 1)
        return
    if left == 1:
        del _armed[point]
    kind, _, argument = action.partition(":")
    match kind:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "abort":
            os.abort()
        case "sleep":
            time.sleep(float(argument))
        case _:
            raise InjectedFault(point)


arm(os.environ.get(VARIABLE, ""))

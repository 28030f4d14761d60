"""Notices from another thread that an event loop stands still, and names the line that blocks it."""

from __future__ import annotations

import asyncio
import contextlib
import selectors
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from types import FrameType

    from flows.telemetry.events import Events

#: Looks are so many seconds apart.
LOOK_EVERY: Final = 0.25
#: A loop that has not run for longer stands still; it is told again after four times as long, and so on.
_STANDS: Final = 1.0
_GROWTH: Final = 4
_REMEDY: Final = "make the function a plain def, which runs in a thread, or await something that does not block"

_ASYNCIO: Final = str(Path(asyncio.__file__).parent)
_FLOWS: Final = str(Path(__file__).parents[1])
_LIBRARY: Final = (str(Path(selectors.__file__).parent), "<frozen")
_INSTALLED: Final = ("site-packages", "dist-packages")

#: The watch of each loop: the flows that use it share one, and the first of them looks.
_watches: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, LoopWatch]] = WeakKeyDictionary()


class Line(NamedTuple):
    """A line of a program."""

    function: str
    file: str
    line: int


class LoopWatch:
    """Watches one event loop; made in the loop's thread, and asked to look from another one."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        #: When the loop ran last, as far as it was asked.
        self.seen = time.monotonic()
        self._answered = True
        #: When it was asked last, and how long the answer before that took.
        self._asked = self.seen
        self._took = 0.0
        self._tell_after = _STANDS
        self._looked = self.seen
        self._owner: object = None

    @property
    def lag(self) -> float:
        """For how many seconds the loop lets the last question wait, or has let it wait."""
        return self._took if self._answered else max(0.0, time.monotonic() - self._asked)

    def blocked(self) -> tuple[float, Line] | None:
        """Return for how many seconds the loop has stood still, and the line that keeps it; None where it does not."""
        stands = time.monotonic() - self.seen
        where = blocking_line(self._thread) if stands > _STANDS else None
        return None if where is None else (stands, where)

    def is_for(self, asking: object) -> bool:
        """Return whether this one is to look: the first that asks, until it leaves."""
        if self._owner is None:
            self._owner, self._answered = asking, True
            self.seen = self._looked = time.monotonic()
        return self._owner is asking

    def leave(self, owner: object) -> None:
        """Let another one look from now on."""
        if self._owner is owner:
            self._owner = None

    def look(self, loop: asyncio.AbstractEventLoop, events: Events) -> None:
        """Ask the loop for a sign of life, and emit `loop.blocked` where it has given none for a second."""
        if self._answered:
            self._asked = time.monotonic()
            self._answered, self._tell_after = False, _STANDS
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(self._sign)
        now = time.monotonic()
        asleep, self._looked = now - self._looked, now
        if asleep > _STANDS:
            # The watcher stood still too, as all of a process does that was stopped: that says nothing of its loop.
            self.seen, self._asked = min(now, self.seen + asleep), min(now, self._asked + asleep)
        stands = now - self.seen
        if stands > self._tell_after and (where := blocking_line(self._thread)) is not None:
            self._tell_after = _GROWTH * stands
            events.emit_now(loop, "loop.blocked", seconds=round(stands, 1), **where._asdict(), remedy=_REMEDY)

    def _sign(self) -> None:
        self.seen = time.monotonic()
        self._took, self._answered = max(0.0, self.seen - self._asked), True


def watch_of(loop: asyncio.AbstractEventLoop) -> LoopWatch:
    """Return the watch of the running loop."""
    found = _watches.get(loop)
    if found is None:
        found = _watches[loop] = LoopWatch()
    return found


def blocking_line(thread: int) -> Line | None:
    """Return the line that keeps a thread from its event loop; None where the loop only waits.

    It is the innermost one of the program's own, else of an installed package, else of any.
    """
    frames: list[FrameType] = []
    # There is no other way to the stack of another thread.
    frame = sys._current_frames().get(thread)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    while frame is not None and not _file(frame).startswith(_ASYNCIO):
        frames.append(frame)
        frame = frame.f_back
    if not frames or _file(frames[0]) == selectors.__file__:
        return None
    found = min(frames, key=_strangeness)  # of several the first, which is the innermost
    return Line(found.f_code.co_qualname, _file(found), found.f_lineno)


def _strangeness(frame: FrameType) -> int:
    """Return how far a line is from the program's own code."""
    file = _file(frame)
    if file.startswith(_FLOWS):
        return 2
    if any(folder in file for folder in _INSTALLED):
        return 1
    return 2 if file.startswith(_LIBRARY) else 0


def _file(frame: FrameType) -> str:
    return frame.f_code.co_filename

"""Keeps processes with workers running: starts them, passes signals on, starts again what has died, and recycles.

It has no event loop and no connection, so nothing that a worker meets can stop it. Each process is a fresh interpreter.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from flows.cli.worker_process import Work

#: A process that has died is started again at once. One that dies again within its first seconds is started again
#: after a pause, and each time after twice as long; one that has died so often in a row is not: it cannot work.
FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 30.0
MOST_DEATHS: Final = 5
YOUNG: Final = 5.0
#: The grace of processes that are stopped since a file has changed.
RELOAD_GRACE: Final = 5.0
#: One of the processes does bulk actions besides; the others need not even load what does them.
_FIRST: Final = "flows.cli.bulk_beside"
_OTHERS: Final = "flows.cli.worker_process"
_LOOK: Final = 0.05
GAVE_UP: Final = 1
#: Of a process that was refused what it was started with.
REFUSED: Final = 2


@dataclass
class _Place:
    """One of the processes, through all the interpreters that it has had."""

    number: int
    process: subprocess.Popen[bytes] | None = None
    control: int = -1
    started: float = 0.0
    deaths: int = 0
    #: When it is to be started; None: it is not.
    due: float | None = 0.0
    ending: bool = False


@dataclass
class _Orders:
    """What signals and watchers have asked for."""

    stop: int = 0
    hurry: bool = False
    reload: bool = False
    new: threading.Event = field(default_factory=threading.Event)


class Supervisor:
    """Some processes that do the same work.

    Args:
        work: What each does.
        processes: How many.
        say: Tells people what happens.
    """

    def __init__(self, work: Work, processes: int, say: Callable[[str], None]) -> None:
        self._work = work
        self._places = [_Place(number) for number in range(1, processes + 1)]
        self._say = say
        self._orders = _Orders()
        self._status = 0

    def run(self) -> int:
        """Run until a signal, or until all processes have ended well; return the highest exit status of theirs."""
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            while any(place.process is not None or place.due is not None for place in self._places):
                self._look()
                self._orders.new.wait(_LOOK)
                self._orders.new.clear()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            for place in self._places:
                if place.process is not None:
                    place.process.kill()
        return self._status

    def reload(self) -> None:
        """Stop all processes with a short grace, and start them again: a file has changed. Any thread may call this."""
        self._orders.reload = True
        self._orders.new.set()

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self._orders.hurry = self._orders.stop != 0
        self._orders.stop = number
        self._orders.new.set()

    def _look(self) -> None:
        if self._orders.stop:
            self._pass_on()
        elif self._orders.reload:
            self._orders.reload = False
            self._say("a file has changed")
            for place in self._places:
                place.due, place.deaths = time.monotonic(), 0
                self._end(place)
        for place in self._places:
            self._look_at(place)

    def _pass_on(self) -> None:
        """Pass a signal on, once; a second one again, which has workers stop at once."""
        for place in self._places:
            place.due = None
            if place.process is not None and (not place.ending or self._orders.hurry):
                place.process.send_signal(self._orders.stop)
                place.ending = True
        self._orders.hurry = False

    def _look_at(self, place: _Place) -> None:
        process = place.process
        if process is None:
            if place.due is not None and time.monotonic() >= place.due:
                self._start(place)
            return
        status = process.poll()
        if status is None:
            if not place.ending and _asks(place.control) and not any(one.ending for one in self._places):
                self._say(f"process {place.number} is replaced")
                place.due = time.monotonic()
                self._end(place)
            return
        os.close(place.control)
        if process.stdin is not None:
            process.stdin.close()
        place.process = None
        self._note_end(place, status)

    def _note_end(self, place: _Place, status: int) -> None:
        meant, place.ending = place.ending, False
        if meant:
            # A signal can come before a process has begun to hear it: then nothing was in flight.
            well = status in {0, -signal.SIGTERM, -signal.SIGINT}
            self._status = max(self._status, 0 if well else status if status > 0 else GAVE_UP)
            return
        if status == 0:  # its part is done
            place.due = None
            return
        young = time.monotonic() - place.started < YOUNG
        place.deaths = place.deaths + 1 if young else 1
        if place.deaths >= MOST_DEATHS or status == REFUSED:
            self._say(f"process {place.number} has ended with {status}, and is not started again")
            self._status = max(self._status, REFUSED if status == REFUSED else GAVE_UP)
            self._orders.stop = signal.SIGTERM
            return
        pause = 0.0 if place.deaths == 1 else min(FIRST_PAUSE * 2 ** (place.deaths - 2), LONGEST_PAUSE)
        self._say(f"process {place.number} has ended with {status}: it starts again in {pause:g} s")
        place.due = time.monotonic() + pause

    def _start(self, place: _Place) -> None:
        read, write = os.pipe()
        os.set_blocking(read, False)
        module = _FIRST if place is self._places[0] else _OTHERS
        arguments = [sys.executable, "-m", module, self._work.dump(), str(write)]
        place.process = subprocess.Popen(  # noqa: S603 - this interpreter, and our own module
            arguments, stdin=subprocess.PIPE, pass_fds=(write,), start_new_session=True
        )
        os.close(write)
        place.control, place.started, place.due = read, time.monotonic(), None

    def _end(self, place: _Place) -> None:
        if place.process is not None and not place.ending:
            place.process.send_signal(signal.SIGTERM)
            place.ending = True


def reloading(work: Work) -> Work:
    """Return the work of processes that are started again whenever a file changes."""
    return replace(work, grace=min(work.grace, RELOAD_GRACE))


def _asks(control: int) -> bool:
    """Whether a process asks to be replaced."""
    try:
        return os.read(control, 1) != b""
    except BlockingIOError:
        return False

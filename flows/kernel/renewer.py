"""Renews the leases of all workers of a flow from one thread, so that a blocked event loop does not lose them.

A thread that renewed for ever would hide a dead loop, so the loop has to show, every so often, that it still runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import threading
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from flows.errors import StoreError
from flows.telemetry.failpoints import failpoint
from flows.telemetry.loop_watch import LOOK_EVERY, LoopWatch, watch_of
from flows.telemetry.service import Pause

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.kernel.fleet.heartbeat import Heartbeat
    from flows.store.jobs.leases import LeaseRenewal
    from flows.telemetry.events import Events

#: When the server did not answer, it is asked again after so many seconds, and then after twice as many each time.
_FIRST_PAUSE: Final = 0.25
#: A poke is answered at once, those that follow together after so many seconds.
_BETWEEN_POKES: Final = 0.05


class Holder(Protocol):
    """What the renewer needs of a worker."""

    queue: str
    worker_id: str

    def under_way(self) -> int:
        """Return the number of the turn whose answer was not read yet, 0 where there is none; called from the thread.

        What such a turn has claimed is not among what is held.
        """
        ...

    def held(self) -> list[tuple[str, int]]:
        """Return the (id, fence) of each job whose lease this worker holds; called from the thread."""
        ...

    def lease_answered(self, job_id: str, fence: int, word: str) -> None:
        """Act on an answer other than `kept`: the lease is lost, or the job shall be cancelled."""
        ...


class Renewer:
    """Renews leases from a thread, as long as the event loop shows that it runs."""

    def __init__(self, renewal: LeaseRenewal, lease_seconds: float, hang_limit: float, events: Events) -> None:
        #: What this process says of itself is sent by the same thread.
        self.heartbeat: Heartbeat | None = None
        self._renewal = renewal
        self._lease = lease_seconds
        self._pause = lease_seconds / 4
        self._hang_limit = hang_limit
        self._events = events
        self._holders: set[Holder] = set()
        #: By worker id, when each lease was last known to be kept; only the thread uses it.
        self._kept: dict[str, dict[tuple[str, int], float]] = {}
        self._stop = threading.Event()
        #: The ids of jobs that are to be renewed at once; None stands for all.
        self._pokes: deque[str | None] = deque()
        self._poked = threading.Event()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        #: Looks after the loop: it has to show that it still runs.
        self._watch: LoopWatch | None = None

    def add(self, holder: Holder) -> None:
        """Renew the leases of a worker from now on."""
        self._holders.add(holder)

    def remove(self, holder: Holder) -> None:
        """Stop renewing the leases of a worker."""
        self._holders.discard(holder)
        self._kept.pop(holder.worker_id, None)

    def poke(self, job_id: str | None) -> None:
        """Renew the lease of a job at once, None those of all: the answer may be that it is to be cancelled."""
        self._pokes.append(job_id)
        self._poked.set()

    def wake(self) -> None:
        """Let the thread look what is due."""
        self._poked.set()

    async def start(self) -> None:
        """Connect, then start the thread: no job is claimed before its lease can be kept. Twice changes nothing.

        Raises:
            StoreUnavailable: the server cannot be reached, or has no room for one more connection.
            RuntimeError: no thread can be started.
        """
        if self._thread is None:
            await self._connect()
            self._loop = asyncio.get_running_loop()
            self._watch = watch_of(self._loop)
            self._stop.clear()
            thread = threading.Thread(target=self._work, name="flows-renewer", daemon=True)
            try:
                thread.start()
            except BaseException:
                self._renewal.close()
                raise
            self._thread = thread  # only now: one that could not be started is tried again

    async def _connect(self) -> None:
        """Connect in a thread; where nobody waits for that any more, nothing stays open."""
        given_up = threading.Event()

        def connect() -> None:
            self._renewal.connect()
            if given_up.is_set():
                self._renewal.close()

        try:
            await asyncio.to_thread(connect)
        except BaseException:
            given_up.set()
            self._renewal.close()  # the thread may have looked already
            raise

    async def stop(self) -> None:
        """Stop the thread and wait for it; stopping twice changes nothing."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self.forsake()
            await asyncio.to_thread(thread.join)

    def forsake(self) -> None:
        """Let the thread end, and do not wait for it: its loop has ended."""
        self._stop.set()
        self._poked.set()

    def _work(self) -> None:
        pause = Pause()
        while not self._ended:
            pause.began()
            try:
                self._renew_forever()
            except BaseException as error:  # noqa: BLE001 - without this thread, all leases of the process are lost
                if not self._stop.wait(pause.next()):
                    self._emit("service.died", service="renewer", error=repr(error))
        if self._watch is not None:
            self._watch.leave(self)
        self._renewal.close()

    @property
    def _ended(self) -> bool:
        return self._stop.is_set() or (self._loop is not None and self._loop.is_closed())

    def _renew_forever(self) -> None:
        due = time.monotonic() + self._pause
        again = _FIRST_PAUSE
        while not self._ended:  # what told of the end may have been taken for a poke
            poked = self._poked.wait(max(0.0, min(due - time.monotonic(), self._until_look(), self._until_beat())))
            if self._ended:
                return
            silent = self._look()
            if time.monotonic() < due:
                self._beat()
                if poked:
                    self._answer_pokes()
                continue
            due = time.monotonic() + self._pause
            if silent > self._hang_limit:
                self._emit("loop.hangs", seconds=round(silent, 1))
                self._beat()
                continue
            if self._renew_all():
                again = _FIRST_PAUSE
                self._beat()
            else:
                due = min(due, time.monotonic() + again)
                again *= 2

    def _until_look(self) -> float:
        """Return in how many seconds the loop is to be looked at, if that is this one's to do."""
        looks = self._watch is not None and self._watch.is_for(self)
        return min(LOOK_EVERY, self._hang_limit / 4) if looks else math.inf

    def _look(self) -> float:
        """Look whether the loop runs, and return for how many seconds it has shown no sign of that."""
        if self._watch is None or self._loop is None:
            return 0.0
        if self._watch.is_for(self):
            self._watch.look(self._loop, self._events)
        if self.heartbeat is not None:
            self.heartbeat.saw(self._watch.lag)
        return time.monotonic() - self._watch.seen

    def _until_beat(self) -> float:
        return math.inf if self.heartbeat is None else self.heartbeat.due_in()

    def _beat(self) -> None:
        if self.heartbeat is not None and self.heartbeat.due_in() <= 0:
            self.heartbeat.beat(self._renewal, self._loop, self._watch.blocked() if self._watch else None)

    def _renew_all(self) -> bool:
        """Renew all leases, see that the connection stands, and return whether the server has answered."""
        served = True
        for holder in tuple(self._holders):
            # Where the server could not be reached for one, the others do not try to connect each by itself.
            served = self._renew(holder, away=not served and self._renewal.away) and served
        if not served:
            return False
        try:
            # Also where nothing is held: a connection that was lost is opened again before it is needed.
            self._renewal.connect()
        except StoreError as error:
            self._in_loop(partial(self._events.outage.met, "renewer", error))
            return False
        if "renewer" in self._events.outage:
            self._in_loop(partial(self._events.outage.over, "renewer"))
        return True

    def _renew(self, holder: Holder, *, away: bool = False) -> bool:
        # Before the leases are listed: what is renewed is kept from here on at least.
        started = time.monotonic()
        under_way, held = holder.under_way(), holder.held()  # in this order: what an answer has brought is held then
        kept = self._kept.get(holder.worker_id, {})
        self._kept[holder.worker_id] = {pair: kept.get(pair, started) for pair in held}
        if not away and self._ask(holder, held) and self._ask_for_claims(holder, under_way):
            self._kept[holder.worker_id] = dict.fromkeys(held, started)
            return True
        self._give_up(holder)
        return False

    def _answer_pokes(self) -> None:
        """Renew the leases that were poked, then wait a little: pokes that come meanwhile are answered together."""
        self._poked.clear()
        poked = {self._pokes.popleft() for _ in range(len(self._pokes))}
        for holder in tuple(self._holders):
            if None in poked:
                self._renew(holder)
            else:
                self._ask(holder, [lease for lease in holder.held() if lease[0] in poked])
        self._stop.wait(_BETWEEN_POKES)

    def _ask(self, holder: Holder, held: list[tuple[str, int]]) -> bool:
        """Renew these leases, pass on all answers but `kept`, and return whether the server has answered."""
        if not held:
            return True
        failpoint("before-renew")
        try:
            words = self._renewal.renew(holder.queue, holder.worker_id, held)
        except Exception as error:  # noqa: BLE001 - without this thread, all leases of the process are lost
            self._in_loop(partial(self._events.outage.met, "renewer", error))
            return False
        loop = self._loop
        for (job_id, fence), word in zip(held, words, strict=True):
            if word != "kept" and loop is not None and not loop.is_closed():
                loop.call_soon_threadsafe(holder.lease_answered, job_id, fence, word)
        return True

    def _ask_for_claims(self, holder: Holder, under_way: int) -> bool:
        """Renew what a turn has claimed whose answer was not read yet: a blocked loop does not know of it."""
        try:
            if under_way:
                self._renewal.renew_claims(holder.queue, holder.worker_id, under_way)
        except Exception as error:  # noqa: BLE001 - as above
            self._in_loop(partial(self._events.outage.met, "renewer", error))
            return False
        return True

    def _give_up(self, holder: Holder) -> None:
        """Report leases as lost that were not renewed for as long as they last, by the clock of this machine."""
        loop, now = self._loop, time.monotonic()
        for (job_id, fence), since in self._kept.get(holder.worker_id, {}).items():
            if now - since > self._lease and loop is not None and not loop.is_closed():
                loop.call_soon_threadsafe(holder.lease_answered, job_id, fence, "unrenewed")

    def _emit(self, name: str, **fields: object) -> None:
        self._in_loop(partial(self._events.emit, name, **fields))

    def _in_loop(self, call: Callable[[], None]) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(call)

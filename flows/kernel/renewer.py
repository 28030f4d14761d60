"""Renews the leases of all workers of a flow from one thread, so that a blocked event loop does not lose them.

A thread that renewed for ever would hide a loop that is dead: the loop has to show, every so often, that it lives.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Final, Protocol

from flows.telemetry.failpoints import failpoint

if TYPE_CHECKING:
    from flows.store.jobs.leases import LeaseRenewal
    from flows.telemetry.events import Events

#: Pokes are answered at once, and then again after so many seconds.
_BETWEEN_POKES: Final = 0.05


class Holder(Protocol):
    """A worker, as the renewer sees it."""

    queue: str
    worker_id: str

    def held(self) -> list[tuple[str, int]]:
        """The (id, fence) of each job whose lease it holds; called from the thread."""
        ...

    def lease_answered(self, job_id: str, fence: int, word: str) -> None:
        """Hear of a lease that was not simply kept: it is lost, or the job shall be cancelled."""
        ...


class Renewer:
    """The thread, and the loop's sign of life."""

    def __init__(self, renewal: LeaseRenewal, lease_seconds: float, hang_limit: float, events: Events) -> None:
        self._renewal = renewal
        self._lease = lease_seconds
        self._pause = lease_seconds / 4
        self._hang_limit = hang_limit
        self._events = events
        self._holders: set[Holder] = set()
        #: By worker id, when each lease was last known to be kept; only the thread looks at it.
        self._kept: dict[str, dict[tuple[str, int], float]] = {}
        self._stop = threading.Event()
        #: The ids of jobs that are to be renewed at once; None stands for all.
        self._pokes: deque[str | None] = deque()
        self._poked = threading.Event()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._seen = 0.0

    def add(self, holder: Holder) -> None:
        """Renew what this worker holds."""
        self._holders.add(holder)

    def remove(self, holder: Holder) -> None:
        """Renew it no more."""
        self._holders.discard(holder)
        self._kept.pop(holder.worker_id, None)

    def poke(self, job_id: str | None) -> None:
        """Renew a job at once if it is held here, or all that are: the answer may be that it is to be cancelled."""
        self._pokes.append(job_id)
        self._poked.set()

    def start(self) -> None:
        """Begin the thread."""
        if self._thread is None:
            self._loop = asyncio.get_running_loop()
            self._show_life()
            self._stop.clear()
            self._thread = threading.Thread(target=self._renew_forever, name="flows-renewer", daemon=True)
            self._thread.start()

    async def stop(self) -> None:
        """End the thread."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._stop.set()
            self._poked.set()
            await asyncio.to_thread(thread.join)
            self._renewal.close()

    def _show_life(self) -> None:
        self._seen = time.monotonic()
        if self._loop is not None and not self._stop.is_set() and not self._loop.is_closed():
            self._loop.call_later(min(self._pause, self._hang_limit / 4), self._show_life)

    def _renew_forever(self) -> None:
        due = time.monotonic() + self._pause
        while True:
            poked = self._poked.wait(max(0.0, due - time.monotonic()))
            if self._stop.is_set():
                return
            if poked and time.monotonic() < due:
                self._answer_pokes()
                continue
            due = time.monotonic() + self._pause
            if time.monotonic() - self._seen > self._hang_limit:
                self._emit("loop.hangs", seconds=round(time.monotonic() - self._seen, 1))
                continue
            for holder in tuple(self._holders):
                self._renew(holder)

    def _renew(self, holder: Holder) -> None:
        # Before the leases are listed: what is renewed is kept from here on at least.
        began = time.monotonic()
        held = holder.held()
        kept = self._kept.get(holder.worker_id, {})
        self._kept[holder.worker_id] = {pair: kept.get(pair, began) for pair in held}
        if self._ask(holder, held):
            self._kept[holder.worker_id] = dict.fromkeys(held, began)
        else:
            self._give_up(holder)

    def _answer_pokes(self) -> None:
        """Renew what was poked, and wait a little: of many that come together, the next are answered together."""
        self._poked.clear()
        poked = {self._pokes.popleft() for _ in range(len(self._pokes))}
        for holder in tuple(self._holders):
            if None in poked:
                self._renew(holder)
            else:
                self._ask(holder, [lease for lease in holder.held() if lease[0] in poked])
        self._stop.wait(_BETWEEN_POKES)

    def _ask(self, holder: Holder, held: list[tuple[str, int]]) -> bool:
        """Renew these leases and pass on what is to be known of them; whether the server has answered."""
        if not held:
            return True
        failpoint("before-renew")
        try:
            words = self._renewal.renew(holder.queue, holder.worker_id, held)
        except Exception as error:  # noqa: BLE001 - without this thread, all leases of the process are lost
            self._emit("store.unavailable", error=str(error))
            return False
        loop = self._loop
        for (job_id, fence), word in zip(held, words, strict=True):
            if word != "kept" and loop is not None and not loop.is_closed():
                loop.call_soon_threadsafe(holder.lease_answered, job_id, fence, word)
        return True

    def _give_up(self, holder: Holder) -> None:
        """Leases of which nothing was heard for as long as they last are lost, by the clock of this machine."""
        loop, now = self._loop, time.monotonic()
        for (job_id, fence), since in self._kept.get(holder.worker_id, {}).items():
            if now - since > self._lease and loop is not None and not loop.is_closed():
                loop.call_soon_threadsafe(holder.lease_answered, job_id, fence, "unrenewed")

    def _emit(self, name: str, **fields: object) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(lambda: self._events.emit(name, **fields))

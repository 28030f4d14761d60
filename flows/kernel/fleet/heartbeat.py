"""Says what this process does, every quarter of a lease: by the thread of the renewer, also while the loop is blocked.

Nothing is said by a process without workers. What cannot be sent is said with the next one: nobody waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
import json
import logging
import math
import os
import platform
import socket
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Protocol

from flows.errors import StoreError
from flows.kernel.fleet.lately import Lately
from flows.kernel.fleet.memory import resident_bytes
from flows.kernel.fleet.stacks import stacks_text
from flows.kernel.fleet.tally import QueueTally
from flows.store.fleet.heartbeats import HeartbeatOfQueue, Heartbeats, HeartbeatText
from flows.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from flows.store.client.connection import Connection
    from flows.store.jobs.leases import LeaseRenewal
    from flows.telemetry.loop_watch import Line

#: The least and the most time between two heartbeats, in seconds.
SHORTEST: Final = 0.5
LONGEST: Final = 15.0
#: The lags of so many heartbeats are told: ten minutes, by default.
_LAGS: Final = 80
#: A heartbeat counts for so many times the time between two.
_COUNTS: Final = 4
#: Where workers start one after another, their heartbeats are so many seconds apart.
_GAP: Final = 0.1
#: Whoever begins or leaves waits for the server for so many seconds at most.
_PATIENCE: Final = 1.0
#: Of the jobs that run, these many that have run longest are told, and fewer where they do not fit into so many bytes.
_JOBS: Final = 20
_BYTES: Final = 4096 - 48  # what the script adds

_logger = logging.getLogger("flows.kernel")


class Serving(Protocol):
    """What a heartbeat tells of a worker."""

    queue: str
    concurrency: int
    stopping: asyncio.Event
    """Whether it takes no more jobs, and ends with those that run."""

    def running_since(self) -> list[tuple[str, float]]:
        """Return the id of each job that runs, and since when by the monotonic clock; called from the thread."""
        ...


class Heartbeat:
    """The heartbeats of one process.

    Args:
        heartbeats: Sends them.
        digest: Of what the flow declares here.
        lease: In seconds.
        hang_limit: For so many seconds a loop may stand still, and keep its leases.
        wake: Wakes the thread that sends them.
    """

    def __init__(
        self, heartbeats: Heartbeats, digest: str, lease: float, hang_limit: float, wake: Callable[[], None]
    ) -> None:
        self.every = min(LONGEST, max(SHORTEST, lease / 4))
        self._heartbeats = heartbeats
        self._about_all = {"digest": digest, "lease": _ms(lease), "hang": _ms(hang_limit)}
        self._wake = wake
        self._started = time.monotonic()
        self._workers: set[Serving] = set()
        #: By queue, of all queues that had a worker here.
        self._tallies: dict[str, QueueTally] = {}
        #: The queues that the last heartbeat named.
        self._named: frozenset[str] = frozenset()
        self._numbers = itertools.count(1)
        self._last = -math.inf
        #: When the next one is due, by the monotonic clock.
        self._due = math.inf
        #: Whether workers have come or gone, so that it is due before that.
        self._changed = False
        self._lag = 0.0
        self._lags: deque[int] = deque(maxlen=_LAGS)
        self._lately = Lately(self._started)

    @property
    def process(self) -> str:
        """What the process is called."""
        return self._heartbeats.process

    def tally(self, queue: str) -> QueueTally:
        """Return the tally of a queue, which the workers of this process share."""
        return self._tallies.setdefault(queue, QueueTally())

    def add(self, worker: Serving) -> None:
        """Tell of a worker from now on, beginning with a heartbeat as soon as may be."""
        self._workers.add(worker)
        self._changed = True
        self._wake()

    def remove(self, worker: Serving) -> None:
        """Tell of a worker no more."""
        self._workers.discard(worker)
        self._changed = True
        self._wake()

    async def announce(self, connection: Connection, coming: Sequence[tuple[str, int]]) -> None:
        """Say which workers are about to start, so that it is known before the first of them claims a job.

        A server that does not answer at once is not waited for: it is said again when they have started.

        Args:
            connection: To the server.
            coming: The queue and the concurrency of each worker.
        """
        if not coming:
            return
        self._last = time.monotonic()
        with contextlib.suppress(TimeoutError, StoreError):
            async with asyncio.timeout(_PATIENCE):
                await self._heartbeats.announce(connection, self._next(coming))

    async def leave(self, connection: Connection) -> None:
        """Send the last heartbeat and let the process be listed no more; the thread sends none by now.

        A server that does not answer at once is not waited for: the heartbeats count no more after a while.
        """
        self._due = math.inf
        if self._named:
            self._workers.clear()
            with contextlib.suppress(TimeoutError, StoreError):
                async with asyncio.timeout(_PATIENCE):
                    await self._heartbeats.leave(connection, self._next())
            self._named = frozenset()

    # In the thread

    def saw(self, lag: float) -> None:
        """Remember for how many seconds the loop has let a question wait."""
        self._lag = max(self._lag, lag)

    def due_in(self) -> float:
        """Return in how many seconds the next heartbeat is due."""
        return (min(self._due, self._last + _GAP) if self._changed else self._due) - time.monotonic()

    def beat(
        self,
        renewal: LeaseRenewal,
        loop: asyncio.AbstractEventLoop | None = None,
        blocked: tuple[float, Line] | None = None,
    ) -> None:
        """Send a heartbeat, and the stacks where somebody has asked for them; nobody is told where that fails.

        Args:
            renewal: Sends it.
            loop: The workers', whose tasks have stacks.
            blocked: For how many seconds that stands still by now, and the line that keeps it.
        """
        named = self._named
        self._changed = False  # what changes from here on is told by the next one
        self._last = time.monotonic()
        self._due = self._last + self.every if self._workers else math.inf
        if not self._workers and not named:
            return
        try:
            if self._heartbeats.send(renewal, self._next(blocked=blocked)) == "asked":
                self._heartbeats.tell_stacks(renewal, stacks_text(loop))
        except Exception as error:  # noqa: BLE001 - without this thread, all leases of the process are lost
            self._named |= named  # those that have gone are named again
            self._due = self._last + self.every
            _logger.debug("no heartbeat: %s", error)

    def _next(self, coming: Sequence[tuple[str, int]] = (), blocked: tuple[float, Line] | None = None) -> HeartbeatText:
        """Return the next heartbeat."""
        workers, now = tuple(self._workers), time.monotonic()
        told = self._queues([*coming, *((worker.queue, worker.concurrency) for worker in workers)], now)
        for worker in workers:
            told[worker.queue]["busy"] += len(worker.running_since())
        serves = frozenset(told)
        # Of a queue that is served no more, the rest of what was counted.
        queues = [
            HeartbeatOfQueue(queue, queue in serves, *self.tally(queue).take())
            for queue in sorted(serves | self._named)
        ]
        self._named = serves
        lag, self._lag = self._lag, 0.0
        self._lags.append(_ms(lag))
        about = self._about(now, lag)
        if workers and all(worker.stopping.is_set() for worker in workers):
            about["leaving"] = 1
        if blocked is not None:
            seconds, where = blocked
            about["blocked"] = [_ms(seconds), where.function[:100], where.file[-100:], where.line]
        text = _fitting(about, told, _running(workers, now))
        return HeartbeatText(next(self._numbers), text, round(_COUNTS * self.every * 1000), queues)

    def _about(self, now: float, lag: float) -> dict[str, Any]:
        return {
            "host": socket.gethostname()[:64],
            "pid": os.getpid(),
            "flows": __version__,
            "python": platform.python_version(),
            **self._about_all,
            "up": _ms(now - self._started),
            "rss": resident_bytes(),
            "lag": _ms(lag),
            "lags": [*self._lags],
            "lately": self._lately.told(self._tallies.values(), now),
        }

    def _queues(self, workers: Iterable[tuple[str, int]], now: float) -> dict[str, dict[str, Any]]:
        queues: dict[str, dict[str, Any]] = {}
        for queue, concurrency in workers:
            asked = self.tally(queue).asked
            began = {"workers": 0, "slots": 0, "busy": 0, "asked": _ms(now - asked) if asked else None}
            found = queues.setdefault(queue, began)
            found["workers"] += 1
            found["slots"] += concurrency
        return queues


def _running(workers: Iterable[Serving], now: float) -> list[list[object]]:
    """Return queue, id and time in milliseconds of each of the jobs that have run longest."""
    running = ((since, worker.queue, job_id) for worker in workers for job_id, since in worker.running_since())
    return [[queue, job_id, _ms(now - since)] for since, queue, job_id in heapq.nsmallest(_JOBS, running)]


def _fitting(about: dict[str, Any], queues: dict[str, Any], running: list[list[object]]) -> str:
    """Return a heartbeat's JSON, with fewer jobs where they are too long; all queues are told, some 100 bytes each."""
    while True:
        text = json.dumps({**about, "queues": queues, "running": running}, separators=(",", ":"))
        if len(text) <= _BYTES or not running:
            return text
        del running[len(running) // 2 :]


def _ms(seconds: float) -> int:
    return round(seconds * 1000)

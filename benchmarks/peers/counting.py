"""What job bodies call: they count themselves, and the last one tells the runner how long all of them took."""

from __future__ import annotations

import itertools
import json
import multiprocessing
import time
from multiprocessing.sharedctypes import Synchronized
from typing import Any, cast

from meeting import DONE, LATENCY, URL
from resp import Client

__all__ = ["Count", "count"]


class Count:
    """Counts ended jobs from the first start on; there is one for all bodies, `count`."""

    def __init__(self) -> None:
        """Expect nothing yet."""
        self.target = 0
        self._first = 0.0
        self._cpu = 0.0
        # next() of it cannot be interrupted by another thread, unlike +=.
        self._numbers = itertools.count(1)
        self._shared: tuple[Synchronized[int], Synchronized[float]] | None = None
        self._client: Client | None = None

    def share(self) -> None:
        """Count in memory that forked workers share."""
        context = multiprocessing.get_context("fork")
        self._shared = (cast("Any", context.Value("q", 0)), cast("Any", context.Value("d", 0.0)))

    def start(self) -> None:
        """Begin the measured time, unless it has begun."""
        if self._shared is not None:
            first = self._shared[1]
            if not first.value:
                with first.get_lock():
                    first.value = first.value or time.monotonic()
        elif not self._first:
            self._cpu = time.process_time()
            self._first = time.monotonic()

    def tick(self) -> None:
        """Count one job, and report when it is the last."""
        self.start()
        if self._shared is None:
            number = next(self._numbers)
        else:
            with self._shared[0].get_lock():
                self._shared[0].value += 1
                number = self._shared[0].value
        if number == self.target:
            self.report()

    def report(self) -> None:
        """Tell the runner that all jobs have ended."""
        now = time.monotonic()
        if self._shared is None:
            told = {"seconds": now - self._first, "cpu_seconds": time.process_time() - self._cpu}
        else:
            told = {"seconds": now - self._shared[1].value}
        Client(URL)("RPUSH", DONE, json.dumps(told))

    def began(self) -> None:
        """Tell the latency sender when this body began; the monotonic clock is one for all processes."""
        now = time.monotonic_ns()
        if self._client is None:
            self._client = Client(URL)
        self._client("LPUSH", LATENCY, now)


count = Count()

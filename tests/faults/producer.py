"""Producers that create jobs all the while something goes wrong, and write down what they are told."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from types import TracebackType
from typing import Self

from flows import FlowsError
from tests.faults.case import Case
from tests.faults.flow_under_test import Order


class Producer:
    """A thread with a flow of its own; use it in a `with` statement.

    Args:
        case: Whose jobs they are.
        url: The server, or the proxy before it.
        kind: Of the jobs.
        lanes: How many jobs are created beside each other.
        pause: Seconds between two jobs of a lane.

    Attributes:
        ids: Of the jobs that were acknowledged.
        refused: How often each typed error was raised, by its name.
        broken: What else was raised: nothing should be.
        longest: The longest time that one call took, in seconds.
    """

    def __init__(
        self, case: Case, url: str | None = None, kind: str = "plain", *, lanes: int = 2, pause: float = 0.02
    ) -> None:
        self.ids: list[str] = []
        self.refused: Counter[str] = Counter()
        self.broken: list[str] = []
        self.longest = 0.0
        self._case, self._url, self._kind = case, url, kind
        self._lanes, self._pause = lanes, pause
        self._stop = threading.Event()
        self._held = threading.Event()
        self._idle = 0
        self._thread = threading.Thread(target=lambda: asyncio.run(self._produce()), name="producer")

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End, and record what went wrong."""
        self.stop()

    def stop(self) -> None:
        """End after the calls that are under way."""
        if not self._stop.is_set():
            self._stop.set()
            self._thread.join()
            self._case.figures["err"] = self._case.figures.get("err", 0) + self.refused.total()
            self._case.expect(not self.broken, f"producers see typed errors only, and not {self.broken[:3]}")

    def hold(self) -> None:
        """Create nothing until `go_on`, and return when no call is under way."""
        self._held.set()
        while self._idle < self._lanes and self._thread.is_alive():
            time.sleep(0.005)

    def go_on(self) -> None:
        """Create again."""
        self._held.clear()

    async def _produce(self) -> None:
        flow = self._case.flow(self._url)
        try:
            async with asyncio.TaskGroup() as lanes:
                for _ in range(self._lanes):
                    lanes.create_task(self._lane(flow))
        finally:
            await flow.stop_all()

    async def _lane(self, flow: object) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            await self._rest()
            began = time.monotonic()
            try:
                job_id = await flow.create_job(Order(number=number, kind=self._kind, customer=number % 10))  # type: ignore[attr-defined]
            except FlowsError as error:
                self.refused[type(error).__name__] += 1
            except Exception as error:  # noqa: BLE001 - that is what is looked for
                self.broken.append(repr(error))
            else:
                self._case.acknowledged([job_id])
                self.ids.append(job_id)
            self.longest = max(self.longest, time.monotonic() - began)
            await asyncio.sleep(self._pause)

    async def _rest(self) -> None:
        """Wait while it is held."""
        if self._held.is_set():
            self._idle += 1
            while self._held.is_set() and not self._stop.is_set():  # noqa: ASYNC110 - another thread says so
                await asyncio.sleep(0.005)
            self._idle -= 1

"""Tells attempts at runs what comes from outside while they work: so a branch goes on while another one still runs.

A message on the channel that also tells of cancelling says that something has come; it is a hint, and may be lost. So
the counts of all runs at work are read four times in a lease as well.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from flows.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from flows.kernel.session import Session
    from flows.workflow.running.redis_recorder import RedisRecorder
    from flows.workflow.steps.play import Attempted


class News:
    """What comes for the attempts of one queue, in one session.

    Args:
        session: The session.
        queue: The queue of the kernel.
        lease: In seconds.
    """

    def __init__(self, session: Session, queue: str, lease: float) -> None:
        self.session = session
        self._pause = lease / 4
        self._at_work: dict[str, tuple[Attempted, RedisRecorder]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._reading: set[asyncio.Task[None]] = set()
        channel = session.settings.keys.cancel(queue)
        session.background(session.signals.subscribe(channel, self._heard))

    def add(self, run_id: str, one: Attempted, recorder: RedisRecorder) -> None:
        """Tell an attempt what comes, from now on."""
        self._at_work[run_id] = one, recorder
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._pause, self._look)

    def remove(self, run_id: str, one: Attempted) -> None:
        """Tell it nothing more."""
        found = self._at_work.get(run_id)
        if found is not None and found[0] is one:
            del self._at_work[run_id]

    def _heard(self, message: str | None) -> None:
        if message is None:
            self._start(self._read_counts())
        elif message in self._at_work:
            self._start(self._read(message))

    def _look(self) -> None:
        self._timer = None
        if self._at_work and not self.session.over and self.session.opened:
            self._timer = asyncio.get_running_loop().call_later(self._pause, self._look)
            self._start(self._read_counts())

    def _start(self, reading: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(reading)
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)

    async def _read_counts(self) -> None:
        run_ids = tuple(self._at_work)
        if not run_ids:
            return
        try:
            counts = await self.session.runs.loader.come(run_ids)
        except StoreError:
            return
        for run_id, come in zip(run_ids, counts, strict=True):
            found = self._at_work.get(run_id)
            if found is not None and come > found[1].come:
                await self._read(run_id)

    async def _read(self, run_id: str) -> None:
        found = self._at_work.get(run_id)
        if found is None:
            return
        try:
            arrived = await self.session.runs.loader.arrived(run_id)
        except StoreError:
            return
        one, recorder = found
        if self._at_work.get(run_id) is found and arrived.come > recorder.come:
            recorder.come = arrived.come
            one.replay.arrive(arrived)

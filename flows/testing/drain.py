"""Runs the jobs of flows, and the runs of apps, until none waits and none runs."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flows.errors import WaitTimeout
from flows.store.jobs.places import Depths, depths

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.telemetry.events import Event
    from flows.testing.programs import Program

#: Without an event, the queues are looked at again after so many seconds: other processes may work on them too.
_LOOK_AGAIN: Final = 0.25


@dataclass(frozen=True, slots=True)
class Drained:
    """How the jobs that workers of this process ran have ended, children too, and how many are delayed.

    Attributes:
        done: A parent that ends when its last child does is not counted: no worker has it then.
        failed: How many have failed.
        cancelled: How many were cancelled while they ran.
        delayed: How many are delayed: they wait for a retry, or until they are due; a suspended run for anything.
        lost: How many are left to workers that a fault has lost: they run again when their leases are over.
    """

    done: int
    failed: int
    cancelled: int
    delayed: int
    lost: int = 0


async def drain(programs: Sequence[Program], timeout: float) -> Drained:
    """Run the jobs of flows and the runs of apps until none waits and none runs.

    Raises:
        WaitTimeout: jobs still wait or run.
    """
    ended: Counter[str] = Counter()
    changed = asyncio.Event()

    def listener(event: Event) -> None:
        ended[event.name] += 1
        changed.set()

    async with AsyncExitStack() as stack:
        for program in programs:
            stack.callback(program.events.subscribe(listener))
            if all(worker.status == "stopped" for worker in program.workers):
                stack.push_async_callback(program.stop)
                await program.start()
            await program.tick()  # what is over is taken back now, and not some seconds later
        try:
            async with asyncio.timeout(timeout):
                while await _busy(programs):
                    try:
                        async with asyncio.timeout(_LOOK_AGAIN):
                            await changed.wait()
                    except TimeoutError:
                        continue
                    changed.clear()
        except TimeoutError:
            raise WaitTimeout(f"after {timeout} s {await _where(programs)}") from None
        left = [await _depths(program) for program in programs]
    delayed, lost = sum(depth.delayed for depth in left), sum(depth.processing for depth in left)
    return Drained(ended["job.done"], ended["job.failed"], ended["job.cancelled"], delayed, lost)


async def _busy(programs: Sequence[Program]) -> bool:
    for program in programs:
        if program.workers and all(worker.status == "stopped" for worker in program.workers):
            continue  # a fault has lost them
        depth = await _depths(program)
        if depth.waiting or depth.due or depth.processing or not all(worker.idle for worker in program.workers):
            return True
    return False


async def _depths(program: Program) -> Depths:
    session = await program.open()
    return await depths(session.connection, session.settings, await program.queues())


async def _where(programs: Sequence[Program]) -> str:
    """Return where jobs still wait or run, for an error."""
    found: list[str] = []
    for program in programs:
        session = await program.open()
        served = {worker.queue for worker in program.workers if worker.status != "stopped"}
        for queue in await program.queues():
            depth = await depths(session.connection, session.settings, [queue])
            if depth.waiting:
                lonely = "" if queue in served else ", which has no worker"
                found.append(f"{depth.waiting} wait in {queue!r}{lonely}")
            if depth.processing:
                found.append(f"{depth.processing} run in {queue!r}")
    return "; ".join(found) or "nothing waits or runs any more: the time was only just too short"

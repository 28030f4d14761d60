"""Waits for the end of a job: reads its record again when a message says so, and at least once a second."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from flows.errors import JobGone, WaitTimeout
from flows.model.names import check_job_id
from flows.model.state import TERMINAL
from flows.pipeline.signature import ParamsT
from flows.store.client.signals import READ_AGAIN

if TYPE_CHECKING:
    from flows.kernel.runtime import Runtime
    from flows.model.record import JobRecord
    from flows.pipeline.job_reader import JobReader


async def wait_for_end(runtime: Runtime, reader: JobReader[ParamsT], job_id: str, timeout: float) -> JobRecord[ParamsT]:
    """Wait until a job has ended and return its record.

    Raises:
        WaitTimeout: it has not ended in time.
        JobGone: it has expired or was deleted.
    """
    signals = (await runtime.open()).signals
    keys, flow = runtime.settings.keys, runtime.options.name
    channel, heard = keys.ended(flow, check_job_id(job_id)), keys.heard(flow)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout
    event = asyncio.Event()

    def wake(_message: str | None) -> None:
        event.set()

    try:
        await signals.subscribe(heard, _ignore)
        await signals.subscribe(channel, wake)
        while True:
            record = (await reader.get([job_id], None, resolve=False))[0]
            if record is None:
                raise JobGone(job_id)
            if record.status in TERMINAL:
                return record
            left = deadline - loop.time()
            if left <= 0:
                raise WaitTimeout(f"job {job_id} is still {record.status} in {record.queue!r} after {timeout} s")
            try:
                async with asyncio.timeout(min(left, READ_AGAIN)):
                    await event.wait()
            except TimeoutError:
                continue
            event.clear()
    finally:
        signals.unsubscribe(channel, wake)
        signals.unsubscribe(heard, _ignore)


def _ignore(_message: str | None) -> None:
    """Do nothing with a message: the subscription is there to be counted."""

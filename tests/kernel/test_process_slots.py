"""One number for several workers of a process: it is kept, all queues go on, and none of them waits for a poll."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter

import pytest

from flows import Flow, FlowOptions, QueueOptions
from flows.kernel.limits.process_slots import ProcessSlots
from flows.store.jobs import wakeups
from tests.kernel.parts import Answer, Given, Work, within


def test_the_collector_has_room_for_all_of_them_once() -> None:
    """However many workers share the slots: garbage in circles would stay for too long else."""
    before = gc.get_threshold()

    class User:
        slots_taken = 0

        def wake(self) -> None:
            """Have nothing to do."""

    slots, users = ProcessSlots(5, 100), [User(), User(), User()]
    for user in users:
        slots.add(user)
        assert gc.get_threshold() == (before[0] + 500, *before[1:])
    for user in users:
        assert gc.get_threshold() == (before[0] + 500, *before[1:])
        slots.remove(user)
    assert gc.get_threshold() == before


async def test_who_asked_for_all_and_got_none_keeps_nobody_out(
    redis_url: str, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers that have nothing to do begin with what comes first, without a poll to help."""
    monkeypatch.setattr(wakeups, "POLL_SECONDS", 3600.0)

    async def work(_job: Work) -> Answer:
        return Answer(answer=1)

    slots = ProcessSlots(5)
    queues = [QueueOptions(f"work-{n}", job=Work) for n in range(3)]
    flows = [
        Flow[Work, Given](FlowOptions(f"idle-{n}", [queue], redis_url=redis_url, namespace=namespace))
        for n, queue in enumerate(queues)
    ]
    for flow in flows:
        [worker] = flow.create_workers(Work, work, concurrency=5)
        worker._slots = slots
    try:
        await asyncio.gather(*(flow.start_all() for flow in flows))
        for flow in flows:
            await within(flow.wait_for(await flow.create_job(Given()), 60))
    finally:
        await asyncio.gather(*(flow.stop_all() for flow in flows))


@pytest.mark.parametrize("most", [1, 3])
async def test_workers_share_one_number(
    redis_url: str, namespace: str, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """Never more run at once, the number is used, and 60 jobs of three queues end without a poll to help."""
    monkeypatch.setattr(wakeups, "POLL_SECONDS", 3600.0)
    running, highest, done = 0, 0, Counter[str]()

    async def work(_job: Work) -> Answer:
        nonlocal running, highest
        running += 1
        highest = max(highest, running)
        await asyncio.sleep(0.001)
        running -= 1
        done[_job.flow_name] += 1
        return Answer(answer=1)

    slots = ProcessSlots(most)
    flows = [
        Flow[Work, Given](
            FlowOptions(f"numbers-{n}", [QueueOptions(f"work-{n}", job=Work)], redis_url=redis_url, namespace=namespace)
        )
        for n in range(3)
    ]
    for flow in flows:
        [worker] = flow.create_workers(Work, work, concurrency=5)
        worker._slots = slots
    try:
        await asyncio.gather(*(flow.start_all() for flow in flows))
        ids = [(flow, await flow.create_jobs([Given() for _ in range(20)])) for flow in flows]
        for flow, of_flow in ids:
            for job_id in of_flow:
                await within(flow.wait_for(job_id, 60))
    finally:
        await asyncio.gather(*(flow.stop_all() for flow in flows))
    assert highest == most
    assert done == {f"numbers-{n}": 20 for n in range(3)}
    assert not slots._taken
    assert slots._free == most

"""The rescuer: what lost its worker waits again, however many look for it."""

from __future__ import annotations

import asyncio
from collections import Counter

from redis import Redis

from flows import StoreError
from flows.kernel.rescuer import Rescuer
from flows.telemetry.events import Event
from tests.kernel.parts import LONG, Given, MakeFlow, double, heard, within


def abandon(redis: Redis, namespace: str, ids: list[str]) -> None:
    """Leave jobs to a worker whose leases are over."""
    for job_id in ids:
        redis.lrem(f"{namespace}queue:work:waiting", 0, job_id)
        fields = {"_status": "processing", "_queue": "work", "_fence": "1", "_worker": "dead", "_attempts": "1"}
        redis.hset(f"{namespace}job:numbers:{job_id}", mapping=fields)
        redis.zadd(f"{namespace}queue:work:processing", {job_id: 1})


async def test_a_tick_rescues(make_flow: MakeFlow, redis: Redis, namespace: str) -> None:
    """What lies in processing with a lease that is over waits again after one look, and is done."""
    flow = make_flow(double)
    ids = await flow.create_jobs([Given(number=1)] * 3)
    abandon(redis, namespace, ids)
    events = heard(flow)
    async with flow:
        await within(flow.events.wait_for("worker.started"))
        await flow._runtime.rescuer.tick()
        assert sorted(str(event.fields["job_id"]) for event in events if event.name == "job.rescued") == sorted(ids)
        for job_id in ids:
            assert (await flow.wait_for(job_id, LONG)).status == "done"


async def test_many_rescuers(make_flow: MakeFlow, redis: Redis, namespace: str) -> None:
    """Eight that look at once rescue each of 500 jobs once."""
    flows = [make_flow() for _ in range(8)]
    ids = await flows[0].create_jobs([Given()] * 500)
    abandon(redis, namespace, ids)
    all_heard = [heard(flow) for flow in flows]
    await asyncio.gather(*(flow.start_all() for flow in flows))
    for flow in flows:
        flow._runtime.rescuer.add("work")
    await asyncio.gather(*(flow._runtime.rescuer.tick() for flow in flows))
    await asyncio.gather(*(flow.stop_all() for flow in flows))
    rescued = Counter(event.fields["job_id"] for events in all_heard for event in events if event.name == "job.rescued")
    assert rescued == Counter(dict.fromkeys(ids, 1))
    assert redis.llen(f"{namespace}queue:work:waiting") == 500


class Broken:
    """A rescue that fails."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def rescue(self) -> list[tuple[str, str]]:
        """Fail."""
        raise self.error


async def test_errors_stay_with_their_queue(make_flow: MakeFlow, redis: Redis, namespace: str) -> None:
    """A queue that cannot be looked at is told by an event, whatever the error; the queues after it are looked at."""
    flow = make_flow()
    ids = await flow.create_jobs([Given()])
    abandon(redis, namespace, ids)
    async with flow:
        events: list[Event] = heard(flow)
        broken = {"a": Broken(StoreError("away")), "b": Broken(RuntimeError("unforeseen"))}
        rescuer = Rescuer(lambda queue: broken.get(queue) or flow._runtime._rescue(queue), 1, flow.events)
        for queue in ("a", "b", "work"):
            rescuer.add(queue)
        await rescuer.tick()
    told = [(event.name, event.fields["queue"]) for event in events if event.name != "worker.stopped"]
    assert told == [("store.unavailable", "a"), ("worker.crashed", "b"), ("job.rescued", "work")]


async def test_queues_are_counted(make_flow: MakeFlow) -> None:
    """A queue is looked after as long as one of its workers runs."""
    flow = make_flow(double, count=2)
    async with flow:
        rescuer = flow._runtime.rescuer
        await flow.workers[0].stop()
        assert dict(rescuer._queues) == {"work": 1}
        await flow.workers[1].stop()
        assert dict(rescuer._queues) == {}

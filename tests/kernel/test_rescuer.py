"""The rescuer: what lost its worker waits again, however many look for it."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from redis import Redis

from flows import Flow, StoreError
from flows.kernel.rescuer import Rescuer
from flows.store.jobs.control import Cascaded
from flows.store.jobs.leases import Rescue
from flows.telemetry.events import Event
from tests.kernel.parts import LONG, Given, MakeFlow, Work, double, heard, within


def abandon(redis: Redis, namespace: str, ids: list[str]) -> None:
    """Leave jobs to a worker whose leases are over."""
    for job_id in ids:
        redis.lrem(f"{namespace}queue:work:waiting", 0, job_id)
        fields = {"_status": "processing", "_queue": "work", "_attempt": "1 dead 1 0 0 0 -"}
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
        await flow._runtime.session.rescuer.tick()
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
        flow._runtime.session.rescuer.add("work")
    await asyncio.gather(*(flow._runtime.session.rescuer.tick() for flow in flows))
    await asyncio.gather(*(flow.stop_all() for flow in flows))
    rescued = Counter(event.fields["job_id"] for events in all_heard for event in events if event.name == "job.rescued")
    assert rescued == Counter(dict.fromkeys(ids, 1))
    assert redis.llen(f"{namespace}queue:work:waiting") == 500


async def clock() -> int:
    """Tell a server's time at which nothing is late."""
    return 1 << 52


class Broken:
    """A rescue that fails."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def rescue(self, _until_ms: int) -> list[tuple[str, str]]:
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
        session = flow._runtime.session
        cascade = session.control.cascade
        rescuer = Rescuer(lambda queue: broken.get(queue) or session._rescue(queue), cascade, clock, 1, flow.events)
        for queue in ("a", "b", "work"):
            rescuer.add(queue)
        await rescuer.tick()
    told = [(event.name, event.fields["queue"]) for event in events if event.name != "worker.stopped"]
    assert told == [("store.unavailable", "a"), ("worker.crashed", "b"), ("job.rescued", "work")]


class Cascades:
    """So many parents whose children are to be cancelled, in so many calls each; or an error."""

    def __init__(self, parents: int, calls: int = 1, error: Exception | None = None) -> None:
        self.left = [f"numbers:{number}" for number in range(parents) for _ in range(calls)]
        self.calls = 0
        self.error = error

    async def __call__(self) -> Cascaded:
        """Take the next one."""
        self.calls += 1
        if self.error is not None:
            raise self.error
        return Cascaded(self.left.pop() if self.left else "", more=False, count=2, parents=[])


def rescuer_of(flow: Flow[Work, Given], cascades: Cascades) -> Rescuer:
    """Return a rescuer that looks after no queue."""

    def rescue(queue: str) -> Rescue:
        return flow._runtime.session._rescue(queue)

    return Rescuer(rescue, cascades, clock, 1, flow.events)


async def test_what_clients_left_undone_is_gone_on_with(make_flow: MakeFlow) -> None:
    """Until there is none, and each step is told; with nothing to do, one look is one call."""
    flow, cascades = make_flow(), Cascades(2)
    events = heard(flow)
    rescuer = rescuer_of(flow, cascades)
    await rescuer.tick()
    told = [(event.name, *event.fields.values()) for event in events]
    assert told == [("job.cascaded", "numbers", "1", 2), ("job.cascaded", "numbers", "0", 2)]
    assert cascades.calls == 3
    await rescuer.tick()
    assert cascades.calls == 4


async def test_one_look_does_a_bounded_part_of_it(make_flow: MakeFlow) -> None:
    """However many are left: the next look goes on, and looks after the leases before."""
    cascades = Cascades(1000)
    rescuer = rescuer_of(make_flow(), cascades)
    await rescuer.tick()
    assert (cascades.calls, len(cascades.left)) == (100, 900)
    await rescuer.tick()
    assert len(cascades.left) == 800


@pytest.mark.parametrize(
    ("error", "name"), [(StoreError("away"), "store.unavailable"), (RuntimeError("unforeseen"), "worker.crashed")]
)
async def test_an_error_there_is_told(make_flow: MakeFlow, error: Exception, name: str) -> None:
    """The rescuer goes on with its next look."""
    flow = make_flow()
    events = heard(flow)
    await rescuer_of(flow, Cascades(1, error=error)).tick()
    assert [event.name for event in events] == [name]


async def test_queues_are_counted(make_flow: MakeFlow) -> None:
    """A queue is looked after as long as one of its workers runs."""
    flow = make_flow(double, count=2)
    async with flow:
        rescuer = flow._runtime.session.rescuer
        await flow.workers[0].stop()
        assert dict(rescuer._queues) == {"work": 1}
        await flow.workers[1].stop()
        assert dict(rescuer._queues) == {}


class Looks:
    """A rescue that notes until when each look may take jobs back, and a clock that a test owns."""

    def __init__(self) -> None:
        self.now = 1_000_000
        self.until: list[int] = []
        self.away = False

    async def clock(self) -> int:
        """Tell the time, unless the server is away."""
        if self.away:
            raise StoreError("away")
        return self.now

    async def rescue(self, until_ms: int) -> list[tuple[str, str]]:
        """Note it."""
        self.until.append(until_ms - self.now)
        return []


async def test_a_rescuer_that_was_cut_off_lets_others_renew_first(make_flow: MakeFlow) -> None:
    """One that has just begun looks at once; after an outage it waits for half a lease, and then takes back."""
    flow, looks = make_flow(), Looks()
    events = heard(flow)
    rescuer = Rescuer(lambda _queue: looks, Cascades(0), looks.clock, 6, flow.events)  # type: ignore[arg-type,return-value]
    rescuer.add("work")
    for _ in range(2):
        await rescuer.tick()
        looks.now += 1000
    assert looks.until == [1500, 1500]
    looks.away = True
    await rescuer.tick()
    assert "store.unavailable" in {event.name for event in events}
    looks.away, looks.now = False, looks.now + 6000
    for _ in range(3):
        await rescuer.tick()
        looks.now += 1000
    assert looks.until == [1500, 1500]
    await rescuer.tick()
    assert looks.until == [1500, 1500, 1500]

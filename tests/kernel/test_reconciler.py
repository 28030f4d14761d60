"""The reconciler: what was edited by hand is repaired and goes on, one process walks, and every repair is told."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter

import pytest
from redis import Redis

from flows import StoreError
from flows.kernel.reconciler import Reconciler
from flows.store.jobs.reconcile import Repair, Step
from flows.telemetry.events import Event, Events
from tests.kernel.parts import LONG, Given, MakeFlow, double, heard, within
from tests.own_database import own_sweeper, own_url

#: Each step of a pass is counted, and what other tests leave would be part of it.
FIXTURES = (own_sweeper, own_url)


def told(events: list[Event]) -> list[tuple[object, object]]:
    """Return what was repaired, of which jobs or how often."""
    repairs = [event.fields for event in events if event.name == "job.repaired"]
    return sorted(((fields["what"], fields.get("job_id", fields.get("count"))) for fields in repairs), key=str)


class Canned:
    """Answers what it is told to."""

    def __init__(self, *answers: Step | Exception) -> None:
        self.answers = list(answers)

    async def step(self) -> Step:
        """Answer, the last answer for ever."""
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def reconciler(pause: float, *answers: Step | Exception) -> tuple[Reconciler, list[Event]]:
    """Return a reconciler of canned answers, and what it will tell."""
    events, found = Events(logging.getLogger("flows.test")), list[Event]()
    events.subscribe(found.append)
    return Reconciler(Canned(*answers), pause, events), found  # type: ignore[arg-type]


async def test_edited_jobs_are_repaired_and_finish(make_flow: MakeFlow, redis: Redis, namespace: str) -> None:
    """A pass finds jobs that stand nowhere, or in the wrong place, or that cannot be read; then workers take them."""
    flow = make_flow(double, lease=1)
    events = heard(flow)
    ids = await flow.create_jobs([Given(number=number) for number in range(6)])
    unlisted, unleased, undelayed, edited, twice, healthy = ids
    for job_id in ids[:4]:
        redis.lrem(f"{namespace}queue:work:waiting", 0, job_id)
    for job_id, status in ((unleased, "processing"), (undelayed, "delayed"), (edited, "asleep")):
        fields = {"_status": status, "_queue": "work", "_attempt": "1 dead 1 0 0 0 -"}
        redis.hset(f"{namespace}job:numbers:{job_id}", mapping=fields)
    redis.zadd(f"{namespace}queue:work:processing", {twice: 10**15})
    await flow._runtime.session.reconciler.tick()
    assert told(events) == [
        ("lease", twice),
        ("malformed", edited),
        ("misplaced", twice),
        ("placed_delayed", undelayed),
        ("placed_processing", unleased),
        ("placed_waiting", unlisted),
    ]
    async with flow:
        for job_id in (unlisted, unleased, undelayed, twice, healthy):
            assert (await flow.wait_for(job_id, LONG)).status == "done"
        record = await flow.wait_for(edited, LONG)
        assert record.error is not None
        assert (record.status, record.error.type) == ("failed", "MalformedJob")


async def test_it_walks_by_itself_while_workers_run(make_flow: MakeFlow, redis: Redis, namespace: str) -> None:
    """Begun with the first worker and ended with the flow; what is lost meanwhile is found at the next pass."""
    flow = make_flow(double, lease=0.2)
    started = asyncio.create_task(flow.events.wait_for("worker.started"))
    await asyncio.sleep(0)
    async with flow:
        await within(started)
        lost = await flow.create_job(Given(number=1))
        await flow.wait_for(lost, LONG)
        redis.persist(f"{namespace}job:numbers:{lost}")
        event = await within(flow.events.wait_for("job.repaired"))
        assert event.fields == {"queue": "work", "what": "lifetime", "job_id": lost}
    assert flow._runtime.session.reconciler._service._task is None


async def test_a_producer_tells_where_it_creates_jobs(make_flow: MakeFlow, redis: Redis, namespace: str) -> None:
    """Before it creates the first one, and though it has no workers and never walks."""
    flow = make_flow(lease=7)
    await flow.create_job(Given())
    told_by_it = redis.hmget(f"{namespace}flows:reconcile:numbers", ["first:work", "lease", "at"])
    assert told_by_it == ["1", "7000", None]
    await flow.stop_all()


async def test_one_of_many_processes_walks(make_flow: MakeFlow, redis: Redis, namespace: str) -> None:
    """What is wrong is repaired and told once, however many ask."""
    flows = [make_flow() for _ in range(5)]
    ids = await flows[0].create_jobs([Given()] * 300)
    redis.delete(f"{namespace}queue:work:waiting")
    all_heard = [heard(flow) for flow in flows]
    for flow in flows:
        await flow.start_all()
    waits = [await flow._runtime.session.reconciler.tick() for flow in flows]
    walker = [number for number, wait in enumerate(waits) if wait < 1]
    assert walker == [0]
    while await flows[0]._runtime.session.reconciler.tick() < 1 or redis.hexists(
        f"{namespace}flows:reconcile:numbers", "place"
    ):
        redis.hdel(f"{namespace}flows:reconcile:numbers", "at")
    for flow in flows:
        await flow.stop_all()
    pushed = Counter[str]()
    for number, events in enumerate(all_heard):
        for _what, count in told(events):
            pushed[str(number)] += count if isinstance(count, int) else 1
    assert pushed == {"0": 300}
    assert sorted(redis.lrange(f"{namespace}queue:work:waiting", 0, -1)) == sorted(ids)


@pytest.mark.parametrize(
    ("step", "least", "most"),
    [
        (Step(100, goes_on=True, repairs=[]), 0.1, 0.2),
        (Step(100, goes_on=False, repairs=[]), 7.5, 12.5),
        (Step(60_000, goes_on=False, repairs=[]), 60.5, 62),
        (StoreError("away"), 7.5, 12.5),
        (RuntimeError("unforeseen"), 7.5, 12.5),
    ],
    ids=["the pass goes on", "another one walks", "between two passes", "no server", "a fault of ours"],
)
async def test_when_to_ask_again(step: Step | Exception, least: float, most: float) -> None:
    """Who walks, soon; who was sent away, or could not ask, after a pause or when the next pass may begin."""
    asker, _ = reconciler(10, step)
    assert least <= await asker.tick() <= most


async def test_what_many_jobs_had_alike_is_told_once() -> None:
    """Up to ten by their ids, more by their number; what could not be repaired, with the reason."""
    repairs = [Repair("a", str(number), "gone") for number in range(10)]
    repairs += [Repair("a", str(number), "lease") for number in range(11)]
    repairs += [Repair("b", "1", "gone"), Repair("b", "2", "error", "WRONGTYPE")]
    asker, events = reconciler(10, Step(1, goes_on=True, repairs=repairs))
    await asker.tick()
    assert Counter(event.fields["queue"] for event in events) == {"a": 11, "b": 2}
    assert Event("job.repaired", {"queue": "a", "what": "lease", "count": 11}) in events
    assert Event("job.repaired", {"queue": "a", "what": "gone", "job_id": "9"}) in events
    assert Event("job.unrepaired", {"queue": "b", "job_id": "2", "error": "WRONGTYPE"}) in events


async def test_errors_do_not_end_it() -> None:
    """They are told, whatever they are, and it asks again; it begins once and ends however often it is told."""
    repair = Step(60_000, goes_on=False, repairs=[Repair("a", "1", "gone")])
    asker, events = reconciler(0.001, StoreError("away"), RuntimeError("unforeseen"), repair)
    waiting = asker._events.wait_for("job.repaired")
    asker.start()
    task = asker._service._task
    asker.start()
    assert asker._service._task is task
    await within(waiting)
    await asker.stop()
    await asker.stop()
    assert task is not None
    assert task.done()
    assert [event.name for event in events] == [
        "store.unavailable", "worker.crashed", "store.available", "job.repaired"
    ]  # fmt: skip

"""Deploys: two versions of one flow on one server, one after the other or side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from flows import Flow, FlowOptions, Job, JobResult, QueueOptions, Snooze, WaitTimeout
from flows.telemetry.events import Event
from tests.pipeline.parts import LONG, within


class Given(BaseModel):
    """What jobs are created with."""

    number: int = 0


class Resize(Job):
    """The first queue's job."""

    number: int


class Label(Job):
    """The last queue's."""

    number: int


class Done(JobResult):
    """A result."""

    by: str


Version = Callable[..., Any]


@pytest.fixture
def version(redis_url: str, namespace: str) -> Version:
    """Make versions of the flow `images`, of queues of these names."""

    def make(*queues: QueueOptions[Any], **options: Any) -> Any:
        return Flow[Resize | Label, Given](
            FlowOptions(name="images", queues=queues, redis_url=redis_url, namespace=namespace, **options)
        )

    return make


def heard(flow: Any, *names: str) -> list[Event]:
    """Return a list to which the events of these names are added from now on."""
    events: list[Event] = []
    flow.events.subscribe(lambda event: events.append(event) if event.name in names else None)
    return events


async def work(job: Job) -> Done:
    """Do it."""
    return Done(by=job.id)


async def test_jobs_left_in_a_queue_that_is_gone_are_told(version: Version) -> None:
    """Each connect names the queue and what is left in each of its places; an empty one is not worth a word."""
    old = version(QueueOptions("scale", Resize, "label"), QueueOptions("label", Label))
    await old.create_jobs([Given()] * 3)
    await old.stop_all()
    new = version(QueueOptions("resize", Resize))
    told = heard(new, "queue.undeclared")
    await new.start_all()
    await new.stop_all()
    counts = {"waiting": 3, "processing": 0, "delayed": 0, "children": 0}
    assert [(event.level, event.fields) for event in told] == [(30, {"queue": "scale", **counts})]


async def test_a_record_names_the_queue_in_which_its_job_waits(version: Version) -> None:
    """Also of a job that was never claimed, whichever version asks: the first queue is not the same for both."""
    old, new = version(QueueOptions("scale", Resize)), version(QueueOptions("resize", Resize))
    first, second = await old.create_job(Given()), await new.create_job(Given())
    for flow in (old, new):
        records = await flow.get_jobs([first, second])
        assert [record.queue for record in records] == ["scale", "resize"]
        assert [record.status for record in records] == ["waiting", "waiting"]
        [chosen] = await flow.get_jobs([first], keys_to_get=["number"])
        assert chosen.queue == "scale"
        with pytest.raises(WaitTimeout, match="still waiting in 'scale'"):
            await flow.wait_for(first, 0)
    await old.stop_all()
    await new.stop_all()


async def test_what_waits_under_a_former_name_is_done(version: Version) -> None:
    """All of it, and nothing is told as left; the records name the present queue."""
    old = version(QueueOptions("scale", Resize))
    ids = await old.create_jobs([Given()] * 250)
    await old.stop_all()
    new = version(QueueOptions("resize", Resize, formerly=["scale"]))
    told, moved = heard(new, "queue.undeclared"), heard(new, "job.moved")
    new.create_workers(Resize, work, concurrency=20)
    async with new:
        ended = [await new.wait_for(job_id, LONG) for job_id in ids]
    assert {(record.status, record.queue) for record in ended} == {("done", "resize")}
    assert told == []
    assert [(event.fields["queue"], event.fields["former"]) for event in moved] == [("resize", "scale")] * 3
    assert sum(int(str(event.fields["count"])) for event in moved) == 250


async def test_what_an_older_worker_has_comes_too(version: Version) -> None:
    """A job that it has snoozed, and one with which it dies."""
    old = version(QueueOptions("scale", Resize), lease=1)
    begun, died = asyncio.Event(), asyncio.Event()

    async def older(job: Resize) -> Any:
        if job.number == 0:
            return Snooze(after=0.2)
        begun.set()
        await died.wait()
        return Done(by="the older one")

    old.create_workers(Resize, older, concurrency=2)
    await old.start_all()
    snoozed, held = await old.create_jobs([Given(number=0), Given(number=1)])
    await within(begun.wait())
    new = version(QueueOptions("resize", Resize, formerly=["scale"]), lease=1)
    new.create_workers(Resize, work)
    async with new:
        assert (await new.wait_for(snoozed, LONG)).status == "done"
        # From here on the older version is as good as dead: it does not renew, nor rescue.
        await old._runtime.session.rescuer.stop()
        await old._runtime.session.renewer.stop()
        done = await new.wait_for(held, LONG)
        died.set()
    await old.stop_all()
    assert (done.status, done.queue) == ("done", "resize")


async def test_both_versions_work_side_by_side(version: Version) -> None:
    """While one is replaced by the other, each creates and does jobs; each job is done once."""
    queues = QueueOptions("scale", Resize, "label"), QueueOptions("label", Label)
    old = version(*queues)
    new = version(QueueOptions("resize", Resize, "label", formerly=["scale"]), queues[1])
    runs: dict[str, int] = {}

    async def count(job: Resize) -> None:
        runs[job.id] = runs.get(job.id, 0) + 1
        await asyncio.sleep(0)

    for flow in (old, new):
        flow.create_workers(Resize, count, concurrency=4)
        flow.create_workers(Label, work, concurrency=4)
    async with old, new:
        ids: list[str] = []
        for _ in range(20):
            ids += await old.create_jobs([Given()] * 10)
            ids += await new.create_jobs([Given()] * 10)
        ended = [await new.wait_for(job_id, LONG) for job_id in ids]
    assert {record.status for record in ended} == {"done"}
    assert runs == dict.fromkeys(ids, 1)

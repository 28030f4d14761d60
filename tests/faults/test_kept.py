"""What jobs leave behind goes with them, by the default options: on a server whose clock is moved.

`make scale` runs this with twenty times as many jobs.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, Literal

import pytest
from pydantic import BaseModel

from flows import ChildJob, ChildrenOf, ChildResult, Flow, FlowOptions, Job, JobResult, QueueOptions, current_job
from tests.faults.clock import clock_available
from tests.faults.server import Server
from tests.scale import scaled

JOBS: Final = scaled(500)
#: Of so many children their parent's hash does not hold the results, but a hash beside it.
MANY: Final = 501
HOUR: Final = 3_600_000
MINUTE: Final = 60_000
#: What stays of a flow, whatever its jobs do.
STAYS: Final = re.compile(
    r"queue:[\w:]+:meta|"
    r"flows:(names|history|queues:kept|reconcile:kept|flow:kept|stats:.*|workers:.*|process(es)?:kept.*|wake:.*|timer:.*|call:.*)"
)


class New(BaseModel):
    """What a job is created with."""

    number: int
    team: int
    parts: int


class Take(Job):
    """The first queue's view."""

    number: int
    parts: int


class Taken(JobResult):
    """It names children."""


class Cut(Job):
    """The parent queue."""


class Part(Job):
    """A child."""

    number: int


class PartDone(JobResult):
    """What a child found."""

    twice: int


class Join(Job):
    """The last queue's view."""

    number: int
    parts: Annotated[list[ChildResult[PartDone]], ChildrenOf("cut", "part")]


Kept = Flow[Take | Cut | Join, New, Literal["number", "team"]]


async def take(job: Take) -> Taken:
    """Name the children."""
    current_job().log("taken")
    return Taken(children=[ChildJob(Part, Part(number=number)) for number in range(job.parts)])


async def cut(job: Part) -> PartDone:
    """Be a child."""
    current_job().log(f"part {job.number}")
    return PartDone(twice=2 * job.number)


async def join(job: Join) -> None:
    """Be the last."""
    current_job().log(f"{len(job.parts)} parts")


def kept(server: Server) -> Kept:
    """Declare the flow, with the default options."""
    flow = Kept(
        FlowOptions(
            name="kept",
            lookup_attributes=["number", "team"],
            redis_url=server.url,
            queues=[
                QueueOptions("take", job=Take, next_queue="cut"),
                QueueOptions("cut", job=Cut, next_queue="join", children=[QueueOptions("part", job=Part)]),
                QueueOptions("join", job=Join),
            ],
        )
    )
    flow.create_workers(Take, take, concurrency=50)
    flow.create_parent_workers(Cut, concurrency=50)
    flow.create_child_workers(Cut, Part, cut, concurrency=100)
    flow.create_workers(Join, join, concurrency=50)
    return flow


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Start a server whose clock can be moved."""
    if not clock_available():
        pytest.skip("no C compiler: clocks cannot be moved")
    with Server(tmp_path, profile="none", clock=True) as server:
        yield server


@pytest.mark.scale
async def test_nothing_of_jobs_that_are_done_stays(server: Server) -> None:
    """Logs, children, what is known of those, lists that many jobs share: after 25 hours all of it is gone."""
    flow = kept(server)
    news = [New(number=number, team=number % 10, parts=MANY if number == 0 else number % 3) for number in range(JOBS)]
    async with flow:
        ids = await flow.create_jobs(news)
        await asyncio.gather(*(flow.wait_for(job_id, timeout=120) for job_id in ids))
        with server.client() as client:
            assert sum(1 for _key in client.scan_iter("flows:log:*", count=10_000)) > JOBS
            # The pass that is under way may have done with the lists already: the next one begins a minute later.
            for later in (25 * HOUR - 2 * MINUTE, 25 * HOUR):
                server.shift_clock(later)
                under_way = True
                while under_way:  # the flow's own reconciler takes some of the steps
                    step = await flow._runtime.session.reconciler._reconciliation.step()
                    await asyncio.sleep(min(step.wait_ms / 1000, 0.1))
                    under_way = bool(client.hexists("flows:reconcile:kept", "place"))
            left = [key for key in client.scan_iter("*", count=10_000) if not STAYS.fullmatch(key)]
    assert left == []

"""The stacks of a live process: asked for over the server, and told by it with its next heartbeat."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from flows import Flow, FlowOptions, Job, QueueOptions
from flows.api import Admin, Caller, NothingThere, audit, operations, workers
from flows.errors import Forbidden, JobGone, ValidationError, WaitTimeout
from flows.store.fleet.heartbeats import Heartbeats
from tests.waiting import until

OPERATOR = Caller(name="ana", role="operator")
CANARY = "canary-51b2"


class Sum(BaseModel):
    """What a job is created with."""


class Add(Job):
    """A job."""


async def deeper(secret: str) -> None:
    """Wait, somewhere below the function of a worker."""
    assert secret
    await asyncio.Event().wait()


async def add(_job: Add) -> None:
    """Wait for ever."""
    await deeper(CANARY)


def make(url: str, namespace: str) -> Flow[Add, Sum, Any]:
    """Make a flow whose process says every half second what it does."""
    options: FlowOptions[Any, Any] = FlowOptions(
        "sums", [QueueOptions("add", Add)], redis_url=url, namespace=namespace, lease=2
    )
    flow = Flow[Add, Sum](options)
    flow.create_workers("add", add, concurrency=10)
    return flow


async def test_says_where_tasks_are(redis_url: str, namespace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole way down, equal stacks once; no value of a function stands in it, and it is told in the log."""
    flow = make(redis_url, namespace)
    await flow.start_all()
    async with Admin(redis_url, namespace, OPERATOR) as admin:
        ids = await flow.create_jobs([Sum()] * 3)
        [process] = await workers.list_workers(admin, flow="sums")

        async def busy() -> bool:
            [one] = await workers.list_workers(admin, flow="sums")
            return sum(queue.busy for queue in one.queues) == 3

        await until(busy)
        found = await workers.dump(admin, process.name)
        ours = [one for one in found.stacks if any(frame.endswith(" add") for frame in one.frames)]
        assert [one.count for one in ours] == [3]
        assert ours[0].frames[-2].endswith(" deeper")
        assert ours[0].frames[-1].endswith(" Event.wait")
        assert "test_dump.py:" in ours[0].frames[-2]
        assert {one.kind for one in found.stacks} == {"main thread", "thread", "task"}
        assert found.tasks >= 3
        assert CANARY not in found.model_dump_json()
        assert not any(job_id in found.model_dump_json() for job_id in ids)
        [entry, _asked] = (await audit.list_actions(admin, doing="workers.dump")).actions
        assert (entry.word, entry.flow, entry.given) == ("done", "sums", {"process": process.name})
        with pytest.raises(ValidationError, match="five minutes"):
            await workers.dump(admin, process.name, timedelta(0))
        stranger = admin.acting_as(OPERATOR.model_copy(update={"flows": frozenset({"other"})}))
        for asked in ({"process": process.name}, {"process": process.name, "flow": "sums"}):
            with pytest.raises((NothingThere, Forbidden, JobGone)):
                await operations()["workers.dump"].call(stranger, asked)
        with pytest.raises(NothingThere, match=r"workers\.list"):
            await workers.dump(admin, "nobody")
        monkeypatch.setattr(Heartbeats, "tell_stacks", lambda *_: "told")
        with pytest.raises(WaitTimeout, match="has not answered"):
            await workers.dump(admin, process.name, timedelta(seconds=0.3))
    await flow.stop_all(0)

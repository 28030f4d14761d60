"""The smallest flow, one queue of numbers, and functions that another process can import."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

from pydantic import BaseModel

from flows import Flow, FlowOptions, Job, JobResult, QueueOptions, current_job
from flows.telemetry.events import Event
from tests import waiting

T = TypeVar("T")

#: Long enough for whatever a test waits for.
LONG = waiting.LONG


class Given(BaseModel):
    """What a job is created with."""

    number: int = 0


class Work(Job):
    """What its function sees."""

    number: int


class Answer(JobResult):
    """What its function returns."""

    answer: int


NumberFlow = Flow[Work, Given, str]
Function = Callable[[Any], Any]
MakeFlow = Callable[..., Flow[Work, Given]]


def number_flow(
    redis_url: str,
    namespace: str,
    function: Function | None = None,
    **options: Any,
) -> Flow[Work, Given]:
    """Return a flow of one queue, `work`, with the workers that the options of `create_workers` ask for.

    `retries` and `timeout` are the queue's, and the rest of the options the flow's.
    """
    queue = {name: options.pop(name) for name in ("retries", "timeout") if name in options}
    workers = {
        name: options.pop(name) for name in ("count", "concurrency", "executor", "batch", "linger") if name in options
    }
    lease = timedelta(seconds=options.pop("lease", 30))
    flow = NumberFlow(
        FlowOptions(
            name="numbers",
            queues=[QueueOptions("work", job=Work, **queue)],
            redis_url=redis_url,
            namespace=namespace,
            lease=lease,
            **options,
        )
    )
    if function is not None:
        flow.create_workers(Work, function, **workers)
    return flow


async def within(awaitable: Awaitable[T], seconds: float = LONG) -> T:
    """Return what an awaitable brings; it fails when it takes too long."""
    async with asyncio.timeout(waiting.patient(seconds)):
        return await awaitable


def heard(flow: Flow[Any, Any, Any]) -> list[Event]:
    """Return a list to which all events of a flow are added from now on."""
    events: list[Event] = []
    flow.events.subscribe(events.append)
    return events


async def double(job: Work) -> Answer:
    """Return twice the number."""
    return Answer(answer=job.number * 2)


class TwoParts(Exception):
    """An error that cannot be unpickled: it takes two arguments and tells one."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(first)
        self.second = second


def in_process(job: Work) -> Answer:
    """Do by number what a function in a process can do; say in which process it ran."""
    match job.number:
        case 1:
            os._exit(3)
        case 2:
            raise TwoParts("broken", "in two")
        case 3:
            raise SystemExit(4)
        case 4:
            current_job().log("from a process")
        case 5:
            time.sleep(0.5)
        case 6:
            return Answer(answer=int(current_job().idempotency_key == f"{job.id}:0:work"))
    return Answer(answer=os.getpid())

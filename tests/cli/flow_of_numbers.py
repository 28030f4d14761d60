"""A flow for processes that `flows run` starts: FLOWS_TEST_RUN_URL and FLOWS_TEST_RUN_NAMESPACE name the server."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from flows import Flow, FlowOptions, Job, JobResult, QueueOptions


class Number(BaseModel):
    """A number."""

    n: int


class Doubling(Job):
    """A number that is to be doubled."""

    n: int


class Doubled(JobResult):
    """Twice the number."""

    twice: int


def make_numbers(redis_url: str | None, namespace: str) -> Flow[Doubling, Number, Literal["n"]]:
    """Make the flow."""
    return Flow[Doubling, Number, Literal["n"]](
        FlowOptions(
            name="numbers",
            redis_url=redis_url,
            namespace=namespace,
            lookup_attributes=["n"],
            queues=[QueueOptions("double", job=Doubling)],
        )
    )


numbers = make_numbers(os.environ.get("FLOWS_TEST_RUN_URL"), os.environ.get("FLOWS_TEST_RUN_NAMESPACE", ""))


@numbers.worker(Doubling, concurrency=4)
async def double(job: Doubling) -> Doubled:
    """Double a number, and leave a line with the process that did it."""
    if (log := os.environ.get("FLOWS_TEST_RUN_LOG")) is not None:
        with Path(log).open("a") as file:  # noqa: ASYNC230 - a line, written at once
            file.write(f"{job.n} {os.getpid()}\n")
    return Doubled(twice=2 * job.n)

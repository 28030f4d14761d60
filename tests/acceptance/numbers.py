"""A flow for processes: `python -m tests.acceptance.numbers <url> <namespace> <lease> <function> [run [wait]]`.

It works until it is killed, or with `run` until it is told to end, and then has the status that `run()` returns; each
attempt is counted in Redis, by job.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import redis.asyncio
from pydantic import BaseModel

from flows import Flow, FlowOptions, Job, JobResult, QueueOptions
from tests.waiting import LONG, until

ROOT = Path(__file__).resolve().parents[2]


class Given(BaseModel):
    """What a job is created with."""

    number: int = 0


class Work(Job):
    """What its function sees."""

    number: int


class Answer(JobResult):
    """Twice the number, and the process that found it."""

    answer: int
    pid: int


def number_flow(url: str | None, namespace: str, lease: float) -> Flow[Work, Given]:
    """Return the flow without workers."""
    return Flow[Work, Given](
        FlowOptions(
            name="numbers",
            queues=[QueueOptions("work", job=Work)],
            redis_url=url,
            namespace=namespace,
            lease=timedelta(seconds=lease),
        )
    )


class Functions:
    """What the workers of these processes can do; each counts its attempts below the namespace."""

    def __init__(self, url: str, namespace: str) -> None:
        self.redis = redis.asyncio.Redis.from_url(url)
        self.namespace = namespace

    async def count(self, job: Work) -> None:
        """Count an attempt."""
        await self.redis.hincrby(f"{self.namespace}attempts", job.id, 1)

    async def quick(self, job: Work) -> Answer:
        """Take a moment."""
        await self.count(job)
        await asyncio.sleep(0.005)
        return Answer(answer=job.number * 2, pid=os.getpid())

    async def gated(self, job: Work) -> Answer:
        """Wait until the test opens the gate."""
        await self.count(job)
        await self.redis.rpush(f"{self.namespace}begun", job.id)
        await self.redis.blmove(f"{self.namespace}gate", f"{self.namespace}gate", LONG)
        return Answer(answer=job.number * 2, pid=os.getpid())

    async def stubborn(self, job: Work) -> None:
        """Be told to end twice without ending."""
        await self.redis.rpush(f"{self.namespace}begun", job.id)
        for _ in range(2):
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
        await asyncio.Event().wait()

    async def tell_when_stopping(self, flow: Flow[Work, Given]) -> None:
        """Tell the test that the worker has heard of its end."""
        await until(lambda: flow.workers[0].status == "stopping", LONG)
        await self.redis.rpush(f"{self.namespace}stopping", 1)


@contextmanager
def process(
    url: str, namespace: str, lease: float, function: str, *more: str, inside: Sequence[str] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    """Run this file in a process of its own, `inside` another command; it is killed in the end, if it still lives."""
    command = [*inside, sys.executable, "-m", "tests.acceptance.numbers", url, namespace, str(lease), function, *more]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) as started:
        try:
            yield started
        finally:
            started.kill()


async def main(url: str, namespace: str, lease: str, function: str, *more: str) -> int:
    """Work, and return the exit status."""
    flow = number_flow(url, namespace, float(lease))
    functions = Functions(url, namespace)
    flow.create_workers(Work, getattr(functions, function), concurrency=4)
    if more:
        telling = asyncio.create_task(functions.tell_when_stopping(flow))
        try:
            return await flow.run(wait_for_server=float(more[1]) if more[1:] else 60)
        finally:
            telling.cancel()
            await functions.redis.aclose()
    await flow.start_all()
    await asyncio.Event().wait()
    return 0


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    sys.exit(asyncio.run(main(*sys.argv[1:])))

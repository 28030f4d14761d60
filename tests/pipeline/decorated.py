"""A flow whose function is decorated for processes; a test imports it, and so do the processes."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import BaseModel

from flows import Flow, FlowOptions, Job, JobResult, QueueOptions


class Given(BaseModel):
    """What a job is created with."""

    number: int = 0


class Work(Job):
    """What its function sees."""

    number: int


class Answer(JobResult):
    """In which process it ran, and what the resource said."""

    pid: int
    opened: int


def _write(path: Path, what: str) -> None:
    with path.open("a") as notes:
        notes.write(f"{what} {os.getpid()}\n")


@asynccontextmanager
async def note() -> AsyncGenerator[int]:
    """Write to a file when it is opened and closed; fail at first where another file says so."""
    path = Path(os.environ["FLOWS_TEST_NOTES"])
    if path.with_suffix(".fail").exists():
        path.with_suffix(".fail").unlink()
        raise ConnectionError("no database yet")
    _write(path, "open")
    yield os.getpid()
    _write(path, "close")


flow = Flow[Work, Given](FlowOptions(name="decorated", queues=[QueueOptions("decorated", job=Work)]))


@flow.worker(Work, lifespan=note, executor="process", concurrency=2)
def work(_job: Work, opened: int) -> Answer:
    """Say where it runs."""
    return Answer(pid=os.getpid(), opened=opened)

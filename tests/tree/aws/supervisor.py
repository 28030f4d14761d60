"""A process that executes a tree whose task goes over SQS: for a test that kills it while the task is away.

`supervisor.py URL NAMESPACE PREFIX ENDPOINT FILE` writes the instance's id into the file, and works until it is killed.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

from pydantic import BaseModel

import flows.tree.aws.sqs_queues
from flows.tree import Generator, Task, TaskInput, Tree, Trees
from flows.tree.aws import AwsCredentials, SqsBackend


class Data(BaseModel):
    """The data."""

    number: int = 20


class Number(TaskInput):
    """Reads the number."""

    number: int


class Far(TaskInput):
    """Reads what came from far."""

    far: int


def elsewhere(view: Number) -> int:
    """Fail: whoever has the queue runs it."""
    raise AssertionError(view)


def last(view: Far) -> int:
    """Return one more."""
    return view.far + 1


def app(redis_url: str, namespace: str, prefix: str, endpoint: str) -> tuple[Trees, Generator[Data]]:
    """Return the app with its workers, and its generator."""
    backend = SqsBackend(prefix, region="eu-central-1", endpoint=endpoint, credentials=AwsCredentials("a", "b"))
    where = {"redis_url": redis_url, "namespace": namespace}
    trees = Trees("far", **where, lease=timedelta(seconds=1), backends={"aws": backend})

    @trees.generator("site")
    def site(_: Data) -> Tree:
        return Tree(Task("far", elsewhere, backend="aws"), Task("last", last))

    trees.create_workers(concurrency=2)
    return trees, site


async def main(file: str, *where: str) -> None:
    """Execute an instance."""
    trees, site = app(*where)
    async with trees:
        instance = await site.create(Data(), execute=True)
        await asyncio.to_thread(Path(file).write_text, instance.id, "utf-8")
        await asyncio.sleep(3600)


if __name__ == "__main__":
    # What a killed one was being given comes again soon.
    flows.tree.aws.sqs_queues._WAIT, flows.tree.aws.sqs_queues.VISIBILITY = 1, 2  # type: ignore[misc]
    asyncio.run(main(sys.argv[5], *sys.argv[1:5]))

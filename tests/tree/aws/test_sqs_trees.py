"""Trees whose tasks go over SQS: one record for each order, whatever dies, comes twice, late or never."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pydantic import BaseModel

from flows.model.tree.errors import TreeFailed
from flows.tree.annotations import TaskInput
from flows.tree.aws import SqsBackend, SqsWorker
from flows.tree.aws.sqs_queues import QueueName, Queues
from flows.tree.backend.sync import SyncBackend
from flows.tree.current import current_task
from flows.tree.declare import Task, Tree
from flows.tree.generator import Generator
from flows.tree.index.memory import MemoryIndex
from flows.tree.instance import Instance
from flows.tree.storage.memory import MemoryStorage
from flows.tree.trees import Trees
from tests.tree.aws.test_sqs_worker import working
from tests.waiting import LONG, until

pytestmark = [pytest.mark.conformance, pytest.mark.usefixtures("quick")]
PROGRAM = Path(__file__).with_name("killed_worker.py")


class Data(BaseModel):
    """The data."""

    number: int = 20
    seconds: int = 3600


class Number(TaskInput):
    """Reads the number."""

    number: int


class Doubled(TaskInput):
    """Reads what others have made of it."""

    large: int
    other: int


async def double(view: Number) -> int:
    """Return twice the number, and say so."""
    current_task().progress(0.5, "at it")
    current_task().log("doubles")
    await asyncio.sleep(0.2)
    return 2 * view.number


def total(view: Doubled) -> int:
    """Return the sum."""
    return view.large + view.other


class World(NamedTuple):
    """An app with a task that goes over SQS, and another one beside it."""

    trees: Trees
    site: Generator[Data]
    prefix: str


@pytest.fixture
async def world(prefix: str, sqs: dict[str, Any]) -> AsyncIterator[World]:
    """Make the app, whose executions run in this process."""
    backend = SqsBackend(prefix, **sqs)
    trees = Trees("sqs", backend=SyncBackend(), storage=MemoryStorage(), index=MemoryIndex(), backends={"aws": backend})

    @trees.generator("site")
    def site(data: Data) -> Tree:
        timeout = timedelta(seconds=data.seconds)
        both = [Task(name, double, backend="aws", timeout=timeout) for name in ("large", "other")]
        return Tree(Task("both", subtasks=both), Task("total", total))

    async with trees:
        yield World(trees, site, prefix)
    await backend.close()


async def history(instance: Instance[Data]) -> list[tuple[str, str]]:
    """Return the tasks and how they stand, in the order in which they were recorded."""
    records = sorted((await instance._host.load(instance.id)).tasks.items(), key=lambda one: one[1].order)
    return [(path, record.status) for path, record in records]


async def test_a_worker_with_the_trees_runs_tasks(world: World, sqs: dict[str, Any]) -> None:
    """What they tell stands where it is watched: logs and progress; the results are those of the tasks."""
    instance = await world.site.create(Data())
    execution = await instance.execute_all()
    async with working(SqsWorker(world.prefix, world.trees, **sqs)):
        async with asyncio.timeout(LONG):
            async for state in instance.watch():
                if state.tasks["#.both.large"].message == "at it" or state.status == "done":
                    break
        assert state.tasks["#.both.large"].progress == 0.5
        assert (await execution.wait(LONG)).status == "done"
    assert await instance.result("#.total", int) == 80
    assert [line.text for line in await instance.log("#.both.large")] == ["doubles"]


async def test_a_worker_without_their_code_runs_functions(world: World, sqs: dict[str, Any]) -> None:
    """Given the view of the message; the lines of its log come with the outcome."""
    instance = await world.site.create(Data())
    execution = await instance.execute_all()
    async with working(SqsWorker(world.prefix, {"#.both.*": double}, **sqs)):
        assert (await execution.wait(LONG)).status == "done"
    assert await instance.result("#.total", int) == 80
    assert [line.text for line in await instance.log("#.both.other")] == ["doubles"]


async def test_an_order_whose_worker_was_killed_runs_elsewhere(
    world: World, sqs: dict[str, Any], tmp_path: Path
) -> None:
    """In the middle of it, by SIGKILL: another worker has the order soon, and it is recorded once."""
    instance = await world.site.create(Data())
    execution = await instance.execute("#.both.large")
    began = tmp_path / "began"
    words = [sys.executable, str(PROGRAM), world.prefix, sqs["endpoint"], str(began)]
    process = await asyncio.create_subprocess_exec(*words)
    try:
        await until(began.exists)
        process.kill()
        await process.wait()
        undisturbed = await world.site.create(Data())
        async with working(SqsWorker(world.prefix, {"*": double}, **sqs)):
            await execution.wait(LONG)
            await (await undisturbed.execute("#.both.large")).wait(LONG)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
    assert await instance.result("#.both.large", int) == 40
    snapshot = await instance._host.load(instance.id)
    assert snapshot.tasks["#.both.large"].attempt == 1
    assert snapshot.revision == (await undisturbed._host.load(undisturbed.id)).revision


async def test_outcomes_that_come_twice_and_out_of_order_count_once(world: World, sqs: dict[str, Any]) -> None:
    """The first of each is recorded, and none is left in the queue."""
    instance = await world.site.create(Data())
    execution = await instance.execute_all()
    queues = Queues(world.prefix, sqs["region"], sqs["endpoint"], sqs["credentials"])
    orders: list[dict[str, Any]] = []
    async with asyncio.timeout(LONG):
        while len(orders) < 2:
            for message in await queues.receive("orders"):
                orders.append(json.loads(message.body))
                await queues.delete("orders", message.handle)
    before = (await instance._host.load(instance.id)).revision
    for order in sorted(orders, key=lambda one: str(one["path"]), reverse=True):
        place = {name: order[name] for name in ("v", "instance", "execution", "path", "attempt")}
        await queues.send("outcomes", json.dumps({**place, "execution": "another one", "result": -1}))
        for result in (7, 7):
            await queues.send("outcomes", json.dumps({**place, "result": result}))
    assert (await execution.wait(LONG)).status == "done"
    assert await instance.result("#.total", int) == 14
    # Both, the total twice or once (it may end in the tick in which it began), and the end.
    assert (await instance._host.load(instance.id)).revision - before in {4, 5}
    await until(lambda: _is_empty(queues, "outcomes"))
    await queues.close()


async def test_silence_ends_as_a_failure(world: World) -> None:
    """No worker at all: when its time is over, the task has failed, and nothing is in limbo."""
    instance = await world.site.create(Data(seconds=1))
    execution = await instance.execute_all()
    with pytest.raises(TreeFailed, match="Timeout"):
        await execution.wait(LONG)
    state = await instance.state()
    assert state.status == "failed"
    assert {one.status for one in state.tasks.values()} <= {"failed", "inactive", "cancelled"}


async def test_a_late_outcome_changes_nothing(world: World, sqs: dict[str, Any]) -> None:
    """The execution is over: its orders are dropped by a worker that knows, and outcomes by whoever receives them."""
    instance = await world.site.create(Data(seconds=1))
    execution = await instance.execute_all()
    with pytest.raises(TreeFailed):
        await execution.wait(LONG)
    before = await history(instance)
    revision = (await instance._host.load(instance.id)).revision
    queues = Queues(world.prefix, sqs["region"], sqs["endpoint"], sqs["credentials"])
    async with working(SqsWorker(world.prefix, world.trees, **sqs)):
        again = await (await world.site.create(Data())).execute_all()
        assert (await again.wait(LONG)).status == "done"
        await until(lambda: _is_empty(queues, "orders"))
    await queues.close()
    assert await history(instance) == before
    assert (await instance._host.load(instance.id)).revision == revision


async def _is_empty(queues: Queues, name: QueueName) -> bool:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    asked = {"QueueUrl": await queues._url(name), "AttributeNames": names}
    found = (await queues._client.call("get_queue_attributes", **asked))["Attributes"]
    return not any(int(count) for count in found.values())

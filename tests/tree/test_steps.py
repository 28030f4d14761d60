"""`current_task().step`: what a task does once though its function is called again, and waits for without a worker."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import BaseModel

from flows.errors import FlowsError
from flows.model.retries import Retries
from flows.model.runs.step_record import LONGEST_NAME
from flows.tree.annotations import TaskInput
from flows.tree.current import current_task
from flows.tree.declare import Task, Tree
from flows.tree.generator import Generator
from flows.tree.trees import Trees
from flows.workflow.steps.step_options import StepOptions
from tests.tree.in_memory import trees_in_memory
from tests.waiting import LONG, until


class Data(BaseModel):
    """The data."""

    n: int = 2


class Number(TaskInput):
    """Reads the data."""

    n: int


class Fives(TaskInput):
    """Reads two results."""

    left: int
    right: int


class Calls:
    """What tasks and their steps have been called for, by names."""

    def __init__(self) -> None:
        self.made: list[str] = []

    async def double(self, name: str, n: int) -> int:
        """Note the call of a step, and return twice the number."""
        self.made.append(name)
        return 2 * n

    def plain(self, name: str, n: int) -> int:
        """Do so in a thread."""
        self.made.append(name)
        return 2 * n


@pytest.fixture
def calls() -> Calls:
    """Note all calls of the test."""
    return Calls()


@pytest.fixture
def trees(redis_url: str, namespace: str) -> Trees:
    """Return an app with workers."""
    trees = Trees("steps", redis_url=redis_url, namespace=namespace)
    trees.create_workers(concurrency=2)
    return trees


def tree_of(trees: Trees, *tasks: Task[Any]) -> Generator[Data]:
    """Return a generator of these tasks."""

    @trees.generator("site")
    def made(data: Data) -> Tree:  # noqa: ARG001 - the tree is always the same
        return Tree(*tasks)

    return made


@pytest.mark.parametrize("queue", ["", "gpu"])
async def test_a_step_is_done_once_and_its_wait_holds_no_worker(trees: Trees, calls: Calls, queue: str) -> None:
    """The function is called again behind the wait, in its execution's run or in one of its own."""
    go = trees._runs.event("go", int)

    async def left(view: Number) -> int:
        calls.made.append("function")
        step = current_task().step
        first = await step.run("double", calls.double, "once", view.n)
        await step.wait_for_event("rest", go, key=current_task().instance_id)
        return await step.run("plain", calls.plain, "twice", first)

    site = tree_of(trees, Task("left", left, queue=queue or None))
    async with trees:
        instance = await site.create(Data())
        for times in (1, 2):  # the next execution does all of it anew
            execution = await instance.execute_all()
            run = trees._runs.handle(execution.id)

            async def waits(times: int = times, run: Any = run) -> bool:
                return calls.made.count("once") == times and await run.status() == "suspended"

            await until(waits)
            await go.send(1, key=instance.id)
            await execution.wait(LONG)
            assert await instance.result("#.left", int) == 8
    assert calls.made == ["function", "once", "function", "twice"] * 2


async def test_tasks_side_by_side_have_steps_of_their_own(trees: Trees, calls: Calls) -> None:
    """Of the same names; while one waits for an event, another one is at work, and the run goes on."""
    met, answered = asyncio.Event(), trees._runs.event("answered", int)

    async def left(view: Number) -> int:
        step = current_task().step
        answer = await step.wait_for_event("wait", answered, key="k")
        return await step.run("double", calls.double, "left", view.n) + (answer or 0)

    async def right(view: Number) -> int:
        await met.wait()
        return await current_task().step.run("double", calls.double, "right", view.n)

    async def total(view: Fives) -> int:
        return view.left + view.right

    both = Task[Any]("both", subtasks=[Task("left", left), Task("right", right)])
    site = tree_of(trees, both, Task("total", total))
    async with trees:
        instance = await site.create(Data())
        execution = await instance.execute_all()

        async def right_is_running() -> bool:
            return (await instance.state()).tasks["#.both.right"].status == "running"

        await until(right_is_running)
        await answered.send(1, key="k")
        met.set()
        await execution.wait(LONG)
        assert await instance.result("#.total", int) == 9
    assert sorted(calls.made) == ["left", "right"]


async def test_another_attempt_has_steps_of_its_own(trees: Trees, calls: Calls) -> None:
    """What has failed in one does not fail in the next; `StepOptions` tries one step again."""

    async def flaky(n: int) -> int:
        calls.made.append(f"flaky {n}")
        if len(calls.made) in {1, 3}:
            raise OSError("away")
        return n

    async def left(view: Number) -> int:
        step = current_task().step
        await step.run("flaky", flaky, current_task().attempt)
        again = StepOptions[int]("again", retries=Retries(max_attempts=2, backoff=0))
        return await step.run(again, flaky, view.n)

    site = tree_of(trees, Task("left", left, retries=Retries(max_attempts=2, backoff=0)))
    async with trees:
        instance = await site.create(Data(n=7))
        await (await instance.execute_all()).wait(LONG)
        assert await instance.result("#.left", int) == 7
    assert calls.made == ["flaky 1", "flaky 2", "flaky 7", "flaky 7"]


async def test_where_no_run_is_there_are_no_steps() -> None:
    """In the process of the caller."""
    said: list[str] = []

    async def left(_: Number) -> None:
        with pytest.raises(FlowsError, match="has no steps here") as refused:
            current_task().step  # noqa: B018 - it is refused
        said.append(str(refused.value))

    trees = trees_in_memory("steps")
    site = tree_of(trees, Task("left", left))
    async with trees:
        await (await (await site.create(Data())).execute_all()).wait(LONG)
    assert len(said) == 1


async def test_names(trees: Trees, calls: Calls) -> None:
    """As long as those of workflows, twice none, and with nothing that would never be called."""
    long = "x" * LONGEST_NAME

    async def left(view: Number) -> int:
        step = current_task().step
        for name in (f"{long[1:]}y", long):
            assert await step.run(name, calls.double, name[-1], view.n) == 4
        with pytest.raises(FlowsError, match="x"):
            await step.run(long, calls.double, "?", view.n)
        with pytest.raises(FlowsError, match="undo"):
            await step.run(StepOptions[int]("undone", undo=print), calls.double, "?", view.n)
        with pytest.raises(FlowsError, match="1 to 200"):
            await step.run("", calls.double, "?", view.n)
        return 1

    site = tree_of(trees, Task("left", left))
    async with trees:
        await (await (await site.create(Data())).execute_all()).wait(LONG)
    assert calls.made == ["y", "x"]

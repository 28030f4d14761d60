"""What each backend keeps to: wherever the function of a task runs, the same is recorded of it.

A backend's own test subclasses `BackendConformance`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
from pydantic import BaseModel

from flows.model.retries import Retries
from flows.model.tree.errors import TreeFailed
from flows.model.verdict import Cancel, Fail, Retry, Snooze
from flows.tree.annotations import TaskInput
from flows.tree.current import current_task
from flows.tree.declare import Task, Tree
from flows.tree.generator import Generator
from flows.tree.state import InstanceState
from flows.tree.trees import Trees
from tests.waiting import LONG


class Data(BaseModel):
    """The data: which of the functions is the task's."""

    name: str
    number: int = 20


class Number(TaskInput):
    """Reads the number."""

    number: int


class Result(TaskInput):
    """Reads what the task has returned."""

    one: Any


class Pair(BaseModel):
    """A result that is a model."""

    first: int
    second: list[str]


async def double(view: Number) -> int:
    """Return twice the number."""
    await asyncio.sleep(0)
    return 2 * view.number


def pair(view: Number) -> Pair:
    """Return a model, from a thread."""
    return Pair(first=view.number, second=["ü", "\u2028", ""])


def facts(view: Number) -> dict[str, Any]:
    """Return what the task knows of its attempt, and report some of it."""
    current = current_task()
    current.progress(0.25, "a quarter")
    for nth in range(3):
        current.log(f"line {nth}", "warning", number=view.number)
    return {"instance": current.instance_id, "path": current.path, "key": current.idempotency_key}


def breaks(view: Number) -> int:
    """Fail, always."""
    raise ValueError(f"{view.number} is wrong")


def third_time(view: Number) -> int:
    """Fail twice."""
    if current_task().attempt <= 2:
        raise OSError("not yet")
    return view.number + current_task().attempt


def refuses(_: Number) -> int:
    """Fail for good."""
    raise Fail("never again")


def asks_again(view: Number) -> int:
    """Ask for another attempt, once."""
    if current_task().attempt == 1:
        raise Retry("once more", after=timedelta(milliseconds=10))
    return view.number


_naps: set[str] = set()


def naps(view: Number) -> int:
    """Ask to be called later, once; that is no attempt."""
    if current_task().instance_id not in _naps:
        _naps.add(current_task().instance_id)
        raise Snooze("later", after=timedelta(milliseconds=10))
    return view.number + current_task().attempt


def cancels(_: Number) -> int:
    """Cancel the whole execution."""
    raise Cancel("nobody wants it")


async def sleeps(_: Number) -> int:
    """Take longer than it may."""
    await asyncio.sleep(30)
    return 0


def blocks(_: Number) -> int:
    """Take longer than it may, in a thread."""
    end = time.monotonic() + 30
    while not current_task().cancelled and time.monotonic() < end:
        time.sleep(0.01)
    return 0


def odd(_: Number) -> int:
    """Return what is not declared."""
    return "a text"  # type: ignore[return-value]


_MADE = (double, pair, facts, breaks, third_time, refuses, asks_again, naps, cancels, sleeps, blocks, odd)
FUNCTIONS: dict[str, Callable[..., Any]] = {one.__name__: one for one in _MADE}


def keep(view: Result) -> Any:
    """Return what the task has returned, from where the execution runs."""
    return view.one


class App(NamedTuple):
    """An app whose tasks run on the backend that is tested.

    Attributes:
        trees: The app, which nobody has started.
        on: What `Task` is given, so that it runs there.
        beside: What runs there meanwhile.
    """

    trees: Trees
    on: Mapping[str, Any] = MappingProxyType({})
    beside: Callable[[], AbstractAsyncContextManager[Any]] = nullcontext


@pytest.mark.conformance
class BackendConformance:
    """The suite."""

    #: A task that takes longer than it may is given so many seconds.
    TIMEOUT = 0.3

    @pytest.fixture
    def app(self) -> App:
        """Return the app."""
        raise NotImplementedError

    @pytest.fixture
    async def site(self, app: App) -> AsyncIterator[Generator[Data]]:
        """Start the app, and return its generator: a task, and one that reads its result."""

        @app.trees.generator("site")
        def site(data: Data) -> Tree:
            retries = Retries(max_attempts=3, backoff=0.01) if data.name in {"third_time", "refuses"} else None
            timeout = self.TIMEOUT if data.name in {"sleeps", "blocks"} else None
            one = Task("one", FUNCTIONS[data.name], retries=retries, timeout=timeout, **app.on)
            return Tree(one, Task("two", keep))

        app.trees.create_workers(concurrency=5)
        async with app.trees, app.beside():
            yield site

    async def test_a_result_comes_to_who_reads_it(self, site: Generator[Data]) -> None:
        """A number of an `async def`, a model of a `def`."""
        for name, result in (("double", 40), ("pair", {"first": 20, "second": ["ü", "\u2028", ""]})):
            instance = await site.create(Data(name=name))
            state = await (await instance.execute_all()).wait(LONG)
            assert (state.status, state.tasks["#.one"].status, state.tasks["#.one"].attempt) == ("done", "ok", 1)
            assert await instance.result("#.one", Any) == await instance.result("#.two", Any) == result  # type: ignore[arg-type]

    async def test_a_task_knows_where_it_runs(self, site: Generator[Data]) -> None:
        """Its instance, path and key; what it logs is in its log, in order, once."""
        instance = await site.create(Data(name="facts"))
        execution = await instance.execute_all()
        state = await execution.wait(LONG)
        found = await instance.result("#.one", dict[str, Any])
        key = f"{instance.id}:#.one:{execution.id}"
        assert found == {"instance": instance.id, "path": "#.one", "key": key}
        lines = await instance.log("#.one")
        assert [(line.n, line.text) for line in lines] == [(1, "line 0"), (2, "line 1"), (3, "line 2")]
        assert {(line.level, line.meta["number"], line.attempt) for line in lines} == {("warning", 20, 1)}
        assert state.tasks["#.one"].progress == 1.0

    async def test_an_error_is_recorded(self, site: Generator[Data]) -> None:
        """Its type and message, and that what comes later did not begin."""
        state = await self._failed(site, "breaks", "ValueError", "20 is wrong")
        assert state.tasks["#.one"].attempt == 1
        assert state.tasks["#.two"].because == "#.one failed"

    async def test_a_task_is_tried_again(self, site: Generator[Data]) -> None:
        """As often as its retries say, or when it asks."""
        expected = [("third_time", 3, 23), ("asks_again", 2, 20), ("naps", 1, 21)]
        for name, attempts, result in expected:
            instance = await site.create(Data(name=name))
            state = await (await instance.execute_all()).wait(LONG)
            assert (state.tasks["#.one"].status, state.tasks["#.one"].attempt) == ("ok", attempts), name
            assert await instance.result("#.two", int) == result

    async def test_a_task_may_end_it(self, site: Generator[Data]) -> None:
        """For good, whatever its retries say; or the whole execution."""
        state = await self._failed(site, "refuses", "Fail", "never again")
        assert state.tasks["#.one"].attempt == 1
        instance = await site.create(Data(name="cancels"))
        state = await (await instance.execute_all()).wait(LONG)
        assert (state.status, state.because) == ("cancelled", "nobody wants it")
        assert (state.tasks["#.one"].status, state.tasks["#.two"].status) == ("cancelled", "inactive")

    async def test_a_task_that_takes_too_long_has_failed(self, site: Generator[Data]) -> None:
        """An `async def`, and a `def` in its thread."""
        for name in ("sleeps", "blocks"):
            await self._failed(site, name, "Timeout", "timeout")

    async def test_a_result_of_another_type_is_an_error(self, site: Generator[Data]) -> None:
        """It never comes to who would read it."""
        await self._failed(site, "odd", "ValidationError", "")

    async def test_many_run_side_by_side(self, site: Generator[Data]) -> None:
        """Each instance gets its own result."""
        instances = [await site.create(Data(name="double", number=number)) for number in range(10)]
        executions = [await instance.execute_all() for instance in instances]
        await asyncio.gather(*(one.wait(LONG) for one in executions))
        assert [await one.result("#.two", int) for one in instances] == [2 * number for number in range(10)]

    @staticmethod
    async def _failed(site: Generator[Data], name: str, kind: str, text: str) -> InstanceState:
        instance = await site.create(Data(name=name))
        execution = await instance.execute_all()
        with pytest.raises(TreeFailed) as caught:
            await execution.wait(LONG)
        assert (caught.value.path, caught.value.error.type) == ("#.one", kind)
        assert text in caught.value.error.message
        state = await instance.state()
        assert (state.status, state.tasks["#.one"].status, state.tasks["#.two"].status) == (
            "failed",
            "failed",
            "inactive",
        )
        return state

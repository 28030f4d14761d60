"""Trees in this process: created, executed whole and by path, updated, watched, found, destroyed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from pydantic import BaseModel, Field, RootModel

from flows.errors import DeclarationError, FlowsError, IdempotencyConflict, StateError, ValidationError, WaitTimeout
from flows.model.retries import Retries
from flows.model.schedules.every import Every
from flows.model.tree.errors import (
    InstanceGone,
    TaskNotReady,
    TreeBusy,
    TreeFailed,
    UnknownGenerator,
    UnknownPath,
)
from flows.model.verdict import Cancel, Fail, Retry, Snooze
from flows.store.jobs.log_line import pack_line
from flows.tree.annotations import TaskInput
from flows.tree.backend.protocol import Outcome
from flows.tree.current import current_task
from flows.tree.declare import Task, Tree
from flows.tree.generator import Generator
from flows.tree.index.protocol import Find
from flows.tree.instance import Instance
from flows.tree.state import InstanceState
from flows.tree.storage.memory import MemoryStorage
from flows.tree.trees import Trees
from tests.tree.in_memory import trees_in_memory
from tests.tree.mail import Mail
from tests.waiting import LONG, until


class Site(BaseModel):
    """The data."""

    url: str = "u"
    sizes: list[int] = []
    wanted: bool = True
    limit: int = 1


class Url(TaskInput):
    """Reads the address."""

    url: str


class Pages(TaskInput):
    """Reads what was fetched."""

    pages: list[str]


class Wanted(TaskInput):
    """Reads whether images are wanted."""

    wanted: bool


class Publish(TaskInput):
    """Reads what may be skipped."""

    pages: list[str]
    sizes: dict[str, int] = Field(default_factory=dict)
    limit: int


class Nothing(TaskInput):
    """Reads nothing."""


class Argument(TaskInput):
    """Reads its argument."""

    argument: int = 0


def nothing(view: Nothing) -> None:
    """Do nothing."""


def is_wanted(view: Wanted) -> bool:
    """Ask."""
    return view.wanted


calls: list[str] = []


async def fetch(view: Url) -> list[str]:
    """Return two pages."""
    calls.append("fetch")
    current_task().progress(0.5, "half")
    current_task().log("fetched", pages=2)
    return [view.url, "b"]


async def resize(size: int, view: Pages) -> int:
    """Return a number, after the others have begun."""
    calls.append(f"w{size}")
    await asyncio.sleep(0)
    return size * len(view.pages)


def publish(view: Publish) -> str:
    """Return all there is, from a thread."""
    assert threading.current_thread() is not threading.main_thread()
    calls.append("publish")
    return f"{view.pages} {view.sizes} {view.limit}"


@pytest.fixture
async def trees() -> AsyncIterator[Trees]:
    """Return an app in memory."""
    calls.clear()
    async with trees_in_memory("imports") as app:
        yield app


@pytest.fixture
def site(trees: Trees) -> Generator[Site]:
    """Return a generator of a tree with all kinds of tasks."""

    @trees.generator("site")
    def site(data: Site) -> Tree:
        return Tree(
            Task("fetch", fetch, dest="pages", on_complete=lambda pages: f"{len(pages)} pages"),
            Task(
                "images",
                condition=is_wanted,
                dest="sizes",
                subtasks=[Task(f"w{size}", partial(resize, size), weight=size) for size in (1, 2, *data.sizes)],
            ),
            Task("publish", publish, on_complete="published"),
        )

    return site


def tree_of(trees: Trees, *tasks: Task[Any], name: str = "x") -> Generator[Site]:
    """Return a generator of these tasks, whatever the data."""

    @trees.generator(name)
    async def made(data: Site) -> Tree:  # noqa: ARG001 - the tree is always the same
        return Tree(*tasks)

    return made


async def done(instance: Instance[Any], *path: str, **how: Any) -> InstanceState:
    """Execute all, or a path, and return how it stands at the end."""
    execution = await (instance.execute(*path, **how) if path else instance.execute_all(**how))
    return await execution.wait(LONG)


def statuses(state: InstanceState) -> dict[str, str]:
    """Return the status of each task; a stale one has a star."""
    return {path[2:]: one.status + "*" * one.stale for path, one in state.tasks.items()}


async def test_a_tree_is_executed(site: Generator[Site]) -> None:
    """In order, side by side, with views of the data and of results, from the loop and from threads."""
    instance = await site.create(Site(sizes=[3]), realm="acme", name="a.com")
    assert statuses(await instance.state())["fetch"] == "inactive"
    state = await done(instance)
    assert state.status == "done"
    assert state.progress == 1.0
    assert set(statuses(state).values()) == {"ok"}
    assert calls[0] == "fetch"
    assert calls[-1] == "publish"
    assert await instance.result("#.publish", str) == "['u', 'b'] {'w1': 2, 'w2': 4, 'w3': 6} 1"
    assert await instance.result("#.images", dict[str, int]) == {"w1": 2, "w2": 4, "w3": 6}
    assert await instance.result("#.fetch", list[str]) == ["u", "b"]
    fetched = state.tasks["#.fetch"]
    assert fetched.queued is not None
    assert fetched.started is not None
    assert fetched.ended is not None
    assert fetched.queued <= fetched.started <= fetched.ended
    assert (fetched.attempt, fetched.bytes, fetched.progress, fetched.message) == (1, 9, 1.0, "")
    lines = await instance.log("#.fetch")
    assert [(one.n, one.text, one.meta) for one in lines] == [(1, "fetched", {"pages": 2}), (2, "2 pages", {})]
    assert [one.text for one in await instance.log("#.publish")] == ["published"]
    assert await instance.log("#.fetch", since=1) == lines[1:]


async def test_a_condition_skips_all_below(site: Generator[Site]) -> None:
    """And what reads that has its default."""
    instance = await site.create(Site(wanted=False))
    state = await done(instance)
    assert statuses(state) == {
        "fetch": "ok", "images": "skipped", "images.w1": "skipped", "images.w2": "skipped", "publish": "ok",
    }  # fmt: skip
    assert state.tasks["#.images.w1"].because == "#.images is skipped"
    assert state.progress == 1.0
    assert await instance.result("#.publish", str) == "['u', 'b'] {} 1"
    with pytest.raises(StateError, match=r"task #\.images\.w1 is skipped: it cannot be read: it has no result"):
        await instance.result("#.images.w1", int)
    await instance.update(Site())
    await done(instance)
    assert await instance.result("#.images.w1", int) == 2
    await instance.update(Site(wanted=False))
    await done(instance)
    with pytest.raises(StateError):
        await instance.result("#.images.w1", int)


async def test_an_update_makes_stale_what_read_it_and_its_users(site: Generator[Site]) -> None:
    """No more, no less; and one execution of the last makes all of it new."""
    instance = await site.create(Site())
    await done(instance)
    await instance.update(Site(limit=2))
    assert statuses(await instance.state()) == {
        "fetch": "ok", "images": "ok", "images.w1": "ok", "images.w2": "ok", "publish": "ok*",
    }  # fmt: skip
    await instance.update(Site(url="v", limit=1))
    assert statuses(await instance.state())["publish"] == "ok*"
    assert statuses(await instance.state())["images.w1"] == "ok*"
    calls.clear()
    state = await done(instance, "#.publish", missing="run")
    assert sorted(calls) == ["fetch", "publish", "w1", "w2"]
    assert set(statuses(state).values()) == {"ok"}
    await instance.update(Site(url="v", limit=1))
    assert set(statuses(await instance.state()).values()) == {"ok"}


async def test_an_update_changes_the_tree(site: Generator[Site]) -> None:
    """New tasks are inactive, those that are gone leave nothing, and what needs all of them is stale."""
    instance = await site.create(Site(sizes=[3]))
    await done(instance)
    await instance.update(Site(sizes=[4]))
    assert statuses(await instance.state()) == {
        "fetch": "ok", "images": "inactive", "images.w1": "ok", "images.w2": "ok", "images.w4": "inactive",
        "publish": "ok*",
    }  # fmt: skip
    calls.clear()
    await done(instance, "#.publish", missing="run")
    assert calls == ["w4", "publish"]
    with pytest.raises(UnknownPath):
        await instance.result("#.images.w3", int)


async def test_one_task_by_path(site: Generator[Site]) -> None:
    """What it depends on has to be there; what uses it is stale afterwards, and may be executed with it."""
    instance = await site.create(Site())
    with pytest.raises(TaskNotReady) as caught:
        await instance.execute("#.images.w1")
    assert caught.value.because == [("#.fetch", "inactive"), ("#.images", "inactive")]
    assert (await instance.state()).revision == 1
    await done(instance, "#.images.w1", missing="run")
    assert calls == ["fetch", "w1"]
    await done(instance)
    calls.clear()
    assert statuses(await done(instance, "#.images.w1"))["publish"] == "ok*"
    await done(instance, "#.images.w2", downstream=True)
    assert calls == ["w1", "w2", "publish"]
    calls.clear()
    await done(instance, "#.images")
    assert calls == ["w1", "w2"]
    with pytest.raises(UnknownPath, match=r"did you mean '#\.images\.w1'"):
        await instance.execute("#.image.w1")
    with pytest.raises(ValidationError, match="give 'error' or 'run'"):
        await instance.execute("#.fetch", missing="maybe")  # type: ignore[arg-type]


async def test_a_failure_leaves_nothing_in_limbo(trees: Trees) -> None:
    """Siblings that run go on to their end, none begins, and what is left says why."""
    reached, go = asyncio.Event(), asyncio.Event()

    async def slow(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        reached.set()
        await go.wait()
        return 1

    async def bad(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        await reached.wait()
        asyncio.get_running_loop().call_later(0.05, go.set)
        raise ValueError("no")

    made = tree_of(
        trees,
        Task("g", subtasks=[Task("slow", slow, subtasks=[Task("below", nothing)]), Task("bad", bad)]),
        Task("after", nothing),
    )
    instance = await made.create(Site())
    execution = await instance.execute_all()
    with pytest.raises(TreeFailed, match=r"#\.g\.bad failed: ValueError: no") as caught:
        await execution.wait(LONG)
    assert caught.value.path == "#.g.bad"
    state = await instance.state()
    assert statuses(state) == {
        "g": "failed", "g.slow": "ok", "g.slow.below": "inactive", "g.bad": "failed", "after": "inactive",
    }  # fmt: skip
    assert state.tasks["#.after"].because == "#.g.bad failed"
    error = state.tasks["#.g.bad"].error
    assert error is not None
    assert "ValueError: no" in error.traceback
    assert (state.status, state.path, state.progress) == ("failed", "#.g.bad", 0.25)
    with pytest.raises(TaskNotReady, match=r"#\.g\.bad is failed, #\.g\.slow\.below is inactive"):
        await instance.execute("#.after")


async def test_the_first_failure_is_told(trees: Trees) -> None:
    """Others that were running then may fail as well."""
    reached = asyncio.Event()

    async def first(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        await reached.wait()
        raise ValueError("first")

    async def second(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        reached.set()
        await asyncio.sleep(0.05)
        raise ValueError("second")

    made = tree_of(trees, Task("g", subtasks=[Task("second", second), Task("first", first)]))
    instance = await made.create(Site())
    with pytest.raises(TreeFailed, match=r"#\.g\.first failed: ValueError: first"):
        await done(instance)
    assert set(statuses(await instance.state()).values()) == {"failed"}


async def test_a_failure_that_does_no_harm_counts_as_skipped(trees: Trees) -> None:
    """What reads it has its default, and what is below it is skipped."""

    def bad(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        raise ValueError("no")

    class Reads(TaskInput):
        bad: int = 7

    def after(view: Reads) -> int:
        return view.bad

    made = tree_of(
        trees, Task("bad", bad, on_failure="continue", subtasks=[Task("below", nothing)]), Task("after", after)
    )
    instance = await made.create(Site())
    state = await done(instance)
    assert statuses(state) == {"bad": "failed", "bad.below": "skipped", "after": "ok"}
    assert state.status == "done"
    assert state.tasks["#.bad.below"].because == "#.bad is failed"
    assert await instance.result("#.after", int) == 7


async def test_attempts_are_made_again(trees: Trees) -> None:
    """As the retries say, or as the function asks."""
    tries: dict[str, list[int]] = {}
    keys: set[str] = set()

    def asks(what: Any, view: Nothing) -> int:  # noqa: ARG001 - it is a task
        current = current_task()
        keys.add(current.idempotency_key)
        tries.setdefault(current.path, []).append(current.attempt)
        if len(tries[current.path]) < 3:
            if isinstance(what, Retry) and len(tries[current.path]) == 1:
                return what  # type: ignore[return-value]
            raise what
        return current.attempt

    soon = Retries(max_attempts=3, backoff=0)
    made = tree_of(
        trees,
        Task("plain", partial(asks, ValueError("no")), retries=soon),
        Task("retry", partial(asks, Retry("again", after=0))),
        Task("snooze", partial(asks, Snooze(after=0))),
        Task("fail", partial(asks, Fail("never")), retries=soon, on_failure="continue"),
        Task("give_up", partial(asks, KeyError("k")), retries=Retries(give_up_on=(KeyError,)), on_failure="continue"),
    )
    instance = await made.create(Site())
    state = await done(instance)
    assert tries == {
        "#.plain": [1, 2, 3], "#.retry": [1, 2, 3], "#.snooze": [1, 1, 1], "#.fail": [1], "#.give_up": [1],
    }  # fmt: skip
    assert state.tasks["#.plain"].attempt == 3
    assert state.tasks["#.plain"].error is None
    assert state.tasks["#.fail"].error is not None
    assert state.tasks["#.fail"].error.message == "never"
    assert keys == {f"{instance.id}:{path}:{state.execution}" for path in tries}


async def test_an_execution_that_has_ended_is_not_worked_on_again(trees: Trees) -> None:
    """Whoever starts it twice; not even where some of its tasks have not begun."""

    def bad(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        calls.append("bad")
        raise ValueError("no")

    instance = await tree_of(trees, Task("bad", bad), Task("after", nothing)).create(Site())
    with pytest.raises(TreeFailed):
        await done(instance)
    before = await instance.state()
    await trees._host.executor.start(instance.id, before.execution)
    await trees._host.executor.start(instance.id, "another")
    await trees.close()
    assert calls == ["bad"]
    assert await instance.state() == before


async def test_who_waits_for_an_earlier_execution_is_not_told_of_a_later_one(trees: Trees) -> None:
    """It has ended: its waiter neither waits for the next one nor fails by it."""
    failing: list[bool] = []

    async def maybe(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        if failing:
            raise ValueError("no")
        return 1

    made = tree_of(trees, Task("maybe", maybe))
    instance = await made.create(Site())
    first = await instance.execute_all()
    await first.wait(LONG)
    failing.append(True)
    second = await instance.execute_all()
    assert (await first.wait(LONG)).execution == second.id
    with pytest.raises(TreeFailed):
        await second.wait(LONG)
    assert (await first.wait(LONG)).status == "failed"
    assert await tree_of(trees, Task("a", nothing), name="y").get(instance.id) is None


async def test_a_further_attempt_says_why_the_one_before_has_failed(trees: Trees) -> None:
    """While it runs; when it is ok, that is past."""
    reached, go = asyncio.Event(), asyncio.Event()

    async def second(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        if current_task().attempt == 1:
            raise ValueError("first")
        reached.set()
        await go.wait()
        return 1

    made = tree_of(trees, Task("second", second, retries=Retries(backoff=0)))
    instance = await made.create(Site(), execute=True)
    await reached.wait()
    await until(lambda: _attempt(instance, "#.second", 2))
    error = (await instance.state()).tasks["#.second"].error
    assert error is not None
    assert error.message == "first"
    go.set()
    await until(lambda: _is_done(instance))
    assert (await instance.state()).tasks["#.second"].error is None


async def _attempt(instance: Instance[Any], path: str, number: int) -> bool:
    return (await instance.state()).tasks[path].attempt == number


async def test_attempts_come_to_an_end(trees: Trees) -> None:
    """Who asks for another one without retries of its own has five."""
    attempts: list[int] = []

    def never(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        attempts.append(current_task().attempt)
        raise Retry("again", after=0)

    instance = await tree_of(trees, Task("never", never)).create(Site())
    with pytest.raises(TreeFailed, match="again"):
        await done(instance)
    assert attempts == [1, 2, 3, 4, 5]


async def test_a_lost_result_fails_what_needs_it() -> None:
    """A storage that has lost one, or somebody else has deleted it."""

    class Forgetful(MemoryStorage):
        async def results(self, instance_id: str, paths: Sequence[str]) -> dict[str, bytes]:  # noqa: ARG002 - none
            return {}

    async with trees_in_memory("imports", storage=Forgetful()) as trees:
        instance = await tree_of(trees, Task("pages", fetch), Task("w", partial(resize, 1))).create(Site())
        with pytest.raises(TreeFailed, match=r"#\.w failed: MalformedJob: .* has lost the result of #\.pages"):
            await done(instance)


async def test_timeouts(trees: Trees) -> None:
    """An attempt that takes too long has failed, and may be tried again; it sees its deadline."""
    seen: list[float | None] = []

    async def slow(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        seen.append(current_task().deadline)
        await asyncio.sleep(LONG)
        return 1

    made = tree_of(trees, Task("slow", slow, timeout=0.02, retries=Retries(max_attempts=2, backoff=0)))
    instance = await made.create(Site())
    with pytest.raises(TreeFailed, match=r"#\.slow failed: Timeout: it took longer than its timeout of 0\.02 s"):
        await done(instance)
    assert len(seen) == 2
    assert None not in seen


async def test_what_cannot_be_kept_fails(trees: Trees) -> None:
    """A result that is none of its type, or too large; a view that does not validate; a condition that raises."""

    def lies(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        return "x"  # type: ignore[return-value]

    def big(view: Nothing) -> str:  # noqa: ARG001 - it is a task
        return "x" * (1 << 20)

    class Small(TaskInput):
        limit: int
        argument: int

    def small(view: Small) -> int:
        return view.limit

    def raises(view: Nothing) -> bool:  # noqa: ARG001 - it is a condition
        raise ValueError("no")

    asked = Task("condition", nothing, condition=raises)
    for task, why in (
        (Task("lies", lies, retries=Retries(backoff=0)), "ValidationError"),
        (Task("big", big), "PayloadTooLarge"),
        (Task("small", small, retries=Retries(backoff=0)), "ValidationError: 1 validation error for Small"),
        (asked, "ValueError: no"),
    ):
        instance = await tree_of(trees, task, name=task.name).create(Site())
        with pytest.raises(TreeFailed, match=why):
            await done(instance)
        assert (await instance.state()).tasks[f"#.{task.name}"].attempt <= 1


async def test_an_execution_is_cancelled(trees: Trees) -> None:
    """By its instance: what runs is cancelled, what is left does not begin."""
    reached = asyncio.Event()

    async def slow(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        reached.set()
        await asyncio.Event().wait()
        return 1

    made = tree_of(trees, Task("a", nothing), Task("slow", slow), Task("after", nothing))
    instance = await made.create(Site())
    assert not await instance.cancel()
    execution = await instance.execute_all()
    await reached.wait()
    with pytest.raises(TreeBusy) as caught:
        await instance.execute_all()
    assert caught.value.execution == execution.id
    with pytest.raises(TreeBusy):
        await instance.update(Site(limit=3))
    await instance.update(name="other")
    with pytest.raises(WaitTimeout):
        await execution.wait(0.01)
    assert await instance.cancel("enough")
    state = await execution.wait(LONG)
    assert statuses(state) == {"a": "ok", "slow": "cancelled", "after": "inactive"}
    assert (state.status, state.because) == ("cancelled", "enough")
    assert {state.tasks[one].because for one in ("#.slow", "#.after")} == {"enough"}


async def test_an_execution_is_cancelled_before_it_has_done_anything(
    trees: Trees, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once, twice, and while its generator is still at work: nothing stays queued, and it says so."""
    monkeypatch.setattr("flows.tree.recipe._MOST_GROWN", 0)  # as in another process
    made = []

    @trees.generator("slow")
    async def slow(data: Site) -> Tree:  # noqa: ARG001 - the tree is always the same
        made.append(1)
        if len(made) == 5:  # created, begun and executed, begun again
            await asyncio.Event().wait()
        return Tree(Task("a", nothing), Task("b", nothing))

    instance = await slow.create(Site())
    for count in (3, 5):
        execution = await instance.execute_all()
        assert len(made) == count
        assert all(await asyncio.gather(instance.cancel("one"), instance.cancel("two")))
        state = await execution.wait(LONG)
        assert (state.status, state.because) == ("cancelled", "one")
        assert not {"queued", "running"} & set(statuses(state).values())
    assert (await done(instance)).status == "done"


async def test_a_generator_that_fails_ends_the_execution(trees: Trees, monkeypatch: pytest.MonkeyPatch) -> None:
    """It worked when the execution began, and works no more."""
    monkeypatch.setattr("flows.tree.recipe._MOST_GROWN", 0)  # as in another process
    works = [True, True, False]

    @trees.generator("moody")
    def moody(data: Site) -> Tree:  # noqa: ARG001 - the tree is always the same
        if not works.pop(0):
            raise ValueError("no tree")
        return Tree(Task("a", nothing))

    instance = await moody.create(Site())
    with pytest.raises(TreeFailed, match="# failed: ValueError: no tree"):
        await done(instance)
    assert statuses(await instance.state()) == {"a": "inactive"}


async def test_a_function_cancels_the_execution(trees: Trees) -> None:
    """By the verdict; one that is cancelled by something else has failed."""

    async def stop(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        raise Cancel("not needed")

    async def strange(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        raise asyncio.CancelledError

    async def endless(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        await asyncio.Event().wait()
        return 1

    beside = Task("g", subtasks=[Task("stop", stop), Task("endless", endless)])
    instance = await tree_of(trees, beside, Task("after", nothing)).create(Site())
    state = await done(instance)
    assert (state.status, state.because) == ("cancelled", "not needed")
    assert statuses(state) == {"g": "cancelled", "g.stop": "cancelled", "g.endless": "cancelled", "after": "inactive"}
    instance = await tree_of(trees, Task("strange", strange), name="y").create(Site())
    with pytest.raises(TreeFailed, match="CancelledError"):
        await done(instance)


async def test_a_closed_app_leaves_nothing_running() -> None:
    """What it executes is cancelled."""
    reached = asyncio.Event()

    async def slow(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        reached.set()
        await asyncio.Event().wait()
        return 1

    async with trees_in_memory("imports") as trees:
        instance = await tree_of(trees, Task("slow", slow)).create(Site(), execute=True)
        await reached.wait()
    assert (await instance.state()).status == "cancelled"


async def test_an_argument_goes_to_the_first_task_or_the_one_that_was_named(trees: Trees) -> None:
    """Without one, it is the result of the task before."""

    def add(view: Argument) -> int:
        return view.argument + 1

    made = tree_of(trees, Task("a", add), Task("b", add), Task("c", add))
    instance = await made.create(Site())
    await done(instance, argument=5)
    assert [await instance.result(path, int) for path in ("#.a", "#.b", "#.c")] == [6, 7, 8]
    state = await done(instance, "#.b", 40)
    assert statuses(state) == {"a": "ok", "b": "ok", "c": "ok*"}
    assert await instance.result("#.b", int) == 41
    await done(instance, "#.c")
    assert statuses(await done(instance, "#.a")) == {"a": "ok", "b": "ok", "c": "ok"}
    with pytest.raises(ValidationError):
        await instance.execute("#.a", object())


async def test_a_stale_result_can_be_read_until_another_one_is_there(trees: Trees) -> None:
    """Also while its task is queued or running, and after it has failed."""
    is_bad = False

    def maybe(view: Url) -> str:
        if is_bad:
            raise ValueError("no")
        return view.url

    instance = await tree_of(trees, Task("a", nothing), Task("b", maybe)).create(Site(url="first"))
    await done(instance)
    is_bad = True
    await instance.update(Site(url="second"))
    assert await instance.result("#.b", str) == "first"
    with pytest.raises(TreeFailed):
        await done(instance, "#.b")
    assert await instance.result("#.b", str) == "first"
    assert (await instance.state()).tasks["#.b"].bytes == 7


async def test_debug_functions_are_called_where_that_is_wanted() -> None:
    """With the result and the view; what they raise is a line of the log, as with on_complete."""
    seen: list[tuple[list[str], Url]] = []

    def show(result: list[str], view: Url) -> None:
        seen.append((result, view))
        raise ValueError("debug")

    def line(result: list[str]) -> str:  # noqa: ARG001 - it raises
        raise ValueError("line")

    for debug in (False, True):
        async with trees_in_memory("imports", debug=debug) as trees:
            instance = await tree_of(trees, Task("fetch", fetch, debug=show, on_complete=line)).create(Site())
            assert (await done(instance)).status == "done"
            said = [one.text for one in await instance.log("#.fetch") if one.level == "error"]
            assert (
                said == ["on_complete has failed: ValueError: line", "debug has failed: ValueError: debug"][: 1 + debug]
            )
    assert seen == [(["u", "b"], Url(url="u"))]


async def test_a_watcher_sees_how_it_goes(trees: Trees) -> None:
    """Each state once, the last one too, until the instance is gone."""
    go = asyncio.Event()

    async def slow(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        for part in range(1, 4):
            current_task().progress(part / 4, f"part {part}")
            await asyncio.sleep(0.12)
        go.set()
        return 1

    instance = await tree_of(trees, Task("slow", slow)).create(Site(), execute=True)
    seen: list[InstanceState] = []

    async def watch() -> None:
        async for state in instance.watch():
            seen.append(state)  # noqa: PERF401 - each as it comes

    watching = asyncio.create_task(watch())
    await go.wait()
    await until(lambda: seen and seen[-1].status == "done")
    await instance.destroy()
    async with asyncio.timeout(LONG):
        await watching
    assert [one.revision for one in seen] == sorted({one.revision for one in seen})
    assert {0.25, 0.5, 0.75, 1.0} <= {one.progress for one in seen}
    assert "part 2" in {one.tasks["#.slow"].message for one in seen}
    assert seen[-1].status == "done"
    with pytest.raises(InstanceGone):
        await instance.state()


async def test_fields_of_a_result_and_results_of_groups_are_read(trees: Trees) -> None:
    """Each field under its own name; in a group, the whole result; groups in groups, without what was skipped."""

    class Page(BaseModel):
        path: str
        size: int = 3

    class Size(TaskInput):
        size: int

    class All(TaskInput):
        pages: dict[str, Any]
        data: Site

    def page(view: Url) -> Page:
        return Page(path=view.url)

    def size(view: Size) -> int:
        return view.size

    def all_of(view: All) -> str:
        return f"{view.pages} {view.data.url}"

    inner = Task("inner", subtasks=[Task("small", size), Task("not", size, condition=lambda _view: False)])
    shut = Task("shut", subtasks=[Task("x", size)], condition=is_not_wanted)
    made = tree_of(
        trees,
        Task("g", dest="pages", subtasks=[Task("page", page, dest=("path", "size")), inner, shut]),
        Task("all", all_of),
    )
    instance = await made.create(Site())
    await done(instance)
    assert await instance.result("#.g.inner.small", int) == 3
    pages = {"page": {"path": "u", "size": 3}, "inner": {"small": 3}}
    assert await instance.result("#.g", dict[str, Any]) == pages
    assert await instance.result("#.all", str) == f"{pages} u"
    with pytest.raises(StateError):
        await instance.result("#.g.shut", dict[str, int])


def is_not_wanted(view: Wanted) -> bool:
    """Ask."""
    return not view.wanted


async def test_progress_is_written_now_and_then(trees: Trees) -> None:
    """However often it is reported: ten times a second at most."""

    async def chatty(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        for at in range(200):
            current_task().progress(at / 200)
            await asyncio.sleep(0)
        return 1

    instance = await tree_of(trees, Task("chatty", chatty)).create(Site())
    state = await done(instance)
    assert state.revision < 20
    assert state.tasks["#.chatty"].progress == 1.0


async def test_a_key_has_one_instance(trees: Trees, site: Generator[Site]) -> None:
    """What is sent twice is made once, and executed once; other data needs another key."""
    made = await asyncio.gather(*(site.create(Site(), idempotency_key="k", execute=True) for _ in range(5)))
    assert len({one.id for one in made}) == 1
    state = await made[0].state()
    await until(lambda: _is_done(made[0]))
    again = await site.create(Site(), idempotency_key="k", execute=True)
    assert (await again.state()).execution == state.execution
    assert calls.count("fetch") == 1
    with pytest.raises(IdempotencyConflict, match="give what is another instance another key"):
        await site.create(Site(limit=3), idempotency_key="k")
    with pytest.raises(IdempotencyConflict):
        await tree_of(trees, Task("a", nothing)).create(Site(), idempotency_key="k")
    await again.destroy()
    assert (await site.create(Site(limit=3), idempotency_key="k")).id != again.id


async def _is_done(instance: Instance[Any]) -> bool:
    return (await instance.state()).status == "done"


async def test_instances_are_found(trees: Trees, site: Generator[Site]) -> None:
    """By realm, labels, name and status; in pages."""
    made = [await site.create(Site(), realm=f"r{at % 2}", name=f"n{at}", labels={"at": str(at)}) for at in range(5)]
    await done(made[2])
    rows = (await trees.find(Find(realm="r0"))).rows
    assert [one.name for one in rows] == ["n4", "n2", "n0"]

    async def is_known() -> bool:
        return bool((await trees.find(Find(status="done"))).rows)

    await until(is_known)  # who waits for an end does not wait for the index
    assert [(one.id, one.progress) for one in (await trees.find(Find(status="done"))).rows] == [(made[2].id, 1.0)]
    assert [one.name for one in (await trees.find(Find(labels={"at": "3"}))).rows] == ["n3"]
    await made[3].update(name="other", labels={"at": "9"})
    assert [one.id for one in (await trees.find(Find(labels={"at": "9"}, name="oth*"))).rows] == [made[3].id]
    found = await trees.get(made[1].id)
    assert found is not None
    assert (found.id, found.generator, await found.data()) == (made[1].id, "site", Site())
    assert await site.get(made[1].id) is not None
    assert await trees.reindex() == 5
    assert await trees.destroy_realm("r0") == 3
    assert [one.name for one in (await trees.find(Find())).rows] == ["other", "n1"]
    assert await trees.get(made[0].id) is None
    assert not await made[0].destroy()
    with pytest.raises(ValidationError):
        await trees.destroy_realm("")


async def test_an_ephemeral_instance_goes_soon_after_its_end() -> None:
    """Who looks again in that time sees how it ended; others stay."""
    now = [1000.0]
    storage = MemoryStorage(lambda: now[0])
    async with trees_in_memory("imports", storage=storage, ephemeral_ttl=timedelta(minutes=1)) as trees:
        made = tree_of(trees, Task("a", nothing))
        short, long = await made.create(Site(), ephemeral=True), await made.create(Site())
        for instance in (short, long):
            await done(instance)
        now[0] += 59
        assert (await short.state()).status == "done"
        await done(short)
        now[0] += 59
        assert (await short.state()).status == "done"
        now[0] += 2
        with pytest.raises(InstanceGone):
            await short.state()
        assert (await long.state()).status == "done"


async def test_generators_are_checked(trees: Trees) -> None:
    """When they are declared, and when they have made a tree: nothing is written then."""
    with pytest.raises(DeclarationError, match="let its function take a pydantic model"):
        trees.generator("a")(lambda_of_int)  # type: ignore[arg-type]
    with pytest.raises(DeclarationError, match="a pydantic model that has fields"):
        trees.generator("a")(of_root)
    with pytest.raises(DeclarationError, match="takes 2 arguments"):
        trees.generator("a")(two)  # type: ignore[arg-type]
    with pytest.raises(DeclarationError, match="generator name 'a b'"):
        trees.generator("a b")
    with pytest.raises(DeclarationError, match="is no function"):
        trees.generator("a")(3)  # type: ignore[arg-type]

    @trees.generator("none")
    def none(data: Site) -> Tree:
        return data  # type: ignore[return-value]

    @trees.generator("wrong")
    def wrong(data: Site) -> Tree:  # noqa: ARG001 - its tree does not depend on it
        return Tree(Task("a", publish))

    with pytest.raises(DeclarationError, match="has a generator 'none' already"):
        trees.generator("none")
    with pytest.raises(DeclarationError, match=r"returned a Site: let it return Tree"):
        await none.create(Site())
    with pytest.raises(DeclarationError, match=r"#\.a: nobody before it writes 'pages'"):
        await wrong.create(Site())
    assert (await trees.find(Find())).rows == []
    with pytest.raises(ValidationError):
        await none.create("x")  # type: ignore[arg-type]


def lambda_of_int(data: int) -> Tree:
    """Take no model."""
    return Tree(Task(str(data), nothing))


class Root(RootModel[list[int]]):
    """A model without fields."""


def of_root(data: Root) -> Tree:
    """Take a model without fields."""
    return Tree(Task(str(data), nothing))


def two(data: Site, more: int) -> Tree:
    """Take too much."""
    return Tree(Task(f"{data}{more}", nothing))


async def test_an_app_that_has_a_generator_no_more_says_so() -> None:
    """With the nearest that it has."""
    storage = MemoryStorage()
    async with (
        trees_in_memory("imports", storage=storage) as trees,
        trees_in_memory("imports", storage=storage) as later,
    ):
        instance = await tree_of(trees, Task("a", nothing), name="site").create(Site())
        tree_of(later, Task("a", nothing), name="sites")
        with pytest.raises(UnknownGenerator, match="did you mean 'sites'"):
            await later.get(instance.id)
    async with trees_in_memory("others", storage=storage) as others:
        assert await others.get(instance.id) is None


async def test_a_current_task_is_there_only_in_a_task(site: Generator[Site]) -> None:
    """And takes what it should be given."""
    with pytest.raises(FlowsError, match="outside of a task's function"):
        current_task()
    assert repr(site) == "<Generator site>"
    instance = await site.create(Site())
    assert repr(instance) == f"<Instance {instance.id} of site>"
    with pytest.raises(ValidationError):
        await site.create(Site(), labels={"a": 1})  # type: ignore[dict-item]
    with pytest.raises(ValidationError):
        await site.get("x")
    for wrong in ({"ephemeral": "no"}, {"execute": 1}, {"realm": None}, {"name": 3}):
        with pytest.raises(ValidationError):
            await site.create(Site(), **wrong)  # type: ignore[arg-type]
    for wrong in ({"subtree": "no"}, {"downstream": 1}):
        with pytest.raises(ValidationError):
            await instance.execute("#.fetch", **wrong)  # type: ignore[arg-type]
    for call in (instance.execute, instance.log, partial(instance.result, of=str)):
        with pytest.raises(ValidationError):
            await call(["#.fetch"])  # type: ignore[arg-type, operator]


async def test_reports_are_checked(trees: Trees) -> None:
    """Numbers and texts; and a thread may report too, until its attempt has ended."""
    left: list[Any] = []
    asyncio.get_running_loop().set_debug(True)  # it refuses what a thread may not call

    def report(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        current = current_task()
        left.append(current)
        for wrong in (2, -1, "x", True):
            with pytest.raises(ValidationError):
                current.progress(wrong)  # type: ignore[arg-type]
        with pytest.raises(ValidationError):
            current.progress(1, 3)  # type: ignore[arg-type]
        with pytest.raises(ValidationError):
            current.log(3)  # type: ignore[arg-type]
        current.log("from a thread")
        return 1

    instance = await tree_of(trees, Task("report", report)).create(Site())
    await done(instance)
    left[0].log("late")
    left[0].progress(0.5)
    for _ in range(10):
        await asyncio.sleep(0)
    assert left[0].cancelled
    assert [one.text for one in await instance.log("#.report")] == ["from a thread"]
    assert (await instance.state()).tasks["#.report"].status == "ok"


async def test_what_is_handed_over_comes_back_here_too() -> None:
    """Without workers, the process that executes receives the outcomes; one that never comes is a time-out."""
    mail = Mail()
    async with trees_in_memory("imports", backends={"mail": mail}) as trees:
        made = tree_of(
            trees,
            Task("a", nothing, backend="mail"),
            Task("b", nothing, backend="mail", timeout=0.05, on_failure="continue"),
        )
        instance = await made.create(Site())
        execution = await instance.execute_all()
        await until(lambda: len(mail.orders) == 1)
        mail.give(mail.orders[0], Outcome(b"null", lines=(pack_line("from afar", "info", {}, 1),)))
        state = await execution.wait(LONG)
        assert [(one.path, one.attempt) for one in mail.orders] == [("#.a", 1), ("#.b", 1)]
        error = state.tasks["#.b"].error
        assert error is not None
        assert (statuses(state), error.type) == ({"a": "ok", "b": "failed"}, "Timeout")
        assert [line.text for line in await instance.log("#.a")] == ["from afar"]
        with pytest.raises(ValidationError, match="need the KernelBackend"):
            await instance.execute_all(delay=1)
        with pytest.raises(ValidationError, match="need the KernelBackend"):
            await instance.execute_all(cron=Every(1))


async def test_no_progress_takes_the_place_of_an_end() -> None:
    """Where the end takes longer to be written than progress waits for its turn."""

    class Slow(MemoryStorage):
        async def write(self, *args: Any, **more: Any) -> int:
            await asyncio.sleep(0.15)
            return await super().write(*args, **more)

    async def tells(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        current_task().progress(0.1)
        await asyncio.sleep(0)
        current_task().progress(1.0, "all")
        return 3

    async with trees_in_memory("imports", storage=Slow()) as trees:
        instance = await tree_of(trees, Task("a", tells), Task("b", tells)).create(Site())
        assert statuses(await done(instance)) == {"a": "ok", "b": "ok"}

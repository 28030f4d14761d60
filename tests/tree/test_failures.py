"""Tasks that fail: nothing is left in limbo, attempts are made again, time is over."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from flows.model.retries import Retries
from flows.model.tree.errors import (
    TaskNotReady,
    TreeFailed,
)
from flows.model.verdict import Fail, Retry, Snooze
from flows.tree.annotations import TaskInput
from flows.tree.current import current_task
from flows.tree.declare import Task
from flows.tree.instance import Instance
from flows.tree.trees import Trees
from tests.tree.site import (
    Nothing,
    Site,
    done,
    is_done,
    nothing,
    statuses,
    tree_of,
)
from tests.waiting import LONG, until


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

        async def first_has_failed() -> bool:
            return (await instance.state()).tasks["#.g.first"].status == "failed"

        await until(first_has_failed)
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
    await until(lambda: is_done(instance))
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

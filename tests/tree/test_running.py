"""Tasks of an execution run side by side, in as few tasks of the loop as that takes."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar

import pytest

from flows.model.job import JobError
from flows.tree.tasks import running as running_module
from flows.tree.tasks.running import Running

_left: ContextVar[str] = ContextVar("left", default="")
PATHS = [f"#.t{number}" for number in range(20)]


async def all_of(running: Running) -> dict[str, JobError | BaseException | None]:
    """Wait until all have ended, and return by path why they have failed or were not executed to their ends."""
    found: dict[str, JobError | BaseException | None] = {}
    while running:
        found |= {one.path: one.error or one.failed for one in await running.ended()}
    return found


async def test_what_never_suspends_shares_a_task_of_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """One task of the loop executes all of them; an error of one is no other's."""
    monkeypatch.setattr(running_module, "_SLICE", 60.0)  # on a busy machine these may take long
    seen: list[object] = []
    failed = JobError(type="Wrong", message="")

    async def run(path: str) -> JobError | None:
        seen.append(asyncio.current_task())
        if path == "#.t3":
            raise ValueError(path)
        return failed if path == "#.t4" else None

    running = Running(run)
    running.begin(PATHS)
    ended = await all_of(running)
    assert await running.stop() == []
    assert list(ended) == PATHS
    assert isinstance(ended.pop("#.t3"), ValueError)
    assert ended.pop("#.t4") is failed
    assert set(ended.values()) == {None}
    assert len(seen) == len(PATHS)
    assert len(set(seen)) == 1


async def test_what_suspends_holds_nobody_up() -> None:
    """All of them are under way at once, each in a task of its own; what one leaves in a variable no other sees."""
    begun, go = set[object](), asyncio.Event()
    seen: list[str] = []

    async def run(path: str) -> None:
        seen.append(_left.get())
        _left.set(path)
        begun.add(asyncio.current_task())
        if len(begun) == len(PATHS):
            go.set()
        await go.wait()

    running = Running(run)
    running.begin(PATHS)
    assert set((await all_of(running)).values()) == {None}
    assert len(begun) == len(PATHS)
    assert set(seen) == {""}


async def test_what_has_not_begun_is_dropped_by_a_cancel() -> None:
    """Whoever waits for an end hears of it, though nothing is left that ends."""
    called: list[str] = []

    async def run(path: str) -> None:
        called.append(path)

    running = Running(run)
    running.begin(PATHS)
    assert running.cancel() == PATHS
    assert await running.ended() == []
    assert not running
    assert await running.stop() == []
    assert called == []


async def test_a_cancel_ends_what_runs() -> None:
    """`stop` returns when all have ended, also one that takes its time; the cancellation of one is no other's."""
    begun = asyncio.Event()
    ended: list[str] = []

    async def run(path: str) -> None:
        if path == PATHS[-1]:
            begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append(path)

    running = Running(run)
    running.begin(PATHS)
    await begun.wait()
    assert sorted(await running.stop()) == sorted(PATHS)
    assert sorted(ended) == sorted(PATHS)

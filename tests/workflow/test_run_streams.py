"""Text that steps of runs stream: each try once, followed until the run has ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from redis import Redis

from flows import (
    Handle,
    JobGone,
    Retries,
    RunFailed,
    Step,
    StepOptions,
    TextPiece,
    ValidationError,
    Workflows,
    current_job,
)
from flows.testing import run_workflow
from tests.workflow.parts import make_app, within


@pytest.fixture
def app(redis_url: str, namespace: str) -> Workflows:
    """Make an app in the test's namespace."""
    return make_app(redis_url, namespace)


async def read(pieces: AsyncIterator[TextPiece]) -> list[tuple[str, str, int, bool]]:
    """Return what all pieces say, up to the end of the run."""

    async def all_of_them() -> list[tuple[str, str, int, bool]]:
        return [(piece.step, piece.text, piece.attempt, piece.begins) async for piece in pieces]

    return await within(all_of_them())


async def speak(*texts: str) -> str:
    """Stream some texts, in a tick each."""
    for text in texts:
        current_job().stream(text)
        await asyncio.sleep(0)
    return "".join(texts)


def speak_plainly(text: str) -> None:
    """Stream from a thread."""
    current_job().stream(text)


async def test_each_try_streams_once(app: Workflows, redis: Redis, namespace: str) -> None:
    """What is remembered streams no more; what is tried again, in an attempt or the next, says that it begins anew.

    Steps at the same time are told apart. The stream is kept as long as its run, and read from any point.
    """
    tries: list[int] = []

    async def stumble() -> None:
        tries.append(len(tries))
        current_job().stream(f"try {len(tries)}")
        if len(tries) in {1, 2, 3}:
            raise OSError("once more")

    @app.define("talk", retries=Retries(max_attempts=2, backoff=0.001))
    async def talk(step: Step) -> str:
        said = await step.run("first", speak, "a", "b")
        await step.run("plain", speak_plainly, "c")
        await step.sleep("pause", timedelta(milliseconds=1))
        await step.run(StepOptions("stumble", retries=Retries(max_attempts=2, backoff=0.001)), stumble)
        both = await asyncio.gather(step.run("left", speak, "l"), step.run("right", speak, "r"))
        return said + "".join(both)

    app.create_workers()
    async with app:
        handle = await talk.run()
        pieces = await read(handle.stream())
        assert await handle.status() == "done"
        assert "".join(text for step, text, *_rest in pieces if step == "first") == "ab"
        assert pieces[0][:3] == ("first", pieces[0][1], 1)
        assert [one for one in pieces if one[0] != "first" and one[0] not in {"left", "right"}] == [
            ("plain", "c", 1, True),
            ("stumble", "try 1", 1, True),
            ("stumble", "try 2", 1, True),
            ("stumble", "try 3", 2, True),
            ("stumble", "try 4", 2, True),
        ]
        assert sorted(one for one in pieces if one[0] in {"left", "right"}) == [
            ("left", "l", 2, True),
            ("right", "r", 2, True),
        ]
        plain = await asyncio.to_thread(lambda: [*app.blocking.handle(handle.id).stream()])
        assert [(piece.step, piece.text, piece.attempt, piece.begins) for piece in plain] == pieces
        assert await read(app.handle(handle.id).stream(plain[-2].cursor)) == pieces[-1:]
        run_key = f"{namespace}job:run:{handle.id}"
        lives: Any = [redis.pttl(key) for key in (run_key, f"{run_key}:stream")]
        assert abs(lives[0] - lives[1]) < 1000
        with pytest.raises(ValidationError, match="give the cursor of a piece"):
            handle.stream("first")


async def test_a_workflow_streams_in_its_steps_alone(app: Workflows) -> None:
    """Its own function runs again after each wait: what it streams is refused. A run that is gone has no text."""

    @app.define("talk")
    async def talk(step: Step) -> None:
        await step.run("first", speak_plainly, "a")
        current_job().stream("x")

    app.create_workers()
    async with app:
        handle: Handle[None] = await talk.run()
        assert await read(handle.stream()) == [("first", "a", 1, True)]
        with pytest.raises(RunFailed, match="stream text inside of a step"):
            await handle.result()
        with pytest.raises(JobGone):
            await read(app.handle("0190c5a0-0000-7000-8000-000000000000").stream())


async def test_in_memory_it_is_dropped(app: Workflows) -> None:
    """A test of a workflow needs no server for it, and refuses the same."""

    @app.define("talk")
    async def talk(step: Step) -> str:
        return await step.run("first", speak, "a", "b")

    assert (await run_workflow(talk)).output == "ab"

    async def wrongly(step: Step) -> None:
        current_job().stream(f"{step.attempt}")

    assert "inside of a step" in str((await run_workflow(wrongly)).error)

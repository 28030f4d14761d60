"""What runs leave behind: little in the server, and nothing to Python's garbage collector."""

# redis-py leaves **kwargs and some results untyped
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import asyncio
import gc
from typing import Any, cast

import pytest

from flows import Step, Workflow
from flows.store.runs.records import PackedWrite
from flows.testing import private_server
from flows.workflow.steps.play import Attempted
from flows.workflow.steps.replay import Replay
from flows.workflow.steps.writes import Writes
from tests.workflow.running.run_app import RunApp

RUNS = 50


async def number(value: int) -> int:
    """Return a number, at once."""
    return value


async def three_steps(value: int, step: Step) -> int:
    """Take three steps."""
    for name in ("one", "two", "three"):
        await step.run(name, number, value)
    return value


async def run(app: RunApp, workflow: Workflow[Any, Any]) -> str:
    """Have runs done, and return the id of one."""
    ids = [handle.id for handle in await workflow.run_many(range(RUNS))]
    assert [status for status, _ in await asyncio.gather(*map(app.ended, ids))] == ["done"] * RUNS
    return ids[0]


async def test_attempts_leave_no_circles_of_references(redis_url: str, namespace: str) -> None:
    """Its parts refer to each other, but not when it has ended: else the collector takes a fifth of a worker's time."""
    app = RunApp(redis_url, namespace)
    workflow = app.define(three_steps)
    async with app.running(RUNS):
        gc.collect()  # what other tests have left
        gc.disable()
        try:
            await run(app, workflow)
            left: list[object] = [type(one) for one in gc.get_objects() if type(one) in {Attempted, Replay, Writes}]
        finally:
            gc.enable()
    assert left == []


async def test_what_no_step_waits_for_is_written_with_the_end(
    redis_url: str, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That a sleep is over costs no round trip of its own: it stands in the run's hash with the output."""
    app = RunApp(redis_url, namespace)

    async def rests(step: Step) -> int:
        await step.sleep("rest", 0.001)
        await step.sleep("again", 0.001)
        return 7

    workflow = app.define(rests)
    async with app.running(1):
        records = (await app.host.open()).runs.records
        written: list[PackedWrite] = []
        monkeypatch.setattr(records, "write", written.append)
        run_id = await workflow.emit()
        assert await app.ended(run_id) == ("done", b"7")
        fields = await app.fields(run_id)
    assert not written
    assert [fields[f"step:{name}"][:16] for name in ("rest", "again")] == [b'{"status":"done"'] * 2


async def test_the_hash_of_a_short_run_is_compact(namespace: str) -> None:
    """In the bundled server, whose settings let it be: an ended run of three steps takes less than 700 bytes there."""
    with private_server() as url:
        app = RunApp(url, namespace)
        workflow = app.define(three_steps)
        async with app.running(RUNS):
            run_id = await run(app, workflow)
            key = f"{namespace}job:run:{run_id}"
            session = await app.host.open()
            assert await session.connection.call("OBJECT", "ENCODING", key) == b"listpack"
            assert cast("int", await session.connection.call("MEMORY", "USAGE", key)) < 700

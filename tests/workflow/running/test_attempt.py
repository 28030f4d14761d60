"""Attempts at runs: workers, a server, and workflows that wait in each way there is."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from pydantic_core import from_json

from flows.telemetry.events import Event
from flows.workflow.steps.step import Step
from flows.workflow.steps.step_options import StepOptions
from tests.waiting import until
from tests.workflow.running.run_app import RunApp


async def test_a_run_waits_in_each_way_and_holds_no_worker(redis_url: str, namespace: str) -> None:
    """Steps, a thread, a sleep, a child, a map with a limit, an event and one lane each: no lock, the right result."""
    app = RunApp(redis_url, namespace)
    paid = app.event("paid", int)
    calls: list[str] = []

    async def ship(value: int, step: Step) -> int:
        await step.sleep("rest", timedelta(milliseconds=5))
        return value * 10

    child = app.define(ship)

    async def add(value: int) -> int:
        calls.append(f"add {value}")
        return value + 1

    def plain(value: int) -> int:
        calls.append(f"plain {value}")
        return value * 2

    async def order(value: int, step: Step) -> dict[str, Any]:
        first = await step.run("add", add, value)
        second = await step.run("plain", plain, first)
        one = await step.run_workflow("ship", child, 5)
        many = await step.map("all", child, [1, 2, 3], limit=2)
        got = await step.wait_for_event("paid", paid, key="k")
        both = await asyncio.gather(step.run("c", add, 10), step.sleep("s", timedelta(milliseconds=5)))
        return {"second": second, "one": one, "many": many, "got": got, "both": both[0]}

    parent = app.define(order)
    async with app.running(1):
        run_id = await parent.emit(3)
        session: Any = await app.host.open()

        async def waits() -> bool:
            return b"paid" in (await app.fields(run_id)).get("_waits", b"")

        await until(waits)
        assert (await app.fields(run_id))["_status"] == b"delayed"
        assert await session.runs.send_event("paid", "k", b"7", "1", 60_000) == 1
        status, output = await app.ended(run_id)
    assert (status, from_json(output)) == (
        "done",
        {"second": 8, "one": 50, "many": [10, 20, 30], "got": 7, "both": 11},
    )
    assert sorted(calls) == ["add 10", "add 3", "plain 4"]


async def test_a_failure_undoes_its_steps_and_tells(redis_url: str, namespace: str) -> None:
    """In reverse; `on_failure` hears of it once; the error is the function's."""
    app = RunApp(redis_url, namespace)
    done: list[Any] = []

    async def charge() -> str:
        return "c1"

    async def book() -> str:
        return "b1"

    async def undo(result: str) -> None:
        done.append(("undo", result))

    async def tell(failure: Any) -> None:
        done.append((failure.input, failure.error.type, failure.cancelled))

    async def order(value: int, step: Step) -> None:
        await step.run(StepOptions("charge", undo=undo), charge)
        await step.run(StepOptions("book", undo=undo), book)
        await step.sleep("s", timedelta(milliseconds=5))
        raise ValueError(f"{value} sold out")

    workflow = app.define(order, on_failure=tell)
    async with app.running():
        status, error = await app.ended(await workflow.emit(3))
    assert (status, from_json(error)["message"]) == ("failed", "3 sold out")
    assert done == [("undo", "b1"), ("undo", "c1"), (3, "ValueError", False)]


@pytest.mark.parametrize("when", ["waits", "works"])
async def test_cancelling_undoes_and_goes_down_to_children(redis_url: str, namespace: str, when: str) -> None:
    """Of a run that waits and of one that works; the child that it waits for is cancelled at once, and told once."""
    app = RunApp(redis_url, namespace, lease=timedelta(minutes=10))  # a rescuer looks by itself after 75 s
    done: list[Any] = []
    told: list[Event] = []
    app.host.runtime.events.subscribe(told.append, "job.cancelled")
    at_work = asyncio.Event()

    async def long(step: Step) -> None:
        await step.sleep("s", timedelta(days=1))

    child = app.define(long)

    async def charge() -> str:
        return "c1"

    async def work() -> None:
        at_work.set()
        await asyncio.Event().wait()

    async def undo(result: str) -> None:
        done.append(result)

    async def order(step: Step) -> None:
        await step.run(StepOptions("charge", undo=undo), charge)
        if when == "works":
            await asyncio.gather(step.run("work", work), step.run_workflow("child", child))
        await step.run_workflow("child", child)

    workflow = app.define(order)
    async with app.running():
        run_id = await workflow.emit()
        session = await app.host.open()

        async def child_waits() -> bool:
            ids = await session.connection.call("LRANGE", f"{namespace}job:run:workflow:long", 0, -1)
            return bool(ids) and (await app.fields(ids[0].decode())).get("_status") == b"delayed"

        await until(child_waits)
        if when == "works":
            await at_work.wait()
        assert await session.control.cancel("run", run_id, "why") == "requested"
        assert await app.ended(run_id) == ("cancelled", b"why")
        assert done == ["c1"]
        [child_id] = await session.connection.call("LRANGE", f"{namespace}job:run:workflow:long", 0, -1)
        assert (await app.ended(child_id.decode()))[0] == "cancelled"
        await until(lambda: told)
    assert [event.fields["job_id"] for event in told] == [run_id]


async def test_what_comes_while_another_branch_works_is_told_at_once(redis_url: str, namespace: str) -> None:
    """The branch that has waited for a child goes on; the other one is in the middle of a step."""
    app = RunApp(redis_url, namespace)
    told = asyncio.Event()

    async def quick(step: Step) -> int:
        return len(step.run_id[:1])

    child = app.define(quick)

    async def long() -> None:
        await told.wait()

    async def tell() -> None:
        told.set()

    async def order(step: Step) -> int:
        async def branch() -> int:
            got = await step.run_workflow("child", child)
            await step.run("tell", tell)
            return got

        found, _ = await asyncio.gather(branch(), step.run("long", long))
        return found

    workflow = app.define(order)
    async with app.running():
        assert await app.ended(await workflow.emit()) == ("done", b"1")


async def test_a_step_starts_nothing_that_no_app_ever_had(redis_url: str, namespace: str) -> None:
    """The run fails and says so; it would wait for ever."""
    app = RunApp(redis_url, namespace)

    async def caller(step: Step) -> None:
        await step.run_workflow("child", "slwo")

    workflow = app.define(caller)
    async with app.running():
        status, error = await app.ended(await workflow.emit())
    assert (status, b"no app has a workflow 'slwo'" in error) == ("failed", True)

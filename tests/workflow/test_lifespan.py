"""The lifespan of an app: opened once for all its workers, before the first run; closed after the last."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from flows import DeclarationError, Failure, RunFailed, Step, StepOptions, ValidationError, Workflows
from flows.testing import replay, run_workflow
from tests.workflow.parts import make_app, within


@pytest.fixture(autouse=True)
def _short_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again soon."""
    monkeypatch.setattr("flows.kernel.unable._SHORTEST", 0.02)


class Client:
    """A resource that notes what becomes of it."""

    def __init__(self, fails: int = 0) -> None:
        self.notes: list[str] = []
        self.fails = fails

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Client]:
        """Open it; at first that may fail."""
        if self.fails:
            self.fails -= 1
            self.notes.append("fails")
            raise ConnectionError("no database yet")
        self.notes.append("opens")
        yield self
        self.notes.append("closes")

    async def charge(self, cents: int) -> int:
        """Be a step."""
        self.notes.append(f"charges {cents}")
        return cents

    def refund(self, cents: int) -> None:
        """Undo it, in a thread."""
        self.notes.append(f"refunds {cents}")


def define(app: Workflows[Client]) -> tuple[Any, Any, Any]:
    """Define workflows that take the resource, and one that does not."""

    def tell(failure: Failure[int], client: Client) -> None:
        client.notes.append(f"told of {failure.input}")

    @app.define("charge", max_concurrency=None, on_failure=tell)
    async def charge(cents: int, step: Step, client: Client) -> int:
        charged = await step.run(StepOptions("charge", undo=client.refund), client.charge, cents)
        if cents < 0:
            raise ValueError("less than nothing")
        return charged

    @app.define("seven")
    async def seven(step: Step, client: Client) -> int:
        return await step.run("charge", client.charge, 7)

    @app.define("none")
    async def none(cents: int, step: Step) -> int:
        return cents + step.attempt

    return charge, seven, none


async def test_it_is_opened_once_and_closed_after_the_last_run(redis_url: str, namespace: str) -> None:
    """All workers of the app share it, steps, undos and `on_failure` get it; an opening that fails costs no run.

    A second start opens it anew.
    """
    client = Client(fails=2)
    app = make_app(redis_url, namespace, lifespan=client.open)
    charge, seven, none = define(app)
    app.create_workers()
    for opening in (["fails", "fails", "opens"], ["opens"]):
        client.notes.clear()
        async with app:
            handles = [*await charge.run_many([1, 2, 3]), await seven.run(), await none.run(4)]
            assert [await within(one.result()) for one in handles] == [1, 2, 3, 7, 5]
            assert [(await one.record()).attempts for one in handles] == [1] * 5
            with pytest.raises(RunFailed, match="less than nothing"):
                await within((await charge.run(-1)).result())
        assert (client.notes[: len(opening)], client.notes[-1]) == (opening, "closes")
        assert client.notes[-4:-1] == ["charges -1", "refunds -1", "told of -1"]
        assert sorted(client.notes[len(opening) : -4]) == ["charges 1", "charges 2", "charges 3", "charges 7"]


async def test_an_app_without_workers_opens_nothing(redis_url: str, namespace: str) -> None:
    """Who only starts runs needs no resource."""
    client = Client()
    app = make_app(redis_url, namespace, lifespan=client.open)
    charge, *_rest = define(app)
    async with app:
        handle = await charge.run(1)
        assert await handle.status() == "waiting"
    assert client.notes == []


async def test_one_that_ends_by_itself_is_opened_again(redis_url: str, namespace: str) -> None:
    """The run that finds it gone is handed back, and no attempt is counted."""
    broken, opened = asyncio.Event(), 0

    @asynccontextmanager
    async def breaking() -> AsyncGenerator[int]:
        nonlocal opened
        opened += 1
        try:
            async with asyncio.TaskGroup() as group:
                if opened == 1:
                    group.create_task(fail())
                yield opened
        finally:
            broken.set()

    async def fail() -> None:
        await broken.wait()
        raise OSError("lost")

    app: Workflows[int] = make_app(redis_url, namespace, lifespan=breaking)

    @app.define("which")
    async def which(step: Step, number: int) -> int:
        return number + 0 * step.attempt

    app.create_workers()
    async with app:
        assert await within((await which.run()).result()) == 1
        failed = asyncio.create_task(app.events.wait_for("resource.failed"))
        await asyncio.sleep(0)
        broken.set()
        await within(failed)
        handle = await which.run()
        assert await within(handle.result()) == 2
        assert (await handle.record()).attempts == 1


async def test_it_is_tested_with_a_stand_in(redis_url: str, namespace: str) -> None:
    """Without a server, and held against what is recorded of a run."""
    app = make_app(redis_url, namespace, lifespan=Client().open)
    charge, seven, _none = define(app)
    client = Client()
    run = await run_workflow(charge, 3, resource=client)
    assert (run.output, client.notes) == (3, ["charges 3"])
    assert (await run_workflow(seven, resource=client)).output == 7
    failed = await run_workflow(charge, -3, resource=client)
    assert (str(failed.status), client.notes[-2:]) == ("failed", ["refunds -3", "told of -3"])
    await replay(charge, run.history, resource=client)
    with pytest.raises(ValidationError, match="takes a resource: give what stands in for it as resource="):
        await run_workflow(charge, 3)
    with pytest.raises(ValidationError, match="takes a resource"):
        await replay(charge, run.history)


def test_what_cannot_be_one_is_refused(redis_url: str, namespace: str) -> None:
    """No lifespan, one that was called, and functions that want more than the app brings."""
    for wrong in (7, Client().open(), Client().charge):
        with pytest.raises(DeclarationError, match="asynccontextmanager"):
            make_app(redis_url, namespace, lifespan=wrong)
    app: Workflows[Any] = make_app(redis_url, namespace)

    async def three(cents: int, step: Step, client: Client) -> int:
        return await step.run("charge", client.charge, cents)

    async def two(step: Step, client: Client) -> int:
        return await step.run("charge", client.charge, 7)

    def tell(failure: Failure[int], client: Client) -> None:
        client.notes.append(failure.run_id)

    for name, function in (("three", three), ("two", two)):
        with pytest.raises(DeclarationError, match=f"workflow '{name}': its function takes a resource, and the app"):
            app.define(name)(function)

    async def plain(cents: int, step: Step) -> int:
        return cents + step.attempt

    with pytest.raises(DeclarationError, match="on_failure takes a resource"):
        app.define("plain", on_failure=tell)(plain)

    async def no_step(cents: int, client: Client, step: Step) -> int:
        return await step.run("charge", client.charge, cents)

    connected = make_app(redis_url, namespace, lifespan=Client().open)
    with pytest.raises(DeclarationError, match="takes an input and no step behind it"):
        connected.define("no-step")(no_step)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]

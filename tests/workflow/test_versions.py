"""`on_change="pin"`: runs stay with the version that began them, until they are moved."""

from __future__ import annotations

import pytest

from flows import RunFailed, Step, ValidationError, WorkflowEvent, Workflows
from tests.waiting import until
from tests.workflow.parts import make_app, within


def version(number: int, redis_url: str, namespace: str) -> tuple[Workflows, WorkflowEvent[int]]:
    """Make a release, whose runs wait for an event."""
    app = make_app(redis_url, namespace)
    go = app.event("go", int)

    @app.define("order", version=number, on_change="pin")
    async def order(step: Step) -> int:
        await step.wait_for_event("wait", go)
        return await step.run("which", lambda: number)

    app.create_workers()
    return app, go


async def test_runs_stay_with_their_version_until_they_are_moved(redis_url: str, namespace: str) -> None:
    """A run of the old release waits, and is shown; moved, it goes on where it was."""
    (old, go), (new, _go) = (version(number, redis_url, namespace) for number in (1, 2))
    async with old:
        handle = await old.run_by_name("order")
        await handle.send(go, 1)
        done = await within(handle.result())
        waits = await old.run_by_name("order")
        await until(lambda: _is(old, waits.id, "suspended"))
    assert done == 1
    async with new:
        other = await new.run_by_name("order")
        await other.send(go, 2)
        assert await within(other.result()) == 2
        await new.handle(waits.id).send(go, 1)
        await until(lambda: _is(new, waits.id, "waiting"))
        with pytest.raises(ValidationError, match="ever had version 3"):
            await new.move_runs("order", version=1, to=3)
        with pytest.raises(ValidationError, match="there already"):
            await new.move_runs("order", version=1, to=1)
        assert await new.move_runs("order", version=1, to=2) == 1
        assert await within(new.handle(waits.id).result()) == 2
        assert [(await new.get_run(one.id)).version for one in (handle, waits)] == ["1", "2"]


async def _is(app: Workflows, run_id: str, *status: str) -> bool:
    return await app.handle(run_id).status() in status


def release(names: list[str], on_change: str, redis_url: str, namespace: str) -> tuple[Workflows, WorkflowEvent[int]]:
    """Make a release that takes these steps, and after the first one waits for an event."""
    app = make_app(redis_url, namespace)
    go = app.event("go", int)

    @app.define("order", on_change=on_change)  # type: ignore[call-overload]
    async def order(step: Step) -> str:
        first, *others = names
        await step.run(first, lambda: first)
        await step.wait_for_event("wait", go)
        return ",".join([await step.run(name, lambda name=name: name) for name in others])

    app.create_workers()
    return app, go


@pytest.mark.parametrize("on_change", ["continue", "fail"])
async def test_a_run_whose_steps_have_changed_goes_on_or_fails(on_change: str, redis_url: str, namespace: str) -> None:
    """Nothing is given to another step; the one tells of it, and the other fails with what has changed."""
    old, go = release(["a", "b"], on_change, redis_url, namespace)
    async with old:
        handle = await old.run_by_name("order")
        await until(lambda: _is(old, handle.id, "suspended"))
    await handle.send(go, 1)
    await old.stop()
    new, _go = release(["x", "b"], on_change, redis_url, namespace)
    told: list[object] = []
    new.events.subscribe(told.append, "run.plan_changed")
    async with new:
        if on_change == "continue":
            assert await within(new.handle(handle.id).result()) == "b"
            assert told
        else:
            with pytest.raises(RunFailed) as caught:
                await within(new.handle(handle.id).result())
            assert caught.value.error.type == "PlanChanged"

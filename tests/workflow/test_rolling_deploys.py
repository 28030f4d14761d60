"""Releases that work side by side: runs go on wherever their workflow is defined, and what was dropped is pruned."""

from __future__ import annotations

import pytest

from flows import Step, Workflows
from tests.waiting import until
from tests.workflow.parts import Order, make_app, within


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes 30 s takes 0.3 s here."""
    monkeypatch.setattr("flows.store.fleet.apps.ALIVE_MS", 300)
    monkeypatch.setattr("flows.workflow.registry.EVERY", 0.05)
    monkeypatch.setattr("flows.workflow.registry.LOOK", 0.02)


def release(app: Workflows, *names: str) -> Workflows:
    """Let an app define workflows, each of which does a step, waits for an event, and does another step."""
    go = app.event("go", Order)

    async def body(key: str, step: Step) -> list[str]:
        first = await step.run("first", lambda: key)
        event = await step.wait_for_event("go", go, key=key)
        return [first, event.id, await step.run("last", lambda: app.app)]

    for name in names:
        app.define(name, max_concurrency=None)(body)
    app.create_workers()
    return app


async def known(app: Workflows) -> dict[str, tuple[str, ...]]:
    """Return the apps that have each workflow."""
    return {name: of.apps for name, of in (await app.stats()).items()}


async def suspended(app: Workflows, count: int) -> bool:
    """Return whether so many runs wait for their event."""
    return len((await app.list_runs(status="suspended")).runs) == count


async def test_a_release_that_keeps_moves_and_drops_workflows(redis_url: str, namespace: str) -> None:
    """No run is lost: what moved to another app goes on there, what was dropped waits until somebody has it again."""
    old = release(make_app(redis_url, namespace), "kept", "moved", "dropped")
    async with old:
        handles = {name: await old.run_by_name(name, "k") for name in ("kept", "moved", "dropped")}
        await until(lambda: suspended(old, 3))
        new = release(make_app(redis_url, namespace), "kept", "added")
        other = release(make_app(redis_url, namespace, "shipping"), "moved")
        async with new, other:
            await old.stop()
            assert await old.event("go", Order).send(Order(id="e"), key="k") == 3
            assert await within(handles["kept"].result()) == ["k", "e", "billing"]
            assert await within(handles["moved"].result()) == ["k", "e", "shipping"]
            await until(lambda: _pruned(new))
            assert await known(new) == {
                "added": ("billing",),
                "dropped": (),
                "kept": ("billing",),
                "moved": ("shipping",),
            }
            assert await handles["dropped"].status() == "waiting"
            assert await new.handle(handles["dropped"].id).status() == "waiting"
    async with release(make_app(redis_url, namespace), "dropped"):
        assert await within(handles["dropped"].result()) == ["k", "e", "billing"]
    await old.stop()


async def _pruned(app: Workflows) -> bool:
    return (await known(app))["moved"] == ("shipping",)

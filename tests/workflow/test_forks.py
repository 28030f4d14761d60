"""`handle.restart` and `handle.fork`: a new run like another one, from its beginning or from one of its steps."""

from __future__ import annotations

import pytest

from flows import JobGone, Step, ValidationError, Workflows
from tests.workflow.parts import Order, make_app, within


@pytest.fixture
def app(redis_url: str, namespace: str) -> Workflows:
    """Make an app in the test's namespace."""
    return make_app(redis_url, namespace)


async def test_a_run_is_forked_from_a_step(app: Workflows) -> None:
    """What came before is not done again; with another input, what follows sees that."""
    calls: list[str] = []

    def note(name: str, cents: int) -> int:
        calls.append(name)
        return cents

    @app.define("total", lookup=["id"])
    async def total(order: Order, step: Step) -> list[int]:
        return [await step.run(name, note, name, order.cents) for name in ("a", "b", "c")]

    app.create_workers()
    async with app:
        handle = await total.run(Order(id="x", cents=1), tags=["t"])
        assert await within(handle.result()) == [1, 1, 1]
        calls.clear()
        forked = await handle.fork("b")
        assert await within(forked.result()) == [1, 1, 1]
        assert calls == ["b", "c"]
        other = await handle.fork("c", Order(id="y", cents=2))
        assert await within(other.result()) == [1, 1, 2]
        record = await other.record()
        assert (record.tags, record.input) == (["t"], {"id": "y", "cents": 2})
        assert (record.forked_from, record.schedule) == (handle.id, None)
        assert [one.id for one in (await app.list_runs(lookup={"id": "y"})).runs] == [other.id]
        calls.clear()
        assert await within((await handle.restart()).result()) == [1, 1, 1]
        assert calls == ["a", "b", "c"]
        with pytest.raises(ValidationError, match="has no step 'z' yet"):
            await handle.fork("z")
        with pytest.raises(ValidationError):
            await handle.fork("b", {"cents": "many"})
        with pytest.raises(JobGone):
            await app.handle("00000001-0000-7000-8000-000000000000").restart()

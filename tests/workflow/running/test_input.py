"""Steps that wait for a person: an answer that comes before them, one that is refused, and one after that."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic_core import from_json

from flows.workflow.handle import Handle
from flows.workflow.steps.step import Step
from tests.waiting import until
from tests.workflow.running.run_app import RunApp


class Answer(BaseModel):
    """What a person says."""

    approved: bool


async def test_an_answer_is_kept_for_its_step_and_a_wrong_one_may_be_followed_by_another(
    redis_url: str, namespace: str
) -> None:
    """The first comes before the run has begun, and is not of the step's type; the second one is."""
    app = RunApp(redis_url, namespace)

    async def order(step: Step) -> bool:
        return (await step.wait_for_input("review", Answer, prompt="ship it?")).approved

    workflow = app.define(order)
    handle: Handle[Any] = Handle(app.host, await workflow.emit(), "order", workflow.output)
    assert not await handle.provide("review", {"approved": "who knows"})
    async with app.running():

        async def refused() -> bool:
            return b'"refused"' in (await app.fields(handle.id)).get("step:review", b"")

        await until(refused)
        await until(lambda: _suspended(handle))
        [step] = await handle.steps()
        assert (step.prompt, "is no" in step.refused) == ("ship it?", True)
        assert "step 'review' (ship it?); the last one was refused: " in str(await handle.explain())
        began_at = step.began_at
        assert await handle.provide("review", Answer(approved=True))
        status, output = await app.ended(handle.id)
        [step] = await handle.steps()
        assert (step.kind, step.status, step.began_at) == ("input", "done", began_at)
    assert (status, from_json(output)) == ("done", True)


async def _suspended(handle: Handle[object]) -> bool:
    return await handle.status() == "suspended"

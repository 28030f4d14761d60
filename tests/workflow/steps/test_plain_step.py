"""The short way of a step: what it leaves out is nothing that the general way promises."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from flows.model.outcome import Fail
from flows.model.retries import Retries
from flows.model.runs.errors import StepFailed
from flows.model.runs.loaded import Arrived
from flows.model.runs.shape import Shape
from flows.model.runs.step_record import Place, StepRecord
from flows.testing.memory_run import MemoryRecorder, MemoryRun
from flows.testing.workflow import run_workflow
from flows.workflow.steps import run_records
from flows.workflow.steps.play import Body
from flows.workflow.steps.step import Step
from flows.workflow.steps.step_options import StepOptions
from tests.workflow.steps.races import VirtualLoop


def repr_of(value: object) -> bytes:
    """Stand for what makes an input JSON, which no run here needs."""
    return repr(value).encode()


async def number(n: int) -> int:
    """Return a number, at once."""
    return n


class _SlowRecorder(MemoryRecorder):
    """Says a tenth of a second late that a write stands."""

    async def put(self, *args: Any, **kwargs: Any) -> Arrived | None:
        arrived = await super().put(*args, **kwargs)
        await asyncio.sleep(0.1)
        return arrived


class _SlowRun(MemoryRun):
    def recorder(self) -> MemoryRecorder:
        return _SlowRecorder(self)


@pytest.mark.parametrize("retries", [None, Retries()])
def test_what_is_cancelled_while_it_is_written_is_cancelled_ever_after(retries: Retries | None) -> None:
    """By the short way and by the general one: the code has not got the step's result, and gets it at no replay."""
    seen: list[str] = []

    async def code(step: Step) -> int:
        try:
            async with asyncio.timeout(0.05):
                if retries is None:
                    await step.run("late", number, 1)
                else:
                    await step.run(StepOptions[int]("late", retries=retries), number, 1)
            seen.append("got it")
        except TimeoutError:
            seen.append("timed out")
        await step.sleep("nap", 60)
        return 1

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        run = _SlowRun("late")
        runner.run(run.play(lambda _raw, judge: Body("late", code, Shape(int, "output"), repr_of, judge)))
    assert seen == ["timed out"] * 2


async def test_a_run_whose_steps_are_too_large_together_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """What earlier steps of the attempt have returned counts, by whichever way they went."""
    monkeypatch.setattr(run_records, "MOST_BYTES", 1000)

    async def text(size: int) -> str:
        return "x" * size

    async def code(step: Step) -> None:
        await step.run("one", text, 300)
        await step.run(StepOptions("two", retries=Retries()), text, 300)
        with pytest.raises(StepFailed, match="the steps of this run take more than"):
            await step.run("three", text, 300)

    assert (await run_workflow(code)).output is None


async def test_a_new_step_is_not_called_where_a_changed_plan_fails() -> None:
    """It comes before a step that is recorded: that is found when it is asked for, not when its function has run."""
    called: list[int] = []

    async def new() -> int:
        called.append(1)
        return 1

    async def code(step: Step) -> int:
        await step.run("new", new)
        return await step.run("old", number, 1)

    run = MemoryRun("changed")
    run.records["old"] = StepRecord("done", "run", Place(0, 1), result=b"1").write()
    outcome = await run.play(
        lambda _raw, judge: Body("changed", code, Shape(int, "output"), repr_of, judge, fails_on_change=True)
    )
    assert isinstance(outcome, Fail)
    assert called == []

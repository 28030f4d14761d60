"""What the code of a run is given again is given as it was: in the same order, and what came at once at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress

import pytest

from flows.errors import HostUnable
from flows.kernel.threads import Threads
from flows.model.outcome import Suspend
from flows.model.runs.history import RunHistory
from flows.model.runs.shape import Shape
from flows.model.runs.step_record import Place, StepRecord
from flows.testing.memory_run import MemoryRecorder, MemoryRun
from flows.testing.running_job import running_job
from flows.testing.workflow import run_workflow
from flows.workflow.steps.play import Attempted, Body
from flows.workflow.steps.run_judge import RunJudge
from flows.workflow.steps.step import Step
from tests.workflow.steps.races import VirtualLoop


async def number(n: int) -> int:
    """Return a number, at once."""
    return n


async def test_what_came_at_once_comes_at_once() -> None:
    """Two steps that end in one tick win a race together, in the order of their ends, at each replay."""
    seen: list[list[int]] = []

    async def code(step: Step) -> None:
        order: list[int] = []

        async def late(n: int, ticks: int) -> None:
            async def body() -> int:
                for _ in range(ticks):
                    await asyncio.sleep(0)
                return n

            order.append(await step.run(f"{n}", body))

        tasks = [asyncio.ensure_future(late(n, 4 - n)) for n in (1, 2, 3)]  # 3 ends first, in the same write as 2
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        seen.append([len(done), *order])
        await asyncio.wait(tasks)
        seen[-1] += [0, *order]
        await step.sleep("once", 60)
        await step.sleep("twice", 60)

    await run_workflow(code)
    first = seen[0]
    assert len(seen) == 3
    assert first[0] > 1, "the steps do not end in one write: make them"
    assert seen == [first] * 3


async def test_a_task_that_was_made_before_goes_first() -> None:
    """A task begins while the first step is under way, and does at each replay, though that step takes no time then."""
    seen: list[bool] = []

    async def code(step: Step) -> None:
        began = asyncio.Event()

        async def beside() -> int:
            began.set()
            return await step.run("beside", number, 2)

        task = asyncio.ensure_future(beside())
        await step.run("first", number, 1)
        seen.append(began.is_set())
        await task
        await step.sleep("once", 60)

    await run_workflow(code)
    assert seen == [True, True]


async def test_what_the_code_has_cancelled_is_not_called_again() -> None:
    """A step in flight that lost a race, or was over a time of the code's own, begins in no later attempt."""
    calls: Counter[str] = Counter()

    async def hangs(name: str) -> None:
        calls[name] += 1
        await asyncio.Event().wait()

    async def code(step: Step) -> str:
        slow = asyncio.ensure_future(step.run("slow", hangs, "slow"))
        quick = asyncio.ensure_future(step.run("quick", number, 1))
        await asyncio.wait([slow, quick], return_when=asyncio.FIRST_COMPLETED)
        slow.cancel()
        try:
            async with asyncio.timeout(0.01):
                await step.run("timed", hangs, "timed")
        except TimeoutError:
            await step.sleep("once", 60)
            await step.sleep("twice", 60)
            return "timed out"
        return "not"

    run = await run_workflow(code)
    assert run.output == "timed out"
    assert calls == {"slow": 1, "timed": 1}


def test_what_the_code_does_not_cancel_any_more_begins_anew() -> None:
    """A step that was cancelled once waits for that in vain, for a second longer than it took, then is called."""

    async def code(step: Step) -> int:
        first, second = await asyncio.gather(step.run("once", number, 1), step.run("later", number, 2))
        return first + second

    async def play() -> object:
        records = {
            "once": StepRecord("withdrawn", "run", Place(0), ms=3600).write(),
            "later": StepRecord("done", "run", Place(0, 1), result=b"7").write(),
        }
        run = MemoryRun("changed", records=records)
        outcome = await run.play(lambda _raw, judge: Body("changed", code, Shape(int, "output"), bytes, judge))
        assert asyncio.get_running_loop().time() >= 4.6
        return outcome.fields["output"]  # type: ignore[union-attr]

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        assert runner.run(play()) == b"8"


async def test_a_run_of_one_task_is_put_aside_at_once_and_finally_runs_each_time() -> None:
    """A `finally` runs at each suspension, its steps once, at the end."""
    calls: Counter[str] = Counter()

    async def clean(n: int) -> int:
        calls["step"] += 1
        return n

    async def code(step: Step) -> int:
        try:
            await step.sleep("once", 60)
            await step.sleep("twice", 60)
        finally:
            calls["finally"] += 1
            await step.run("clean", clean, 1)
        return 1

    run = await run_workflow(code)
    assert isinstance(run.history, RunHistory)
    assert (run.output, calls) == (1, {"finally": 3, "step": 1})


async def test_a_step_is_not_asked_for_inside_of_another() -> None:
    """Its worker would wait with it: that is told, and is final."""

    async def code(step: Step) -> None:
        async def outer() -> None:
            await step.sleep("inner", 60)

        await step.run("outer", outer)

    error = (await run_workflow(code)).error
    assert error is not None
    assert (error.type, "'inner' is asked for inside of step 'outer'" in error.message) == ("ValidationError", True)


def test_a_function_that_swallows_its_cancellation_is_named_and_cancelled_again() -> None:
    """It is called out after a second, and the run is put aside when it gives in."""
    told: list[float] = []

    async def code(step: Step) -> int:
        try:
            await step.sleep("nap", 60)
        except asyncio.CancelledError:
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
        return 1

    async def play() -> None:
        run = MemoryRun("swallows")
        loop = asyncio.get_running_loop()
        body = Body("swallows", code, Shape(int, "output"), bytes, RunJudge("swallows", None, 1))
        with running_job(run.run_id) as running:
            one = Attempted(
                body, run.loaded, MemoryRecorder(run), run_id=run.run_id, attempt=1, job=running.current,
                call_in_thread=Threads(1).call, overruns=lambda: told.append(loop.time()),
            )  # fmt: skip
            played = await one.play()
        assert isinstance(played.outcome, Suspend)
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(play())
    assert told == [1.0]


async def test_a_host_without_threads_gives_the_run_back() -> None:
    """Whatever the code catches, its step has not failed: the attempt raises, and nothing is recorded of the step."""
    run = MemoryRun("unable")

    async def none_left(_function: object, _argument: object) -> None:
        raise HostUnable("no thread")

    async def code(step: Step) -> int:
        with suppress(Exception):
            await step.run("plain", len, "text")
        return await step.run("fallback", number, 1)

    body = Body("unable", code, Shape(int, "output"), bytes, RunJudge("unable", None, 1))
    with running_job(run.run_id) as running:
        one = Attempted(
            body, run.loaded, MemoryRecorder(run), run_id=run.run_id, attempt=1, job=running.current,
            call_in_thread=none_left,
        )  # fmt: skip
        with pytest.raises(HostUnable):
            await one.play()
    assert run.records == {}

"""`flows.testing.run_workflow` and `replay`: workflows in a process without a server."""

# ruff: noqa: ARG001, D101, D103 - small workflows, which say by their names what they are

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from flows.errors import ValidationError, WaitTimeout
from flows.kernel.current import current_job
from flows.model.retries import Retries
from flows.model.runs.continue_as_new import ContinueAsNew
from flows.model.runs.errors import DuplicateStep, PlanChanged, RunCancelled, RunFailed, StepFailed, StepTimeout
from flows.model.runs.failure import Failure
from flows.model.runs.shape import Shape
from flows.model.runs.workflow_options import WorkflowOptions
from flows.model.verdict import Cancel, Fail
from flows.testing.workflow import TestedRun, replay, run_workflow
from flows.workflow.annotations import workflow_shapes
from flows.workflow.declared import Declared
from flows.workflow.steps.step import Step
from flows.workflow.steps.step_options import StepOptions

calls: Counter[str] = Counter()


@dataclass
class Receipt:
    number: int


class CardDeclined(Exception):
    """The card is no good."""


class AnEvent:
    """As `WorkflowEvent`, without an app."""

    def __init__(self, name: str, kind: Any) -> None:
        self.name, self.shape = name, Shape[Any](kind, name)


@pytest.fixture(autouse=True)
def no_calls() -> None:
    calls.clear()


def declared(function: Any, **options: Any) -> Any:
    """Return a workflow of a function, as `define` makes it."""
    return Declared(
        WorkflowOptions(function.__name__, **options), workflow_shapes(function.__name__, function), function
    )


async def charge(cents: int) -> Receipt:
    calls[f"charge {current_job().idempotency_key.partition(':')[2]}"] += 1
    return Receipt(cents)


async def decline(_cents: int) -> Receipt:
    calls["decline"] += 1
    raise CardDeclined("no")


def total(cents: list[int]) -> int:
    return sum(cents)


async def test_a_run_does_each_step_once_over_waits() -> None:
    """Coroutines, plain functions and lambdas are called once each, though two sleeps have the code called thrice."""

    async def order(cents: int, step: Step) -> list[int]:
        calls["code"] += 1
        first = await step.run("charge", charge, cents)
        await step.sleep("a day", timedelta(days=1))
        both = await asyncio.gather(step.run("total", total, [1, 2]), step.run("lambda", lambda: cents + 1))
        await step.sleep("another", 3600)
        return [first.number, *both]

    began = time.monotonic()
    run = await run_workflow(order, 7)
    assert run.output == [7, 3, 8]
    assert calls == {"code": 3, "charge charge": 1}
    assert run.steps == dict.fromkeys(["charge", "a day", "total", "lambda", "another"], "done")
    assert time.monotonic() - began < 3600


async def test_names_that_seem_to_be_misspelt_are_told() -> None:
    """Of a stand-in whose step was called as it is, and of an event; not of a step that a branch left out."""
    paid: Any = AnEvent("paid", int)

    async def order(step: Step) -> int | None:
        await step.run("charge", charge, 1)
        return await step.wait_for_event("payment", paid, key="k", timeout=60)

    with pytest.warns(UserWarning, match="run_workflow: ") as told:
        run = await run_workflow(order, steps={"chrage": 1, "something else": 2}, events={"payment": 3})
    assert [str(one.message).partition("has ")[2] for one in told] == [
        "'chrage', which was not asked for; step 'charge' was called as it is",
        "'payment', for which nothing waited; it waited for event 'paid'",
    ]
    assert run.output is None


async def test_a_step_is_tried_again_and_fails_as_the_first_time_ever_after() -> None:
    """Short and long pauses; what it raised is told by `was`, also when it is only recorded."""

    async def order(step: Step) -> str:
        retries = Retries(max_attempts=3, backoff=[0.01, 5], jitter=False)
        try:
            await step.run(StepOptions("decline", retries=retries), decline, 1)
        except StepFailed as error:
            await step.sleep("later", 60)
            return f"{error.step} {error.was(CardDeclined)} {error.was(KeyError)} {error.error.message}"
        return "charged"

    run = await run_workflow(order)
    assert (run.output, calls["decline"]) == ("decline True False no", 3)
    assert run.history.steps["decline"]["tries"] == 3


async def test_a_step_that_takes_too_long_is_a_timeout() -> None:
    """Its try is cancelled, and counts as a TimeoutError."""

    async def order(step: Step) -> bool:
        with pytest.raises(StepTimeout) as told:
            await step.run(StepOptions("slow", timeout=0.01), asyncio.Event().wait)
        return told.value.was(TimeoutError)

    assert (await run_workflow(order)).output is True


async def test_a_failed_run_is_undone_backwards_and_told() -> None:
    """Each step that is done is undone once, the last first, over pauses and tries; then on_failure is called."""
    undone: list[str] = []

    async def refund(receipt: Receipt) -> object:
        undone.append(f"refund {receipt.number}")
        if len(undone) == 1:
            raise LookupError("try again")
        return object()

    def put_back(number: int) -> None:
        undone.append(f"put back {number}")

    async def failed(failure: Failure[int]) -> None:
        undone.append(f"failed {failure.input} {failure.error.type}")

    async def order(cents: int, step: Step) -> None:
        await step.run(StepOptions("reserve", undo=put_back), total, [cents])
        await step.sleep("nap", 60)
        await step.run(StepOptions("charge", undo=refund), charge, cents)
        await step.run("decline", decline, cents)

    run: TestedRun[None] = await run_workflow(declared(order, on_failure=failed), 5)
    assert undone == ["refund 5", "refund 5", "put back 5", "failed 5 CardDeclined"]
    assert run.status == "failed"
    with pytest.raises(RunFailed, match="'decline': no"):
        _ = run.output
    assert [name for name in run.steps if name.startswith(("undo", "on"))] == [
        "undo:charge",
        "undo:reserve",
        "on_failure",
    ]


async def test_a_run_is_tried_again_without_the_steps_that_are_done() -> None:
    """By its workflow's retries; `Fail` and a name that is given twice are final, `Cancel` cancels."""

    async def flaky(step: Step) -> int:
        calls["code"] += 1
        await step.run("charge", charge, 1)
        await step.run("decline", decline, 1)
        return 1

    async def final(step: Step) -> None:
        calls["final"] += 1
        raise Fail("no use")

    async def twice(step: Step) -> None:
        calls["twice"] += 1
        await asyncio.gather(step.run("a", total, [1]), step.run("a", total, [2]))

    async def cancels(step: Step) -> None:
        raise Cancel("not wanted")

    retries = Retries(max_attempts=3)
    assert (await run_workflow(declared(flaky, retries=retries))).status == "failed"
    assert calls == {"code": 3, "charge charge": 1, "decline": 3}
    for function, kind in ((final, "Fail"), (twice, DuplicateStep.__name__)):
        error = (await run_workflow(declared(function, retries=retries))).error
        assert error is not None
        assert (error.type, calls[function.__name__]) == (kind, 1)
    with pytest.raises(RunCancelled, match="not wanted"):
        _ = (await run_workflow(cancels)).output


async def test_what_a_replay_could_not_see_the_first_call_does_not_see() -> None:
    """A result without an annotation is plain JSON, and one of another type than its annotation is refused."""

    async def unannotated(step: Step) -> None:
        await step.run("object", lambda: Receipt(1))

    async def wrong(step: Step) -> None:
        def lies() -> int:
            return "text"  # type: ignore[return-value]

        await step.run("lies", lies)

    for function in (unannotated, wrong):
        error = (await run_workflow(function)).error
        assert error is not None
        assert error.type == "ValidationError"


async def test_events_answers_and_races() -> None:
    """Events are taken one after another; an answer of another type is waited for anew; a race is decided once."""
    paid: Any = AnEvent("paid", int)

    async def order(step: Step) -> list[Any]:
        first = await step.wait_for_event("first", paid, key="1")
        second = await step.wait_for_event("second", paid, key="1")
        none = await step.wait_for_event("none", paid, key="1", timeout=timedelta(days=1))
        answer = await step.wait_for_input("review", bool, prompt="ok?")
        sleep = asyncio.ensure_future(step.sleep("sleep", 5))
        event = asyncio.ensure_future(step.wait_for_event("event", paid, key="2", timeout=60))
        done, left = await asyncio.wait([sleep, event], return_when=asyncio.FIRST_COMPLETED)
        for one in left:
            one.cancel()
        await step.sleep("while the loser's event comes", 3600)
        return [first, second, none, answer, sleep in done]

    run = await run_workflow(order, events={("paid", "1"): [1, 2]}, answers={"review": ["maybe so", True]})
    assert run.output == [1, 2, None, True, True]
    assert run.steps["event"] == "withdrawn"

    async def waits(step: Step) -> None:
        await step.wait_for_event("ever", paid, key="3")

    with pytest.raises(WaitTimeout, match="'ever' for event 'paid' of key '3'"):
        await run_workflow(waits)


async def ship(sku: str, step: Step) -> str:
    if sku == "gone":
        raise LookupError(sku)
    await step.sleep("pack", 60)
    return f"shipped {sku}"


async def test_children_are_run_likewise_and_stand_ins_in_place_of_them() -> None:
    """One child, many, one by name with a stand-in, and how failures are told."""
    shipping = declared(ship)

    async def order(step: Step) -> list[Any]:
        one = await step.run_workflow("one", shipping, "a")
        some = await step.map("some", shipping, ["b", "c"])
        ended = await step.map("ended", shipping, ["d", "gone"], on_failure="return")
        far = await step.run_workflow("far", "elsewhere", {"a": 1})
        emitted = await step.emit_workflow("emitted", shipping, "e", idempotency_key="e")
        with pytest.raises(StepFailed) as failed:
            await step.run_workflow("failed", shipping, "gone")
        return [one, some, [each.status for each in ended], far, len(emitted), failed.value.error.type]

    run = await run_workflow(order, steps={"far": lambda given: given["a"] + 1})
    assert run.output == [
        "shipped a", ["shipped b", "shipped c"], ["done", "failed"], 2, 36, "LookupError",
    ]  # fmt: skip


async def test_stand_ins_are_of_the_steps_type() -> None:
    """A value, an error and a function stand in for step functions, by name."""

    async def order(step: Step) -> int:
        receipt = await step.run("charge", charge, 1)
        with pytest.raises(StepFailed, match="CardDeclined"):
            await step.run("second", charge, 1)
        return receipt.number + (await step.run("third", total, [4]))

    stand_ins = {"charge": Receipt(9), "second": CardDeclined("no"), "third": lambda cents: cents[0] * 2}
    assert (await run_workflow(order, steps=stand_ins)).output == 17
    assert not calls


async def test_a_run_continues_as_new_and_ends_by_its_timeout() -> None:
    """With other input and no steps; the timeout is of the whole run, waits included."""

    async def loop(n: int, step: Step) -> int:
        await step.run("once", charge, n)
        if n < 3:
            raise ContinueAsNew(n + 1)
        return n

    async def long(step: Step) -> None:
        await step.sleep("too long", timedelta(days=2))

    assert (await run_workflow(loop, 1)).output == 3
    assert calls == {"charge once": 3}
    error = (await run_workflow(declared(long, timeout=timedelta(days=1)))).error
    assert error is not None
    assert error.type == "Timeout"


async def recorded(step: Step) -> int:
    receipt = await step.run("charge", charge, 3)
    await step.sleep("nap", 60)
    await step.run("mail", total, [1])
    return receipt.number


async def renamed(step: Step) -> int:
    receipt = await step.run("bill", charge, 3)
    await step.sleep("nap", 60)
    await step.run("mail", total, [1])
    return receipt.number


async def dropped(step: Step) -> int:
    receipt = await step.run("charge", charge, 3)
    await step.sleep("nap", 60)
    return receipt.number


async def more(step: Step) -> int:
    receipt = await step.run("charge", charge, 3)
    await step.sleep("nap", 60)
    await step.run("mail", total, [1])
    await step.run("count", total, [1])
    return receipt.number


async def between(step: Step) -> int:
    receipt = await step.run("charge", charge, 3)
    await step.run("check", total, [1])
    await step.sleep("nap", 60)
    await step.run("mail", total, [1])
    return receipt.number


async def other_kind(step: Step) -> int:
    await step.sleep("charge", 3)
    return 0


async def other_type(step: Step) -> int:
    await step.run("charge", total, [1])
    return 0


async def branch(step: Step) -> int:
    receipt = await step.run("charge", charge, 3)
    if receipt.number > 3:
        await step.sleep("nap", 60)
    await step.run("mail", total, [1])
    return receipt.number


async def parallel(step: Step) -> int:
    receipt, _ = await asyncio.gather(step.run("charge", charge, 3), step.run("new", total, [1]))
    return receipt.number


async def nothing(step: Step) -> int:
    return 3


async def swapped(step: Step) -> int:
    await step.run("mail", total, [1])
    receipt = await step.run("charge", charge, 3)
    await step.sleep("nap", 60)
    return receipt.number


async def at_once(step: Step) -> int:
    receipt, _, _ = await asyncio.gather(
        step.run("charge", charge, 3), step.sleep("nap", 60), step.run("mail", total, [1])
    )
    return receipt.number


@pytest.mark.parametrize(
    ("later", "told"),
    [
        (renamed, "'charge'"), (dropped, "'mail'"), (more, "'count'"), (between, "'check'|'nap'"),
        (other_kind, "'charge' is recorded as one of kind 'run'"), (other_type, "'charge' is not what"),
        (branch, "'nap'"), (parallel, "'new'|'nap'"), (nothing, "'charge', 'nap', 'mail'"),
        (swapped, None), (at_once, None), (recorded, None),
    ],
)  # fmt: skip
async def test_each_change_of_a_plan_is_found(later: Any, told: str | None) -> None:
    """Nine plans that do not fit what is recorded are told, three that do are not; no function is called for that."""
    history = (await run_workflow(recorded)).history.model_dump()
    calls.clear()
    if told is None:
        await replay(later, history)
    else:
        with pytest.raises(PlanChanged, match=told):
            await replay(later, history)
    assert not calls


async def test_what_is_no_history_is_refused() -> None:
    """So is the input of another type."""
    with pytest.raises(ValidationError, match="no history"):
        await replay(recorded, "{}")
    with pytest.raises(ValidationError):
        await run_workflow(ship, 3)  # type: ignore[arg-type]

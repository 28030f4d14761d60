"""The app under test, `faults`: workflows that write to the ledger what their steps do, and die where they are told."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from flows import Every, Failure, Retries, Step, StepOptions, Workflow, Workflows, current_job
from flows.workflow.event import WorkflowEvent
from tests.faults import behaviours
from tests.faults.ledger import Ledger
from tests.faults.runs.large_app import make_large_app

#: Apart from the flow under test, whose audit looks elsewhere then.
NAMESPACE: Final = "runs:"
#: What a run of `ten` adds up to.
TEN: Final = sum(range(8)) + 100 + 1000
SLOTS: Final = 3
#: How often a run of `flaky` is tried, and its step in each life.
TRIES, STEP_TRIES = 3, 2


class Plan(BaseModel):
    """What a run begins with."""

    number: int = 0
    kind: str = ""


class Go(BaseModel):
    """What runs wait for."""

    value: int


@dataclass(frozen=True)
class Under:
    """The app, and what it defines."""

    app: Workflows
    go: WorkflowEvent[Go]
    ten: Workflow[Plan, int]
    zombie: Workflow[Plan, int]
    sleeper: Workflow[Plan, int]
    keyed: Workflow[Plan, int]
    flaky: Workflow[Plan, int]
    slotted: Workflow[Plan, int]


class Work:
    """What steps do; it dies before or after the effect of the step that it was told: `before:3`, `after:3`."""

    def __init__(self, ledger: Ledger, dies: str) -> None:
        self._ledger = ledger
        self._where, _, number = dies.partition(":")
        self._left = int(number or 0)

    async def __call__(self, step: str, value: int, seconds: float = 0.0) -> int:
        """Do the work of a step."""
        self.note(step, "begin")
        self._left -= 1
        self._die("before")
        await asyncio.sleep(seconds)
        self.note(step, "end")
        self._die("after")
        return value

    def note(self, step: str, at: str) -> None:
        """Write a line about a step of the current run."""
        self._ledger.write("NOTE", current_job().id, what="step", step=step, at=at)

    async def at_gate(self, name: str) -> None:
        """Wait until a gate is open."""
        while not behaviours.gate(self._ledger.directory, name).exists():  # noqa: ASYNC110 - another process opens it
            await asyncio.sleep(0.005)

    def _die(self, where: str) -> None:
        if where == self._where and self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def make_app(  # noqa: PLR0913, C901, PLR0915 - keyword-only; the workflows stand below each other
    url: str,
    ledger: Ledger,
    namespace: str = NAMESPACE,
    *,
    app: str = "faults",
    lease: float = 1.0,
    dies: str = "",
    ticks: dict[str, float] | None = None,
    version: int | None = None,
) -> Under:
    """Declare the app; nothing is connected yet.

    Args:
        url: The server, or a proxy before it.
        ledger: Where its steps write.
        namespace: Before every key.
        app: Its name.
        lease: In seconds.
        dies: See `Work`.
        ticks: Intervals in seconds, by the ids of schedules.
        version: Of `slotted`, whose runs stay with it.
    """
    made = Workflows(app, redis_url=url, namespace=namespace, lease=lease, max_crashes=1_000)
    work = Work(ledger, dies)
    go = made.event("go", Go)

    async def undo(value: int) -> None:
        await work(f"undo:{value}", value)

    async def on_failure(_failure: Failure[Plan]) -> None:
        await work("on_failure", 0)

    async def fail() -> None:
        await work("boom", 0)
        raise ValueError("as planned")

    @made.define("child", queue="ten", max_concurrency=None)
    async def child(plan: Plan, step: Step) -> int:
        return await step.run("of-child", work, "of-child", plan.number)

    @made.define("ten", queue="ten", max_concurrency=None, on_failure=on_failure)
    async def ten(plan: Plan, step: Step) -> int:
        def does(n: int) -> asyncio.Task[int]:
            return asyncio.ensure_future(step.run(StepOptions(f"s{n}", undo=undo), work, f"s{n}", n))

        total = sum([await does(n) for n in range(4)])
        total += await step.run_workflow("child", child, Plan(number=100))
        await step.sleep("pause", timedelta(milliseconds=20))
        total += (await step.wait_for_event("go", go)).value
        total += sum(await asyncio.gather(*map(does, range(4, 8))))
        if plan.kind == "fails":
            await step.run("boom", fail)
        return total

    @made.define("zombie", max_concurrency=None)
    async def zombie(plan: Plan, step: Step) -> int:
        await step.run("first", work, "first", 1)
        if plan.kind == "body":
            await step.run("second", _gated, work, plan.kind)
        await work.at_gate(plan.kind)  # outside of a step
        match plan.kind:
            case "step":
                await step.run("second", work, "second", os.getpid())
            case "sleep":
                await step.sleep("nap", timedelta(milliseconds=10))
            case "child":
                await step.run_workflow("child", child, plan)
            case "event":
                await step.wait_for_event("go", go, timeout=timedelta(milliseconds=10))
            case "fail":
                raise ValueError(os.getpid())
            case _:
                pass
        return os.getpid()

    @made.define("sleeper", max_concurrency=None)
    async def sleeper(plan: Plan, step: Step) -> int:
        await step.run("before", work, "before", 0)
        if plan.kind == "event":
            await step.wait_for_event("go", go, key=f"k{plan.number}")
        else:
            await step.sleep("nap", timedelta(seconds=float(plan.kind)))
        return await step.run("after", work, "after", plan.number)

    @made.define("keyed", max_concurrency=None)
    async def keyed(plan: Plan, step: Step) -> int:
        if plan.kind == "fails":
            raise ValueError("as planned")
        return await step.run("of-keyed", work, "of-keyed", plan.number, 0.01)

    @made.define("flaky", max_concurrency=None, retries=Retries(max_attempts=TRIES, backoff=0.05))
    async def flaky(_plan: Plan, step: Step) -> int:
        async def of_flaky() -> int:
            await work(f"try {step.attempt}", 0, 0.02)
            raise ValueError("as planned")

        again = Retries(max_attempts=STEP_TRIES, backoff=1.1, jitter=False)  # over a second: the run is suspended
        return await step.run(StepOptions("fails", retries=again), of_flaky)

    pinned: dict[str, Any] = {} if version is None else {"version": version, "on_change": "pin"}

    @made.define("slotted", max_concurrency=SLOTS, **pinned)
    async def slotted(plan: Plan, step: Step) -> int:
        return await step.run("held", work, "held", plan.number, 0.05)

    every = [Every(seconds, id=name, overlap="allow", missed="all") for name, seconds in (ticks or {}).items()]

    @made.define("tick", max_concurrency=None, cron=every)
    async def tick(step: Step) -> int:
        return await step.run("of-tick", work, "of-tick", 0)

    return Under(made, go, ten, zombie, sleeper, keyed, flaky, slotted)


async def _gated(work: Work, gate: str) -> int:
    await work.at_gate(gate)
    return await work("second", os.getpid())


async def work_on(url: str, ledger: Path, *, concurrency: int, grace: float | None, **options: Any) -> int:
    """Work until SIGTERM, in a process of its own, and return the exit status.

    The options are `queues` and what `make_app` takes, or, with `of`, `make_large_app`.
    """
    queues = options.pop("queues", None)
    made = make_large_app if "of" in options else lambda *given, **more: make_app(*given, **more).app
    app = made(url, Ledger(ledger), **options)
    app.create_workers(queues, concurrency=concurrency)
    return await app.run(grace)

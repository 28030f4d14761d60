"""Row F8: the code of a workflow changes while its runs wait."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from flows import FlowsError, RunFailed, RunHistory, Step, WorkflowEvent, Workflows
from flows.testing import replay
from tests.faults.case import Case, row
from tests.waiting import until

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from flows import Handle

_STEPS: Final = 8
_NAMESPACE: Final = "plans:"


@dataclass(frozen=True)
class Part:
    """One step of a plan: its name, its kind, and whether it runs at once with the next one."""

    name: str
    kind: str = "run"
    beside: bool = False


async def _number(name: str) -> str:
    return f"of {name}"


async def _length(name: str) -> int:
    return len(name)


async def _take(step: Step, part: Part) -> None:
    """Take one step, and see that what it gives is its own."""
    if part.kind == "sleep":
        await step.sleep(part.name, timedelta())
    elif part.kind == "other":
        assert await step.run(part.name, _length, part.name) == len(part.name)
    else:
        got = await step.run(part.name, _number, part.name)
        assert got == f"of {part.name}", f"mis-assigned: {part.name} was given {got!r}"


def _app(case: Case, plans: Mapping[str, Sequence[Part]]) -> tuple[Workflows, dict[str, Any], WorkflowEvent[int]]:
    """Return an app with a workflow for each plan."""
    app = Workflows("plans", redis_url=case.server.url, namespace=_NAMESPACE, lease=timedelta(seconds=case.lease))
    go = app.event("go", int)
    options: Any = {"max_concurrency": None, "on_change": "fail"}
    defined = {name: app.define(name, **options)(_code(plan, go)) for name, plan in plans.items()}
    app.create_workers(concurrency=20)
    return app, defined, go


def _code(plan: Sequence[Part], go: WorkflowEvent[int]) -> Callable[[Step], Awaitable[int]]:
    async def planned(step: Step) -> int:
        left = list(plan)
        while left:
            part = left.pop(0)
            if part.beside and left:
                await asyncio.gather(_take(step, part), _take(step, left.pop(0)))
            else:
                await _take(step, part)
            if part.name == "last":
                await step.wait_for_event("go", go, key="all")
        return len(plan)

    return planned


def _changes(chance: random.Random) -> dict[str, tuple[Callable[[list[Part]], list[Part]], bool]]:
    """Return twelve changes, and whether the plan fits what is recorded after each."""
    at = chance.randrange(_STEPS - 1)

    def put(where: int, *parts: Part) -> Callable[[list[Part]], list[Part]]:
        return lambda plan: [*plan[:where], *parts, *plan[where:]]

    def instead(**other: Any) -> Callable[[list[Part]], list[Part]]:
        return lambda plan: [*plan[:at], Part(**{"name": plan[at].name, **other}), *plan[at + 1 :]]

    new = Part("new")
    return {
        "the same": (lambda plan: plan, True),
        "renamed": (instead(name="renamed"), False),
        "dropped": (lambda plan: plan[:at] + plan[at + 1 :], False),
        "dropped last": (lambda plan: [*plan[: _STEPS - 1], plan[-1]], False),
        "another kind": (instead(kind="sleep"), False),
        "another type": (instead(kind="other"), False),
        "put before": (put(at, new), False),
        "put after what is recorded": (lambda plan: [*plan, new], True),
        "all others": (lambda plan: [Part(f"{part.name}'") for part in plan], False),
        "two change places": (lambda plan: [*plan[:at], plan[at + 1], plan[at], *plan[at + 2 :]], True),
        "two at once": (instead(beside=True), True),
        "named twice": (lambda plan: [*plan[:at], plan[at], *plan[at:]], False),
    }


@row("F8", "a workflow's code changes while its runs wait")
def f8(case: Case) -> None:
    """Of twelve changes each that does not fit is found, by run and by history; no step gets another's result."""
    asyncio.run(_changed(case))


async def _changed(case: Case) -> None:
    plan = [*(Part(f"step {n}") for n in range(_STEPS)), Part("last")]
    changes = {told.replace(" ", "-"): change for told, change in _changes(case.random).items()}
    before, _, _ = _app(case, dict.fromkeys(changes, plan))
    async with before:
        ids = {name: await before.run_by_name(name) for name in changes}
        histories = {name: await _suspended(handle) for name, handle in ids.items()}
    after, later, go = _app(case, {name: change(plan) for name, (change, _fits) in changes.items()})
    found = fitting = 0
    async with after:
        await go.send(1, key="all")
        for name, (_change, fits) in changes.items():
            ended = await _ended(after.handle(ids[name].id))
            held = await _held(later[name], histories[name])
            found += not fits and ended is not None and held is not None
            fitting += fits and ended is None and held is None
            case.expect((ended is None) is fits, f"{name}: the run ended by {ended!r}")
            case.expect((held is None) is fits, f"{name}: its history is held against the code by {held!r}")
            case.expect("mis-assigned" not in str(ended), f"{name}: {ended!r}")
    case.figures.update(found=found, fitting=fitting)
    with case.server.client() as client:  # the audit is of the flow under test alone
        client.delete(*client.scan_iter(f"{_NAMESPACE}*"))


async def _suspended(handle: Handle[Any]) -> RunHistory:
    async def suspended() -> bool:
        return await handle.status() == "suspended"

    await until(suspended)
    return await handle.history()


async def _ended(handle: Handle[Any]) -> RunFailed | None:
    try:
        await handle.result(timeout=20)
    except RunFailed as error:
        return error
    return None


async def _held(workflow: Any, history: Any) -> FlowsError | None:
    try:
        await replay(workflow, history)
    except FlowsError as error:
        return error
    return None

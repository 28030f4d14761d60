# pyright: strict
"""What users write of workflows: mypy --strict and pyright strict accept every line of this file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, assert_type

from pydantic import BaseModel
from typing_extensions import TypedDict

from flows import (
    ChildRunResult,
    ContinueAsNew,
    Cron,
    Every,
    Failure,
    Handle,
    JobError,
    Retries,
    RunRecord,
    RunStep,
    ScheduleRecord,
    Step,
    StepFailed,
    StepOptions,
    TextPiece,
    Workflow,
    WorkflowEvent,
    Workflows,
    WorkflowStats,
)

workflows = Workflows("billing", retention=timedelta(days=7), lease=30)


class Order(BaseModel):
    """An input."""

    id: str
    cents: int


@dataclass
class Receipt:
    """A result."""

    number: int


class Paid(TypedDict):
    """What an event carries."""

    cents: int


paid = workflows.event("paid", Paid, ttl=timedelta(days=1))


async def charge(order_id: str, cents: int, *, currency: str = "EUR") -> Receipt:
    """Charge a card."""
    return Receipt(cents + len(order_id) + len(currency))


async def refund(receipt: Receipt) -> None:
    """Undo that."""
    assert_type(receipt.number, int)


def total(cents: list[int]) -> int:
    """Run in a thread."""
    return sum(cents)


async def tell_sales(failure: Failure[Order]) -> None:
    """Take what has failed."""
    assert_type(failure.input, Order)
    assert_type(failure.error, JobError)
    assert_type(failure.run_id, str)


def tell_plainly(failure: Failure[None]) -> None:
    """Take what has failed of a workflow without input."""
    assert_type(failure.input, None)


@workflows.define(
    "checkout", queue="shop", max_concurrency=3, timeout=60, retries=Retries(3), lookup=["id"], on_failure=tell_sales
)
async def checkout(order: Order, step: Step) -> Receipt:
    """Use every method of a step."""
    a = await step.run("charge", charge, order.id, order.cents, currency="USD")
    assert_type(a, Receipt)
    b = await step.run("total", total, [1, 2])
    assert_type(b, int)
    c = await step.run(StepOptions("again", timeout=timedelta(seconds=5), undo=refund), charge, order.id, 1)
    assert_type(c, Receipt)
    d = await step.run("lambda", lambda: charge(order.id, 3))
    assert_type(d, Receipt)
    e = await step.run("lambda2", lambda: order.cents + 1)
    assert_type(e, int)
    f, g = await asyncio.gather(step.run("x", charge, "a", 1), step.run("y", total, [1]))
    assert_type(f, Receipt)
    assert_type(g, int)
    h = await step.wait_for_event("paid", paid, key=order.id, timeout=timedelta(days=1))
    assert_type(h, Paid | None)
    i = await step.wait_for_event("paid2", paid)
    assert_type(i, Paid)
    j = await step.run_workflow("report", report)
    assert_type(j, str)
    k = await step.map("all", ship, [order, order], limit=100)
    assert_type(k, list[bool])
    m = await step.emit_workflow("later", "analytics", {"a": 1})
    assert_type(m, str)
    n = await step.run_workflow("ship", ship, order, priority=2, timeout=60)
    assert_type(n, bool)
    o = await step.wait_for_input("review", Receipt, prompt="How much?")
    assert_type(o, Receipt)
    p = await step.map("each", ship, [order], on_failure="return")
    assert_type(p, list[ChildRunResult[bool]])
    q = await step.run_workflow("elsewhere", "analytics", {"a": 1})
    assert_type(q, Any)
    async with asyncio.TaskGroup() as group:
        one = group.create_task(step.run("t1", total, [2]))
    assert_type(one.result(), int)
    try:
        await step.run("risky", total, [3])
    except StepFailed as error:
        assert_type(error.was(ValueError), bool)
    await step.sleep_until("morning", datetime.now(UTC))
    return a


@workflows.define("report", on_failure=tell_plainly)
async def report(step: Step) -> str:
    """Take no input."""
    await step.sleep("nap", timedelta(hours=1))
    return step.run_id


@workflows.define("ship", max_concurrency=None, version=2, on_change="pin")
async def ship(order: Order, step: Step) -> bool:
    """Go on with other input."""
    if step.attempt > order.cents:
        raise ContinueAsNew(order)
    return True


@workflows.define("scalar", slots="open", priorities=3)
async def scalar(n: int, step: Step) -> list[str]:
    """Take and return scalars."""
    return [str(n)] * step.attempt


assert_type(checkout, Workflow[Order, Receipt])
assert_type(report, Workflow[None, str])
assert_type(ship, Workflow[Order, bool])
assert_type(scalar, Workflow[int, list[str]])
assert_type(paid, WorkflowEvent[Paid])
elsewhere = workflows.reference("analytics", input=Order, output=int)
assert_type(elsewhere, Workflow[Order, int])
bare = workflows.reference("nightly", output=str)
assert_type(bare, Workflow[None, str])
workflows.create_workers(["shop"], concurrency=5)


async def main() -> None:
    """Start runs, and look at them."""
    handle = await checkout.run(Order(id="1", cents=2), idempotency_key="k", tags=["a"], delay=5)
    assert_type(handle, Handle[Receipt])
    assert_type(await handle.result(timeout=9), Receipt)
    assert_type(await (await report.run(run_at=datetime.now(UTC))).result(), str)
    assert_type(await (await scalar.run(3, priority=2)).result(), list[str])
    assert_type(await (await elsewhere.run(Order(id="1", cents=2))).result(), int)
    assert_type(await (await bare.run()).result(), str)
    assert_type(await checkout.run_many([Order(id="1", cents=2)]), list[Handle[Receipt]])
    assert_type(await checkout.emit(Order(id="1", cents=2), queue="fast"), str)
    assert_type(await paid.send({"cents": 1}, key="1"), int)
    assert_type(await handle.send(paid, Paid(cents=1)), int)
    assert_type((await handle.record()).output, Receipt)
    assert_type(await handle.steps(), list[RunStep])
    async for piece in handle.stream("7"):
        assert_type(piece, TextPiece)
    assert_type(await (await workflows.run_by_name("x", {"a": 1})).result(), Any)
    assert_type(await workflows.get_run(handle.id), RunRecord[Any])
    assert_type((await workflows.list_runs(workflow="checkout", status="failed")).runs, list[RunRecord[Any]])
    assert_type(await workflows.stats(), dict[str, WorkflowStats])
    async with workflows:
        await workflows.sync()
    schedules = workflows.schedules
    assert_type(await schedules.create(Every(60), checkout, Order(id="1", cents=2), id="a"), ScheduleRecord)
    assert_type(await schedules.create(Cron("@daily", input=3), "elsewhere", id="b"), ScheduleRecord)
    assert_type(await schedules.edit("a", Every(30), Order(id="1", cents=2)), ScheduleRecord)
    assert_type(await schedules.list(), list[ScheduleRecord])
    assert_type(await schedules.backfill("a", datetime.now(UTC), datetime.now(UTC)), list[str])
    assert_type(await handle.fork("charge", Order(id="1", cents=2)), Handle[Receipt])


@workflows.define("daily", cron=[Cron("0 9 * * *", timezone="UTC", missed="all"), Every(60, id="a", overlap="queue")])
async def daily(step: Step) -> int:
    """Run by the clock."""
    return step.attempt


def plain() -> None:
    """Do the same from plain code."""
    assert_type(workflows.blocking.run(checkout, Order(id="1", cents=2)).result(timeout=3), Receipt)
    assert_type(workflows.blocking.run(report).result(), str)


class Client:
    """A resource."""

    async def charge(self, cents: int) -> Receipt:
        """Charge a card."""
        return Receipt(cents)


@asynccontextmanager
async def client() -> AsyncGenerator[Client]:
    """Open it."""
    yield Client()


connected = Workflows("connected", lifespan=client)
assert_type(connected, Workflows[Client])


def either(app: Workflows) -> str:
    """Take an app, whatever its lifespan brings."""
    return app.app


def tell_client(failure: Failure[Order], client: Client) -> None:
    """Use the resource."""
    assert_type(failure.input, Order)
    print(client)  # noqa: T201


@connected.define("charge", on_failure=tell_client)
async def with_client(order: Order, step: Step, client: Client) -> Receipt:
    """Use the resource."""
    return await step.run("charge", client.charge, order.cents)


@connected.define("charge-all")
async def client_alone(step: Step, client: Client) -> Receipt:
    """Use the resource, without an input."""
    return await step.run("charge", client.charge, 7)


@connected.define("none", on_failure=tell_sales)
async def without_client(order: Order, step: Step) -> int:
    """Leave it."""
    return order.cents + step.attempt


assert_type(with_client, Workflow[Order, Receipt])
assert_type(client_alone, Workflow[None, Receipt])
assert_type(without_client, Workflow[Order, int])
assert_type([either(connected), either(workflows)], list[str])

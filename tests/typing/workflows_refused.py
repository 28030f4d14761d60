# pyright: strict
"""What users may slip into: mypy --strict and pyright strict refuse each marked line, and no other one."""

from __future__ import annotations

from datetime import timedelta

from workflows_accepted import (
    Order,
    Paid,
    Receipt,
    charge,
    checkout,
    connected,
    elsewhere,
    paid,
    report,
    scalar,
    ship,
    total,
    workflows,
)

from flows import Every, Failure, Step, StepOptions


@workflows.define("wrong-1")  # refused: no step parameter
async def wrong_1() -> int:
    """Take nothing."""
    return 1


@workflows.define("wrong-2")  # refused: not async
def wrong_2(order: Order, step: Step) -> int:
    """Block."""
    return order.cents + step.attempt


def undo_int(n: int) -> None:
    """Undo another step."""
    print(n)  # noqa: T201 - a short way to use a value


async def of_paid(failure: Failure[Paid]) -> None:
    """Take the failure of another workflow."""
    print(failure)  # noqa: T201


@workflows.define("wrong-3", on_failure=of_paid)  # refused: of another input
async def wrong_3(order: Order, step: Step) -> int:
    """Take an order."""
    return order.cents + step.attempt


@workflows.define("wrong-4", max_concurency=3)  # refused: no such option
async def wrong_4(step: Step) -> int:
    """Do nothing."""
    return step.attempt


@workflows.define("wrong-5", cron="0 9 * * *")  # refused: no Cron
async def wrong_5(step: Step) -> int:
    """Do nothing."""
    return step.attempt


@workflows.define("wrong-6")  # refused: the app has no lifespan
async def wrong_6(order: Order, step: Step, client: Receipt) -> int:
    """Do nothing."""
    return step.attempt + order.cents + client.number


@connected.define("wrong-7")  # refused: the lifespan brings something else
async def wrong_7(order: Order, step: Step, client: Order) -> int:
    """Do nothing."""
    return step.attempt + order.cents + client.cents


async def body(order: Order, step: Step) -> None:
    """Use steps wrongly."""
    await step.run("a", charge, order.id)  # refused: cents missing
    await step.run("a", charge, order.id, "12")  # refused: cents is int
    await step.run("a", charge, order.id, 12, money="x")  # refused: no such keyword
    await step.run("a", total, ["x"])  # refused: list[int]
    await step.run(charge, order.id, 12)  # refused: no name
    a: str = await step.run("a", charge, order.id, 12)  # refused: Receipt
    await step.run(StepOptions("a", undo=undo_int), charge, order.id, 12)  # refused: undo of another type
    await step.run_workflow("s", ship, Receipt(1))  # refused: input
    await step.run_workflow("s", ship)  # refused: input missing
    b: str = await step.run_workflow("s", ship, order)  # refused: bool
    await step.map("m", ship, [1, 2])  # refused: inputs
    await step.sleep("n", "soon")  # refused: a timedelta
    c: Paid = await step.wait_for_event("e", paid, timeout=timedelta(1))  # refused: may be None
    await step.run_workflow("r", report, 3)  # refused: takes no input
    print(a, b, c)  # noqa: T201


async def main() -> None:
    """Start runs wrongly."""
    await checkout.run(Receipt(1))  # refused: input
    await checkout.run()  # refused: input missing
    await scalar.run("3")  # refused: int
    await report.run(3)  # refused: no input
    x: int = await (await checkout.run(Order(id="1", cents=1))).result()  # refused: Receipt
    await paid.send(Order(id="1", cents=1), key="1")  # refused: Paid
    await elsewhere.run(3)  # refused: Order
    await checkout.run(Order(id="1", cents=1), run_at="tomorrow")  # refused: datetime
    await workflows.schedules.create(Every(60, overlap="wait"), report, id="a")  # refused: no policy
    await workflows.schedules.create(Every(60), checkout, Receipt(1), id="a")  # refused: input
    y: str = workflows.blocking.run(checkout, Order(id="1", cents=1)).result()  # refused: Receipt
    print(x, y)  # noqa: T201

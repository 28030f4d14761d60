"""The shop's workflows: an order, its shipping, the warehouse, and the day's report."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import NamedTuple

from pydantic import BaseModel

from flows import Cron, Retries, Step, StepOptions, Workflow, Workflows
from order_shop import Day, Shop
from order_terms import Order, Outcome, Settings

#: A killed worker's runs go on after so long.
LEASE = timedelta(seconds=2)
#: Where the payment server does not answer, it is asked again.
PATIENT = Retries(max_attempts=5, backoff=0.2)


class Parcel(BaseModel):
    """What is to be sent, and for which order."""

    order_id: str
    sku: str


class Packed(BaseModel):
    """What the warehouse says when a parcel is ready."""

    parcel: str


class Declared(NamedTuple):
    """The app, and the workflow with which an order begins."""

    app: Workflows
    order: Workflow[Order, Outcome]


def declare(settings: Settings, shop: Shop) -> Declared:
    """Declare the shop's workflows; nothing is connected yet."""
    app = Workflows(
        "shop",
        redis_url=settings.redis_url,
        namespace=settings.namespace,
        lease=LEASE,
        max_crashes=settings.max_crashes,
        retention=timedelta(hours=1),
    )
    packed = app.event("packed", Packed)

    @app.define("pack", queue="warehouse", max_concurrency=4)
    async def pack(parcel: Parcel, step: Step) -> None:
        async def tell() -> int:
            ready = Packed(parcel=f"{parcel.sku} for {parcel.order_id}")
            return await packed.send(ready, key=parcel.order_id, event_id=step.run_id)

        await step.run("tell", tell)

    @app.define("ship", max_concurrency=None)
    async def ship(parcel: Parcel, step: Step) -> str:
        picked = await step.run("pick", shop.pick, parcel.sku)  # raises OutOfStock: the order hears ChildFailed
        await step.emit_workflow("pack", pack, parcel)
        return picked

    @app.define("order", max_concurrency=None, lookup=["email"])
    async def order(given: Order, step: Step) -> Outcome:
        refused = await step.run("validate", shop.validate, given)
        if refused is not None:
            return Outcome(status="refused", note=refused)
        await step.run(StepOptions("reserve", undo=shop.release), shop.reserve, given)
        charge = StepOptions("charge", timeout=10, retries=PATIENT, undo=partial(shop.refund, given))
        receipt = await step.run(charge, shop.charge, given)
        await step.run_workflow("ship", ship, Parcel(order_id=given.order_id, sku=given.sku))
        await step.sleep("settle", timedelta(milliseconds=200))
        ready = await step.wait_for_event("packed", packed, key=given.order_id)
        await step.run("mail", shop.mail, given.email, f"{ready.parcel} is on its way, {receipt.cents} cents paid")
        return Outcome(status="shipped", note=ready.parcel)

    @app.define("report", cron=Cron("59 23 * * *", id="daily-report"))
    async def report(step: Step) -> Day:
        return await step.run("count", shop.count)

    return Declared(app, order)

"""Leaves runs of every kind of step, in their second visit, and schedules that have missed slots."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from pydantic import BaseModel

from flows import Cron, Every, Failure, Retries, Step, StepOptions, Workflow, Workflows
from tests.waiting import until

#: A run of `long` has so many steps before it waits.
MANY = 1_200
#: And `map` so many children.
COPIES = 45


class Order(BaseModel):
    """What is ordered."""

    order_id: int


class Paid(BaseModel):
    """What was paid for it."""

    cents: int


class CarrierDown(Exception):
    """The carrier does not answer."""


class Desk:
    """The app, and how often each thing was tried."""

    def __init__(self, url: str, namespace: str) -> None:
        self.tries: dict[str, int] = {}
        self.app: Workflows[Any] = Workflows("orders", redis_url=url, namespace=namespace)
        self.paid = self.app.event("payment.received", Paid)
        self.copy: Workflow[int, int] = self._copy()
        self.order: Workflow[Order, str] = self._order()
        self.long: Workflow[int, None] = self._long()
        self._schedules()

    def _nth(self, what: str) -> int:
        self.tries[what] = self.tries.get(what, 0) + 1
        return self.tries[what]

    def _copy(self) -> Workflow[int, int]:
        @self.app.define("copy", max_concurrency=None)
        async def copy(number: int, step: Step) -> int:
            if number % 3 == 0:
                await step.sleep("long", timedelta(hours=1))
            return number

        return copy

    def _order(self) -> Workflow[Order, str]:
        patient = Retries(max_attempts=3, backoff=0.02)

        async def tell(_failure: Failure[Order]) -> None: ...

        async def refund(_receipt: str) -> None: ...

        async def charge() -> str:
            if self._nth("charge") == 1:
                raise ConnectionError("no answer")
            return "receipt"

        async def ship() -> str:
            if self._nth("ship") < 4:
                raise CarrierDown("the carrier does not answer")
            return "parcel"

        @self.app.define("order", on_failure=tell, lookup=["order_id"], max_concurrency=None, version="8c1f")
        async def order(given: Order, step: Step) -> str:
            await step.run("load", lambda: given.order_id)
            await step.run(StepOptions("charge", retries=patient, undo=refund), charge)
            await step.sleep("cool-down", timedelta(milliseconds=50))
            await step.run(StepOptions("ship", retries=patient), ship)
            payment = step.wait_for_event("payment", self.paid, key=str(given.order_id), timeout=timedelta(days=1))
            copies = step.map("copies", self.copy, list(range(COPIES)))
            got, _none, _made = await asyncio.gather(payment, step.sleep("remind", timedelta(hours=2)), copies)
            return f"{got}"

        return order

    def _long(self) -> Workflow[int, None]:
        @self.app.define("long", max_concurrency=None)
        async def long(steps: int, step: Step) -> None:
            for number in range(steps):
                await step.run(f"page-{number}", lambda: None)
            await step.sleep("rest", timedelta(hours=1))

        return long

    def _schedules(self) -> None:
        patient = timedelta(milliseconds=400)
        times = [
            Every(patient, id="often"),
            Every(patient, id="filled"),
            Cron("30 2 28 3,6 *", timezone="Europe/Berlin", id="quarter"),
            Cron("*/15 8-19 * * 1-5", timezone="Europe/Berlin", id="reminders"),
        ]

        @self.app.define("report", cron=times, max_concurrency=None)
        async def report(step: Step) -> int:
            return await step.run("count", lambda: 1)


async def leave(url: str, namespace: str) -> dict[str, str]:
    """Leave an order in its second visit that waits for three things, another one to act on, and missed slots."""
    desk = Desk(url, namespace)
    desk.app.create_workers(concurrency=8)
    async with desk.app:
        order = await desk.order.run(Order(order_id=7), tags=["vip"])
        long = await desk.long.run(MANY)

        async def failed() -> bool:
            return await order.status() == "failed"

        await until(failed)
        await order.retry()
        other = await desk.order.run(Order(order_id=9))

        async def settled() -> bool:
            for one in (order, other):
                waiting = [step.name for step in await one.steps() if step.status == "waiting"]
                if len(waiting) != 3 or await one.status() != "suspended":
                    return False
            return await long.status() == "suspended"

        await until(settled)
        await until(lambda: _has_come(desk.app))
    await asyncio.sleep(2.2)  # nobody fires what comes now: that is missed
    again = Desk(url, namespace)
    again.app.create_workers(concurrency=2)
    async with again.app:
        await until(lambda: _has_come(again.app, 5))
        for schedule in ("often", "filled"):
            await again.app.schedules.pause(schedule, "it is enough")
    return {"order": order.id, "other": other.id, "long": long.id}


async def _has_come(app: Workflows[Any], least: int = 1) -> bool:
    page = await app.list_runs(workflow="report", limit=50)
    return len(page.runs) >= least

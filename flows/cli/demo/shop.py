"""The shop of `flows demo`: orders go through queues, mails keep to limits, each bill is a run; and a catalogue."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal, TypeAlias

from pydantic import BaseModel

from flows.cli.demo.trees import Catalogue, make_catalogue
from flows.kernel.current import current_job
from flows.model.declared.description import describe
from flows.model.flow_options import FlowOptions
from flows.model.job import ChildJob, Job, JobResult
from flows.model.limits.limiter import Limiter
from flows.model.queue_options import QueueOptions
from flows.model.retries import Retries
from flows.model.schedules.every import Every
from flows.pipeline.flow import Flow
from flows.workflow.app import Workflows
from flows.workflow.definition import Workflow
from flows.workflow.run_flow import RunDescriptor, run_flow_options
from flows.workflow.steps.step import Step
from flows.workflow.steps.step_options import StepOptions

#: The app of its workflow: a name that no other has by chance.
APP: Final = "demo-billing"
#: Seconds that a part of an order takes; two at a time are fewer than are ordered: the slow queue.
PACKING: Final = 0.6
#: The supplier never answers about these customers: their orders fail.
UNKNOWN_CUSTOMERS: Final = frozenset({7, 62})
_SOMETIMES: Final = 0.1
#: A bill of so much waits for a person, for a minute.
_LARGE: Final = 18_000
_DONE: Final = {"found": 1 / 3, "wrapped": 2 / 3, "labelled": 1.0}
_chance = random.Random()  # noqa: S311 - no secrets


class Order(BaseModel):
    """What is ordered, and by whom."""

    customer: int
    cents: int


class Check(Job):
    """An order that is checked."""

    customer: int


class Price(Job):
    """An order whose price is asked for."""

    customer: int
    cents: int


class Priced(JobResult):
    """What the supplier wants for it."""

    cost: int


class Pack(Job):
    """An order whose parts are packed."""

    cost: int


class Part(Job):
    """A part of an order."""

    number: int


class Ship(Job):
    """An order that is packed, and goes out."""

    customer: int


class Mail(BaseModel):
    """A mail to a customer."""

    customer: int
    country: str = "DE"


class Send(Job):
    """A mail that goes out."""

    customer: int
    country: str


class Bill(BaseModel):
    """What a customer owes."""

    customer: int
    cents: int


class Approval(BaseModel):
    """What a person says of a bill."""

    good: bool


class SupplierTimeout(Exception):
    """The supplier does not answer."""


OrderFlow: TypeAlias = Flow[Check | Price | Pack | Ship, Order, Literal["customer"]]
MailFlow: TypeAlias = Flow[Send, Mail, Literal["customer"]]


@dataclass(frozen=True)
class Shop:
    """All that the demo runs."""

    orders: OrderFlow
    mails: MailFlow
    billing: Workflows
    bill: Workflow[Bill, str]
    catalogue: Catalogue

    async def declared(self) -> frozenset[tuple[str, str]]:
        """Return what it declares where it connects: names of flows, each with the digest of a declaration."""
        flows = (self.orders._declaration, self.mails._declaration)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        found = {(flow.options.name, describe(flow.options, flow.params).digest) for flow in flows}
        trees = self.catalogue.trees._runs  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        for app in (self.billing, trees):
            host = app._host  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
            workflows = tuple(host.definitions.values())
            runs = run_flow_options(host.options, workflows)
            found.add((runs.name, (await RunDescriptor(runs, app.app, workflows).description()).digest))
        return frozenset(found)


async def check(job: Check) -> None:
    """Look at an order."""
    await asyncio.sleep(_chance.uniform(0.01, 0.1))
    current_job().log("the order is complete", customer=job.customer)


async def price(job: Price) -> Priced:
    """Ask the supplier, who does not always answer; an order has up to three parts."""
    await asyncio.sleep(_chance.uniform(0.05, 0.2))
    if job.customer in UNKNOWN_CUSTOMERS or _chance.random() < _SOMETIMES:
        raise SupplierTimeout(f"no answer about customer {job.customer} within 0.2 s")
    parts = [ChildJob(Part, {"number": number + 1}) for number in range(1 + job.cents % 3)]
    return Priced(cost=job.cents * 2 // 3, children=parts)


async def pack(_part: Part) -> None:
    """Pack a part, which takes its time."""
    for look in ("found", "wrapped", "labelled"):
        await asyncio.sleep(PACKING / 3)
        current_job().progress(_DONE[look], look)


async def ship(job: Ship) -> None:
    """Hand a parcel to the carrier."""
    await asyncio.sleep(0.02)
    current_job().log("handed over", customer=job.customer)


async def send(_job: Send) -> None:
    """Send a mail."""
    await asyncio.sleep(0.02)


async def charge(bill: Bill) -> str:
    """Charge a customer; some cards are declined at first."""
    await asyncio.sleep(0.05)
    if _chance.random() < _SOMETIMES:
        raise ConnectionError("the bank does not answer")
    return f"receipt of {bill.cents / 100:.2f} from customer {bill.customer}"


def make_shop(redis_url: str | None, namespace: str) -> Shop:
    """Return the shop with its workers; nothing is connected yet.

    Raises:
        DeclarationError: The URL or the namespace cannot be used.
    """
    kept = timedelta(minutes=15)
    again = Retries(max_attempts=3, backoff=0.5)
    orders = OrderFlow(
        FlowOptions(
            "shop",
            [
                QueueOptions("shop-check", job=Check, next_queue="shop-price"),
                QueueOptions("shop-price", job=Price, next_queue="shop-pack", retries=again),
                QueueOptions("shop-pack", job=Pack, next_queue="shop-ship", children=[QueueOptions("part", job=Part)]),
                QueueOptions("shop-ship", job=Ship),
            ],
            lookup_attributes=["customer"],
            redis_url=redis_url,
            namespace=namespace,
            retention=kept,
        )
    )
    orders.create_workers(Check, check, concurrency=4)
    orders.create_workers(Price, price, concurrency=4)
    orders.create_parent_workers(Pack)
    orders.create_child_workers(Pack, Part, pack, concurrency=2)
    orders.create_workers(Ship, ship, concurrency=2)
    mails = MailFlow(
        FlowOptions(
            "mails",
            [QueueOptions("mails-send", job=Send, group_by="country", limits=[Limiter(10, timedelta(seconds=10))])],
            lookup_attributes=["customer"],
            redis_url=redis_url,
            namespace=namespace,
            retention=kept,
        )
    )
    mails.create_workers(Send, send, concurrency=4)
    billing = Workflows(APP, redis_url=redis_url, namespace=namespace, retention=kept)

    @billing.define("bill", lookup=["customer"], max_concurrency=None)
    async def bill(given: Bill, step: Step) -> str:
        receipt = await step.run(StepOptions("charge", retries=Retries(max_attempts=3, backoff=0.5)), charge, given)
        await step.sleep("cool down", timedelta(seconds=2))
        if given.customer in UNKNOWN_CUSTOMERS:
            raise LookupError(f"customer {given.customer} has no address")
        if given.cents >= _LARGE:
            minute = timedelta(minutes=1)
            answer = await step.wait_for_input("approve", Approval, prompt="is this bill right?", timeout=minute)
            return receipt if answer is None or answer.good else "taken back"
        return receipt

    @billing.define("figures", cron=[Every(timedelta(minutes=1), id="figures", input="the last minute")])
    async def _figures(given: str, step: Step) -> str:
        return await step.run("count", lambda: f"{given}: all is well")

    billing.create_workers(concurrency=4)
    return Shop(orders, mails, billing, bill, make_catalogue(redis_url, namespace))

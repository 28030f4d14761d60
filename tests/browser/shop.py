"""A shop whose jobs are in each state, and go on moving: run as a program, it works until its input ends.

Usage: python -m tests.browser.shop <redis url> <namespace>

It prints the ids of what it has left, once all of it is there.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from datetime import timedelta
from typing import Any, Literal

from pydantic import BaseModel

from flows import (
    ChildJob,
    Cron,
    Every,
    Flow,
    FlowOptions,
    Job,
    JobResult,
    Limiter,
    QueueOptions,
    Retries,
    Step,
    StepOptions,
    Workflow,
    Workflows,
    current_job,
)
from flows.api import Admin, Caller
from flows.api.queues.acting import pause, set_limit
from tests.browser.tree_app import Site
from tests.browser.tree_app import declare as declare_trees
from tests.waiting import LONG, until

#: Their orders fail: the supplier knows nothing about them.
UNKNOWN = frozenset({7, 62})
#: The order of this one waits for a part that is never packed.
WAITS = 8
ENDLESS = 99


class Order(BaseModel):
    """What is ordered, and by whom."""

    user_id: int
    region: Literal["north", "south"] = "north"
    lines: list[str] = ["tea"]
    note: str = ""


class Check(Job):
    """An order that is checked."""

    user_id: int


class Price(Job):
    """An order whose price is asked for."""

    user_id: int


class Pack(Job):
    """An order that is packed in parts."""

    price: int


class Priced(JobResult):
    """What it costs."""

    price: int


class Part(Job):
    """A part of an order."""

    number: int


class Ship(Job):
    """An order that goes out."""

    price: int


class Mail(BaseModel):
    """A mail to a customer."""

    user_id: int


class Send(Job):
    """A mail that goes out."""

    user_id: int


class Report(BaseModel):
    """A report that nobody works on."""

    month: str


class Write(Job):
    """A report that is written."""

    month: str


class Bill(BaseModel):
    """What a customer owes."""

    user_id: int
    cents: int = 1999


class Approval(BaseModel):
    """What a person says of a bill."""

    good: bool


class SupplierTimeout(Exception):
    """The supplier does not answer."""


Shop = Flow[Check | Price | Pack | Ship, Order, Literal["user_id", "region"]]
Mails = Flow[Send, Mail, Literal["user_id"]]
Reports = Flow[Write, Report, Literal["month"]]


def declare(url: str, namespace: str) -> tuple[Shop, Mails, Reports]:
    """Return the flows: a pipeline whose last queue keeps to a limit, one that will be paused, and one unserved."""
    shop = Shop(
        FlowOptions(
            "shop",
            [
                QueueOptions("shop-check", job=Check, next_queue="shop-price"),
                QueueOptions("shop-price", job=Price, next_queue="shop-pack", retries=Retries(2, backoff=0.01)),
                QueueOptions("shop-pack", job=Pack, next_queue="shop-ship", children=[QueueOptions("part", job=Part)]),
                QueueOptions("shop-ship", job=Ship, limits=[Limiter(30, 60)], priorities=2, group_by="user_id"),
            ],
            lookup_attributes=["user_id", "region"],
            redis_url=url,
            namespace=namespace,
        )
    )
    mails = Mails(
        FlowOptions(
            "mails",
            [QueueOptions("mails-send", job=Send, limits=[Limiter(100, 60, group_key="user_id")])],
            lookup_attributes=["user_id"],
            redis_url=url,
            namespace=namespace,
        )
    )
    reports = Reports(
        FlowOptions(
            "reports",
            [QueueOptions("reports-write", job=Write)],
            lookup_attributes=["month"],
            redis_url=url,
            namespace=namespace,
        )
    )
    shop.create_workers(Check, check, concurrency=4)
    shop.create_workers(Price, price, concurrency=4)
    shop.create_parent_workers(Pack)
    shop.create_child_workers(Pack, Part, part, concurrency=8)
    shop.create_workers(Ship, ship, concurrency=2)
    mails.create_workers(Send, send)
    return shop, mails, reports


async def check(job: Check) -> None:
    """Look at an order, and say so."""
    current_job().log("the order is complete", user_id=job.user_id)


async def price(job: Price) -> Priced:
    """Ask the supplier, who does not know everybody."""
    if job.user_id in UNKNOWN:
        raise SupplierTimeout(f"no answer about customer {job.user_id} within 0.2 s")
    parts = (1, ENDLESS) if job.user_id == WAITS else (1, 2)
    return Priced(price=job.user_id * 10, children=[ChildJob(Part, {"number": number}) for number in parts])


async def part(job: Part) -> None:
    """Pack a part, which takes its time."""
    current_job().progress(0.5, "half of it")
    await asyncio.sleep(3600 if job.number == ENDLESS else 0.2)


async def ship(_job: Ship) -> None:
    """Send a parcel."""


async def send(_job: Send) -> None:
    """Send a mail."""


def billing(url: str, namespace: str) -> tuple[Workflows[Any], Workflow[Bill, str]]:
    """Return the app, and what it does with a bill."""
    app = Workflows("billing", redis_url=url, namespace=namespace, retention=timedelta(days=1))

    @app.define(
        "bill",
        lookup=["user_id"],
        cron=[
            Cron("0 7 * * 1-5", timezone="Europe/Berlin", id="nightly", input=Bill(user_id=1)),
            Every(timedelta(hours=5), id="often", input=Bill(user_id=2)),
        ],
    )
    async def bill(given: Bill, step: Step) -> str:
        receipt = await step.run(StepOptions("charge", retries=Retries(2, backoff=0.01)), _charge, given)
        if given.user_id == 3:
            answer = await step.wait_for_input("approve", Approval, prompt="is this bill right?")
            return f"{answer.good}"
        if given.user_id == 4:
            await step.sleep("cool down", timedelta(hours=1))
        return receipt

    app.create_workers(concurrency=4)
    return app, bill


def _charge(given: Bill) -> str:
    if given.user_id == 62:
        raise LookupError("customer 62 has no address")
    return f"receipt of {given.cents}"


async def leave(url: str, namespace: str, shop: Shop, mails: Mails, reports: Reports) -> dict[str, str]:
    """Leave jobs in each state, and entries of the audit by others; return the ids."""
    async with Admin(url, namespace, Caller(name="bo", role="operator")) as bo:
        await mails.create_job(Mail(user_id=1))
        await pause(bo, "mails-send", note="the provider is down")
        await set_limit(bo, "mails-send", "mails-send:1", 50)
    ids = {
        "failed": await shop.create_job(Order(user_id=62, note="<b>urgent</b>")),
        "failed2": await shop.create_job(Order(user_id=62, region="south")),
        "parent": await shop.create_job(Order(user_id=WAITS, lines=["tea", "pot"])),
        "delayed": await shop.create_job(Order(user_id=9), delay=timedelta(hours=1)),
        "cancelled": await shop.create_job(Order(user_id=5), delay=timedelta(hours=1)),
        "unserved": await reports.create_job(Report(month="2026-10")),
        "paused": await mails.create_job(Mail(user_id=2)),
    }
    await shop.cancel_job(ids["cancelled"], "no longer wanted")
    for name in ("failed", "failed2"):
        await shop.wait_for(ids[name], LONG)
    await until(lambda: _has_children(shop))
    return ids


async def _has_children(shop: Shop) -> bool:
    return bool((await shop.states())["shop-pack"].children)


async def leave_runs(bill: Workflow[Bill, str]) -> dict[str, str]:
    """Leave a run that is done, one that has failed, one that waits for an answer, and one that sleeps."""
    done, failed, asked, asleep = [await bill.run(Bill(user_id=user)) for user in (1, 62, 3, 4)]
    await done.result()

    async def settled() -> bool:
        states = [await run.status() for run in (failed, asked, asleep)]
        return states == ["failed", "suspended", "suspended"]

    await until(settled)
    return {"run": done.id, "run_failed": failed.id, "run_asked": asked.id, "run_asleep": asleep.id}


async def leave_tree(url: str, namespace: str) -> str:
    """Leave a tree that nobody has executed."""
    trees, import_site = declare_trees(url, namespace)
    async with trees:
        return (await import_site.create(Site(url="acme.example"), realm="acme", name="acme.com")).id


async def main(url: str, namespace: str) -> None:
    """Leave all of it, tell the ids, and go on ordering until the input ends."""
    logging.getLogger("flows").setLevel(logging.CRITICAL)  # what fails here fails on purpose
    shop, mails, reports = declare(url, namespace)
    app, bill = billing(url, namespace)
    async with shop, mails, reports, app:
        ids = {**await leave(url, namespace, shop, mails, reports), **await leave_runs(bill)}
        ids["tree"] = await leave_tree(url, namespace)
        sys.stdout.write(f"{json.dumps(ids)}\n")
        sys.stdout.flush()
        over = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
        number = 100
        while not over.done():
            number += 1
            await shop.create_job(Order(user_id=10 + number % 10))
            await asyncio.wait({over}, timeout=0.5)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

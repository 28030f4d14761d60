"""Writes the jobs of a flow whose code nobody else imports: run as a program, it leaves a Redis to be operated.

Usage: shop.py <redis url> <namespace>
"""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from flows import ChildJob, Flow, FlowOptions, Job, JobResult, Limiter, QueueOptions, current_job

sys.path.append(str(Path(__file__).parents[2]))
from tests.api.orchard import leave_trees
from tests.api.press import leave_runs
from tests.waiting import until

#: Stands in a field that is hidden from some callers.
CANARY = "canary-7f3a"


class Order(BaseModel):
    """What an order is created with."""

    user_id: int = 0
    email: str = "nobody@example.org"
    due: datetime | None = None
    tags: list[str] = []


class Price(Job):
    """An order without a price."""

    user_id: int
    email: str


class Priced(JobResult):
    """An order's price."""

    price: int


class Pack(Job):
    """An order that is packed in parts."""

    price: int


class Part(Job):
    """A part of an order."""

    number: int


class Ship(Job):
    """An order that goes out."""

    price: int


Shop = Flow[Price | Pack | Ship, Order, Literal["user_id", "email", "tags"]]
ShopFlow = Flow[Price | Pack | Ship, Order, Literal["user_id", "email", "tags"]]


def shop(url: str, namespace: str, name: str = "shop") -> Shop:
    """Return the flow."""
    return ShopFlow(
        FlowOptions(
            name,
            [
                QueueOptions(f"{name}-price", job=Price, next_queue=f"{name}-pack"),
                QueueOptions(
                    f"{name}-pack", job=Pack, next_queue=f"{name}-ship", children=[QueueOptions("part", job=Part)]
                ),
                QueueOptions(f"{name}-ship", job=Ship, limits=[Limiter(5, 60)], priorities=2, group_by="user_id"),
            ],
            lookup_attributes=["user_id", "email", "tags"],
            redis_url=url,
            namespace=namespace,
        )
    )


async def price(job: Price) -> Priced:
    """Price an order; those of user 7 fail, and say whose they are."""
    current_job().log(f"pricing for {job.email}", who=job.email)
    current_job().progress(0.5, f"half of {job.email}")
    if job.user_id == 7:
        raise TimeoutError(f"no price for {job.email}")
    return Priced(price=job.user_id * 10, children=[ChildJob(Part, {"number": number}) for number in (1, 2)])


async def has_children(flow: Shop) -> bool:
    """Return whether a job waits for its children, as another process sees it."""
    return bool((await flow.states())["shop-pack"].children)


async def leave(url: str, namespace: str) -> dict[str, str]:
    """Leave failed, waiting and delayed jobs of `shop`, and a waiting one of `other`; return their ids."""
    flow, other = shop(url, namespace), shop(url, namespace, "other")
    flow.create_workers(Price, price)
    flow.create_parent_workers(Pack)
    await flow.start_all()
    ids = {
        "failed": await flow.create_job(Order(user_id=7, email=CANARY, tags=["red"])),
        "failed2": await flow.create_job(Order(user_id=7, email="seven@example.org", tags=["red", "blue"])),
        "passed": await flow.create_job(Order(user_id=8, email=CANARY), idempotency_key=f"key-of-{CANARY}"),
    }
    async with asyncio.timeout(60):
        for name in ("failed", "failed2"):
            await flow.wait_for(ids[name], 60)
        await until(lambda: has_children(flow))
    await flow.stop_all()
    ids["waiting"] = await flow.create_job(Order(user_id=9, email=CANARY))
    ids["delayed"] = await flow.create_job(Order(user_id=9, email="nine@example.org"), delay=timedelta(hours=1))
    ids["cancelled"] = await flow.create_job(Order(user_id=5, email=CANARY))
    await flow.cancel_job(ids["cancelled"], f"asked for by {CANARY}")
    ids["other"] = await other.create_job(Order(user_id=7, email="other@example.org"))
    await flow.stop_all()
    await other.stop_all()
    return ids


async def leave_all(url: str, namespace: str) -> dict[str, str]:
    """Leave jobs, runs of the app `press`, and trees of the app `orchard`; return their ids."""
    jobs, runs = await leave(url, namespace), await leave_runs(url, namespace, CANARY)
    return {**jobs, **runs, **await leave_trees(url, namespace, CANARY)}


if __name__ == "__main__":
    sys.stdout.write(f"{json.dumps(asyncio.run(leave_all(*sys.argv[1:])))}\n")

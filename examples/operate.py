"""What an operator asks of a flow: what waits? the jobs of user 7? why does one not run? retry all that failed.

`operate` has these four wishes. The rest makes something to operate on: a hundred orders, each tenth of which fails
while the card service is down, and a queue that nobody works on. What happens goes to stderr; the last line is a JSON
object, of what the operator got and how it ended.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from typing import Any, Literal

from pydantic import BaseModel

from flows import Fail, Flow, FlowOptions, Job, JobResult, QueueOptions

ORDERS = 100
#: Seconds after which something that should happen has not happened.
PATIENCE = 60.0


class Order(BaseModel):
    """What an order begins with."""

    user_id: int


class Pay(Job):
    """What the function that takes the money sees."""

    user_id: int


class Paid(JobResult):
    """What it returns."""

    receipt: str


class Ship(Job):
    """What the function that sends the parcel sees."""

    receipt: str


shop = Flow[Pay | Ship, Order, Literal["user_id"]](
    FlowOptions(
        name="operated-shop",
        namespace="operate:",
        lookup_attributes=["user_id"],
        queues=[QueueOptions("pay", job=Pay, next_queue="ship"), QueueOptions("ship", job=Ship)],
        retention=60,
    )
)
#: What is wrong with the card service, until somebody mends it.
down = ["card service: connection refused"]


@shop.worker(Pay, concurrency=10)
async def pay(job: Pay) -> Paid:
    """Take the money; each tenth card needs the service."""
    if job.user_id % 10 == 0 and down:
        raise Fail(down[0])
    return Paid(receipt=f"receipt of user {job.user_id}")


async def operate() -> dict[str, Any]:
    """Return what the operator learns and does."""
    waits = {name: queue.waiting for name, queue in (await shop.states()).items() if queue.waiting}
    of_user_7 = (await shop.jobs.where("user_id", 7).page()).jobs
    why = await shop.explain(of_user_7[0].id)
    retrying = await shop.jobs.status("failed").retry()
    retried = await retrying.wait(PATIENCE)
    return {
        "waits": waits,
        "jobs_of_user_7": [job.status for job in of_user_7],
        "why_it_does_not_run": str(why),
        "retried": retried.done,
    }


async def main() -> dict[str, Any]:
    """Run the shop until it needs its operator, then until all is done."""
    async with shop:
        await shop.create_jobs(Order(user_id=number % 20) for number in range(ORDERS))
        await shop.queue(Pay).drain(PATIENCE)
        down.clear()
        learnt = await operate()
        print(learnt["why_it_does_not_run"], file=sys.stderr)

        @shop.worker(Ship, concurrency=10)
        async def ship(job: Ship) -> None:
            logging.getLogger("shop").debug("%s: sent", job.receipt)

        await shop.queue(Pay).drain(PATIENCE)
        await shop.queue(Ship).drain(PATIENCE)
        counts = {name: state.counts for name, state in (await shop.states()).items()}
    return {**learnt, "counts": counts}


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    print(json.dumps(asyncio.run(main())))

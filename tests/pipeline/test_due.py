"""Jobs that are due: one idle worker of many wakes for each, however many are delayed beside."""

from __future__ import annotations

from collections import Counter

import pytest
from redis import Redis

from flows.model.ids import new_job_id
from flows.store.jobs.turns import Turns
from tests.pipeline.parts import LONG, Order, Orders, Price, Priced, ship, within
from tests.scale import scaled
from tests.waiting import until

WORKERS = 250
FAR = 4_000_000_000_000


def delay_for_years(redis: Redis, namespace: str, count: int) -> None:
    """Write jobs that are due in a hundred years."""
    for start in range(0, count, 5000):
        with redis.pipeline(transaction=False) as pipeline:
            for at in range(start, min(count, start + 5000)):
                job_id = new_job_id()
                fields = {
                    "_status": "delayed",
                    "_queue": "price",
                    "_attempt": f"0 - 0 0 0 {FAR + at} -",
                    "user_id": "1",
                }
                pipeline.hset(f"{namespace}job:orders:{job_id}", mapping=fields)
                pipeline.zadd(f"{namespace}queue:price:delayed", {job_id: FAR + at})
            pipeline.execute()


@pytest.mark.scale
async def test_one_idle_worker_of_250_wakes_for_a_due_job(
    orders: Orders, redis: Redis, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that the creation wakes sets its alarm, and claims when the time has come; nobody else takes a turn.

    Turns are counted, by worker: two to set the alarm and to claim, one that ends the job and finds nothing more.
    """
    monkeypatch.setattr("flows.store.jobs.wakeups.POLL_SECONDS", 3600.0)
    taken: Counter[str] = Counter()
    turn = Turns.turn

    async def counted(turns: Turns, *given: object, **more: object) -> object:
        if turns.queue == "price":
            taken[turns.worker_id] += 1
        return await turn(turns, *given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Turns, "turn", counted)

    async def price(job: Price) -> Priced:
        return Priced(price=job.user_id)

    delay_for_years(redis, namespace, scaled(2_000, full=1_000_000))
    orders.create_workers(Price, price, count=WORKERS)
    orders.create_workers("ship", ship)
    async with orders:
        await until(lambda: len(taken) == WORKERS)
        for delay in (0.05, 0.1, 0.2, 0.1, 0.05):
            taken.clear()
            job_id = await orders.create_job(Order(user_id=1), delay=delay)
            record = await within(orders.wait_for(job_id, LONG))
            assert record.status == "done"
            assert len(taken) == 1, taken
            assert taken.total() <= 3, taken

"""A job is moved to another queue of its flow: by its id, by a query, by plain callers."""

from __future__ import annotations

import pytest

from flows import JobGone, StateError, ValidationError
from tests.pipeline.parts import LONG, Lists, Order, Orders, Price, Ship, Shipped

GONE = "01890a5d-ac96-774b-bcce-b302099a8057"


async def test_moves_a_job_to_another_queue(orders: Orders) -> None:
    """It runs there, with what it has; that it was never priced is its new queue's affair."""

    async def ship(job: Ship) -> Shipped:
        return Shipped(parcel=str(job.user_id))

    job_id = await orders.create_job(Order(user_id=7))
    assert await orders.move_job(job_id, to=Ship) == "moved"
    record = await orders.get_job(job_id)
    assert record is not None
    assert (record.status, record.queue) == ("waiting", "ship")
    with pytest.raises(StateError, match="in 'ship' already: it cannot be moved to 'ship'"):
        await orders.move_job(job_id, to="ship")
    assert await orders.move_job(job_id, to=Price) == "moved"
    await orders.stop_all()


async def test_what_cannot_be_moved_is_told(orders: Orders) -> None:
    """No such job, no such queue, a job that is done."""
    with pytest.raises(JobGone):
        await orders.move_job(GONE, to="ship")
    with pytest.raises(ValidationError, match="no queue 'shop'"):
        await orders.move_job(GONE, to="shop")
    with pytest.raises(ValidationError, match="no queue 'shop'"):
        await orders.jobs.move("shop")
    await orders.stop_all()


async def test_no_job_is_moved_to_a_child_queue(lists: Lists) -> None:
    """Only children of its parents wait there."""
    child = next(name for name in lists._declaration.plans if ":" in name)
    with pytest.raises(ValidationError, match="is a child queue"):
        await lists.move_job(GONE, to=child)


async def test_moves_many_by_a_query(orders: Orders) -> None:
    """Waiting, delayed and cancelled ones; what is in the queue already is passed over."""
    waiting = await orders.create_jobs(Order(user_id=7) for _ in range(250))
    delayed = await orders.create_jobs([Order(user_id=7)], delay=3600)
    for job_id in waiting[:3]:
        await orders.cancel_job(job_id)
    await orders.move_job(waiting[-1], to=Ship)
    result = await (await orders.jobs.where("user_id", 7).move(Ship)).wait(LONG)
    assert result.words == {"moved": 250, "there": 1}
    records = await orders.get_jobs([*waiting, *delayed])
    assert {(record.status, record.queue) for record in records if record} == {("waiting", "ship")}
    await orders.stop_all()


def test_plain_callers_move_jobs(orders: Orders) -> None:
    """By id and by query."""
    one, other = orders.sync.create_jobs([Order(user_id=7), Order(user_id=7)])
    assert orders.sync.move_job(one, to="ship") == "moved"
    assert orders.sync.jobs.queue("price").move("ship").wait(LONG).words == {"moved": 1}
    assert {record and record.queue for record in orders.sync.get_jobs([one, other])} == {"ship"}
    orders.sync.close()

"""A process that was to work and has no worker function says so, and who waits for a job learns that nobody has it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from flows import WaitTimeout
from flows.telemetry.events import Event
from tests.pipeline.parts import LONG, Order, Orders, Price, price, ship, within


def heard(orders: Orders) -> list[Event]:
    """Return a list to which all events are added from now on."""
    events: list[Event] = []
    orders.events.subscribe(events.append)
    return events


async def test_a_run_without_workers_says_so(orders: Orders) -> None:
    """A worker process that imports the declaration alone would be silent for ever."""
    running = asyncio.create_task(orders.run(signals=False))
    event = await within(orders.events.wait_for("flow.no_workers", flow="orders"), LONG)
    assert "import the module" in str(event.fields["remedy"])
    await orders.stop_all()
    assert await running == 0


async def test_a_producer_without_workers_is_silent(orders: Orders) -> None:
    """It only creates jobs."""
    events = heard(orders)
    async with orders:
        await orders.create_job(Order())
    assert not {event.name for event in events} & {"flow.no_workers", "flow.started"}


async def test_the_start_names_queues_that_have_no_worker_here(orders: Orders) -> None:
    """Another process may have them; where all have one, nothing is named."""
    events = heard(orders)
    orders.create_workers(Price, price)
    async with orders:
        pass
    orders.create_workers("ship", ship)
    async with orders:
        pass
    started = [event.fields.get("without_worker") for event in events if event.name == "flow.started"]
    assert started == [["ship"], None]


async def test_who_waits_in_vain_learns_that_no_worker_runs_here(orders: Orders) -> None:
    """By plain calls too; where one runs, or has the job, that is not why."""
    job_id = await orders.create_job(Order())
    lonely = r"is still waiting in 'price' after 0\.05 s; no worker of 'price' runs in this process$"
    with pytest.raises(WaitTimeout, match=lonely):
        await orders.wait_for(job_id, 0.05)
    with pytest.raises(WaitTimeout, match=lonely):
        await asyncio.to_thread(orders.sync.wait_for, job_id, 0.05)
    begun = asyncio.Event()

    async def stuck(_job: Price) -> Any:
        begun.set()
        await asyncio.Event().wait()

    orders.create_workers(Price, stuck)
    async with asyncio.timeout(LONG):
        await orders.start_all()
        await begun.wait()
        second = await orders.create_job(Order())
        for waiting in (job_id, second):
            with pytest.raises(WaitTimeout, match=r"after 0\.05 s$"):
                await orders.wait_for(waiting, 0.05)
        await orders.stop_all(grace=0)

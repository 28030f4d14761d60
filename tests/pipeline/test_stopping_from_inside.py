"""A job that stops, or starts again, what it runs in: it asks and returns, since it would wait for itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from flows import StoreUnavailable, WrongLoop
from tests.pipeline.parts import LONG, Order, Orders, Price, Priced, Ship, order_flow, price, ship, within
from tests.waiting import until

Ask = Callable[[Orders], Coroutine[Any, Any, object]]


async def stop_flow(flow: Orders) -> None:
    """Stop the flow."""
    await flow.stop_all()


async def stop_flow_soon(flow: Orders) -> None:
    """Stop the flow, and hand back what still runs in 20 seconds."""
    await flow.stop_all(20)


async def stop_worker(flow: Orders) -> None:
    """Stop the worker itself."""
    await flow.workers[0].stop()


async def stop_in_a_task(flow: Orders) -> None:
    """Stop it in a task that this one has started."""
    async with asyncio.TaskGroup() as group:
        group.create_task(flow.stop_all())


async def leave(flow: Orders) -> None:
    """Leave a block that stops the flow at its end."""
    async with flow:
        pass


@pytest.mark.parametrize("ask", [stop_flow, stop_flow_soon, stop_worker, stop_in_a_task, leave])
async def test_it_asks_and_returns(redis_url: str, namespace: str, ask: Ask) -> None:
    """The job is done, its worker stops, no other job is taken, and whoever stops it from outside need not wait."""
    flow = order_flow(redis_url, namespace)
    asked = asyncio.Event()

    async def last(job: Price) -> Priced:
        await ask(flow)
        assert flow.workers[0].status == "stopping"
        asked.set()
        return Priced(price=job.user_id)

    flow.create_workers(Price, last)
    flow.create_workers(Ship, ship)
    await flow.start_all()
    first, second = await flow.create_jobs([Order(user_id=1), Order(user_id=2)])
    await within(asked.wait())
    await until(lambda: flow.workers[0].status == "stopped")
    await within(flow.stop_all())
    assert {worker.status for worker in flow.workers} == {"stopped"}
    records = [await flow.get_job(job_id) for job_id in (first, second)]
    assert records[0] is not None
    assert records[0].queue == "ship"
    assert records[1] is not None
    assert (records[1].queue, str(records[1].status)) == ("price", "waiting")
    await flow.stop_all()


async def stops_after_its_job(flow: Orders, last: Callable[[Price], Priced]) -> None:
    """Run a job whose function asks for the stop: the job goes on to the next queue, and its worker stops."""
    flow.create_workers(Price, last)
    await flow.start_all()
    job_id = await flow.create_job(Order(user_id=1))
    await until(lambda: flow.workers[0].status == "stopped")
    await within(flow.stop_all())
    record = await flow.get_job(job_id)
    assert record is not None
    assert record.queue == "ship"
    await flow.stop_all()


async def test_it_asks_from_a_thread(redis_url: str, namespace: str) -> None:
    """A plain function reaches the loop by asyncio's own bridge, and takes along which job it is."""
    flow = order_flow(redis_url, namespace)
    loop = asyncio.get_running_loop()

    def last(job: Price) -> Priced:
        asyncio.run_coroutine_threadsafe(flow.stop_all(), loop).result(20)
        return Priced(price=job.user_id)

    await stops_after_its_job(flow, last)


@pytest.mark.parametrize("ask", [stop_flow, stop_flow_soon, stop_worker])
async def test_it_asks_from_a_loop_of_its_own(redis_url: str, namespace: str, ask: Ask) -> None:
    """A plain function calls it by `asyncio.run`, as it calls all else: the flow's own loop does what it asks for."""
    flow = order_flow(redis_url, namespace)

    def last(job: Price) -> Priced:
        asyncio.run(ask(flow))
        return Priced(price=job.user_id)

    await stops_after_its_job(flow, last)


async def test_another_thread_is_refused(orders: Orders) -> None:
    """Whoever runs in no job of the flow is told that another loop has it."""
    orders.create_workers(Price, price)
    async with orders:
        for ask in (stop_flow, stop_worker):
            with pytest.raises(WrongLoop):
                await asyncio.to_thread(asyncio.run, ask(orders))


@pytest.mark.parametrize("ask", [stop_flow, stop_flow_soon, stop_worker, stop_in_a_task])
@pytest.mark.parametrize("when", ["opening", "closing"])
async def test_a_lifespan_asks_and_returns(redis_url: str, namespace: str, ask: Ask, when: str) -> None:
    """Its worker waits for its end, so that it cannot wait for its worker's."""
    flow = order_flow(redis_url, namespace)
    asked: list[str] = []

    @asynccontextmanager
    async def lifespan() -> AsyncGenerator[int]:
        if when == "opening":
            await ask(flow)
            asked.append(when)
        yield 1
        if when == "closing":
            await ask(flow)
            asked.append(when)

    @flow.worker(Price, lifespan=lifespan)
    async def with_number(job: Price, _number: int) -> Priced:
        return await price(job)

    await flow.start_all()
    if when == "closing":
        recorded = asyncio.create_task(flow.events.wait_for("job.recorded", queue="price"))
        await flow.create_job(Order(user_id=1))
        await within(recorded)
        await within(flow.workers[0].stop())
    else:
        await until(lambda: flow.workers[0].status == "stopped")
    assert asked or when == "opening"  # what opens may be cancelled, since nobody needs it any more
    await within(flow.stop_all())
    assert {worker.status for worker in flow.workers} == {"stopped"}


async def test_it_starts_them_anew(redis_url: str, namespace: str) -> None:
    """A "restart" job: the workers stop when it has ended, and start again."""
    flow = order_flow(redis_url, namespace)
    ran: list[Any] = []

    async def restart(job: Price) -> Priced:
        ran.append(flow.workers[0]._worker_loop)
        if job.user_id == 1:
            await flow.workers[0].stop()
            await flow.workers[0].start()
        return Priced(price=job.user_id)

    flow.create_workers(Price, restart)
    flow.create_workers(Ship, ship)
    async with flow:
        for user_id in (1, 2):
            job_id = await flow.create_job(Order(user_id=user_id))
            assert (await within(flow.wait_for(job_id, LONG))).status == "done"
    assert len(set(ran)) == 2


async def test_another_workers_end_is_waited_for(redis_url: str, namespace: str) -> None:
    """A job may wait for the end of a worker that it does not run in."""
    flow = order_flow(redis_url, namespace)
    seen: list[str] = []

    async def stopping(job: Price) -> Priced:
        await flow.workers[1].stop()
        seen.append(flow.workers[1].status)
        return await price(job)

    flow.create_workers(Price, stopping)
    flow.create_workers(Ship, ship)
    async with flow:
        await flow.create_job(Order(user_id=1))
        await until(lambda: seen)
    assert seen == ["stopped"]


async def test_what_outlives_its_job_may_wait(redis_url: str, namespace: str) -> None:
    """A task that a job has left behind runs in no job any more: it stops the flow and waits for it."""
    flow = order_flow(redis_url, namespace)
    left: list[asyncio.Task[None]] = []
    ended = asyncio.Event()

    async def later() -> None:
        await ended.wait()
        await flow.stop_all()
        assert {worker.status for worker in flow.workers} == {"stopped"}

    async def leaving(job: Price) -> Priced:
        left.append(asyncio.get_running_loop().create_task(later()))
        return await price(job)

    flow.create_workers(Price, leaving)
    await flow.start_all()
    recorded = asyncio.create_task(flow.events.wait_for("job.recorded", queue="price"))
    await flow.create_job(Order(user_id=1))
    await within(recorded)
    ended.set()
    await within(asyncio.gather(*left))


async def test_run_ends_when_a_job_asks(redis_url: str, namespace: str) -> None:
    """`flow.run()` returns as it does for a signal."""
    flow = order_flow(redis_url, namespace)

    async def last(job: Price) -> Priced:
        await flow.stop_all()
        return await price(job)

    flow.create_workers(Price, last)
    await flow.create_job(Order(user_id=1))
    assert await within(flow.run()) == 0


async def test_a_start_that_fails_beside_its_job_is_told(
    redis_url: str, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for it any more, so an event says why the worker did not start."""
    flow = order_flow(redis_url, namespace)

    async def restart(job: Price) -> Priced:
        await flow.workers[0].stop()
        monkeypatch.setattr(flow._runtime, "open", failing)
        await flow.workers[0].start()
        return await price(job)

    async def failing() -> None:
        raise StoreUnavailable("away")

    flow.create_workers(Price, restart)
    await flow.start_all()
    told = asyncio.create_task(flow.events.wait_for("worker.crashed"))
    await flow.create_job(Order(user_id=1))
    assert "away" in str((await within(told)).fields["error"])
    monkeypatch.undo()
    await flow.stop_all()

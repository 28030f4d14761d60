"""Waiting for an end costs little while nothing happens, and an end is no deletion, however short a record lives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from redis import Redis

from flows import DeclarationWarning, JobGone
from flows.kernel.callers import ends as module
from flows.pipeline.job_reader import JobReader
from flows.testing import private_server
from tests.pipeline.parts import LONG, Order, Orders, Price, Priced, Ship, order_flow, within
from tests.waiting import until


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """List the longest that each pause between two looks may be; each takes a hundredth of that."""
    found: list[float] = []

    def shorter(_least: float, most: float) -> float:
        found.append(most)
        return most / 100

    monkeypatch.setattr(module.random, "uniform", shorter)
    return found


async def test_who_waits_looks_less_often_while_the_channel_stands(orders: Orders, pauses: list[float]) -> None:
    """After 1 s, then after twice as long each time, and in the end every 5 s."""
    async with orders:
        waiting = asyncio.create_task(orders.wait_for(await orders.create_job(Order()), LONG))
        await until(lambda: len(pauses) >= 6)
        waiting.cancel()
    assert pauses[:6] == [1, 2, 4, 5, 5, 5]


async def test_who_hears_nothing_looks_every_second(
    orders: Orders, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where messages cannot be received, the state is all there is."""
    async with orders:
        monkeypatch.setattr((await orders._runtime.open()).signals, "hears", lambda _channel: False)
        waiting = asyncio.create_task(orders.wait_for(await orders.create_job(Order()), LONG))
        await until(lambda: len(pauses) >= 6)
        waiting.cancel()
    assert set(pauses) == {1}


@pytest.mark.usefixtures("pauses")
async def test_a_look_reads_the_state_alone() -> None:
    """Whatever the job holds: the record is read when it has ended."""
    with private_server() as url, Redis.from_url(url, decode_responses=True) as redis:
        orders = order_flow(url, "")
        async with orders:
            waiting = asyncio.create_task(orders.wait_for(await orders.create_job(Order()), LONG))
            await until(lambda: redis.info("commandstats").get("cmdstat_hmget", {}).get("calls", 0) > 10)
            assert "cmdstat_hgetall" not in redis.info("commandstats")
            waiting.cancel()


async def test_an_end_is_no_deletion_also_where_the_record_is_gone(
    make_orders: Callable[..., Orders], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a retention of a millisecond nobody can read the record; the error says how the job ended."""
    with pytest.warns(DeclarationWarning, match="retention"):
        orders = make_orders(retention=timedelta(milliseconds=1))
    go_on = asyncio.Event()

    async def price(_job: Price) -> Priced:
        await go_on.wait()
        return Priced(price=1)

    async def ship(job: Ship) -> None:
        if job.user_id:
            raise ValueError

    get = JobReader.get

    async def late(*arguments: Any, **options: Any) -> Any:
        await asyncio.sleep(0.01)
        return await get(*arguments, **options)

    monkeypatch.setattr(JobReader, "get", late)
    orders.create_workers(Price, price)
    orders.create_workers(Ship, ship)
    async with orders:
        ids = [await orders.create_job(Order(user_id=number % 2)) for number in range(10)]
        waits = [asyncio.create_task(orders.wait_for(job_id, LONG)) for job_id in ids]
        signals, keys = (await orders._runtime.open()).signals, orders._runtime.settings.keys
        await until(lambda: all(signals.hears(keys.ended("orders", job_id)) for job_id in ids))
        go_on.set()
        ends = await within(asyncio.gather(*waits, return_exceptions=True))
        assert [isinstance(end, JobGone) and end.ended for end in ends] == ["done", "failed"] * 5
        assert "ended as failed, and its record is gone already" in str(ends[1])
        with pytest.raises(JobGone, match="was deleted or never was") as caught:
            await orders.wait_for(ids[0], LONG)
        assert caught.value.ended is None

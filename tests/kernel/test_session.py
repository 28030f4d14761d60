"""What a flow has open: it is there before the first job is claimed, and what dies of it is told and begins again."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
import time
from typing import Any

import pytest
from redis import ConnectionError as NoConnection
from redis import Redis

from flows import StoreUnavailable
from flows.telemetry import service
from flows.telemetry.events import Event
from flows.testing import private_server
from tests.conftest import TEST_URL
from tests.kernel.parts import LONG, Answer, Given, MakeFlow, Work, double, heard, number_flow, within
from tests.waiting import blocking_until, patient, until

#: In seconds: a lease that a busy machine renews in time.
LEASE = patient(0.5)


def fill_up(redis: Redis, url: str) -> list[Redis]:
    """Take all connections that the server has left, and return them."""
    redis.config_set("maxclients", redis.info("clients")["connected_clients"] + 3)  # type: ignore[index, operator, call-overload]
    others: list[Redis] = []
    with contextlib.suppress(NoConnection):
        while True:
            others.append(Redis.from_url(url, single_connection_client=True))
            others[-1].ping()
    return others


async def test_no_room_for_more_connections(namespace: str) -> None:
    """A server that is full after the workers have started takes no lease from them: all they need is connected."""
    attempts: list[int] = []

    async def long(job: Work) -> Answer:
        attempts.append(job.attempt)
        await asyncio.sleep(3 * LEASE)
        return await double(job)

    with private_server() as url, Redis.from_url(url) as redis:
        flow = number_flow(url, namespace, long, lease=LEASE)
        events = heard(flow)
        async with flow:
            others = await asyncio.to_thread(fill_up, redis, url)
            assert others
            job_id = await flow.create_job(Given(number=1))
            await until(lambda: any(event.name == "job.recorded" for event in events))
            for other in others:
                other.close()
            assert (await flow.wait_for(job_id, LONG)).status == "done"
    assert attempts == [1]
    assert {event.name for event in events}.isdisjoint({"job.lost", "job.rescued", "store.unavailable"})


async def test_no_room_for_a_worker(namespace: str) -> None:
    """A worker that could not be woken, or not renew its leases, does not start; when there is room again, it does."""
    with private_server() as url, Redis.from_url(url) as redis:
        flow = number_flow(url, namespace, double, lease=1)
        await flow.create_job(Given(number=1))
        others = await asyncio.to_thread(fill_up, redis, url)
        with pytest.raises(StoreUnavailable):
            await within(flow.start_all())
        assert flow.workers[0].status == "stopped"
        assert [thread for thread in threading.enumerate() if thread.name == "flows-renewer"] == []
        for other in others:
            other.close()
        async with flow:
            assert (await flow.wait_for(await flow.create_job(Given(number=1)), LONG)).status == "done"


async def test_a_worker_that_has_started_needs_no_further_connection(make_flow: MakeFlow, redis: Redis) -> None:
    """What it claims with, what wakes it and what renews its leases are connected before its first job."""

    def ours() -> list[str]:
        found: Any = redis.client_list()
        names = {"flows-numbers", "flows-numbers-wakeups", "flows-renewal"}
        return sorted(client["name"] for client in found if client["name"] in names and client["id"] not in others)

    clients: Any = redis.client_list()
    others = {client["id"] for client in clients}
    flow = make_flow(double)
    await (await flow._runtime.open()).serve()
    assert ours() == ["flows-numbers", "flows-numbers-wakeups", "flows-renewal"]
    async with flow:
        assert (await flow.wait_for(await flow.create_job(Given(number=1)), LONG)).status == "done"
        # On a server that tests of other processes use too, theirs have the same names.
        assert len(ours()) == 3 or TEST_URL


async def test_the_renewal_connects_again_before_it_is_needed(make_flow: MakeFlow, redis: Redis) -> None:
    """An idle worker whose connection was killed has a new one within a quarter of a lease."""

    def renewals() -> set[str]:
        found: Any = redis.client_list()
        return {client["id"] for client in found if client["name"] == "flows-renewal"}

    before = renewals()
    async with make_flow(double, lease=1):
        (ours,) = renewals() - before
        redis.client_kill_filter(_id=ours)
        await until(lambda: len(renewals() - before - {ours}) == 1)


@pytest.mark.parametrize("name", ["wakeups", "rescuer", "reconciler", "signals"])
async def test_a_service_that_dies_is_told_of_and_begins_again(
    make_flow: MakeFlow, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The flow goes on with it as if nothing had been."""
    monkeypatch.setattr(service, "FIRST_PAUSE", 0.05)
    async with make_flow(double) as flow:
        assert (await flow.wait_for(await flow.create_job(Given(number=1)), LONG)).status == "done"
        (task,) = (task for task in asyncio.all_tasks() if task.get_name() == f"flows-{name}")
        died = asyncio.create_task(flow.events.wait_for("service.died", service=name))
        await asyncio.sleep(0)
        task.cancel()
        await within(died)
        assert [task.get_name() for task in asyncio.all_tasks()].count(f"flows-{name}") == 1
        assert (await flow.wait_for(await flow.create_job(Given(number=2)), LONG)).status == "done"


@pytest.mark.parametrize("at_once", [False, True])
async def test_a_worker_that_dies_is_told_of_and_begins_again(
    make_flow: MakeFlow, monkeypatch: pytest.MonkeyPatch, *, at_once: bool
) -> None:
    """Also where its task is cancelled before it has begun; one that is stopped meanwhile stays stopped."""
    monkeypatch.setattr(service, "FIRST_PAUSE", 0.2)

    def cancel() -> None:
        (task,) = (task for task in asyncio.all_tasks() if task.get_name() == "flows-work")
        task.cancel()

    async with make_flow(double) as flow:
        (worker,) = flow.workers
        died = asyncio.create_task(flow.events.wait_for("service.died", service="worker of work"))
        if at_once:
            await worker.stop()
            await worker.start()
        else:
            assert (await flow.wait_for(await flow.create_job(Given(number=1)), LONG)).status == "done"
        cancel()
        await within(died)
        assert worker.status == "running"
        assert (await flow.wait_for(await flow.create_job(Given(number=2)), LONG)).status == "done"
        cancel()
        await until(lambda: worker.status == "stopped")
        await worker.stop()
        await asyncio.sleep(0.6)
        assert worker.status == "stopped"
        await worker.start()
        assert (await flow.wait_for(await flow.create_job(Given(number=3)), LONG)).status == "done"


def test_what_a_closing_loop_cancels_begins_no_more(make_flow: MakeFlow, monkeypatch: pytest.MonkeyPatch) -> None:
    """Although it runs on until its threads have ended: what was claimed then would wait until its lease is over."""
    monkeypatch.setattr(service, "FIRST_PAUSE", 0.02)
    flow = make_flow(double)
    died: list[Event] = []

    async def main() -> None:
        await flow.start_all()
        flow.events.subscribe(lambda event: died.append(event) if event.name == "service.died" else None)
        asyncio.get_running_loop().run_in_executor(None, time.sleep, 0.3)

    asyncio.run(main())
    assert died == []
    blocking_until(lambda: "flows-renewer" not in {thread.name for thread in threading.enumerate()})
    gc.collect()  # what the closed loop had left open would complain here


async def test_a_renewer_that_dies_is_told_of_and_begins_again(
    make_flow: MakeFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever has ended it, the leases are kept by the next one."""
    monkeypatch.setattr(service, "FIRST_PAUSE", 0.05)
    attempts: list[int] = []

    async def long(job: Work) -> Answer:
        attempts.append(job.attempt)
        await asyncio.sleep(3 * LEASE)
        return await double(job)

    async with make_flow(long, lease=LEASE) as flow:
        renewer, renewed = flow._runtime.session.renewer, list[object]()
        ask = renewer._ask

        def dies_once(*arguments: Any) -> bool:
            renewed.append(arguments)
            if len(renewed) == 1:
                raise SystemExit
            return ask(*arguments)

        monkeypatch.setattr(renewer, "_ask", dies_once)
        died = asyncio.create_task(flow.events.wait_for("service.died", service="renewer"))
        job_id = await flow.create_job(Given(number=1))
        await within(died)
        assert (await flow.wait_for(job_id, LONG)).status == "done"
    assert attempts == [1]
    assert len(renewed) > 1

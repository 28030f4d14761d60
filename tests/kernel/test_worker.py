"""Workers from start to stop: what they hold is finished, or handed back, and never lost."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from typing import cast

import pytest
from redis import Redis

from flows import current_job
from flows.telemetry.events import Event
from flows.testing import private_server
from tests.kernel.parts import LONG, Answer, Given, MakeFlow, NumberFlow, Work, double, number_flow, within
from tests.waiting import until


@pytest.fixture
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a stop waits for takes seconds: that is long for a test."""
    for name in ("in_flight.GRACE", "worker.GRACE", "worker.ANSWER_TIMEOUT"):
        monkeypatch.setattr(f"flows.kernel.{name}", 0.1)


async def test_start_and_stop_twice(make_flow: MakeFlow) -> None:
    """Starting a worker that runs, and stopping one that has stopped, changes nothing; it can start again."""
    flow = make_flow(double)
    worker = flow.workers[0]
    assert worker.status == "stopped"
    await worker.stop()
    for _ in range(2):
        await asyncio.gather(worker.start(), worker.start())
        await worker.start()
        assert worker.status == "running"
        assert (await flow.wait_for(await flow.create_job(Given(number=1)), LONG)).status == "done"
        await asyncio.gather(worker.stop(), worker.stop())
        await worker.stop()
        assert worker.status == "stopped"
    await flow.stop_all()
    await flow.stop_all()


async def test_start_and_stop_all_twice(make_flow: MakeFlow) -> None:
    """So do start_all and stop_all, and the flow can be used again afterwards."""
    flow = make_flow(double, count=2)
    for _ in range(2):
        await asyncio.gather(flow.start_all(), flow.start_all())
        await flow.start_all()
        assert (await flow.wait_for(await flow.create_job(Given(number=2)), LONG)).view(Answer).answer == 4
        await flow.stop_all()
        await flow.stop_all()
        assert [worker.status for worker in flow.workers] == ["stopped", "stopped"]


async def test_one_worker_of_two_stops(make_flow: MakeFlow) -> None:
    """Workers stop singly; the other goes on, and a job that is created later is done by it."""
    flow = make_flow(double, count=2)
    async with flow:
        await flow.workers[0].stop()
        assert [worker.status for worker in flow.workers] == ["stopped", "running"]
        assert (await flow.wait_for(await flow.create_job(Given(number=1)), LONG)).status == "done"


async def test_stop_finishes_the_job_in_flight(make_flow: MakeFlow) -> None:
    """A worker that is stopped waits for the job that it runs, records it, and takes no other."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(job: Work) -> Answer:
        begun.set()
        await go_on.wait()
        return await double(job)

    flow = make_flow(slow)
    async with flow:
        first, second = await flow.create_jobs([Given(number=1), Given(number=2)])
        await within(begun.wait())
        stopping = asyncio.create_task(flow.workers[0].stop())
        await asyncio.sleep(0)
        assert flow.workers[0].status == "stopping"
        go_on.set()
        await within(stopping)
        found = await flow.get_jobs([first, second])
    assert [record and record.status for record in found] == ["done", "waiting"]


async def test_stop_with_grace_hands_back(make_flow: MakeFlow) -> None:
    """After the grace what still runs is cancelled and waits again, as if it had never been tried."""
    begun, ended = asyncio.Event(), asyncio.Event()
    attempts: list[int] = []

    async def slow(job: Work) -> Answer:
        attempts.append(job.attempt)
        if len(attempts) > 2:
            return await double(job)
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            assert current_job().cancelled
            ended.set()
        raise AssertionError

    flow = make_flow(slow, concurrency=2)
    await flow.start_all()
    ids = await flow.create_jobs([Given(number=1), Given(number=2)])
    await within(begun.wait())
    await within(flow.stop_all(grace=0.05))
    assert ended.is_set()
    assert [record and (record.status, record.attempts) for record in await flow.get_jobs(ids)] == [("waiting", 0)] * 2
    async with flow:
        assert [(await flow.wait_for(job_id, LONG)).status for job_id in ids] == ["done", "done"]
    assert set(attempts) == {1}


async def test_a_function_that_ends_well_when_it_is_cancelled(make_flow: MakeFlow) -> None:
    """A function that hears of the end and still returns a result is done: its work is not thrown away."""
    begun = asyncio.Event()

    async def stubborn(job: Work) -> Answer:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return await double(job)
        raise AssertionError

    flow = make_flow(stubborn)
    await flow.start_all()
    job_id = await flow.create_job(Given(number=4))
    await within(begun.wait())
    await within(flow.stop_all(grace=0.0))
    async with flow:
        record = await flow.wait_for(job_id, LONG)
    assert record.view(Answer).answer == 8


async def test_jobs_claimed_ahead_are_handed_back(make_flow: MakeFlow) -> None:
    """Jobs that a fast worker claimed ahead go to another worker when the one in flight takes long."""
    slow, begun = asyncio.Event(), asyncio.Event()
    helped: list[str] = []

    async def mostly_fast(job: Work) -> Answer:
        if job.number == -1:
            begun.set()
            await slow.wait()
        return await double(job)

    async def helping(job: Work) -> Answer:
        helped.append(job.id)
        return await double(job)

    flow = make_flow(mostly_fast)
    await flow.create_jobs(Given(number=number) for number in range(2000))
    last = await flow.create_job(Given(number=-1))
    behind = await flow.create_jobs([Given(number=1)] * 50)
    async with flow:
        await within(begun.wait())
        await flow.create_workers(Work, helping)[0].start()
        records = [await flow.wait_for(job_id, LONG) for job_id in behind]
        assert {(record.status, record.attempts) for record in records} == {("done", 1)}
        slow.set()
        assert (await flow.wait_for(last, LONG)).status == "done"
    assert sorted(helped) == sorted(behind)


async def test_a_key_of_another_type_stops_nothing_for_good(make_flow: MakeFlow, redis: Redis, namespace: str) -> None:
    """A stranger's key at the queue's own name is named by an event; when it is deleted, the worker goes on."""
    flow = make_flow(double)
    async with flow:
        assert (await flow.wait_for(await flow.create_job(Given()), LONG)).status == "done"
        refused = asyncio.create_task(flow.events.wait_for("store.refused"))
        await asyncio.sleep(0)
        redis.set(f"{namespace}queue:work:waiting", "mine")
        redis.zadd(f"{namespace}flows:wake:work", {"w": 0})
        assert "queue:work:waiting" in str((await within(refused)).fields["error"])
        redis.delete(f"{namespace}queue:work:waiting")
        assert (await flow.wait_for(await flow.create_job(Given()), LONG)).status == "done"


async def test_scripts_that_the_server_forgot(make_flow: MakeFlow, redis: Redis) -> None:
    """SCRIPT FLUSH (a server that was restarted, or failed over) is not noticed by anybody."""
    flow = make_flow(double)
    async with flow:
        for _ in range(5):
            redis.script_flush()
            ids = await flow.create_jobs([Given(number=1)] * 20)
            redis.script_flush()
            for job_id in ids:
                assert (await flow.wait_for(job_id, LONG)).status == "done"


async def test_a_rescued_job_runs_alone(make_flow: MakeFlow, redis: Redis, namespace: str) -> None:
    """A job whose worker died runs with nothing beside it: if it is poison, its neighbours are spared."""
    beside: list[int] = []
    running = 0

    async def watch(job: Work) -> Answer:
        nonlocal running
        running += 1
        if job.number == 1000:
            beside.append(running)
            for _ in range(20):
                await asyncio.sleep(0)
                beside.append(running)
        else:
            await asyncio.sleep(0)
        running -= 1
        return await double(job)

    flow = make_flow(watch, concurrency=8)
    await flow.create_jobs(Given(number=number) for number in range(50))
    alone = await flow.create_job(Given(number=1000))
    redis.hset(f"{namespace}job:numbers:{alone}", "_attempt", "2 w 2 0 2 0 -")
    ids = await flow.create_jobs(Given(number=number) for number in range(50))
    async with flow:
        for job_id in [alone, *ids]:
            assert (await flow.wait_for(job_id, LONG)).status == "done"
    assert set(beside) == {1}


def recorded(flow: NumberFlow, number: int) -> asyncio.Event:
    """Return an event that is set when so many ends were recorded."""
    left, all_recorded = number, asyncio.Event()

    def count(event: Event) -> None:
        nonlocal left
        if event.name == "job.recorded":
            left -= cast("int", event.fields["count"])
            if left <= 0:
                all_recorded.set()

    flow.events.subscribe(count)
    return all_recorded


async def test_a_rescued_job_runs_alone_after_many_that_end_at_once(
    make_flow: MakeFlow, redis: Redis, namespace: str
) -> None:
    """More than one turn reports: the one after that which brought it claims nothing, though it does not run yet."""
    beside: list[int] = []
    begun, alone = 0, False
    all_begun, go_on = asyncio.Event(), asyncio.Event()

    async def watch(job: Work) -> Answer:
        nonlocal alone, begun
        begun += 1
        if alone:
            beside.append(job.number)
        if job.number == 1000:
            alone = True
            await all_recorded.wait()  # until then the turns after it were answered, and what they brought has begun
            alone = False
        elif job.number == 1:
            if begun == 250:
                all_begun.set()
            await go_on.wait()
        return await double(job)

    flow = make_flow(watch, concurrency=250)
    all_recorded = recorded(flow, 250)
    ids = await flow.create_jobs([Given(number=1)] * 250)
    async with flow:
        async with asyncio.timeout(LONG):
            await all_begun.wait()
        with redis.pipeline(transaction=True) as together:
            for number in range(20):
                together.hset(f"{namespace}job:numbers:n{number}", mapping={"number": 1000 if number == 0 else 2})
                together.rpush(f"{namespace}queue:work:waiting", f"n{number}")
            together.hset(f"{namespace}job:numbers:n0", "_attempt", "2 w 2 0 2 0 -")
            together.execute()
        go_on.set()
        for job_id in ids:
            assert (await flow.wait_for(job_id, LONG)).status == "done"
        await until(lambda: redis.hget(f"{namespace}job:numbers:n19", "_status") == "done", LONG)
    assert beside == []
    assert not alone
    assert redis.hget(f"{namespace}job:numbers:n0", "_status") == "done"


async def test_dead_ids_are_dropped(make_flow: MakeFlow, redis: Redis, namespace: str) -> None:
    """A thousand ids whose jobs have gone are dropped, and the job behind them is done."""
    flow = make_flow(double)
    gone = await flow.create_jobs(Given(number=number) for number in range(1000))
    redis.delete(*(f"{namespace}job:numbers:{job_id}" for job_id in gone))
    job_id = await flow.create_job(Given(number=1))
    async with flow:
        assert (await flow.wait_for(job_id, LONG)).status == "done"
        assert await flow.get_jobs(gone[:3]) == [None] * 3


async def test_delayed_jobs_are_taken_when_due(
    make_flow: MakeFlow, redis: Redis, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An idle worker wakes for a job that becomes due, without a wake-up and before it would look anyway."""
    monkeypatch.setattr("flows.store.jobs.wakeups.POLL_SECONDS", 3600)
    flow = make_flow(double)
    job_id = await flow.create_job(Given(number=1))
    seconds, micros = redis.time()
    redis.lrem(f"{namespace}queue:work:waiting", 0, job_id)
    redis.hset(f"{namespace}job:numbers:{job_id}", mapping={"_status": "delayed", "_queue": "work"})
    due = seconds * 1000 + micros // 1000 + 300
    redis.zadd(f"{namespace}queue:work:delayed", {job_id: due})
    async with flow:
        assert (await flow.wait_for(job_id, LONG)).status == "done"


@pytest.mark.parametrize("number", [0, -1, True, 1.5])
def test_numbers_of_workers_are_positive(make_flow: MakeFlow, number: float) -> None:
    """A count or a concurrency that is no positive whole number is refused when it is declared."""
    for name in ("count", "concurrency"):
        with pytest.raises(ValueError, match="give a positive whole number"):
            make_flow(double, **{name: number})


async def stop_soon(flow: NumberFlow) -> None:
    """Stop a flow; it must not wait for what takes LONG to end."""
    begun = time.monotonic()
    await flow.stop_all(0.05)
    assert time.monotonic() - begun < LONG / 2


@pytest.mark.usefixtures("_short_waits")
async def test_stop_does_not_wait_for_a_coroutine_that_does_not_end(make_flow: MakeFlow) -> None:
    """Its job is handed back without it, it is counted as left, and what it returns later is refused."""
    begun, go_on, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def stubborn(job: Work) -> Answer:
        if current_job().fence > 1:
            return await double(job)
        begun.set()
        while not go_on.is_set():
            try:
                await within(go_on.wait())
            except asyncio.CancelledError:
                continue
        asyncio.get_running_loop().call_later(0.05, ended.set)
        return Answer(answer=-1)

    flow = make_flow(stubborn)
    await flow.start_all()
    job_id = await flow.create_job(Given(number=1))
    await within(begun.wait())
    await stop_soon(flow)
    assert (flow.workers[0].status, flow.workers[0].left) == ("stopped", 1)
    record = await flow.get_job(job_id)
    assert record is not None
    assert (record.status, record.attempts) == ("waiting", 0)
    go_on.set()
    await within(ended.wait())
    async with flow:
        assert (await flow.wait_for(job_id, LONG)).view(Answer).answer == 2
    assert flow.workers[0].left == 0


async def test_stop_does_not_wait_for_a_thread_that_does_not_end(make_flow: MakeFlow) -> None:
    """Its job is handed back at once, the function is told, and what it returns later is refused."""
    begun, go_on = threading.Event(), threading.Event()
    told: list[bool] = []

    def stuck(job: Work) -> Answer:
        here = current_job()
        if here.fence > 1:
            return Answer(answer=job.number)
        begun.set()
        go_on.wait(LONG)
        told.append(here.cancelled)
        return Answer(answer=-1)

    flow = make_flow(stuck)
    await flow.start_all()
    job_id = await flow.create_job(Given(number=1))
    assert await asyncio.to_thread(begun.wait, LONG)
    await stop_soon(flow)
    record = await flow.get_job(job_id)
    assert record is not None
    assert (record.status, record.attempts) == ("waiting", 0)
    go_on.set()
    async with flow:
        assert (await flow.wait_for(job_id, LONG)).view(Answer).answer == 1
    assert told == [True]


@pytest.mark.usefixtures("_short_waits")
async def test_stop_does_not_wait_for_a_server_that_is_away(namespace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be handed back is counted as left; when its lease is over, another worker does it."""
    monkeypatch.setattr("flows.store.client.connection.ANSWER_TIMEOUT", 1.0)
    begun = asyncio.Event()

    async def endless(_job: Work) -> None:
        begun.set()
        await within(asyncio.Event().wait())

    with private_server() as url:
        with Redis.from_url(url) as redis:
            pid = int(redis.info()["process_id"])
        flow = number_flow(url, namespace, endless, lease=2)
        await flow.start_all()
        job_id = await flow.create_job(Given(number=1))
        await within(begun.wait())
        os.kill(pid, signal.SIGSTOP)
        try:
            await stop_soon(flow)
        finally:
            os.kill(pid, signal.SIGCONT)
        assert flow.workers[0].left == 1
        async with number_flow(url, namespace, double, lease=2) as other:
            assert [past.verb for past in (await other.wait_for(job_id, LONG)).history] == ["rescue", "finish"]


@pytest.mark.parametrize("first", [None, 60])
async def test_a_second_stop_hastens_the_first(
    make_flow: MakeFlow, first: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stop that waits for the job in flight ends when another gives it no more time, and its cleaning is let be."""
    begun, told, again = asyncio.Event(), asyncio.Event(), asyncio.Event()
    cleaned = False

    async def endless(_job: Work) -> None:
        nonlocal cleaned
        begun.set()
        try:
            await within(asyncio.Event().wait())
        finally:
            told.set()
            await within(again.wait())
            cleaned = True

    flow = make_flow(endless)
    await flow.start_all()
    job_id = await flow.create_job(Given())
    await within(begun.wait())
    stopping = asyncio.create_task(flow.workers[0].stop(first))
    await asyncio.sleep(0)
    assert flow.workers[0].status == "stopping"
    worker_loop = flow.workers[0]._worker_loop
    release_running = worker_loop.release_running

    def noted() -> None:
        release_running()
        if told.is_set():
            again.set()

    monkeypatch.setattr(worker_loop, "release_running", noted)
    hastened = asyncio.create_task(flow.workers[0].stop(0))
    await within(told.wait())
    await within(flow.workers[0].stop(0), 5)
    await within(asyncio.gather(stopping, hastened), 1)
    record = await flow.get_job(job_id)
    await flow.stop_all()
    assert record is not None
    assert (record.status, record.attempts, cleaned) == ("waiting", 0, True)
    assert flow.workers[0].left == 0

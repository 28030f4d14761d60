"""Workers from start to stop: what they hold is finished, or handed back, and never lost."""

from __future__ import annotations

import asyncio

import pytest
from redis import Redis

from flows import current_job
from tests.kernel.parts import LONG, Answer, Given, MakeFlow, Work, double, within


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


async def test_stop_finishes_the_job_in_hand(make_flow: MakeFlow) -> None:
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
    """Jobs that a fast worker claimed ahead go to another worker when the one in hand takes long."""
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
    redis.hset(f"{namespace}job:numbers:{alone}", "_rescues", "2")
    ids = await flow.create_jobs(Given(number=number) for number in range(50))
    async with flow:
        for job_id in [alone, *ids]:
            assert (await flow.wait_for(job_id, LONG)).status == "done"
    assert set(beside) == {1}


async def test_dead_ids_are_dropped(make_flow: MakeFlow, redis: Redis, namespace: str) -> None:
    """A thousand ids whose jobs have gone are dropped, and the job behind them is done."""
    flow = make_flow(double)
    gone = await flow.create_jobs(Given(number=number) for number in range(1000))
    redis.delete(*(f"{namespace}job:numbers:{job_id}" for job_id in gone))
    job_id = await flow.create_job(Given(number=1))
    async with flow:
        assert (await flow.wait_for(job_id, LONG)).status == "done"
        assert await flow.get_jobs(gone[:3]) == [None] * 3


async def test_delayed_jobs_are_taken_when_due(make_flow: MakeFlow, redis: Redis, namespace: str) -> None:
    """An idle worker wakes for a job that becomes due, without a ring."""
    flow = make_flow(double)
    job_id = await flow.create_job(Given(number=1))
    seconds, micros = redis.time()
    redis.lrem(f"{namespace}queue:work:waiting", 0, job_id)
    redis.hset(f"{namespace}job:numbers:{job_id}", mapping={"_status": "delayed", "_queue": "work"})
    due = seconds * 1000 + micros // 1000 + 300
    redis.zadd(f"{namespace}queue:work:delayed", {job_id: due})
    async with flow:
        assert (await flow.wait_for(job_id, 2)).status == "done"


@pytest.mark.parametrize("number", [0, -1, True, 1.5])
def test_numbers_of_workers_are_positive(make_flow: MakeFlow, number: float) -> None:
    """A count or a concurrency that is no positive whole number is refused when it is declared."""
    for name in ("count", "concurrency"):
        with pytest.raises(ValueError, match="give a positive whole number"):
            make_flow(double, **{name: number})

"""Workers that are killed, or stopped and woken too late: their jobs run again, and what is stale is not written."""

from __future__ import annotations

import asyncio
import os
import signal

from redis import Redis

from tests.acceptance.numbers import LONG, Answer, Functions, Given, Work, number_flow, process
from tests.waiting import patient, until


async def begun(redis: Redis, namespace: str, count: int) -> None:
    """Wait until the gated function has begun so many times."""
    await until(lambda: redis.llen(f"{namespace}begun") >= count, LONG)


async def test_a_worker_process_is_killed(redis_url: str, namespace: str, redis: Redis) -> None:
    """Of 300 jobs, a process that is killed by kill -9 in the middle loses none: all are done, some of them again."""
    flow = number_flow(redis_url, namespace, 3)
    ids = await flow.create_jobs(Given(number=number) for number in range(300))
    rescued: list[object] = []
    flow.events.subscribe(lambda event: event.name == "job.rescued" and rescued.append(event.fields["job_id"]))
    with process(redis_url, namespace, 3, "quick") as first:
        await until(lambda: redis.hlen(f"{namespace}attempts") >= 50, LONG)
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
    held = set(redis.zrange(f"{namespace}queue:work:processing", 0, -1))
    functions = Functions(redis_url, namespace)
    flow.create_workers(Work, functions.quick, concurrency=4)
    async with flow:
        records = [await flow.wait_for(job_id, LONG) for job_id in ids]
    await functions.redis.aclose()
    assert {record.status for record in records} == {"done"}
    assert [record.view(Answer).answer for record in records] == [number * 2 for number in range(300)]
    attempts = {job_id: int(count) for job_id, count in redis.hgetall(f"{namespace}attempts").items()}
    assert set(attempts) == set(ids)
    again = {job_id for job_id, count in attempts.items() if count > 1}
    assert held
    assert again <= held
    assert set(rescued) == held
    assert max(attempts.values()) <= 2
    assert 0 < sum(record.view(Answer).pid == first.pid for record in records) < 300


async def test_a_process_that_sleeps_past_its_lease(redis_url: str, namespace: str, redis: Redis) -> None:
    """A process that is stopped past its lease and woken has lost its job: what it writes then is refused."""
    lease = patient(2)
    flow = number_flow(redis_url, namespace, lease)
    functions = Functions(redis_url, namespace)
    job_id = await flow.create_job(Given(number=21))
    with process(redis_url, namespace, lease, "gated") as sleeping:
        await begun(redis, namespace, 1)
        os.kill(sleeping.pid, signal.SIGSTOP)
        flow.create_workers(Work, functions.gated)
        async with flow:
            await begun(redis, namespace, 2)
            redis.rpush(f"{namespace}gate", "open")
            done = await flow.wait_for(job_id, LONG)
            assert done.view(Answer).pid == os.getpid()
            before = redis.hgetall(f"{namespace}job:numbers:{job_id}")
            os.kill(sleeping.pid, signal.SIGCONT)
            assert sleeping.stderr is not None
            line = await asyncio.to_thread(sleeping.stderr.readline)
            assert b"job.lost" in line
            assert job_id.encode() in line
        assert redis.hgetall(f"{namespace}job:numbers:{job_id}") == before
    await functions.redis.aclose()
    assert redis.hget(f"{namespace}attempts", job_id) == "2"

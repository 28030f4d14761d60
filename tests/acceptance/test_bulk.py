"""Acting on very many jobs: each once, whoever asks and however often a process is killed meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from redis import Redis

from flows import JobState
from flows.model.ids import new_job_id
from tests.acceptance.numbers import ROOT, Given, number_flow
from tests.scale import SCALE, scaled
from tests.waiting import LONG, patient, until

_LEASE = 2
#: So many processes are killed one after another.
_KILLS = 5


@contextlib.contextmanager
def operator(url: str, namespace: str, verb: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run tests/acceptance/operator.py; it is killed in the end, if it still lives."""
    command = [sys.executable, "-m", "tests.acceptance.operator", url, namespace, str(_LEASE), verb]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as started:
        try:
            yield started
        finally:
            started.kill()


def seed_failed(redis: Redis, namespace: str, count: int) -> list[str]:
    """Write jobs that have failed, as the scripts leave them."""
    ids = [new_job_id() for _ in range(count)]
    ended = int(time.time() * 1000) - 1000
    for start in range(0, count, 2000):
        with redis.pipeline(transaction=False) as pipeline:
            for job_id in ids[start : start + 2000]:
                pipeline.hset(
                    f"{namespace}job:numbers:{job_id}",
                    mapping={
                        "number": "1",
                        "_status": "failed",
                        "_queue": "work",
                        "_attempt": f"1 w 1 0 0 {ended} work=1",
                        "_ended": str(ended),
                        "_error": "{}",
                    },
                )
            pipeline.zadd(f"{namespace}flows:ended:work:failed", dict.fromkeys(ids[start : start + 2000], ended))
            pipeline.execute()
    return ids


def visits(redis: Redis, namespace: str, ids: list[str]) -> dict[tuple[str, str], int]:
    """Return how many jobs have failed, and how many wait or run, in which visit."""
    found: dict[tuple[str, str], int] = {}
    for start in range(0, len(ids), 2000):
        with redis.pipeline(transaction=False) as pipeline:
            for job_id in ids[start : start + 2000]:
                pipeline.hmget(f"{namespace}job:numbers:{job_id}", "_status", "_attempt")
            for status, attempt in pipeline.execute():
                key = ("waiting" if status == "processing" else status, attempt.split(" ")[3])
                found[key] = found.get(key, 0) + 1
    return found


@pytest.mark.scale
async def test_each_failed_job_is_retried_once(redis_url: str, namespace: str, redis: Redis) -> None:
    """Two callers at once, and processes that are killed in the middle: in the end each job waits, one visit on."""
    count = scaled(2_000, full=100_000)
    ids = seed_failed(redis, namespace, count)
    waiting = f"{namespace}queue:work:waiting"
    with operator(redis_url, namespace, "retry") as other:
        for kill in range(_KILLS):
            with operator(redis_url, namespace, "serve" if kill else "retry") as victim:
                enough = (kill + 1) * count // (2 * _KILLS)
                await until(lambda enough=enough: redis.llen(waiting) >= enough)  # type: ignore[misc]
                victim.kill()
        assert other.stdout is not None
        await asyncio.to_thread(other.stdout.readline)
        ended = (await asyncio.to_thread(other.stdout.readline)).split()
        assert ended[0] == b"done"
    await until(lambda: redis.zcard(f"{namespace}flows:ended:work:failed") == 0)
    assert visits(redis, namespace, ids) == {("waiting", "1"): count}
    listed: list[str] = redis.lrange(waiting, 0, -1)
    held: list[str] = redis.zrange(f"{namespace}queue:work:processing", 0, -1)
    assert len(listed) + len(held) == count
    assert {*listed, *held} == set(ids)


@pytest.mark.scale
async def test_a_hundred_thousand_are_retried_in_twenty_seconds(redis_url: str, namespace: str, redis: Redis) -> None:
    """One caller, who waits for it; the time is that of the whole call. And in the undo window, none is touched."""
    count = scaled(2_000, full=100_000)
    ids = seed_failed(redis, namespace, count)
    flow = number_flow(redis_url, namespace, 30)
    failed = flow.jobs.status("failed")
    undone = await failed.retry(undo=60)
    assert await undone.cancel() == "cancelled"
    assert (await undone.wait(LONG)).status == JobState.CANCELLED
    assert visits(redis, namespace, ids) == {("failed", "0"): count}
    began = time.monotonic()
    result = await (await failed.retry()).wait(300)
    took = time.monotonic() - began
    assert (result.done, result.skipped, result.failed) == (count, 0, 0)
    assert SCALE == 1 or took < patient(20), took
    assert visits(redis, namespace, ids) == {("waiting", "1"): count}
    await flow.stop_all()


async def test_a_process_that_dies_leaves_it_to_another(redis_url: str, namespace: str, redis: Redis) -> None:
    """Its lease ends; a program that only waits for it takes it up, and what was done is not done again."""
    flow = number_flow(redis_url, namespace, _LEASE)
    ids = await flow.create_jobs(Given(number=1) for _ in range(20_000))
    with operator(redis_url, namespace, "serve") as victim:
        bulk = await flow.jobs.status("waiting").cancel("why")
        cancelled = f"{namespace}flows:ended:work:cancelled"
        await until(lambda: redis.zcard(cancelled) > 200)
        victim.kill()
    assert redis.zcard(cancelled) < 20_000
    result = await bulk.wait(LONG)
    assert result.status == JobState.DONE
    assert redis.zcard(cancelled) >= 20_000 - 1  # the one that the victim's worker had was asked to stop
    record = await flow.get_job(ids[-1])
    assert record is not None
    assert record.status == "cancelled"
    await flow.stop_all()

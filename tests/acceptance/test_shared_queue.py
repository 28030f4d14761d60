"""A queue and a parent queue of two flows, one without a worker of them, whose workers are killed: real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis

from tests.acceptance.sharing import Begin, Ended, Given, begin, sharing
from tests.waiting import LONG, until

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def process(url: str, namespace: str) -> Generator[subprocess.Popen[bytes]]:
    """Run a process with workers of `near`, and end it."""
    command = [sys.executable, "-m", "tests.acceptance.sharing", url, namespace]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as running:
        try:
            yield running
        finally:
            running.kill()


async def test_workers_of_one_flow_are_killed_and_jobs_of_both_are_done(
    redis_url: str, namespace: str, redis: Redis
) -> None:
    """Of 200 jobs none is lost, none is done twice but those that were in flight, and each ends in its own flow."""
    near, far = sharing("near", redis_url, namespace), sharing("far", redis_url, namespace)
    # The first queues are each flow's own. Of the shared ones, this process has no workers.
    for flow in (near, far):
        flow.create_workers(Begin, begin, concurrency=8)
    ids = {flow: await flow.create_jobs(Given(number=n) for n in range(100)) for flow in (near, far)}
    async with near, far:
        with process(redis_url, namespace) as first:
            await until(lambda: redis.hlen(f"{namespace}attempts") >= 20, LONG)
            os.kill(first.pid, signal.SIGKILL)
            first.wait()
        held = set(redis.zrange(f"{namespace}queue:work:processing", 0, -1))
        with process(redis_url, namespace):
            for number, job_id in enumerate(ids[near]):
                record = await near.wait_for(job_id, LONG)
                assert (record.status, record.queue) == ("done", "near-end")
                assert record.view(Ended).total == number + 1 + 2 * number + 2
            for job_id in ids[far]:
                record = await far.wait_for(job_id, LONG)
                assert (record.status, record.queue) == ("done", "check")
                assert [visit.queue for visit in record.path] == ["far-begin", "work", "check"]
    attempts = {name: int(count) for name, count in redis.hgetall(f"{namespace}attempts").items()}
    assert set(attempts) == {f"near:{one}" for one in ids[near]} | {f"far:{one}" for one in ids[far]}
    assert {name for name, count in attempts.items() if count > 1} <= held
    for place in ("processing", "children", "delayed", "waiting"):
        assert not redis.exists(f"{namespace}queue:work:{place}", f"{namespace}queue:check:{place}")

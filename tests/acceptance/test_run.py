"""`flow.run()` in a process: it ends when it is told to, after the job in hand, and with status 0."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys

import pytest
from redis import Redis

from tests.acceptance.numbers import LONG, ROOT, Answer, Given, number_flow, process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_ends_on_a_signal(redis_url: str, namespace: str, redis: Redis, number: signal.Signals) -> None:
    """On SIGTERM and on Ctrl-C the job in hand is finished, the next one is left waiting, and the status is 0."""
    flow = number_flow(redis_url, namespace, 30)
    ids = await flow.create_jobs(Given(number=number) for number in range(5))
    with process(redis_url, namespace, 30, "gated", "run") as running:
        for _ in range(4):
            assert await asyncio.to_thread(redis.blpop, f"{namespace}begun", LONG)
        running.send_signal(number)
        assert await asyncio.to_thread(redis.blpop, f"{namespace}stopping", LONG)
        assert running.poll() is None
        redis.rpush(f"{namespace}gate", "open")
        assert await asyncio.to_thread(running.wait, LONG) == 0
        assert running.stderr is not None
        assert b"Traceback" not in running.stderr.read()
    records = await flow.get_jobs(ids)
    await flow.stop_all()
    assert [record and record.status for record in records] == ["done"] * 4 + ["waiting"]
    assert records[0] is not None
    assert records[0].view(Answer).pid == running.pid


async def test_it_says_that_there_is_no_server(tmp_path: object, namespace: str) -> None:
    """Without a server it ends at once, with status 1 and an error that names the address."""
    command = [sys.executable, "-m", "tests.acceptance.numbers", f"unix://{tmp_path}/no.sock", namespace, "1"]
    ended = await asyncio.to_thread(
        subprocess.run, [*command, "quick", "run"], cwd=ROOT, capture_output=True, timeout=LONG, check=False
    )
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith(b"flows.errors.StoreUnavailable: no answer from unix://")

"""`flow.run()` in a process: it ends when it is told to, after the job in flight, and with status 0."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from redis import Redis

from tests.acceptance.numbers import LONG, ROOT, Answer, Given, number_flow, process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_ends_on_a_signal(redis_url: str, namespace: str, redis: Redis, number: signal.Signals) -> None:
    """On SIGTERM and on Ctrl-C the job in flight is finished, the next one is left waiting, and the status is 0."""
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
    """Without a server it ends when it has waited, with status 1 and one line that names the address."""
    command = [sys.executable, "-m", "tests.acceptance.numbers", f"unix://{tmp_path}/no.sock", namespace, "1"]
    ended = await asyncio.to_thread(
        subprocess.run, [*command, "quick", "run", "0.5"], cwd=ROOT, capture_output=True, timeout=LONG, check=False
    )
    assert ended.returncode == 1
    waiting, gave_up = ended.stderr.splitlines()
    assert b"WARNING" in waiting
    assert b"flow.gave_up" in gave_up
    assert b"no answer from unix://" in gave_up


@pytest.mark.parametrize(("function", "status"), [("gated", 0), ("stubborn", 1)])
async def test_a_second_signal_does_not_wait(
    redis_url: str, namespace: str, redis: Redis, function: str, status: int
) -> None:
    """It ends at once and hands the job in flight back, as if it had never been tried.

    The status is 1 where a function did not end although it was told to.
    """
    flow = number_flow(redis_url, namespace, 30)
    job_id = await flow.create_job(Given(number=1))
    with process(redis_url, namespace, 30, function, "run") as running:
        assert await asyncio.to_thread(redis.blpop, f"{namespace}begun", LONG)
        running.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(redis.blpop, f"{namespace}stopping", LONG)
        assert running.poll() is None
        running.send_signal(signal.SIGINT)
        assert await asyncio.to_thread(running.wait, LONG) == status
        assert running.stderr is not None
        said = running.stderr.read()
    assert b"Traceback" not in said
    assert (b"job.overruns" in said) == bool(status)
    record = await flow.get_job(job_id)
    await flow.stop_all()
    assert record is not None
    assert (record.status, record.attempts, [past.verb for past in record.history]) == ("waiting", 0, ["release"])


async def test_a_signal_while_it_starts(namespace: str) -> None:
    """It ends, with status 0 and without an error, although it never came so far as to have a server."""
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        nobody.settimeout(LONG)
        # With this timeout it gives up the server that does not answer; it is not what ends it.
        url = f"redis://127.0.0.1:{nobody.getsockname()[1]}?socket_timeout=1"
        with process(url, namespace, 30, "quick", "run") as running:
            connection, _address = await asyncio.to_thread(nobody.accept)
            running.send_signal(signal.SIGINT)
            assert await asyncio.to_thread(running.wait, LONG) == 0
            connection.close()
            assert running.stderr is not None
            assert b"Traceback" not in running.stderr.read()


def alone() -> list[str]:
    """Return the command that runs another as process 1 of a namespace of its own."""
    command = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "--kill-child"]
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare here")
    if (tried := subprocess.run([*command, "true"], capture_output=True, text=True, check=False)).returncode:
        pytest.skip(f"a namespace of its own is not permitted: {tried.stderr.strip()}")
    return command


def child_of(pid: int) -> int:
    """Return the one process that another has started."""
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    return int(child)


async def test_as_process_1_of_a_container(redis_url: str, namespace: str, redis: Redis) -> None:
    """There the kernel drops signals for which no handler is set: it ends on SIGTERM as anywhere else."""
    inside = alone()
    flow = number_flow(redis_url, namespace, 30)
    job_id = await flow.create_job(Given(number=1))
    with process(redis_url, namespace, 30, "gated", "run", inside=inside) as running:
        assert await asyncio.to_thread(redis.blpop, f"{namespace}begun", LONG)
        os.kill(child_of(running.pid), signal.SIGTERM)
        assert await asyncio.to_thread(redis.blpop, f"{namespace}stopping", LONG)
        redis.rpush(f"{namespace}gate", "open")
        assert await asyncio.to_thread(running.wait, LONG) == 0
    record = await flow.get_job(job_id)
    await flow.stop_all()
    assert record is not None
    assert (record.status, record.view(Answer).pid) == ("done", 1)

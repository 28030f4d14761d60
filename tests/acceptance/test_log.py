"""What a plain `python worker.py` says on stderr, with nothing set up."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from tests.acceptance.numbers import LONG, ROOT

WORKER = """
import asyncio, logging, os, signal, sys
from datetime import timedelta
from flows import Flow, FlowOptions, Job, QueueOptions, Retries
from pydantic import BaseModel

class Given(BaseModel):
    secret: str

class Work(Job):
    secret: str

retries = Retries(max_attempts=3, backoff=timedelta(milliseconds=5))
flow = Flow[Work, Given](
    FlowOptions(name="spoken", queues=[QueueOptions("work", job=Work, retries=retries)], namespace=sys.argv[1])
)

def helper():
    return {}["missing"]

async def work(job: Work) -> None:
    logging.getLogger("mine").info("my line")
    if job.secret != "fine-secret":
        helper()

flow.create_workers(Work, work, count=2, concurrency=2)

async def main():
    running = asyncio.create_task(flow.run()) if sys.argv[2] == "run" else asyncio.create_task(flow.start_all())
    ids = await flow.create_jobs([Given(secret="broken-secret"), Given(secret="fine-secret")])
    for job_id in ids:
        await flow.wait_for(job_id, 20)
    if sys.argv[2] == "run":
        os.kill(os.getpid(), signal.SIGTERM)
        await running
    else:
        await flow.stop_all()

asyncio.run(main())
"""


async def said(redis_url: str, namespace: str, tmp_path: Path, how: str) -> list[str]:
    """Return what the program says on stderr."""
    worker = tmp_path / "worker.py"
    worker.write_text(WORKER, encoding="utf-8")
    command = [sys.executable, str(worker), namespace, how]
    environment = {**os.environ, "FLOWS_REDIS_URL": redis_url, "PYTHONPATH": str(ROOT)}
    ended = await asyncio.to_thread(
        subprocess.run, command, env=environment, capture_output=True, timeout=LONG, check=True, text=True
    )
    assert ended.stdout == ""
    assert "secret" not in ended.stderr.replace("secret !=", "")
    return ended.stderr.splitlines()


def count(lines: list[str], *parts: str) -> int:
    """Return how many lines have all of these parts."""
    return sum(all(part in line for part in parts) for line in lines)


async def test_a_worker_speaks(redis_url: str, namespace: str, tmp_path: Path) -> None:
    """With `run()`: a banner, each retry, the failure with its traceback, what is done, and the program's own lines."""
    lines = await said(redis_url, namespace, tmp_path, "run")
    address = redis_url.rsplit("@", maxsplit=1)[-1]
    assert count(lines, "flow.started flow='spoken'", address, "queues={'work': 4}") == 1
    assert count(lines, "WARNING job.retried queue='work'", "of=3 after=0.0", "error='KeyError'") == 2
    assert count(lines, "ERROR   job.failed queue='work'", "attempt=3 of=3") == 1
    assert (count(lines, "Traceback (most recent call last)"), count(lines, "in helper")) == (1, 1)
    assert count(lines, "INFO    job.done queue='work'", "seconds=") == 1
    assert count(lines, "] mine: my line", "INFO    [") == 4
    assert "\x1b" not in "".join(lines)


async def test_what_is_wrong_is_said_without_run(redis_url: str, namespace: str, tmp_path: Path) -> None:
    """With `start_all()`, where Python itself shows warnings: the retries, and the failure with its traceback."""
    lines = await said(redis_url, namespace, tmp_path, "start")
    assert count(lines, "job.retried queue='work'") == 2
    assert count(lines, "job.failed queue='work'", "attempt=3 of=3") == 1
    assert (count(lines, "Traceback (most recent call last)"), count(lines, "in helper")) == (1, 1)

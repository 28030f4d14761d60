"""A flow that names no server: it starts the embedded one, or joins it, and says so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from flows.store.embedded import EmbeddedServer
from tests.acceptance.numbers import LONG, ROOT

#: Create a job, or do the one whose id is given, and say what came of it.
CREATE = """
import asyncio, logging, sys
from tests.acceptance.numbers import Answer, Given, Work, number_flow

logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
flow = number_flow(None, "", 30)

async def create():
    print("id", await flow.create_job(Given(number=21)))
    await flow.stop_all()

async def work(job_id):
    async def double(job):
        return Answer(answer=job.number * 2, pid=0)
    flow.create_workers(Work, double)
    async with flow:
        print("answer", (await flow.wait_for(job_id, 20)).view(Answer).answer)

asyncio.run(work(sys.argv[1]) if sys.argv[1:] else create())
"""


def run(environment: dict[str, str], *arguments: str) -> list[str]:
    """Run the program above in a process of its own and return its lines."""
    command = [sys.executable, "-c", CREATE, *arguments]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LONG, check=True)
    assert ended.stderr == ""
    return ended.stdout.splitlines()


def test_two_processes_share_the_embedded_server(tmp_path: Path) -> None:
    """The first process starts the server of FLOWS_DATA_DIR and leaves a job there; the second one does it."""
    environment = {name: value for name, value in os.environ.items() if name not in {"FLOWS_REDIS_URL", "REDIS_URL"}}
    environment |= {"FLOWS_DATA_DIR": str(tmp_path / "data"), "XDG_RUNTIME_DIR": str(tmp_path)}
    try:
        first = run(environment)
        (job_id,) = [line.removeprefix("id ") for line in first if line.startswith("id ")]
        second = run(environment, job_id)
    finally:
        assert EmbeddedServer(tmp_path / "data").stop()
    assert "answer 42" in second
    connected = [line for line in first + second if line.startswith("flow.connected")]
    assert len(connected) == 2
    assert all("server='the embedded server at unix:///" in line for line in connected)
    assert all(f"data in {tmp_path / 'data'}'" in line for line in connected)
    started = [line for line in first + second if "started the embedded server" in line]
    assert len(started) == 1
    assert str(tmp_path / "data") in started[0]
    assert "server stop" in started[0]

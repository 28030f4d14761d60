"""The pytest plugin: tests beside a running worker exchange no job with it, and need no conftest.py."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from redis import Redis

from flows.testing import server_for_tests
from flows.testing.server import directory_for_tests, stop_server_for_tests

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0
PAGE = ROOT / "docs" / "howto" / "test-your-workers.md"

DECLARED = """
from pydantic import BaseModel

from flows import Flow, FlowOptions, Job, JobResult, QueueOptions, current_job


class New(BaseModel):
    user: int


class Load(Job):
    user: int


class Loaded(JobResult):
    path: str


load_flow = Flow[Load, New](FlowOptions(name="load", queues=[QueueOptions("load", job=Load)]))
"""
TESTS = """
import asyncio

from declared import Load, Loaded, New, load_flow
from flows import current_job
from flows.testing import isolated, running_job


async def load(job):
    current_job().progress(0.5, "half")
    current_job().log(f"user {job.user}")
    return Loaded(path="of the test")


load_flow.create_workers(Load, load)


def test_the_function_alone():
    with running_job(attempt=2) as running:
        assert asyncio.run(load(Load(user=1))).path == "of the test"
    assert running.progress == [(0.5, "half")]
    assert [(line.text, line.level) for line in running.lines] == [("user 1", "info")]
    assert running.current.attempt == 2


def test_the_whole_flow():
    async def go():
        async with load_flow:
            return await load_flow.wait_for(await load_flow.create_job(New(user=1)), timeout=20)
    assert asyncio.run(go()).view(Loaded).path == "of the test"


def test_isolated():
    async def go():
        async with isolated(load_flow) as test:
            await load_flow.create_jobs([New(user=n) for n in range(100)])
            return (await test.drain()).done
    assert asyncio.run(go()) == 100


def test_the_server(flows_url):
    assert flows_url.startswith("unix://")
"""


def run(directory: Path, developers_url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in a directory, in a shell that names the developer's own server."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("FLOWS_", "PYTEST_"))}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", *arguments],
        cwd=directory,
        env={**environment, "REDIS_URL": developers_url, "FLOWS_REDIS_URL": developers_url},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_no_job_crosses_over_to_a_running_worker(tmp_path: Path, redis_url: str, redis: Redis) -> None:
    """A developer's server, on which a worker of the same flow may run, gets no key of the tests."""
    (tmp_path / "declared.py").write_text(DECLARED, "utf-8")
    (tmp_path / "test_load.py").write_text(TESTS, "utf-8")
    done = run(tmp_path, redis_url, "--durations=0")
    assert "4 passed" in done.stdout, done.stdout + done.stderr
    assert redis.keys("*queue:load:*") == []
    assert redis.exists("flows:names") == 0
    left = re.findall(r"data in (\S*flows-tests-\d+)", done.stdout)
    assert [directory for directory in left if Path(directory).exists()] == []


def test_the_plugin_can_be_left_out(tmp_path: Path, redis_url: str) -> None:
    """`-p no:flows` leaves the environment as it is."""
    (tmp_path / "test_environment.py").write_text(
        "import os\n\n\ndef test_it():\n    assert os.environ['FLOWS_REDIS_URL'] == os.environ['REDIS_URL']\n", "utf-8"
    )
    assert run(tmp_path, redis_url).returncode == 1
    assert run(tmp_path, redis_url, "-p", "no:flows").returncode == 0


@pytest.mark.skipif("FLOWS_TEST_REDIS_URL" in os.environ, reason="another server was named")
def test_the_server_for_tests_is_one_per_process_and_leaves_nothing() -> None:
    """A second call returns the same; once stopped, its data is gone."""
    assert server_for_tests() == server_for_tests()
    assert directory_for_tests().exists()
    stop_server_for_tests()
    assert not directory_for_tests().exists()


@pytest.mark.skipif(not PAGE.exists(), reason="the page is not there")
def test_the_page_on_tests_runs_as_it_stands(tmp_path: Path) -> None:
    """Its files and its settings of pytest are all that is needed: each test runs, and none is left out."""
    text = PAGE.read_text("utf-8")
    for name, block in re.findall(r"^<!-- file: (\S+) -->\n```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        (tmp_path / name).write_text(block, "utf-8")
    [settings] = re.findall(r"^```toml\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    (tmp_path / "pyproject.toml").write_text(settings, "utf-8")
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert re.search(r"^4 passed in ", ended.stdout, re.MULTILINE), ended.stdout

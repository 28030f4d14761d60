"""`flows run` with real processes: one that is killed comes back, a signal ends all, and no job is lost."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Literal, Self, TypeAlias

import pytest

from flows import Flow
from flows.api import Admin, JobQuery, bulk
from flows.cli.running import run
from flows.errors import DeclarationError, ValidationError
from tests.api.conftest import Left
from tests.cli.flow_of_numbers import Doubling, Number, make_numbers
from tests.waiting import patient, until

ROOT = Path(__file__).parents[2]
TARGET = "tests.cli.flow_of_numbers:numbers"
Producer: TypeAlias = Flow[Doubling, Number, Literal["n"]]
#: A module that loads where it is looked at first, and ends each process that runs it.
BROKEN = """
import os
from types import SimpleNamespace


class Broken:
    events = SimpleNamespace(attempts=SimpleNamespace(listen=id))

    async def run(self, *args, **kwargs):
        os._exit(7)

    async def stop_all(self, grace=None):
        pass


flow = Broken()
"""


@pytest.fixture
def environment(redis_url: str, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Have processes work in a namespace of this test, and write what they do into a file."""
    log = tmp_path / "done"
    log.touch()
    monkeypatch.setenv("FLOWS_TEST_RUN_URL", redis_url)
    monkeypatch.setenv("FLOWS_TEST_RUN_NAMESPACE", namespace)
    monkeypatch.setenv("FLOWS_TEST_RUN_LOG", str(log))
    return log


class Running:
    """`flows run` as a shell starts it, which ends with the block.

    Args:
        words: What stands behind `flows run`.
        cwd: Where it is started.
        ends_by: The signal that ends it.
    """

    def __init__(self, *words: str, cwd: Path = ROOT, ends_by: int = signal.SIGTERM) -> None:
        self.said: list[str] = []
        self._ends_by = ends_by
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "flows", "run", *words]
        self.process = subprocess.Popen(command, cwd=cwd, env=environment, stderr=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def says(self, text: str) -> bool:
        """Return whether it has said something on stderr."""
        return any(text in line for line in self.said)

    async def ended(self) -> int:
        """Wait for its end, and return its exit status."""
        return await asyncio.to_thread(self.process.wait, patient(60))

    async def __aenter__(self) -> Self:
        """Return it."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """End it, in whatever state it is."""
        if self.process.poll() is None:
            self.process.send_signal(self._ends_by)
            await self.ended()
        await asyncio.to_thread(self._reader.join)

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            self.said.extend(lines)


def done(log: Path) -> list[tuple[int, int]]:
    """Return which numbers were doubled, and by which process."""
    return [(int(n), int(pid)) for n, pid in (line.split() for line in log.read_text().splitlines())]


async def all_done(log: Path, many: int) -> None:
    """Wait until so many were doubled."""
    await until(lambda: len(done(log)) == many)


@pytest.fixture
async def producer(redis_url: str, namespace: str) -> AsyncIterator[Flow[Doubling, Number, Literal["n"]]]:
    """Open a flow that creates jobs, and has no workers."""
    flow = make_numbers(redis_url, namespace)
    async with flow:
        yield flow


def test_what_cannot_run_is_told_at_once() -> None:
    """A module, a name, something that is no flow, and a queue that has no worker."""
    with pytest.raises(ValidationError, match="name a flow"):
        run()
    for target, told in (
        ("nothing", "module:name"),
        ("tests.cli.nothing:numbers", "no module"),
        ("tests.cli.flow_of_numbers:nothing", "has no"),
        ("tests.cli.flow_of_numbers:Number", "no flow"),
    ):
        with pytest.raises(DeclarationError, match=told):
            run(target, processes=2)
    with pytest.raises(ValidationError, match="1GiB"):
        run("tests.cli.flow_of_numbers:numbers", max_rss="much")


async def test_processes_end_well_and_one_that_is_killed_comes_back(
    producer: Producer, environment: Path, left_to_act: Left
) -> None:
    """Two processes work; one is killed and replaced; SIGTERM ends all with 0, and each job was done once.

    Beside, an action on many jobs is done of a flow that has no worker, and whose code none of them has.
    """
    async with left_to_act.admin() as admin:
        begun = await bulk.apply(admin, "retry", JobQuery.parse("flow:shop state:failed"), 2, undo=timedelta(0))
    async with Running(TARGET, "--processes", "2") as running:
        made = 0
        while len({pid for _n, pid in done(environment)}) < 2:
            await producer.create_jobs(Number(n=n) for n in range(made, made + 50))
            made += 50
            await all_done(environment, made)
        await until(lambda: _is_idle(producer))  # what it had done and not told of would be done again
        os.kill(done(environment)[-1][1], signal.SIGKILL)
        await until(lambda: running.says("starts again"))
        await producer.create_jobs(Number(n=n) for n in range(made, made + 50))
        await until(lambda: len(done(environment)) == made + 50)
        async with left_to_act.admin("viewer") as admin:
            await until(lambda: _is_done(admin, begun.id))
        running.process.send_signal(signal.SIGTERM)
        assert await running.ended() == 0, running.said[-6:]
    assert sorted(n for n, _pid in done(environment)) == list(range(made + 50))


async def _is_idle(producer: Producer) -> bool:
    return (await producer.queue(Doubling).state()).processing == 0


async def _is_done(admin: Admin, action_id: str) -> bool:
    return (await bulk.show(admin, action_id)).words == {"retried": 2}


async def test_a_burst_ends_when_all_is_done(producer: Producer, environment: Path) -> None:
    """With 0, and nothing is left."""
    await producer.create_jobs(Number(n=n) for n in range(50))
    async with Running(TARGET, "--burst", "--queue", "double") as running:
        assert await running.ended() == 0, running.said[-6:]
    assert len(done(environment)) == 50


async def test_a_process_is_replaced_after_its_jobs(producer: Producer, environment: Path) -> None:
    """By a fresh interpreter, and no job is done twice."""
    async with Running(TARGET, "--max-jobs", "20", ends_by=signal.SIGINT) as running:
        made = 0
        while len({pid for _n, pid in done(environment)}) < 2:
            await producer.create_jobs(Number(n=n) for n in range(made, made + 20))
            made += 20
            await all_done(environment, made)
        assert running.says("is replaced")
        running.process.send_signal(signal.SIGINT)
        assert await running.ended() == 0, running.said[-6:]
    assert sorted(n for n, _pid in done(environment)) == list(range(made))


async def test_what_dies_at_once_is_not_started_for_ever(tmp_path: Path) -> None:
    """So often within its first seconds, and the exit status is 1; here thrice, with short pauses."""
    (tmp_path / "broken.py").write_text(BROKEN)
    program = (
        "import sys; from flows.cli import running, supervisor; supervisor.LONGEST_PAUSE = 0.01; "
        "supervisor.YOUNG = 600; "  # what dies at once on a busy machine, too
        "supervisor.MOST_DEATHS = 3; "
        "sys.exit(running.run('broken:flow', max_jobs=1))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=patient(60),
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.count("starts again") == 2, ended.stderr
    assert "is not started again" in ended.stderr


async def test_an_edit_is_taken_up(producer: Producer, environment: Path, tmp_path: Path) -> None:
    """With `--reload` a file that changes is loaded by a fresh process, and no job is lost meanwhile."""
    module = tmp_path / "mine.py"
    text = "from tests.cli.flow_of_numbers import numbers\n"
    module.write_text(text)
    async with Running("mine:numbers", "--reload", cwd=tmp_path) as running:
        await producer.create_jobs(Number(n=n) for n in range(20))
        await until(lambda: len(done(environment)) == 20)
        module.write_text(f"{text}edited = True\n")
        await until(lambda: running.says("a file has changed"))
        await producer.create_jobs(Number(n=n) for n in range(20, 40))
        await until(lambda: len(done(environment)) == 40)
        running.process.send_signal(signal.SIGTERM)
        assert await running.ended() == 0, running.said[-6:]
    assert sorted(n for n, _pid in done(environment)) == list(range(40))

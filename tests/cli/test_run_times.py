"""How long `flows run` takes to bring a process back and to take up an edit, and a probe to see that nobody works."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path

import pytest

from tests.cli.flow_of_numbers import Number
from tests.cli.test_run import ROOT, Producer, Running, all_done, done, environment, producer
from tests.scale import SCALE
from tests.waiting import slowness, until

__all__ = ["environment", "producer"]

PROCESSES = 4


class Work:
    """Numbers to double, each once."""

    def __init__(self, producer: Producer, log: Path) -> None:
        self._producer, self._log = producer, log
        self.made = 0

    async def all_work(self) -> set[int]:
        """Give work until every process has done some, and return their ids."""
        before = len(done(self._log))
        while len(self.pids(before)) < PROCESSES:
            await self.some(50)
            await all_done(self._log, self.made)
        return self.pids(before)

    def pids(self, before: int = 0) -> set[int]:
        """Return who has done some, but for so many numbers that were done first."""
        return {pid for _n, pid in done(self._log)[before:]}

    async def some(self, many: int) -> None:
        """Give some."""
        numbers = range(self.made, self.made + many)
        self.made += many
        await self._producer.create_jobs(Number(n=n) for n in numbers)

    async def until_others_work(self, known: set[int], many: int = 1) -> None:
        """Give work until so many processes have done some that are none of these."""
        while len(self.pids() - known) < many:
            await self.some(20)
            await asyncio.sleep(0.02)

    def each_once(self) -> bool:
        """Whether each number was doubled, and once."""
        return sorted(n for n, _pid in done(self._log)) == list(range(self.made))


async def took(what: str, work: Awaitable[object]) -> float:
    """Wait for something, and return how many seconds that took; `make scale ARGS=-s` shows it."""
    began = time.monotonic()
    await work
    seconds = time.monotonic() - began
    sys.stdout.write(f"{what}: {seconds:.2f} s\n")
    return seconds


async def checked(redis_url: str, namespace: str) -> int:
    """Return the exit status of `flows check`."""
    words = ["check", "--flow", "numbers", "--redis-url", redis_url, "--namespace", namespace]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "flows", *words, cwd=ROOT, stdout=asyncio.subprocess.DEVNULL
    )
    return await process.wait()


@pytest.mark.scale
@pytest.mark.timeout(300)
@pytest.mark.skipif(SCALE == 1, reason="its times are those of an idle machine, and a probe takes half a minute")
async def test_what_a_supervisor_takes(
    redis_url: str, namespace: str, producer: Producer, environment: Path, tmp_path: Path
) -> None:
    """On an idle machine a killed process is back in 1 s, an edit is taken up in 2 s; no job is lost or done twice."""
    module, log, edits = tmp_path / "mine.py", environment, count(1)
    text = "from tests.cli.flow_of_numbers import numbers\n"
    module.write_text(text)
    work, words = Work(producer, log), ("mine:numbers", "--processes", str(PROCESSES))
    async with Running(*words, "--reload", cwd=tmp_path) as running:
        for _again in range(3):
            alive, known = await work.all_work(), work.pids()
            os.kill(min(alive), signal.SIGKILL)
            assert await took("a killed process works again", work.until_others_work(known)) < 1 * slowness()
            await all_done(log, work.made)
        for _again in range(3):
            await work.all_work()
            known = work.pids()
            module.write_text(f"{text}edited = {next(edits)}\n")
            all_four = asyncio.create_task(took("an edit is taken up by all", work.until_others_work(known, PROCESSES)))
            assert await took("an edit is taken up", work.until_others_work(known)) < 2 * slowness()
            await all_four
            await all_done(log, work.made)
        await work.some(2000)
        running.process.send_signal(signal.SIGTERM)
        await took("a signal ends all during work", running.ended())
        assert running.process.returncode == 0
    async with Running(*words, cwd=tmp_path) as running:
        await all_done(log, work.made)
        assert work.each_once()
        for pid in await work.all_work():
            os.kill(pid, signal.SIGSTOP)  # so that none is started again before the supervisor is gone
        running.process.kill()
        await running.ended()
        for pid in {pid for _n, pid in done(log)}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    await work.some(20)

    def probe(status: int) -> Callable[[], Awaitable[bool]]:
        async def is_so() -> bool:
            return await checked(redis_url, namespace) == status

        return is_so

    assert await took("a probe sees that nobody works", until(probe(4), 90)) < 60
    async with Running(*words, cwd=tmp_path):
        assert await took("a probe sees that somebody works", until(probe(0), 90)) < 10 * slowness()

"""Workers that are killed before and after each of their records, and one that wakes when another has taken over."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from flows.tree import Instance, InstanceState
from tests.ready_python import ROOT, ReadyPython
from tests.scale import SCALE
from tests.tree import dying
from tests.waiting import LONG, until

PROGRAM = Path(dying.__file__)
#: So many records a run of the tree writes at most, with those of its run.
_MOST = 40


def calls(ledger: Path) -> Counter[str]:
    """Return how often each function was called."""
    return Counter(ledger.read_text().split()) if ledger.exists() else Counter()


def recorded(state: InstanceState) -> set[str]:
    """Return the tasks whose end is recorded."""
    return {path for path, one in state.tasks.items() if one.status == "ok"}


def outlined(state: InstanceState) -> dict[str, tuple[str, bool, float, int | None]]:
    """Return what has to be the same, however often a worker died."""
    return {path: (one.status, one.stale, one.progress, one.bytes) for path, one in state.tasks.items()}


class Case:
    """One instance, executed by workers that die."""

    def __init__(self, url: str, namespace: str, ledger: Path, python: ReadyPython) -> None:
        self.url, self.namespace, self.ledger = url, namespace, ledger
        self.python = python

    async def run(self, instance: Instance[Any], points: str) -> int:
        """Let a process work on an instance, and return how it ended."""
        words = [self.url, self.namespace, str(self.ledger), instance.id, points]
        return (await asyncio.to_thread(self.python.run, PROGRAM, *words)).returncode

    async def execute(self, points: str, *, deadly: bool = False) -> tuple[bool, InstanceState, set[str]]:
        """Execute an instance; return whether the worker was killed, how it stands, and what was done again.

        That is what had been recorded before the worker died and was called after that.
        """
        trees, site = dying.make(self.url, self.namespace, self.ledger)
        async with trees:
            instance = await site.create(dying.Site(deadly=deadly))
            await instance.execute_all()
            status = await self.run(instance, points)
            ended, before = recorded(await instance.state()), calls(self.ledger)
            while (await instance.state()).status == "working":
                await self.run(instance, "")
            again = {path for path in ended if calls(self.ledger)[path] > before[path]}
            return status != 0, await instance.state(), again


@pytest.fixture(scope="module")
def python() -> Any:
    """Return a Python that has imported all."""
    with ReadyPython("flows", "flows.tree", "tests.tree.dying") as ready:
        yield ready


@pytest.mark.scale
@pytest.mark.timeout(600)
async def test_killed_at_each_record(redis_url: str, namespace: str, python: ReadyPython, tmp_path: Path) -> None:
    """Before and after each write: the same state in the end, and nothing that was recorded runs again."""
    _killed, wanted, _again = await Case(redis_url, namespace, tmp_path / "none", python).execute("")
    assert wanted.status == "done"
    assert {one.status for one in wanted.tasks.values()} == {"ok", "skipped"}
    kills = 0
    for point in ("before-record", "after-record"):
        for nth in range(1, _MOST) if SCALE > 1 else (3,):
            case = Case(redis_url, namespace, tmp_path / f"{point}-{nth}", python)
            killed, state, again = await case.execute(f"{point}=kill@{nth}")
            assert (state.status, outlined(state)) == ("done", outlined(wanted)), (point, nth)
            assert again == set(), (point, nth)
            kills += killed
            if not killed:
                break  # it has no more records
    assert kills >= (20 if SCALE > 1 else 2)


@pytest.mark.scale
@pytest.mark.skipif(SCALE == 1, reason="three workers die one after another: make scale")
async def test_a_task_that_kills_its_workers_fails(
    redis_url: str, namespace: str, python: ReadyPython, tmp_path: Path
) -> None:
    """After so many deaths the execution is recorded as failed; nothing stays queued or running."""
    _killed, state, again = await Case(redis_url, namespace, tmp_path / "ledger", python).execute("", deadly=True)
    assert state.status == "failed"
    assert state.error is not None
    assert (state.path, state.error.type) == ("#", "Poison")
    assert "nothing but this execution: find what ends its process" in state.error.message
    assert again == set()
    assert state.tasks["#.last"].status in {"cancelled", "inactive"}  # it dies before its beginning is written
    assert {one.status for path, one in state.tasks.items() if path != "#.last"} == {"ok", "skipped"}


@pytest.mark.timeout(120)
async def test_a_worker_that_wakes_late_writes_nothing(
    redis_url: str, namespace: str, python: ReadyPython, tmp_path: Path
) -> None:
    """Stopped past its lease, it finds that another one has the instance."""
    case = Case(redis_url, namespace, tmp_path / "ledger", python)
    trees, site = dying.make(redis_url, namespace, case.ledger)
    async with trees:
        instance = await site.create(dying.Site())
        await instance.execute_all()
        words = [redis_url, namespace, str(case.ledger), instance.id, "before-record=stop@4"]
        command = [sys.executable, str(PROGRAM), *words]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with subprocess.Popen(command, cwd=ROOT, env=environment) as stopped:  # noqa: ASYNC220 - it returns at once
            try:
                await until(lambda: _is_stopped(stopped.pid))
                assert await case.run(instance, "") == 0
                state = await instance.state()
                assert state.status == "done"
                stopped.send_signal(signal.SIGCONT)
                await asyncio.wait_for(asyncio.to_thread(stopped.wait), LONG)
            finally:
                stopped.kill()
        after = await instance.state()
        assert after == state


def _is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

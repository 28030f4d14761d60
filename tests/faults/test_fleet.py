"""Worker processes are real: they work, are killed, stopped, continued and told to end, and none outlives its user."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.fleet import Fleet
from tests.faults.flow_under_test import Order, make_flow
from tests.faults.ledger import Entry, Ledger
from tests.waiting import LONG, blocking_until


@pytest.fixture
def fleet(redis_url: str, namespace: str, tmp_path: Path) -> Iterator[Fleet]:
    """Make a fleet on the server of the tests."""
    with Fleet(redis_url, tmp_path / "ledger", namespace=namespace, lease=5.0) as made:
        yield made


def create(redis_url: str, namespace: str, count: int, kind: str) -> list[str]:
    """Create jobs."""

    async def create_all() -> list[str]:
        flow = make_flow(redis_url, namespace)
        try:
            return await flow.create_jobs(Order(number=number, kind=kind) for number in range(count))
        finally:
            await flow.stop_all()

    return asyncio.run(create_all())


def wait_for(tmp_path: Path, kind: str, count: int, **fields: object) -> list[Entry]:
    """Wait for so many lines of a kind and return them."""
    found: list[Entry] = []

    def there() -> bool:
        entries = [entry for entry in Ledger.read(tmp_path / "ledger") if entry.kind == kind]
        found[:] = [entry for entry in entries if fields.items() <= entry.fields.items()]
        return len(found) >= count

    blocking_until(there, LONG)
    return found


def test_works_and_ends_when_told(fleet: Fleet, redis_url: str, namespace: str, tmp_path: Path) -> None:
    """Two processes take the jobs through all queues, children too, and end with status 0 on SIGTERM."""
    ids = create(redis_url, namespace, 10, "children:2")
    processes = fleet.spawn(2)
    ended = wait_for(tmp_path, "DONE", 10, queue="ship", ending="Finish")
    assert {entry.job_id for entry in ended} == set(ids)
    assert {entry.pid for entry in ended} <= {process.pid for process in processes}
    assert len(wait_for(tmp_path, "EFFECT", 40)) == 40
    blocking_until(lambda: all("flow.started" in process.says() for process in processes))
    fleet.finish()
    assert [process.status for process in processes] == [0, 0]


def test_kills_stops_and_continues(fleet: Fleet, redis_url: str, namespace: str, tmp_path: Path) -> None:
    """A process that is stopped does nothing; one that is killed is gone, and the ledger says when."""
    create(redis_url, namespace, 2, "slow:0.3")
    [process] = fleet.spawn(concurrency=1)
    wait_for(tmp_path, "START", 1)
    fleet.stop(process)
    assert fleet.wait_stopped(process)
    seen = len(Ledger.read(tmp_path / "ledger"))
    time.sleep(0.5)
    assert len(Ledger.read(tmp_path / "ledger")) == seen
    fleet.cont(process)
    wait_for(tmp_path, "EFFECT", 1)
    fleet.kill(process)
    assert fleet.wait(process)
    assert process.status == -signal.SIGKILL
    assert wait_for(tmp_path, "KILL", 1)[0].fields["victim"] == process.pid
    assert len(fleet.fill(3)) == 3


def test_kills_itself_at_a_failpoint(fleet: Fleet, redis_url: str, namespace: str, tmp_path: Path) -> None:
    """Failpoints are set per process, and hit at the passage that they name."""
    create(redis_url, namespace, 5, "slow:0.01")
    [process] = fleet.spawn(queues=["pick"], concurrency=1, failpoints="after-user-code=kill@3")
    assert fleet.wait(process)
    assert process.status == -signal.SIGKILL
    assert len(wait_for(tmp_path, "EFFECT", 3)) == 3


def test_none_outlives_its_user(redis_url: str, namespace: str, tmp_path: Path) -> None:
    """When the user of a fleet is gone, its processes are killed, also those that stand still."""
    fleet = Fleet(redis_url, tmp_path / "ledger", namespace=namespace)
    processes = fleet.spawn(2)
    fleet.stop(processes[0])
    fleet._fork_server.close()  # as the kernel does it when the user is killed
    for process in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(process.pid, 0)
    fleet.close()

"""`flow.sync`: plain callers of any thread and process use a flow, beside a loop that has it open."""

from __future__ import annotations

import asyncio
import inspect
import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from flows import FlowsError, JobGone, StateError, SyncFlow, ValidationError, WaitTimeout
from flows.config import Server
from flows.kernel.callers import loop_thread
from flows.pipeline.flow_jobs import FlowJobs
from flows.testing import isolated
from tests.pipeline.parts import LONG, Order, Orders, Price, Priced, order_flow, price, ship
from tests.waiting import blocking_until

ROOT = Path(__file__).resolve().parents[2]

#: A script that never closes the flow, forks a child that ends as any program does, and goes on.
SCRIPT = """
import os, sys, time
from tests.pipeline.parts import Order, order_flow

flow = order_flow(sys.argv[1], sys.argv[2])
ids = [flow.sync.create_job(Order(user_id=1))]
wire = flow._sync_runtime.session.connection._wire
if os.fork() == 0:
    print(flow.sync.get_job(ids[0]).params.user_id, flush=True)
    sys.exit(0)
assert os.wait()[1] == 0
began = time.monotonic()
print(flow.sync.get_job(ids[0]).params.user_id, time.monotonic() - began < 10)
assert flow._sync_runtime.session.connection._wire is wire
"""


def in_threads(number: int, work: Callable[[int], list[str]]) -> list[str]:
    """Return what a function returns in so many threads at once."""
    answers: list[str] = []
    errors: list[BaseException] = []

    def run(which: int) -> None:
        try:
            answers.extend(work(which))
        except BaseException as error:  # noqa: BLE001 - told below
            errors.append(error)

    threads = [threading.Thread(target=run, args=(which,)) for which in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    assert errors == []
    return answers


def create_in_child(url: str, namespace: str, flow: Orders | None) -> None:
    """Create a job in a process that was forked, with the parent's flow or with a new one."""
    flow = flow or order_flow(url, namespace)
    for _ in range(5):
        flow.sync.create_job(Order(user_id=7))


def test_every_async_method_has_its_twin(orders: Orders) -> None:
    """What a flow's jobs can be asked by a coroutine can be asked by a plain call of the same name and signature."""
    twins = {name for name, _method in inspect.getmembers(FlowJobs, inspect.iscoroutinefunction)} | {"stream"}
    assert {name for name in vars(orders.sync) if not name.startswith("_")} == {*twins, "processes", "close", "endings"}
    for name in twins:
        ours, theirs = getattr(orders.sync, name), getattr(orders, name)
        assert inspect.signature(ours) == inspect.signature(theirs)
        assert ours.__doc__ == theirs.__doc__
    assert isinstance(orders.sync, SyncFlow)
    assert orders.sync is orders.sync


def test_a_host_without_threads_is_told(orders: Orders, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an error of ours, and the next call works if there is a thread by then."""

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(loop_thread, "_threads", [])
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(FlowsError, match=r"flow\.sync cannot start its event loop: .*can't start new thread"):
            orders.sync.create_job(Order(user_id=1))
        assert not loop_thread._threads
    assert orders.sync.get_job(orders.sync.create_job(Order(user_id=1)))


def test_a_plain_script(orders: Orders) -> None:
    """It creates, finds, waits for, cancels, retries and deletes jobs, and the errors are those of the flow."""
    sync = orders.sync
    job_id = sync.create_job(Order(user_id=1, tags=["a"]), correlation_id="request-1")
    many = sync.create_jobs(Order(user_id=2) for _ in range(3))
    assert [record and record.id for record in sync.get_jobs([job_id, *many])] == [job_id, *many]
    assert [record.id for record in sync.get_jobs_by_key("user_id", 2, limit=2)] == many[:2]
    with pytest.raises(WaitTimeout):
        sync.wait_for(job_id, timeout=0.05)
    assert sync.cancel_job(job_id) == "cancelled"
    assert sync.wait_for(job_id, timeout=LONG).status == "cancelled"
    sync.retry_job(job_id)
    with pytest.raises(StateError):
        sync.retry_job(job_id)
    assert sync.get_log(job_id) == []
    assert sync.delete_job(job_id)
    with pytest.raises(JobGone):
        sync.cancel_job(job_id)
    with pytest.raises(ValidationError):
        sync.create_job(Price(user_id=1))  # type: ignore[arg-type]
    sync.close()
    assert sync.get_job(job_id) is None
    sync.close()


async def test_beside_a_loop_that_has_the_flow(orders: Orders) -> None:
    """Workers, coroutines and plain functions of one process share a flow, and none disturbs the others."""
    orders.create_workers(Price, price, concurrency=8)
    orders.create_workers("ship", ship, concurrency=8)

    def route(which: int) -> list[str]:
        ids = [orders.sync.create_job(Order(user_id=which)) for _ in range(20)]
        assert orders.sync.wait_for(ids[-1], timeout=LONG).status == "done"
        return ids

    async with orders:
        theirs, ours = await asyncio.gather(
            asyncio.to_thread(in_threads, 8, route), orders.create_jobs(Order(user_id=100) for _ in range(50))
        )
        ids = [*theirs, *ours]
        assert len(set(ids)) == 8 * 20 + 50
        for job_id in ids:
            assert (await orders.wait_for(job_id, LONG)).status == "done"
    await asyncio.to_thread(orders.sync.close)


async def test_inside_a_plain_worker_function(orders: Orders) -> None:
    """It creates a job of its own flow and waits for it, while the same workers do that job."""

    def priced(job: Price) -> Priced:
        if job.user_id:
            return Priced(price=job.user_id)
        found = orders.sync.wait_for(orders.sync.create_job(Order(user_id=5)), timeout=LONG)
        return Priced(price=found.view(Priced).price + 1)

    orders.create_workers(Price, priced, concurrency=2)
    orders.create_workers("ship", ship)
    async with orders:
        done = await orders.wait_for(await orders.create_job(Order(user_id=0)), LONG)
        assert done.view(Priced).price == 6
    await asyncio.to_thread(orders.sync.close)


async def test_inside_a_loop_it_is_refused(orders: Orders) -> None:
    """It would block the loop; the error says what to write, and nothing was sent."""
    with pytest.raises(FlowsError, match=r"await flow\.create_job\(\.\.\.\)"):
        orders.sync.create_job(Order(user_id=1))
    with pytest.raises(FlowsError, match=r"to_thread\(flow\.sync\.close\)"):
        orders.sync.close()
    assert await orders.get_jobs_by_key("user_id", 1) == []
    await orders.stop_all()


@pytest.mark.parametrize("new", [False, True], ids=["the parent's flow", "a new flow"])
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_after_a_fork(orders: Orders, redis_url: str, namespace: str, *, new: bool) -> None:
    """Children have a loop of their own, however busy the parent's is; the parent goes on with its connection."""
    sync = orders.sync
    sync.create_job(Order(user_id=7))
    wire = orders._sync_runtime.session.connection._wire
    fork, over = multiprocessing.get_context("fork"), threading.Event()

    def busy() -> None:
        while not over.is_set():
            sync.create_job(Order(user_id=8))

    threads = [threading.Thread(target=busy) for _ in range(2)]
    for thread in threads:
        thread.start()
    given = (redis_url, namespace, None if new else orders)
    children = [fork.Process(target=create_in_child, args=given) for _ in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join(LONG)
    over.set()
    for thread in threads:
        thread.join(LONG)
    assert [child.exitcode for child in children] == [0, 0, 0]
    assert len(sync.get_jobs_by_key("user_id", 7)) == 16
    assert orders._sync_runtime.session.connection._wire is wire
    sync.close()


def test_a_process_that_ends_without_closing(redis_url: str, namespace: str) -> None:
    """Parent and child end silently, and the child's end takes nothing from its parent."""
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore:This process", "-c", SCRIPT, redis_url, namespace],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "1\n1 True\n", "")


def test_whoever_is_interrupted_waits_no_more(orders: Orders) -> None:
    """Ctrl-C in a plain call ends the call, and what it has begun in the loop of plain callers."""
    job_id = orders.sync.create_job(Order(user_id=1))
    session = orders._sync_runtime.session

    def interrupt() -> None:
        blocking_until(lambda: session.signals._listeners)
        os.kill(os.getpid(), 2)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        orders.sync.wait_for(job_id, timeout=LONG)
    blocking_until(lambda: not session.signals._listeners)
    orders.sync.close()


async def test_the_environment_is_read_when_it_connects(
    redis_url: str, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A test's fixture may set it after the module of the flow was imported, and set it anew for the next opening."""
    monkeypatch.delenv("FLOWS_REDIS_URL", raising=False)
    monkeypatch.setenv("REDIS_URL", "redis://production.invalid:6379/0")
    flow: Any = order_flow("", namespace)
    monkeypatch.setenv("FLOWS_REDIS_URL", redis_url)
    job_id = await flow.create_job(Order(user_id=1))
    assert (await asyncio.to_thread(flow.sync.get_job, job_id)).id == job_id
    await flow.stop_all()
    monkeypatch.setenv("FLOWS_REDIS_URL", "http://nonsense")
    with pytest.raises(FlowsError, match="FLOWS_REDIS_URL"):
        await flow.create_job(Order(user_id=1))
    await asyncio.to_thread(flow.sync.close)


async def test_a_flow_can_be_bound_before_it_opens(
    redis_url: str, namespace: str, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To another server and namespace, for plain callers too; not while it is open."""
    monkeypatch.delenv("FLOWS_REDIS_URL", raising=False)
    flow = order_flow("redis://production.invalid:6379/0", "production:")
    await flow._bind(Server(redis_url, "a test"), f"{namespace}bound:")
    flow.create_workers(Price, price)
    async with flow:
        job_id = await flow.create_job(Order(user_id=1))
        assert redis.exists(f"{namespace}bound:job:orders:{job_id}")
        record = await asyncio.to_thread(flow.sync.get_job, job_id)
        assert record is not None
        with pytest.raises(FlowsError, match=r"is open in .*MainThread.*: await flow\.stop_all\(\) there closes it"):
            await flow._bind(None, "")
    await flow._bind(Server(redis_url, "a test"), f"{namespace}other:")
    assert await flow.get_job(job_id) is None
    await flow.stop_all()


async def test_stopping_a_flow_disconnects_plain_callers(orders: Orders) -> None:
    """From inside a loop, as a web framework's lifespan does; a later call connects again."""
    job_id = await asyncio.to_thread(orders.sync.create_job, Order(user_id=1))
    assert orders._sync_runtime.in_use
    await orders.stop_all()
    assert not orders._sync_runtime.in_use
    assert await asyncio.to_thread(orders.sync.get_job, job_id)
    async with orders:
        assert await orders.get_job(job_id)
    assert not orders._sync_runtime.in_use


async def test_plain_callers_in_an_isolated_flow(redis_url: str) -> None:
    """They use the test's server and namespace, also after the clock has moved, and their own ones afterwards."""
    flow = order_flow("redis://production.invalid:6379/0", "production:")
    flow.create_workers(Price, price)
    flow.create_workers("ship", ship)
    async with isolated(flow, url=redis_url) as test:
        first = await asyncio.to_thread(flow.sync.create_job, Order(user_id=1))
        assert (await test.drain(timeout=LONG)).done == 1
        await test.travel(60)
        found = await asyncio.to_thread(flow.sync.get_job, first)
        assert found is not None
        assert found.status == "done"
    assert not flow._sync_runtime.in_use
    assert flow._sync_runtime.server().source == "redis_url"


async def test_a_flow_shows_what_it_is(orders: Orders) -> None:
    """Its name, its queues and how many of its workers run."""
    orders.create_workers(Price, price)
    assert repr(orders) == "<Flow orders: 2 queues, 0 workers running>"
    async with orders:
        assert repr(orders) == "<Flow orders: 2 queues, 1 worker running>"

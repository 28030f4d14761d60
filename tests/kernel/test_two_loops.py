"""A flow in two event loops: refused at once while the first one runs, and taken over when that has ended."""

from __future__ import annotations

import asyncio
import gc
import inspect
import os
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from redis import Redis

from flows import Flow, Worker, WrongLoop
from tests.kernel.parts import LONG, Answer, Given, MakeFlow, Work, double, heard, within
from tests.waiting import blocking_until, patient, until

ID = "01890000-0000-7000-8000-000000000000"

#: Every public coroutine of a flow and of a worker, with arguments.
FLOW_CALLS: dict[str, Callable[[Flow[Work, Given]], Coroutine[Any, Any, Any]]] = {
    "create_job": lambda flow: flow.create_job(Given(number=1)),
    "create_jobs": lambda flow: flow.create_jobs([Given(number=1)]),
    "get_job": lambda flow: flow.get_job(ID),
    "get_jobs": lambda flow: flow.get_jobs([ID]),
    "get_jobs_by_key": lambda flow: flow.get_jobs_by_key("number", 1),
    "wait_for": lambda flow: flow.wait_for(ID, 5),
    "cancel_job": lambda flow: flow.cancel_job(ID),
    "retry_job": lambda flow: flow.retry_job(ID),
    "move_job": lambda flow: flow.move_job(ID, to="work"),
    "set_priority": lambda flow: flow.set_priority(ID, 1),
    "delete_job": lambda flow: flow.delete_job(ID),
    "get_log": lambda flow: flow.get_log(ID),
    "position": lambda flow: flow.position(ID),
    "explain": lambda flow: flow.explain(ID),
    "states": lambda flow: flow.states(),
    "processes": lambda flow: flow.processes(),
    "start_all": lambda flow: flow.start_all(),
    "stop_all": lambda flow: flow.stop_all(),
    "run": lambda flow: flow.run(),
    "__aenter__": lambda flow: flow.__aenter__(),
    "__aexit__": lambda flow: flow.__aexit__(None, None, None),
}
WORKER_CALLS: dict[str, Callable[[Worker], Coroutine[Any, Any, Any]]] = {
    "start": lambda worker: worker.start(),
    "stop": lambda worker: worker.stop(0.1),
}


def coroutines_of(kind: type) -> set[str]:
    """Return the names of the public coroutine functions of a class."""
    return {
        name
        for name, member in inspect.getmembers(kind, inspect.iscoroutinefunction)
        if not name.startswith("_") or name in {"__aenter__", "__aexit__"}
    }


def renewers() -> list[threading.Thread]:
    """Return the threads that renew leases."""
    return [thread for thread in threading.enumerate() if thread.name == "flows-renewer"]


@contextmanager
def a_child() -> Iterator[int]:
    """Fork: the block runs in the child alone, which leaves without cleaning up; the parent waits for it."""
    pid = os.fork()
    if pid:
        yield pid
        return
    yield 0
    os._exit(0)


def in_thread(work: Callable[[], Coroutine[Any, Any, Any]]) -> tuple[Any, float]:
    """Return what a coroutine of another thread's loop has returned or raised, and after how many seconds."""
    ended: list[Any] = []

    def run() -> None:
        began = time.monotonic()
        try:
            ended.append(asyncio.run(work()))
        except BaseException as error:  # noqa: BLE001 - returned
            ended.append(error)
        ended.append(time.monotonic() - began)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(LONG)
    return ended[0], ended[1]


def test_every_call_is_tried() -> None:
    """A coroutine that is added to a flow or to a worker is added here too."""
    assert coroutines_of(Flow) == set(FLOW_CALLS)
    assert coroutines_of(Worker) == set(WORKER_CALLS)


async def test_every_call_from_a_second_loop_is_refused(make_flow: MakeFlow) -> None:
    """At once, with the way out, and the first loop's workers go on as if nothing had been."""
    async with make_flow(double, lookup_attributes=["number"]) as flow:
        events, session = heard(flow), flow._runtime.session
        calls: list[Callable[[], Coroutine[Any, Any, Any]]] = [
            *(lambda call=call: call(flow) for call in FLOW_CALLS.values()),  # type: ignore[misc]
            *(lambda call=call: call(flow.workers[0]) for call in WORKER_CALLS.values()),  # type: ignore[misc]
        ]
        for call in calls:
            error, seconds = await asyncio.to_thread(in_thread, call)
            assert isinstance(error, WrongLoop), call
            assert "thread 'MainThread'" in str(error)
            assert "flow.sync" in str(error)
            assert seconds < patient(1)  # asyncio.run itself takes most of that
        assert (flow._runtime.session, flow.workers[0].status) == (session, "running")
        assert {event.name for event in events} <= {"worker.started"}
        assert (await flow.wait_for(await flow.create_job(Given(number=2)), LONG)).view(Answer).answer == 4
    assert renewers() == []


async def test_a_plain_function_that_runs_a_loop(make_flow: MakeFlow) -> None:
    """Its calls have a connection of their own, which ends with its loop; the workers hear of jobs as before."""
    seen: list[object] = []

    def bridge(job: Work) -> Answer:
        async def calls() -> None:
            created = await flow.create_job(Given(number=1))
            seen.append((await flow.wait_for(created, LONG)).status)
            with pytest.raises(WrongLoop, match=r"flow\.sync"):
                await flow.start_all()
            with pytest.raises(WrongLoop, match=r"flow\.sync"):
                await flow.workers[0].start()

        if not job.number:
            asyncio.run(calls())
        return Answer(answer=job.number)

    flow = make_flow(bridge, count=2)
    async with flow:
        for _ in range(3):
            done = await flow.wait_for(await flow.create_job(Given(number=0)), LONG)
            assert done.status == "done", done.error
        assert seen == ["done"] * 3
        assert len([visit for visit in flow._runtime._visits if visit.opened]) == 0
        assert (await flow.wait_for(await flow.create_job(Given(number=2)), LONG)).status == "done"
    assert renewers() == []


async def test_many_threads_that_begin_at_once(make_flow: MakeFlow) -> None:
    """One of them has the flow at a time, the others are told; nobody waits for ever, and nothing else is raised."""
    flow = make_flow()
    gate = threading.Barrier(6)

    async def create() -> list[str]:
        gate.wait(LONG)
        ids = [await flow.create_job(Given(number=1)) for _ in range(20)]
        await flow.stop_all()
        return ids

    ends = await asyncio.gather(*(asyncio.to_thread(in_thread, create) for _ in range(6)))
    created = [job_id for ended, _seconds in ends if not isinstance(ended, BaseException) for job_id in ended]
    assert {type(ended) for ended, _seconds in ends} <= {list, WrongLoop}
    assert len(created) >= 20
    assert None not in await flow.get_jobs(created)
    await flow.stop_all()


async def test_the_loop_that_has_closed_the_flow_hinders_nobody(make_flow: MakeFlow) -> None:
    """It runs on, and another loop can open the flow; then that one has it."""
    flow = make_flow(double)
    async with flow:
        pass
    holds, leave = threading.Event(), threading.Event()

    async def hold() -> None:
        async with flow:
            holds.set()
            await asyncio.to_thread(leave.wait, LONG)

    holder = asyncio.create_task(asyncio.to_thread(in_thread, hold))
    await asyncio.to_thread(holds.wait, LONG)
    with pytest.raises(WrongLoop):
        await flow.create_job(Given())
    leave.set()
    assert (await holder)[0] is None
    await flow.create_job(Given())
    await flow.stop_all()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_workers_of_a_loop_that_was_closed_under_them(make_flow: MakeFlow) -> None:
    """They say that they are stopped, their thread ends, and the next loop starts them anew."""
    flow = make_flow(lambda job: Answer(answer=job.number))
    loop = asyncio.new_event_loop()
    loop.run_until_complete(flow.start_all())
    ended = loop.run_until_complete(flow.create_job(Given(number=1)))
    loop.run_until_complete(flow.wait_for(ended, LONG))
    assert flow.workers[0].status == "running"
    loop.close()
    assert flow.workers[0].status == "stopped"

    async def again() -> str:
        async with flow:
            return (await flow.wait_for(await flow.create_job(Given(number=2)), LONG)).status

    assert asyncio.run(again()) == "done"
    blocking_until(lambda: not renewers())
    gc.collect()  # what the closed loop has left complains here, and not in another test


def test_a_loop_that_pauses_gives_the_flow_up(make_flow: MakeFlow) -> None:
    """Another loop takes the flow over meanwhile; when the first one runs again, it closes what it had open."""
    flow = make_flow(double)
    first = asyncio.new_event_loop()
    first.run_until_complete(flow.start_all())
    first_session = flow._runtime.session

    async def other() -> str:
        async with flow:
            return (await flow.wait_for(await flow.create_job(Given(number=1)), LONG)).status

    assert asyncio.run(other()) == "done"

    async def closed() -> None:
        await until(lambda: not first_session.opened and len(asyncio.all_tasks()) == 1)

    first.run_until_complete(within(closed()))
    assert first.run_until_complete(flow.get_job(ID)) is None  # now it has the flow again
    first.run_until_complete(flow.stop_all())
    first.close()
    assert renewers() == []


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # what a forked child may do with threads
async def test_both_sides_of_a_fork(make_flow: MakeFlow, redis: Redis, namespace: str) -> None:
    """A child opens the flow anew, starts its workers too, and leaves the parent's connections alone."""
    flow = make_flow(double)

    async def work() -> None:
        assert flow.workers[0].status == "stopped"
        async with flow:
            done = await flow.wait_for(await flow.create_job(Given(number=1)), LONG)
            redis.rpush(f"{namespace}child", done.status)

    async with flow:
        wire: Any = flow._runtime.session.connection._wire
        with a_child() as pid:
            if not pid:
                redis.connection_pool.disconnect()
                in_thread(work)
        ids = [await flow.create_job(Given(number=number)) for number in range(20)]
        for job_id in ids:
            assert (await flow.wait_for(job_id, LONG)).status == "done"
        await asyncio.to_thread(os.waitpid, pid, 0)
        assert redis.lrange(f"{namespace}child", 0, -1) == ["done"]
        assert flow._runtime.session.connection._wire is wire

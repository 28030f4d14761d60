"""Runs of several flows in one process, whose signals belong to others too; the server may come late, Ctrl-C early."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from redis import Redis

import flows
from flows import Flow, FlowOptions, FlowsError, QueueOptions, StoreUnavailable
from flows.telemetry.events import Event
from flows.testing import private_server
from tests.acceptance.numbers import LONG, ROOT, Answer, Given, Work, number_flow
from tests.waiting import until

#: Runs workers of `numbers` as the arguments say: by `async with` until Ctrl-C, or by `flows.run`.
PROGRAM = """
import asyncio, sys
import flows
from tests.acceptance.numbers import Functions, Work, number_flow

how, url, namespace, *others = sys.argv[1:]
functions = Functions(url, namespace)
main = number_flow(url, namespace, 30)
main.create_workers(Work, functions.gated)

async def until_ctrl_c():
    async with main:
        await asyncio.Event().wait()

if how == "with":
    asyncio.run(until_ctrl_c())
else:
    sys.exit(flows.run(main, *(number_flow(other, f"{namespace}2:", 30) for other in others), wait_for_server=0.5))
"""


@contextmanager
def program(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run the program above in a process of its own, and kill it in the end if it still lives."""
    command = [sys.executable, "-c", PROGRAM, *arguments]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) as started:
        try:
            yield started
        finally:
            started.kill()


async def said_by(running: subprocess.Popen[bytes]) -> tuple[int, str]:
    """Return the status of a process that ends, and what it has said."""
    _out, said = await asyncio.to_thread(running.communicate, timeout=LONG)
    return running.returncode, said.decode()


def two_flows(redis_url: str, namespace: str) -> list[Flow[Work, Given]]:
    """Return two flows of different names, each with a worker."""

    async def double(job: Work) -> Answer:
        return Answer(answer=job.number * 2, pid=0)

    made: list[Flow[Work, Given]] = []
    for name in ("one", "other"):
        queues = [QueueOptions(f"work-{name}", job=Work)]
        flow = Flow[Work, Given](FlowOptions(name=name, queues=queues, redis_url=redis_url, namespace=namespace))
        flow.create_workers(Work, double)
        made.append(flow)
    return made


async def work(flow: Flow[Work, Given]) -> None:
    """Let the flow, which is about to run, do one job."""
    await until(lambda: flow.workers[0].status == "running", LONG)
    assert (await flow.wait_for(await flow.create_job(Given(number=1)), LONG)).status == "done"


async def test_each_run_of_a_process_hears_the_signal(redis_url: str, namespace: str) -> None:
    """One SIGTERM ends both; then the host's own handlers hear it again, that of the loop as well as that of Python."""
    loop, heard = asyncio.get_running_loop(), list[str]()
    before = signal.signal(signal.SIGINT, lambda *_: heard.append("python"))
    loop.add_signal_handler(signal.SIGTERM, heard.append, "loop")
    try:
        made = two_flows(redis_url, namespace)
        runs = asyncio.gather(*(flow.run(grace=5) for flow in made))
        for flow in made:
            await work(flow)
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(LONG):
            assert await runs == [0, 0]
        heard.clear()
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
        await until(lambda: sorted(heard) == ["loop", "python"])
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
        signal.signal(signal.SIGINT, before)


async def test_a_run_that_ends_first_takes_nothing_from_the_other(redis_url: str, namespace: str) -> None:
    """A run ends when its flow is stopped, with status 0, and the other still hears signals."""
    one, other = two_flows(redis_url, namespace)
    runs = [asyncio.create_task(flow.run(grace=5)) for flow in (one, other)]
    await work(one)
    await work(other)
    await one.stop_all()
    assert await asyncio.wait_for(runs[0], LONG) == 0
    await work(other)
    os.kill(os.getpid(), signal.SIGINT)
    assert await asyncio.wait_for(runs[1], LONG) == 0


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # what a forked child may do with threads
async def test_a_forked_child_ends_at_the_signal(redis_url: str, namespace: str) -> None:
    """As one that a worker function has begun, in whatever thread: it hears nothing for its parent."""
    flow, _other = two_flows(redis_url, namespace)
    run = asyncio.create_task(flow.run(grace=5))
    await work(flow)

    def forked() -> int:
        ready, begun = os.pipe()
        if not (pid := os.fork()):
            try:
                os.write(begun, b"!")
                time.sleep(LONG)
            finally:
                os._exit(9)
        os.read(ready, 1)
        os.kill(pid, signal.SIGTERM)
        return os.waitpid(pid, 0)[1]

    assert os.WTERMSIG(await asyncio.to_thread(forked)) == signal.SIGTERM
    assert os.WTERMSIG(forked()) == signal.SIGTERM
    await work(flow)
    os.kill(os.getpid(), signal.SIGTERM)
    assert await asyncio.wait_for(run, LONG) == 0


async def test_a_run_in_another_thread(redis_url: str, namespace: str) -> None:
    """It cannot hear signals, and says what to do; without them it runs until it is stopped."""
    flow, _other = two_flows(redis_url, namespace)
    with pytest.raises(FlowsError, match=r"`async with flow:`, or run\(signals=False\)"):
        await asyncio.to_thread(lambda: asyncio.run(flow.run()))
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> int:
        loops.append(asyncio.get_running_loop())
        return await flow.run(signals=False)

    handlers = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    serving = asyncio.create_task(asyncio.to_thread(lambda: asyncio.run(serve())))
    await until(lambda: flow.workers[0].status == "running", LONG)
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == handlers
    done = asyncio.run_coroutine_threadsafe(work(flow), loops[0])
    await asyncio.wrap_future(done)
    await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(flow.stop_all(), loops[0]))
    assert await asyncio.wait_for(serving, LONG) == 0
    assert [thread for thread in threading.enumerate() if thread.name == "flows-renewer"] == []


async def test_a_run_that_is_cancelled(redis_url: str, namespace: str) -> None:
    """It stops its workers first, and is cancelled all the same."""
    flow, _other = two_flows(redis_url, namespace)
    run = asyncio.create_task(flow.run(signals=False))
    await work(flow)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(run, LONG)
    assert flow.workers[0].status == "stopped"


async def test_a_server_that_comes_late(namespace: str) -> None:
    """It is waited for, with a WARNING, and then the jobs are done."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    flow, _other = two_flows(f"redis://:right@127.0.0.1:{port}/0", namespace)
    told = list[Event]()
    flow.events.subscribe(told.append)
    run = asyncio.create_task(flow.run(grace=5))
    await until(lambda: any(event.name == "store.unavailable" for event in told), LONG)
    assert re.search(r"[^.]; waiting for it for 60 s more", str(told[0]))
    with private_server(port=port, settings={"requirepass": "right"}):
        await work(flow)
        os.kill(os.getpid(), signal.SIGTERM)
        assert await asyncio.wait_for(run, LONG) == 0


async def test_a_server_that_does_not_come(tmp_path: object, namespace: str) -> None:
    """After the time given, one line and status 1; with 0 it is raised at once."""
    flow, _other = two_flows(f"unix://{tmp_path}/no.sock", namespace)
    told = list[Event]()
    flow.events.subscribe(told.append)
    assert await asyncio.wait_for(flow.run(wait_for_server=0.2), LONG) == 1
    assert [event.name for event in told] == ["store.unavailable", "flow.gave_up"]
    assert "no answer from unix://" in str(told[-1])
    with pytest.raises(StoreUnavailable, match="no answer from unix://"):
        await asyncio.wait_for(flow.run(wait_for_server=0), LONG)


async def test_a_plain_call_runs_several(redis_url: str, namespace: str, redis: Redis, tmp_path: object) -> None:
    """`flows.run` ends at a signal with status 0; where one flow has no server, the others stop too, with status 1."""
    flow = number_flow(redis_url, namespace, 30)
    await flow.create_job(Given(number=1))
    with program("run", redis_url, namespace, redis_url) as running:
        assert await asyncio.to_thread(redis.blpop, f"{namespace}begun", LONG)
        running.send_signal(signal.SIGTERM)
        redis.rpush(f"{namespace}gate", "open")
        status, said = await said_by(running)
        assert (status, said.count("Traceback")) == (0, 0)
    with program("run", redis_url, namespace, f"unix://{tmp_path}/no.sock") as running:
        status, said = await said_by(running)
    await flow.stop_all()
    assert status == 1
    assert "Traceback" not in said
    assert said.count("flow.gave_up") == 1


async def test_a_plain_call_where_it_cannot_work() -> None:
    """Inside a loop it would stop that, and without a flow it would have nothing to do."""
    with pytest.raises(FlowsError, match="give it at least one"):
        flows.run()
    with pytest.raises(FlowsError, match=r"await flow\.run\(\)"):
        flows.run(number_flow("redis://127.0.0.1:1", "", 30))


@pytest.mark.parametrize("twice", [False, True])
async def test_ctrl_c_says_what_it_waits_for(redis_url: str, namespace: str, redis: Redis, *, twice: bool) -> None:
    """And then it ends as programs do, but without a traceback; pressed again, the job is handed back at once."""
    flow = number_flow(redis_url, namespace, 30)
    job_id = await flow.create_job(Given(number=1))
    with program("with", redis_url, namespace) as running:
        assert await asyncio.to_thread(redis.blpop, f"{namespace}begun", LONG)
        assert running.stderr is not None
        running.send_signal(signal.SIGINT)
        said = b"".join([await asyncio.to_thread(running.stderr.readline) for _ in range(2)]).decode()
        assert said == "\nwaiting for 1 job (work); press Ctrl-C again to hand it back\n"
        if twice:
            running.send_signal(signal.SIGINT)
        else:
            redis.rpush(f"{namespace}gate", "open")
        assert await said_by(running) == (-signal.SIGINT, "")
    record = await flow.get_job(job_id)
    await flow.stop_all()
    assert record is not None
    assert (record.status, record.attempts) == (("waiting", 0) if twice else ("done", 1))

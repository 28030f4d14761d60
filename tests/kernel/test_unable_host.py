"""A host that cannot begin a function: its jobs are handed back and use up no attempt, and the worker rests."""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from flows import DeclarationError, Flow, FlowsError, JobRecord
from flows.errors import HostUnable
from flows.kernel.handler import Handler
from flows.kernel.process.process_handle import ProcessHandle
from flows.kernel.process.processes import Processes
from flows.kernel.unable import Rest, is_hosts, tell_unable
from flows.store.client.scripts import forget
from flows.telemetry.events import Event, Events
from tests.kernel.parts import LONG, Answer, Given, MakeFlow, Work, double, heard, in_process, within
from tests.waiting import patient, until

ROOT = Path(__file__).resolve().parents[2]


def plain(job: Work) -> Answer:
    """Return twice the number, from a thread."""
    return Answer(answer=job.number * 2)


def handler_of(flow: Flow[Work, Given]) -> Handler:
    """Return what runs the functions of the flow's worker."""
    handler = flow.workers[0]._handler
    assert handler is not None
    return handler


async def end_idle(flow: Flow[Work, Given]) -> None:
    """Kill the process that was begun when the worker started."""
    pool = handler_of(flow)._pool
    assert isinstance(pool, Processes)
    (process,) = pool._idle
    assert process._process.pid is not None
    os.kill(process._process.pid, signal.SIGKILL)
    await until(lambda: not process.alive)


@contextmanager
def no_descriptors() -> Iterator[None]:
    """Leave no file descriptor in this process."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken: list[int] = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(limit[0], 512), limit[1]))
    try:
        while True:
            try:
                taken.append(os.dup(0))
            except OSError:
                break
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limit)
        for number in taken:
            os.close(number)


async def test_no_descriptors_are_left(make_flow: MakeFlow) -> None:
    """Where a process cannot be started the job waits again, and is done when there is room, at its first attempt."""
    async with make_flow(in_process, executor="process") as flow:
        await flow.wait_for(await flow.create_job(Given(number=0)), LONG)  # all connections stand
        await end_idle(flow)
        unable = asyncio.create_task(flow.events.wait_for("worker.unable"))
        await asyncio.sleep(0)
        with no_descriptors():
            job_id = await flow.create_job(Given(number=0))
            assert "Too many open files" in str((await within(unable)).fields["reason"])
            waiting: JobRecord[Given] | None = None
            while waiting is None or waiting.status != "waiting":
                waiting = await flow.get_job(job_id)
            assert waiting.attempts == 0
        done = await flow.wait_for(job_id, LONG)
    assert (done.status, done.attempts) == ("done", 1)


async def test_no_threads_are_left(make_flow: MakeFlow, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same where a thread cannot be started, and for a backlog: nothing fails, and it is told once."""
    start, left = threading.Thread.start, [1]

    def starting(thread: threading.Thread) -> None:
        if thread.name == "flows-worker" and left:
            left.pop()
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", starting)
    async with make_flow(plain, concurrency=4) as flow:
        events = heard(flow)
        ids = await flow.create_jobs(Given(number=number) for number in range(10))
        records = [await flow.wait_for(job_id, LONG) for job_id in ids]
    assert {(record.status, record.attempts) for record in records} == {("done", 1)}
    (told,) = [event for event in events if event.name == "worker.unable"]
    assert told.fields == {"queue": "work", "reason": "no thread can be started for a function: can't start new thread"}


def starting_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no thread be started."""

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)


@contextmanager
def no_threads() -> Iterator[None]:
    """Leave no thread that could be started."""
    with pytest.MonkeyPatch.context() as patch:
        starting_none(patch)
        yield


@pytest.mark.parametrize("nothing_left", [no_threads, no_descriptors])
async def test_a_start_that_the_host_refuses_can_be_made_again(
    make_flow: MakeFlow, nothing_left: Callable[[], AbstractContextManager[None]]
) -> None:
    """It is an error of ours, nothing has begun by halves, and the next start has all that keeps leases."""
    flow = make_flow(double, lease=2)
    forget()  # as in a process that has not read the scripts yet
    for _ in range(2):
        with nothing_left(), pytest.raises(FlowsError, match=r"can't start new thread|Too many open files"):
            await flow.start_all()
        assert flow.workers[0].status == "stopped"
    async with flow:
        assert any(thread.name == "flows-renewer" for thread in threading.enumerate())
        record = await flow.wait_for(await flow.create_job(Given(number=1)), LONG)
    assert (record.status, record.attempts) == ("done", 1)


async def test_run_waits_for_a_host_that_refuses(make_flow: MakeFlow, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it waits for its server, and says so."""
    flow = make_flow(double)
    job_id = await flow.create_job(Given(number=1))
    told = asyncio.create_task(flow.events.wait_for("store.unavailable"))
    with monkeypatch.context() as patch:
        starting_none(patch)
        running = asyncio.create_task(flow.run(signals=False))
        assert "can't start new thread; waiting" in str((await within(told)).fields["error"])
    assert (await flow.wait_for(job_id, LONG)).status == "done"
    await flow.stop_all()
    assert await within(running) == 0


async def test_run_gives_a_host_up(make_flow: MakeFlow, monkeypatch: pytest.MonkeyPatch) -> None:
    """After so many seconds, with one line and exit status 1."""
    flow = make_flow(double)
    await flow.stop_all()
    events = heard(flow)
    with monkeypatch.context() as patch:
        starting_none(patch)
        assert await within(flow.run(signals=False, wait_for_server=0.1)) == 1
    assert events[-1].name == "flow.gave_up"


async def test_no_memory_is_left_to_read_a_job(make_flow: MakeFlow) -> None:
    """A job that cannot be decoded for want of memory is not malformed."""
    flow = make_flow(double)
    decoder, attempts = flow.workers[0]._runner._decoder, [1]  # type: ignore[attr-defined]
    decode = decoder.decode

    def decoding(*given: object) -> object:
        if attempts:
            attempts.pop()
            raise MemoryError
        return decode(*given)

    decoder.decode = decoding
    async with flow:
        done = await flow.wait_for(await flow.create_job(Given(number=2)), LONG)
    assert (done.view(Answer).answer, done.attempts) == (4, 1)


async def test_a_process_that_dies_before_it_begins(make_flow: MakeFlow, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is killed while it is idle has harmed no job, also where that was not seen in time."""
    async with make_flow(in_process, executor="process") as flow:
        await end_idle(flow)
        alive = [True]
        monkeypatch.setattr(
            ProcessHandle, "alive", property(lambda process: alive.pop() if alive else _is_alive(process))
        )
        done = await flow.wait_for(await flow.create_job(Given(number=0)), LONG)
    assert (done.status, done.attempts) == ("done", 1)


def _is_alive(process: ProcessHandle) -> bool:
    return process._process.is_alive()


async def test_the_time_that_a_process_takes_to_begin(make_flow: MakeFlow, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not the function's: the timeout counts from when the function is called."""
    wait = ProcessHandle.wait_until_ready

    def slowly(process: ProcessHandle) -> None:
        wait(process)
        threading.Event().wait(1.2 * timeout)

    timeout = patient(0.4)
    async with make_flow(in_process, executor="process", timeout=timedelta(seconds=timeout)) as flow:
        await end_idle(flow)
        monkeypatch.setattr(ProcessHandle, "wait_until_ready", slowly)
        done = await flow.wait_for(await flow.create_job(Given(number=0)), LONG)
    assert (done.status, done.error) == ("done", None)


async def test_what_can_never_work_is_refused_at_the_start(
    make_flow: MakeFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A daemonic process, and a function that no other process finds: before any job is claimed."""
    flow = make_flow(in_process, executor="process")
    job_id = await flow.create_job(Given(number=0))
    with monkeypatch.context() as patch:
        patch.setitem(multiprocessing.current_process()._config, "daemon", 1)  # type: ignore[attr-defined]
        with pytest.raises(DeclarationError, match=r"in_process cannot run .* in a daemonic process"):
            await flow.start_all()
    make_target = handler_of(flow)._target
    assert make_target is not None
    target = make_target()
    routes = target.routes
    target.routes = json.dumps([["name", __name__, "gone"], json.loads(routes)[1]]).encode()
    with pytest.raises(DeclarationError, match=r"in_process cannot run .*test_unable_host has no gone"):
        await flow.start_all()
    assert flow.workers[0].status == "stopped"
    target.routes = routes
    await flow.start_all()
    assert (await flow.wait_for(job_id, LONG)).attempts == 1
    await flow.stop_all()


#: A program that another process cannot import, since it is not in a file, and one that starts all over when imported.
PROGRAM = """
import asyncio, sys
from flows import DeclarationError
from tests.kernel.parts import Answer, Work, number_flow

def work(job: Work) -> Answer:
    return Answer(answer=1)

async def main():
    flow = number_flow(*sys.argv[1:3], work, executor="process")
    try:
        async with flow:
            pass
    except DeclarationError as error:
        print(error)
        raise SystemExit(3)
    finally:
        await flow.stop_all()

asyncio.run(main())
"""


@pytest.mark.parametrize("in_a_file", [False, True])
async def test_a_program_that_cannot_be_imported(
    redis_url: str, namespace: str, tmp_path: Path, *, in_a_file: bool
) -> None:
    """The start is refused with what to do, and the program goes on."""
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    command = [sys.executable, str(script) if in_a_file else "-", redis_url, namespace]
    program = await asyncio.to_thread(
        subprocess.run,
        command,
        input=None if in_a_file else PROGRAM,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        timeout=3 * LONG,
        check=False,
    )
    assert program.returncode == 3, program.stderr
    assert "the program's main module has to be importable" in program.stdout


def test_rests_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    """One second, twice as long each time, a minute at most; jobs that meet the same trouble meanwhile do not count."""
    clock = [100.0]
    for module in ("flows.kernel.unable", "flows.telemetry.seldom"):
        monkeypatch.setattr(f"{module}.time", SimpleNamespace(monotonic=lambda: clock[0]))
    events, told = Events(logging.getLogger("flows.test")), list[Event]()
    events.subscribe(told.append)
    rest, lengths = Rest("work", events), list[float]()
    for _ in range(8):
        rest.begin(HostUnable("no room"))
        rest.begin(HostUnable("no room"))
        lengths.append(rest.left)
        clock[0] += rest.left
        assert rest.left == 0
    assert lengths == [1, 2, 4, 8, 16, 32, 60, 60]
    assert len(told) == 3, "once a minute"
    tell_unable(events, "work", HostUnable("another reason"))
    tell_unable(events, "other", HostUnable("another reason"))
    assert len(told) == 5
    rest.end()
    assert (rest.left, rest.seconds) == (0, 0)
    rest.begin(HostUnable("no room"))
    assert rest.left == 1


def test_what_is_the_hosts() -> None:
    """Want of memory and of descriptors is; a file that is not there is not."""
    assert is_hosts(MemoryError())
    assert is_hosts(OSError(errno.EMFILE, "too many"))
    assert not is_hosts(FileNotFoundError(errno.ENOENT, "gone"))

"""Processes: killed when nobody waits, replaced when they die, and gone when their worker is, however it ended."""

from __future__ import annotations

import asyncio
import contextvars
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Generic, TypeVar

import pytest
from pydantic import BaseModel
from pydantic_core import from_json

from flows import (
    ChildJob,
    DeclarationError,
    Fail,
    Job,
    JobResult,
    LostLease,
    Retry,
    Snooze,
    Verdict,
    current_job,
)
from flows.kernel.current import CurrentJob, reset_current, set_current
from flows.kernel.process.messages import (
    EncodedJob,
    FailedInProcess,
    UnfitJob,
    open_result,
    pack,
    pack_returned,
    unpack,
)
from flows.kernel.process.process_handle import WorkerProcessDied
from flows.kernel.process.processes import Processes
from flows.kernel.process.target import make_target
from flows.model.codec import Decoder, encode
from flows.model.encoded_result import EncodedResult
from flows.store.jobs.log_line import pack_line
from tests.kernel.parts import LONG, within
from tests.outcomes import VERDICTS
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[2]
#: In seconds, longer than any test waits.
FOR_EVER = 3 * LONG


class Told(Job):
    """Which function to call, where to say that it has begun, and anything else."""

    name: str = "pid"
    file: Path = Path()
    what: Any = None


class Said(JobResult):
    """What a function returns."""

    what: Any = None


T = TypeVar("T")


class Box(BaseModel, Generic[T]):
    """A generic class of the user's."""

    value: T


class NoPickle(BaseModel):
    """Whoever tries to pickle it fails."""

    def __reduce__(self) -> Any:
        """Fail."""
        raise AssertionError("it was pickled")


class Boxed(Job, NoPickle, Generic[T]):
    """A generic job class."""

    boxes: T


class Unboxed(JobResult, NoPickle, Generic[T]):
    """A generic result."""

    box: Box[T]


def unbox(job: Boxed[list[Box[int]]]) -> Unboxed[int]:
    """Return the last box."""
    return Unboxed[int](box=job.boxes[-1])


class TooBusy(LookupError):
    """An error of the user's."""


class Elaborate(Retry):
    """A verdict of the user's own class, which is made of two arguments and tells one."""

    def __init__(self, service: str, code: int) -> None:
        super().__init__(f"{service} says {code}")


class Broken(Retry):
    """A verdict that says nothing that can be understood."""

    def __init__(self) -> None:
        super().__init__("broken")
        self.after = "soon"  # type: ignore[assignment]


def do(job: Told) -> Any:
    """Call the function that the job names: processes have one function all their life."""
    return globals()[job.name](job)


def pid(_job: Told) -> Said:
    """Say which process this is."""
    return Said(what=os.getpid())


def hang(job: Told) -> None:
    """Say which process this is, and never end."""
    told(job, os.getpid())
    time.sleep(FOR_EVER)


def hang_with_the_lock(job: Told) -> None:
    """Hang in C, and let no other thread of Python run meanwhile."""
    told(job, os.getpid())
    ctypes.PyDLL(None).sleep(int(FOR_EVER))


def hang_with_a_program(job: Told) -> None:
    """Start a program and hang."""
    program = subprocess.Popen([sys.executable, "-c", f"import time; time.sleep({FOR_EVER})"])
    told(job, os.getpid(), program.pid)
    program.wait()


def die(job: Told) -> None:
    """End the process, with the exit code or by the signal that is given."""
    if job.what < 0:
        os.kill(os.getpid(), -job.what)
    os._exit(job.what)


def fail(job: Told) -> None:
    """Raise what is given by name."""
    raise {
        "error": TooBusy("it"),
        "exit": SystemExit(4),
        "snooze": Snooze("later", after=timedelta(seconds=3), hold="queue"),
        "fail": Fail("never"),
        "elaborate": Elaborate("it", 503),
        "broken": Broken(),
    }[job.what]


def snooze(_job: Told) -> Snooze:
    """Return a verdict."""
    return Snooze("later", after=timedelta(seconds=3), hold="queue")


def no_json(_job: Told) -> Said:
    """Return what is not JSON."""
    return Said(what=threading.Lock())


def no_result(_job: Told) -> Any:
    """Return what is no result."""
    return {"what": 1}


async def later() -> Said:
    """Return where it runs in the end."""
    return Said(what=current_job().id)


def coroutine(_job: Told) -> Any:
    """Return what has to be awaited, as a bridge to async code may."""
    return later()


def look(_job: Told) -> Said:
    """Return what current_job() says, and leave something behind in the context."""
    here, before = current_job(), left.get()
    left.set("left behind")
    return Said(what=[here.idempotency_key, here.attempt, here.fence, here.deadline, before])


def report(job: Told) -> Said:
    """Report from this thread and from another one, then wait until that was heard."""
    here = current_job()
    here.progress(0.25, "begun")
    thread = threading.Thread(target=here.log, args=("from a thread",))
    thread.start()
    thread.join()
    while not job.file.exists():
        time.sleep(0.002)
    kept.append(here)
    return Said()


def report_late(_job: Told) -> Said:
    """Report for the attempt that was here before."""
    try:
        kept[0].log("late")
    except LostLease:
        return Said(what="LostLease")
    return Said()


kept: list[CurrentJob] = []
left = contextvars.ContextVar("left", default="nothing")


def heed_not(job: Told) -> Said:
    """Be told to end; return whether a program that is started here can be told so."""
    os.kill(os.getpid(), job.what)
    program = subprocess.Popen([sys.executable, "-c", f"import time; print(flush=True); time.sleep({FOR_EVER})"],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # fmt: skip
    assert program.stdout is not None
    program.stdout.readline()
    program.send_signal(job.what)
    return Said(what=program.wait(LONG) != 0)


def leave_a_thread(_job: Told) -> Said:
    """Leave a thread behind, for which the interpreter would wait."""
    threading.Thread(target=time.sleep, args=(FOR_EVER,)).start()
    return Said(what=os.getpid())


def told(job: Told, *pids: int) -> None:
    """Tell the test which processes there are."""
    part = job.file.with_suffix(".part")
    part.write_text(" ".join(map(str, pids)))
    part.rename(job.file)


async def pids_in(file: Path) -> list[int]:
    """Wait until a process has told which ones there are."""
    await until(file.exists)
    return [int(word) for word in await asyncio.to_thread(lambda: file.read_text().split())]


def lives(number: int) -> bool:
    """Whether there is such a process, other than one that has ended and is not yet buried."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{number}/stat")
    with suppress(FileNotFoundError, ProcessLookupError):
        return stat.read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    return not Path("/proc/self").exists()


class Pool(Processes):
    """Processes that call any function of this module."""

    def __init__(self, most: int = 1) -> None:
        super().__init__(most, make_target(do, Told))

    async def do(self, function: Callable[[Told], Any], **told: Any) -> Any:
        """Call a function and return what it says, or the verdict that it returns."""
        returned = await within(self.call(encoded(Told(name=function.__name__, **told))))
        return from_json(returned.encoded["what"]) if isinstance(returned, EncodedResult) else returned


def encoded(job: Told) -> EncodedJob:
    """Return a job as it would come from Redis."""
    fields = encode(job)
    return EncodedJob([fields.get(name) for name in Decoder(Told).fields], b'"id":"%b"' % job.id.encode())


@asynccontextmanager
async def pool(most: int = 1) -> AsyncIterator[Pool]:
    """Open processes, stand in an attempt, and close them."""
    processes = Pool(most)
    reports.clear()
    current = CurrentJob("id", "work", 2, 5, 1, lambda _current, *report: reports.append(report))
    current.deadline = 99.5
    token = set_current(current)
    try:
        yield processes
    finally:
        reset_current(token)
        processes.close()


#: What functions have reported.
reports: list[tuple[bytes, str | None]] = []


async def gone(task: asyncio.Task[Any]) -> None:
    """Cancel a task, which ends at once."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await within(task, 1)


async def test_processes_are_used_again() -> None:
    """One call after another needs one process, which is not this one; two at once need two."""
    async with pool(2) as processes:
        first, second = [await processes.do(pid) for _ in range(2)]
        assert first == second != os.getpid()
        both = await within(asyncio.gather(*(processes.do(pid) for _ in range(2))))
        assert both[0] != both[1]
        assert first in both


async def test_its_attempt() -> None:
    """current_job() tells of the attempt there too, and no job finds what another has left in the context."""
    async with pool() as processes:
        for _ in range(2):
            assert await processes.do(look) == ["id:1:work", 2, 5, 99.5, "nothing"]


async def test_cancelled_while_it_runs(tmp_path: Path) -> None:
    """A call that is cancelled is released at once, its process killed with all it started, and a new one begins."""
    async with pool() as processes:
        before = await processes.do(pid)
        task = asyncio.create_task(processes.do(hang_with_a_program, file=tmp_path / "begun"))
        running = await pids_in(tmp_path / "begun")
        assert running[0] == before
        await gone(task)
        await until(lambda: not any(map(lives, running)))
        assert await processes.do(pid) != before


async def test_errors_are_told_in_words() -> None:
    """Whatever a function raises is told in words, with the classes that it descends from; the process goes on."""
    async with pool() as processes:
        before = await processes.do(pid)
        with pytest.raises(FailedInProcess) as raised:
            await processes.do(fail, what="error")
        assert (raised.value.kind, raised.value.message) == ("TooBusy", "it")
        assert raised.value.classes[:2] == (f"{__name__}.TooBusy", "builtins.LookupError")
        assert "in fail" in raised.value.trace
        with pytest.raises(FailedInProcess, match="SystemExit: 4"):
            await processes.do(fail, what="exit")
        assert await processes.do(pid) == before


async def test_verdicts_come_as_they_are() -> None:
    """A verdict that is raised is raised here, one that is returned is returned, and both tell all they told there."""
    async with pool() as processes:
        with pytest.raises(Fail, match="never") as failed:
            await processes.do(fail, what="fail")
        assert "in fail" in failed.value.__notes__[0]
        with pytest.raises(Snooze, match="later") as raised:
            await processes.do(fail, what="snooze")
        returned = await processes.do(snooze)
        for verdict in (raised.value, returned):
            assert isinstance(verdict, Snooze)
            assert (verdict.reason, verdict.after, verdict.hold) == ("later", timedelta(seconds=3), "queue")


@pytest.mark.parametrize("verdict", VERDICTS.values(), ids=lambda verdict: type(verdict).__name__)
def test_a_verdict_is_told_whole(verdict: Verdict) -> None:
    """Every kind of verdict comes out as it went in, to the microsecond and with its time zone."""
    opened = open_result(*unpack(pack_returned(verdict)), {})
    assert (type(opened), vars(opened)) == (type(verdict), vars(verdict))


async def test_verdicts_of_the_users_own_classes() -> None:
    """A subclass means what the class means from which it descends; one that says nonsense is told in words."""
    async with pool() as processes:
        with pytest.raises(Retry, match="it says 503") as raised:
            await processes.do(fail, what="elaborate")
        assert type(raised.value) is Retry
        with pytest.raises(FailedInProcess, match="Broken: broken") as broken:
            await processes.do(fail, what="broken")
    assert "flows.model.verdict.Retry" in broken.value.classes


async def test_what_is_no_result() -> None:
    """What is not JSON, or no result, fails that call in the words of any other function; the process goes on."""
    async with pool() as processes:
        before = await processes.do(pid)
        with pytest.raises(FailedInProcess, match=r"ValidationError: Said.what is not JSON"):
            await processes.do(no_json)
        with pytest.raises(FailedInProcess, match="the worker function returned dict: return a Job") as raised:
            await processes.do(no_result)
        assert "flows.model.plan.WrongResult" in raised.value.classes  # by which its job is not tried again
        with pytest.raises(UnfitJob, match="file"):
            await processes.call(EncodedJob([b'"pid"', b"17", None], b'"id":"x"'))
        with pytest.raises(UnfitJob, match="JSON"):
            await processes.call(EncodedJob([b'"pid', None, None], b'"id":"x"'))
        assert await processes.do(coroutine) == "id"
        assert await processes.do(pid) == before


async def test_reports_arrive_while_the_function_runs(tmp_path: Path) -> None:
    """Progress and log lines are heard at once, from the function's threads too; after its end they are refused."""
    heard = tmp_path / "heard"
    async with pool() as processes:
        running = asyncio.create_task(processes.do(report, file=heard))
        await until(lambda: len(reports) == 2)
        assert reports == [
            (b'{"value":0.25,"message":"begun"}', None),
            (b"", pack_line("from a thread", "info", {}, 2)),
        ]
        heard.touch()
        await running
        assert await processes.do(report_late) == "LostLease"
        assert len(reports) == 2


async def test_a_job_class_of_its_own_making() -> None:
    """A generic class is found by its parts, and nothing is pickled; what cannot be imported is refused at once."""
    processes = Processes(1, make_target(unbox, Boxed[list[Box[int]]]))
    token = set_current(CurrentJob("id", "work", 1, 1, 0, lambda *_report: None))
    try:
        returned = await within(processes.call(EncodedJob([b'[{"value":1},{"value":2}]'], b'"id":"x"')))
    finally:
        reset_current(token)
        processes.close()
    assert isinstance(returned, EncodedResult)
    assert returned.encoded == {"box": b'{"value":2}'}

    class Local(Job):
        """Nobody else knows it."""

    for job_class in (Local, Boxed[Local]):
        with pytest.raises(DeclarationError, match="top level of a module"):
            make_target(unbox, job_class)


def test_children_come_with_their_classes() -> None:
    """Children are named by class or by name, with params of any kind; a class that no queue has stays a name."""
    children = [
        ChildJob(Told, Told(id="x", name="a"), children=[ChildJob("told", {'"': 1, "what": Box(value=2)})]),
        ChildJob(Boxed[int], {}),
    ]
    message = pack_returned(JobResult(next_queue="other", children=children))
    opened = open_result(*unpack(message), {f"{__name__}.Told": Told})
    assert type(opened) is JobResult
    assert opened.next_queue == "other"
    told, boxed = opened.children
    assert (told.child, told.params) == (Told, {"name": "a", "file": ".", "what": None})
    assert told.children == [ChildJob("told", {'"': 1, "what": {"value": 2}}, [])]
    assert (boxed.child, boxed.params) == ("Boxed[int]", {})


def test_what_travels() -> None:
    """A message comes out as it went in: its text, and parts that are any bytes, or none."""
    parts = [None, b"", b"\x00\xff", b"[1]"]
    assert unpack(pack({"a": "\ud800"}, parts)) == ({"a": "\ud800"}, parts)


async def test_a_process_that_dies() -> None:
    """When a process dies under its function, it is told how; the next call has another."""
    async with pool() as processes:
        with pytest.raises(WorkerProcessDied, match="exit code 3"):
            await processes.do(die, what=3)
        with pytest.raises(WorkerProcessDied, match="signal 9"):
            await processes.do(die, what=-signal.SIGKILL)


async def test_a_process_that_died_while_it_was_idle() -> None:
    """A process that died between two calls is not called."""
    async with pool() as processes:
        before = await processes.do(pid)
        os.kill(before, signal.SIGKILL)
        await until(lambda: not processes._idle[0].alive)
        assert await processes.do(pid) != before


async def test_signals() -> None:
    """Signals that tell a whole worker to end do not end its processes, and do end the programs that they started."""
    async with pool() as processes:
        for number in (signal.SIGINT, signal.SIGTERM):
            assert await processes.do(heed_not, what=int(number)) is True


async def test_close(tmp_path: Path) -> None:
    """Closing lets idle processes end, kills the others, and refuses what comes later."""
    async with pool(2) as processes:
        task = asyncio.create_task(processes.do(hang, file=tmp_path / "begun"))
        (busy,) = await pids_in(tmp_path / "begun")
        idle = await processes.do(pid)
        processes.close()
        await until(lambda: not lives(busy))
        await until(lambda: not lives(idle))
        with pytest.raises(WorkerProcessDied, match="signal 9"):
            await within(task)
        with pytest.raises(RuntimeError, match="these processes are closed"):
            await processes.do(pid)


async def test_what_an_idle_process_waits_for() -> None:
    """An idle process ends though a function has left a thread behind."""
    async with pool() as processes:
        idle = await processes.do(leave_a_thread)
    await until(lambda: not lives(idle))


#: A worker with a call that hangs and a process that is idle: it leaves both, tells what an error of its own is called
#: and ends.
PARENT = """
import asyncio, sys
from pathlib import Path
from flows.kernel.current import CurrentJob, set_current
from flows.kernel.process.processes import Processes
from flows.kernel.process.target import make_target
from tests.kernel import test_processes as here
from tests.waiting import until

class Own(Exception):
    pass

def own(_job):
    raise Own

async def main(begun, function):
    set_current(CurrentJob("id", "work", 1, 1, 0, lambda *_report: None))
    processes, others = here.Pool(2), Processes(1, make_target(own, here.Told))
    hanging = asyncio.create_task(processes.do(getattr(here, function), file=Path(begun)))
    kept.extend([processes, hanging])
    await until(Path(begun).exists)
    print(await processes.do(here.pid), flush=True)
    if "wait" in sys.argv:
        await hanging
    try:
        await others.call(here.encoded(here.Told()))
    except Exception as error:
        print(error.classes[0], flush=True)

kept = []

if __name__ == "__main__":
    asyncio.new_event_loop().run_until_complete(main(*sys.argv[1:3]))
"""


@contextmanager
def parent(tmp_path: Path, function: Callable[[Told], None], *how: str) -> Iterator[subprocess.Popen[str]]:
    """Run the program above."""
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    command = [sys.executable, str(script), str(tmp_path / "begun"), function.__name__, *how]
    paths = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=paths) as program:
        try:
            yield program
        finally:
            program.kill()


@pytest.mark.parametrize(
    "function",
    [
        hang_with_a_program,
        pytest.param(hang_with_the_lock, marks=pytest.mark.skipif(sys.platform != "linux", reason="only there")),
    ],
)
async def test_a_worker_that_is_killed(function: Callable[[Told], None], tmp_path: Path) -> None:
    """When a worker is killed by kill -9, its processes end, idle or busy, and what they have started too."""
    with parent(tmp_path, function, "wait") as worker:
        pids = await pids_in(tmp_path / "begun")
        assert worker.stdout is not None
        pids.append(int(await asyncio.to_thread(worker.stdout.readline)))
        assert all(map(lives, pids))
        worker.kill()
        await until(lambda: not any(map(lives, pids)))


async def test_the_interpreter_exits(tmp_path: Path) -> None:
    """A worker ends, without having closed anything, though a function hangs; an error of its script is its own."""
    with parent(tmp_path, hang) as worker:
        out, _errors = await asyncio.to_thread(worker.communicate, timeout=LONG)
        (busy,) = await pids_in(tmp_path / "begun")
    assert (out.splitlines()[1:], worker.returncode) == (["__main__.Own"], 0)
    assert not lives(busy)
    assert not lives(int(out.split()[0]))

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
from typing import Any

import pytest

from flows import Fail, Job, JobResult, Retry, Snooze, current_job
from flows.kernel.current import CurrentJob, reset_current, set_current
from flows.kernel.process_worker import FailedInProcess
from flows.kernel.processes import Processes, WorkerProcessDied
from tests.kernel.parts import LONG, within
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[2]
#: In seconds, longer than any test waits.
FOR_EVER = 3 * LONG


class Told(Job):
    """Where to say that it has begun, and anything else."""

    file: Path = Path()
    what: Any = None


class Pid(JobResult):
    """Which process it was."""

    pid: int


class TooBusy(LookupError):
    """An error of the user's."""


class Elaborate(Retry):
    """A verdict that cannot travel: it is made of two arguments and tells one."""

    def __init__(self, service: str, code: int) -> None:
        super().__init__(f"{service} says {code}")


class Unreadable:
    """It is pickled here, and cannot be unpickled there."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Say how it is made again."""
        return int, ("no number",)


def pid(_job: Told) -> Pid:
    """Say which process this is."""
    return Pid(pid=os.getpid())


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
        "snooze": Snooze("later", after=timedelta(seconds=3)),
        "fail": Fail("never"),
        "elaborate": Elaborate("it", 503),
    }[job.what]


def snooze(_job: Told) -> Snooze:
    """Return a verdict."""
    return Snooze("later", after=timedelta(seconds=3))


def unpicklable(_job: Told) -> Any:
    """Return what cannot be pickled."""
    return threading.Lock()


def unreadable(_job: Told) -> Any:
    """Return what cannot be unpickled."""
    return Unreadable()


def look(_job: Told) -> tuple[object, ...]:
    """Return what current_job() says, and leave something behind in the context."""
    here, before = current_job(), left.get()
    left.set("left behind")
    return here.idempotency_key, here.attempt, here.fence, here.deadline, before


left = contextvars.ContextVar("left", default="nothing")


def heed_not(job: Told) -> bool:
    """Be told to end; return whether a program that is started here can be told so."""
    os.kill(os.getpid(), job.what)
    program = subprocess.Popen([sys.executable, "-c", f"import time; print(flush=True); time.sleep({FOR_EVER})"],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # fmt: skip
    assert program.stdout is not None
    program.stdout.readline()
    program.send_signal(job.what)
    return program.wait(LONG) != 0


def leave_a_thread(_job: Told) -> int:
    """Leave a thread behind, for which the interpreter would wait."""
    threading.Thread(target=time.sleep, args=(FOR_EVER,)).start()
    return os.getpid()


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


@asynccontextmanager
async def pool(most: int = 1) -> AsyncIterator[Processes]:
    """Open processes, stand in an attempt, and close them."""
    processes = Processes(most)
    current = CurrentJob("id", "work", 2, 5, 1, None)
    current.deadline = 99.5
    token = set_current(current)
    try:
        yield processes
    finally:
        reset_current(token)
        processes.close()


async def gone(task: asyncio.Task[Any]) -> None:
    """Cancel a task, which ends at once."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await within(task, 1)


async def test_processes_are_used_again() -> None:
    """One call after another needs one process, which is not this one; two at once need two."""
    async with pool(2) as processes:
        first, second = [await within(processes.call(pid, Told())) for _ in range(2)]
        assert first == second != Pid(pid=os.getpid())
        both = await within(asyncio.gather(*(processes.call(pid, Told()) for _ in range(2))))
        assert both[0] != both[1]
        assert first in both


async def test_its_attempt() -> None:
    """current_job() tells of the attempt there too, and no job finds what another has left in the context."""
    async with pool() as processes:
        for _ in range(2):
            assert await within(processes.call(look, Told())) == ("id:1:work", 2, 5, 99.5, "nothing")


async def test_cancelled_while_it_runs(tmp_path: Path) -> None:
    """A call that is cancelled is released at once, its process killed with all it started, and a new one begins."""
    async with pool() as processes:
        before = (await within(processes.call(pid, Told()))).pid
        task = asyncio.create_task(processes.call(hang_with_a_program, Told(file=tmp_path / "begun")))
        running = await pids_in(tmp_path / "begun")
        assert running[0] == before
        await gone(task)
        await until(lambda: not any(map(lives, running)))
        assert (await within(processes.call(pid, Told()))).pid != before


async def test_errors_are_told_in_words() -> None:
    """Whatever a function raises is told in words, with the classes that it descends from; the process goes on."""
    async with pool() as processes:
        before = await within(processes.call(pid, Told()))
        with pytest.raises(FailedInProcess) as raised:
            await processes.call(fail, Told(what="error"))
        assert (raised.value.kind, raised.value.message) == ("TooBusy", "it")
        assert raised.value.classes[:2] == (f"{__name__}.TooBusy", "builtins.LookupError")
        assert "in fail" in raised.value.trace
        with pytest.raises(FailedInProcess, match="SystemExit: 4"):
            await processes.call(fail, Told(what="exit"))
        assert await processes.call(pid, Told()) == before


async def test_verdicts_come_as_they_are() -> None:
    """A verdict that is raised is raised here, one that is returned is returned, and both tell all they told there."""
    async with pool() as processes:
        with pytest.raises(Fail, match="never") as failed:
            await within(processes.call(fail, Told(what="fail")))
        assert "in fail" in failed.value.__notes__[0]
        with pytest.raises(Snooze, match="later") as raised:
            await processes.call(fail, Told(what="snooze"))
        returned = await processes.call(snooze, Told())
        for verdict in (raised.value, returned):
            assert isinstance(verdict, Snooze)
            assert (verdict.reason, verdict.after) == ("later", timedelta(seconds=3))


async def test_a_verdict_that_cannot_travel() -> None:
    """A class of the user's that cannot be made again here is told in words, like any error."""
    async with pool() as processes:
        with pytest.raises(FailedInProcess, match="Elaborate: it says 503") as raised:
            await within(processes.call(fail, Told(what="elaborate")))
    assert "flows.model.verdict.Retry" in raised.value.classes


async def test_what_cannot_be_pickled() -> None:
    """A job or a result that cannot be pickled, or not unpickled, fails that call; the process goes on."""
    async with pool() as processes:
        before = await within(processes.call(pid, Told()))
        with pytest.raises(FailedInProcess, match="cannot pickle"):
            await processes.call(unpicklable, Told())
        with pytest.raises(ValueError, match="no number"):
            await processes.call(unreadable, Told())
        with pytest.raises(TypeError, match="cannot pickle"):
            await processes.call(pid, Told(what=threading.Lock()))
        with pytest.raises(FailedInProcess, match=r"ValueError: .*no number"):
            await processes.call(pid, Told(what=Unreadable()))
        assert await processes.call(pid, Told()) == before


async def test_a_process_that_dies() -> None:
    """When a process dies under its function, it is told how; the next call has another."""
    async with pool() as processes:
        with pytest.raises(WorkerProcessDied, match="exit code 3"):
            await within(processes.call(die, Told(what=3)))
        with pytest.raises(WorkerProcessDied, match="signal 9"):
            await within(processes.call(die, Told(what=-signal.SIGKILL)))


async def test_a_process_that_died_while_it_was_idle() -> None:
    """A process that died between two calls is not called."""
    async with pool() as processes:
        before = (await within(processes.call(pid, Told()))).pid
        os.kill(before, signal.SIGKILL)
        await until(lambda: not processes._idle[0].alive)
        assert (await within(processes.call(pid, Told()))).pid != before


async def test_signals() -> None:
    """Signals that tell a whole worker to end do not end its processes, and do end the programs that they started."""
    async with pool() as processes:
        for number in (signal.SIGINT, signal.SIGTERM):
            assert await within(processes.call(heed_not, Told(what=int(number)))) is True


async def test_close(tmp_path: Path) -> None:
    """Closing lets idle processes end, kills the others, and refuses what comes later."""
    async with pool(2) as processes:
        task = asyncio.create_task(processes.call(hang, Told(file=tmp_path / "begun")))
        (busy,) = await pids_in(tmp_path / "begun")
        idle = (await within(processes.call(pid, Told()))).pid
        processes.close()
        await until(lambda: not lives(busy))
        await until(lambda: not lives(idle))
        with pytest.raises(WorkerProcessDied, match="signal 9"):
            await within(task)
        with pytest.raises(RuntimeError, match="these processes are closed"):
            await processes.call(pid, Told())


async def test_what_an_idle_process_waits_for() -> None:
    """An idle process ends though a function has left a thread behind."""
    async with pool() as processes:
        idle = await within(processes.call(leave_a_thread, Told()))
    await until(lambda: not lives(idle))


#: A worker with a call that hangs and a process that is idle: it leaves both, tells what an error of its own is called
#: and ends.
PARENT = """
import asyncio, sys
from pathlib import Path
from flows.kernel.current import CurrentJob, set_current
from flows.kernel.processes import Processes
from tests.kernel import test_processes as here
from tests.waiting import until

class Own(Exception):
    pass

def own(_job):
    raise Own

async def main(begun, function):
    set_current(CurrentJob("id", "work", 1, 1, 0, None))
    processes = Processes(2)
    hanging = asyncio.create_task(processes.call(getattr(here, function), here.Told(file=Path(begun))))
    kept.extend([processes, hanging])
    await until(Path(begun).exists)
    print((await processes.call(here.pid, here.Told())).pid, flush=True)
    if "wait" in sys.argv:
        await hanging
    try:
        await processes.call(own, here.Told())
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

"""Runs plain functions in processes, one job at a time: each process can be killed, and none outlives its worker.

They are spawned, and import the function by its name. The pipe to each carries pickles, and only of our own: what comes
from Redis is JSON.
"""

from __future__ import annotations

import multiprocessing
import time
from multiprocessing.util import Finalize
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from flows.errors import FlowsError
from flows.kernel.current import current_job
from flows.kernel.process_worker import GRACE, Call, CallResult, kill_group, serve
from flows.kernel.threads import Threads

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.context import SpawnProcess

    from flows.model.job import Job

_SPAWN: Final = multiprocessing.get_context("spawn")
_started: Final[WeakSet[SpawnProcess]] = WeakSet()


class WorkerProcessDied(FlowsError):
    """The process that ran the function ended before the function did."""


class Processes:
    """Runs up to `most` functions at once, each in a process of its own."""

    def __init__(self, most: int) -> None:
        self._threads = Threads(most)
        self._idle: list[_Process] = []
        self._busy: set[_Process] = set()
        self._closed = False

    async def call(self, function: Callable[[Any], Any], job: Job) -> Any:
        """Call the function in a process and return what it returns; when this is cancelled, the process is killed.

        Raises:
            FailedInProcess: the function raised; a Verdict is raised as it is.
            WorkerProcessDied: the process ended before the function did.
        """
        if self._closed:
            raise RuntimeError("these processes are closed")
        here = current_job()
        call = Call(
            (function.__module__, function.__qualname__),
            job,
            (here.id, here.queue, here.attempt, here.fence, here.visit),
            here.deadline,
        )
        process = self._free()
        self._busy.add(process)
        usable = False
        try:
            result = await self._threads.call(process.ask, call)
            usable = True
        except WorkerProcessDied:
            raise
        except Exception:  # what could not be pickled was not sent, and what could not be unpickled was received
            usable = True
            raise
        finally:
            self._busy.discard(process)
            if not usable:
                process.kill()
            elif self._closed:
                process.stop()
            else:
                self._idle.append(process)
        return result.open()

    def close(self) -> None:
        """Stop idle processes, and kill the others."""
        self._closed = True
        while self._idle:
            self._idle.pop().stop()
        for process in self._busy:
            process.kill()
        self._threads.close()

    def _free(self) -> _Process:
        """Return an idle process, or a new one."""
        while self._idle:
            process = self._idle.pop()
            if process.alive:
                return process
        return _Process()


class _Process:
    """One process, as its parent sees it."""

    def __init__(self) -> None:
        self._pipe, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=serve, args=(theirs,), name="flows-worker")
        self._process.start()
        _started.add(self._process)
        theirs.close()

    @property
    def alive(self) -> bool:
        """Whether the process has not ended."""
        return self._process.is_alive()

    def ask(self, call: Call) -> CallResult:
        """Send a call to the process and return its result; blocks until then."""
        try:
            self._pipe.send(call)
            result: CallResult = self._pipe.recv()
        except (EOFError, OSError) as error:
            self._process.join(GRACE)
            code = self._process.exitcode
            how = f"exit code {code}" if code is None or code >= 0 else f"signal {-code}"
            raise WorkerProcessDied(f"the process that ran the function died under it ({how})") from error
        return result

    def stop(self) -> None:
        """Stop an idle process: it ends when its pipe closes."""
        self._pipe.close()

    def kill(self) -> None:
        """Kill the process, and the processes that its function has started."""
        _kill(self._process)


def _kill(process: SpawnProcess) -> None:
    if process.pid is not None and process.is_alive():
        kill_group(process.pid)
        process.kill()


def _end_all() -> None:
    until = time.monotonic() + GRACE
    for process in list(_started):
        process.join(max(0.0, until - time.monotonic()))
        _kill(process)


# At exit multiprocessing waits for all processes that are left. It does this first.
Finalize(None, _end_all, exitpriority=0)

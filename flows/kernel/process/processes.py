"""Runs a plain function in processes, one job at a time: each process can be killed, and none outlives its worker.

They are spawned, import the function by its name, and call it for jobs that they decode themselves: what goes through
the pipe to each is JSON, and nothing of the user's is pickled.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import time
from dataclasses import dataclass, field
from multiprocessing.util import Finalize
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from flows.errors import DeclarationError, FlowsError, LostLease
from flows.kernel.current import CurrentJob, current_job
from flows.kernel.process.importable import qualified_name, route_to
from flows.kernel.process.messages import EncodedJob, open_result, pack_call, raised_by, unpack
from flows.kernel.process.process_worker import GRACE, kill_group, serve
from flows.kernel.threads import Threads
from flows.kernel.unable import HostUnable, NeverAble, is_hosts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

    from flows.kernel.resources import Lifespan
    from flows.model.job import Job, JobResult
    from flows.model.verdict import AnyVerdict

_SPAWN: Final = multiprocessing.get_context("spawn")
_started: Final[WeakSet[SpawnProcess]] = WeakSet()


class WorkerProcessDied(FlowsError):
    """The process that ran the function ended before the function did."""


@dataclass(slots=True)
class Target:
    """What processes are to call: a function for jobs of a class, both by the routes on which they are imported.

    Attributes:
        name: The function's name.
        routes: The two routes, and that of the function's lifespan if it has one, as JSON.
        children: The job classes of which it may name children, by their qualified names.
        proven: Whether a process of this program has found both.
    """

    name: str
    routes: bytes
    children: Mapping[str, type[Job]]
    proven: bool = field(default=False)


def make_target(
    function: Callable[[Any], Any],
    job_class: type[Job],
    children: Iterable[type[Job]] = (),
    lifespan: Lifespan | None = None,
) -> Target:
    """Return what processes are to call.

    Raises:
        DeclarationError: another process could not import the function, the job class or the lifespan.
    """
    parts = [function, job_class] if lifespan is None else [function, job_class, lifespan]
    name, *others = (getattr(part, "__qualname__", repr(part)) for part in parts)
    routes = [route_to(part) for part in parts]
    for route, what in zip(routes, (name, *others), strict=True):
        if route is None:
            raise DeclarationError(f"{what} cannot be used in a process: define it at the top level of a module")
    return Target(name, json.dumps(routes).encode(), {qualified_name(one): one for one in children})


class Processes:
    """Runs up to `most` calls of one function at once, each in a process of its own."""

    def __init__(self, most: int, target: Target) -> None:
        self._target = target
        self._threads = Threads(most)
        self._idle: list[_Process] = []
        self._busy: set[_Process] = set()
        self._closed = False

    async def prove(self) -> None:
        """Begin a process, unless the target is proven, and wait until it has found what it is to call.

        Raises:
            DeclarationError: it can never work.
            HostUnable: it cannot work now.
        """
        if self._target.proven:
            return
        try:
            process = await self._take()
        except NeverAble as error:
            raise DeclarationError(str(error)) from error
        self._give_back(process)

    async def call(self, job: EncodedJob) -> JobResult | AnyVerdict | None:
        """Call the function for a job and return what it returns; when this is cancelled, the process is killed.

        Raises:
            FailedInProcess: the function raised; a verdict is raised as itself.
            UnfitJob: the job could not be read as its class, so that it was not called.
            HostUnable: no process could begin it.
            WorkerProcessDied: the process ended before the function did.
        """
        process = await self._take()
        try:
            job.begin()
            here = current_job()
            text, parts = await self._threads.call(process.ask, _Call(pack_call(job, here), here))
        except BaseException:
            self._drop(process)
            raise
        self._give_back(process)
        return open_result(text, parts, self._target.children)

    def close(self) -> None:
        """Stop idle processes, and kill the others."""
        self._closed = True
        while self._idle:
            self._idle.pop().stop()
        for process in self._busy:
            process.kill()
        self._threads.close()

    async def _take(self) -> _Process:
        """Return a process that is ready to call the function: an idle one, or a new one."""
        if self._closed:
            raise RuntimeError("these processes are closed")
        while self._idle:
            process = self._idle.pop()
            if process.alive:
                self._busy.add(process)
                return process
        process = _Process(self._target)
        self._busy.add(process)
        try:
            await self._threads.call(_Process.wait_until_ready, process)
        except BaseException:
            self._drop(process)
            raise
        self._target.proven = True
        return process

    def _give_back(self, process: _Process) -> None:
        self._busy.discard(process)
        if self._closed:
            process.stop()
        else:
            self._idle.append(process)

    def _drop(self, process: _Process) -> None:
        self._busy.discard(process)
        process.kill()


@dataclass(frozen=True, slots=True)
class _Call:
    message: bytes
    current: CurrentJob


class _Process:
    """One process, as its parent sees it."""

    def __init__(self, target: Target) -> None:
        self._name = target.name
        if multiprocessing.current_process().daemon:
            raise NeverAble(
                f"{target.name} cannot run with executor='process' in a daemonic process, which may start none: "
                "start this worker in a process with daemon=False"
            )
        pipes: list[Connection[bytes, bytes]] = []
        try:
            pipes += _SPAWN.Pipe()
            self._pipe, theirs = pipes
            self._process = _SPAWN.Process(target=serve, args=(theirs, target.routes), name="flows-worker")
            self._process.start()
        except Exception as error:
            for pipe in pipes:
                pipe.close()
            unable = HostUnable if is_hosts(error) else NeverAble
            raise unable(f"no process can be started for {target.name}: {type(error).__name__}: {error}") from error
        _started.add(self._process)
        theirs.close()

    @property
    def alive(self) -> bool:
        """Whether the process has not ended."""
        return self._process.is_alive()

    def wait_until_ready(self) -> None:
        """Wait until the process has found what it is to call; blocks until then."""
        try:
            text, _parts = unpack(self._pipe.recv_bytes())
        except (EOFError, OSError) as error:
            how, code = self._end()
            unable = HostUnable if code is None or code < 0 else NeverAble
            raise unable(
                f"the process that is to run {self._name} ended before it could ({how}): the program's main module "
                "has to be importable, and to start nothing unless __name__ is '__main__'"
            ) from error
        if text["is"] == "no resource":
            raise HostUnable(text["why"])
        if text["is"] == "unable":
            raise HostUnable(f"a process cannot import {self._name}: {text['why']}")
        if text["is"] != "ready":
            raise NeverAble(
                f"{self._name} cannot run with executor='process', since another process cannot import it "
                f"({raised_by(text)}): define it in a module that can be imported"
            )

    def ask(self, call: _Call) -> tuple[dict[str, Any], list[bytes | None]]:
        """Send a call to the process and return its answer; blocks until then, and passes on what it reports."""
        begun = False
        try:
            self._pipe.send_bytes(call.message)
            while True:
                text, parts = unpack(self._pipe.recv_bytes())
                if text["is"] == "begun":
                    begun = True
                elif text["is"] == "report":
                    # A thread that an earlier function has left behind may still be sending.
                    if text["of"] == [call.current.id, call.current.fence]:
                        _pass_on(call.current, parts[0] or b"", text["line"])
                else:
                    return text, parts
        except (EOFError, OSError) as error:
            how, _code = self._end()
            if not begun:
                raise HostUnable(f"the process that was to run {self._name} has ended ({how})") from error
            raise WorkerProcessDied(f"the process that ran the function died under it ({how})") from error

    def stop(self) -> None:
        """Stop an idle process: it ends when its pipe closes."""
        self._pipe.close()

    def kill(self) -> None:
        """Kill the process, and the processes that its function has started."""
        _kill(self._process)

    def _end(self) -> tuple[str, int | None]:
        """Wait until the process has ended, and return how, in words and as its exit code."""
        self._process.join(GRACE)
        code = self._process.exitcode
        return (f"exit code {code}" if code is None or code >= 0 else f"signal {-code}"), code


def _pass_on(current: CurrentJob, progress: bytes, line: str | None) -> None:
    """Report for a function what it has reported in its process."""
    with contextlib.suppress(LostLease):  # its process is being killed
        current.pass_on(progress, line)


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

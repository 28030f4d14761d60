"""One process that calls a function, as its parent sees it: started, asked, and killed with all that it has started."""

from __future__ import annotations

import contextlib
import multiprocessing
import time
from dataclasses import dataclass
from multiprocessing.util import Finalize
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from flows.errors import FlowsError, HostUnable, LostLease
from flows.kernel.process.messages import raised_by, unpack
from flows.kernel.process.process_worker import GRACE, kill_group, serve
from flows.kernel.unable import NeverAble, is_hosts
from flows.store.streams.text_piece import Streamed

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

    from flows.kernel.current import CurrentJob
    from flows.kernel.process.target import Target

_SPAWN: Final = multiprocessing.get_context("spawn")
_started: Final[WeakSet[SpawnProcess]] = WeakSet()


class WorkerProcessDied(FlowsError):
    """The process that ran the function ended before the function did."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the function, as the process takes it, and the attempt for which it is made."""

    message: bytes
    current: CurrentJob


class ProcessHandle:
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

    def ask(self, call: Call) -> tuple[dict[str, Any], list[bytes | None]]:
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
                        _pass_on(call.current, parts[0] or b"", text["line"], text["streamed"])
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


def _pass_on(current: CurrentJob, progress: bytes, line: str | None, streamed: list[Any] | None) -> None:
    """Report for a function what it has reported in its process."""
    with contextlib.suppress(LostLease):  # its process is being killed
        current.pass_on(progress, line, None if streamed is None else Streamed(*streamed))


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

"""Runs in a worker's process: imports one function, then calls it for one job after another, until the pipe closes."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
import json
import multiprocessing
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from flows.kernel.current import CurrentJob, set_current
from flows.kernel.process.importable import follow
from flows.kernel.process.messages import pack, pack_raised, pack_returned, unpack
from flows.kernel.process.process_resource import ProcessResource
from flows.kernel.resources import name_of
from flows.kernel.unable import is_hosts
from flows.model.codec import Decoder
from flows.model.texts import summary_of, text_of

if sys.platform == "linux":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

    from flows.model.job import Job
    from flows.store.streams.text_piece import Streamed

#: An idle process whose pipe is closed ends within so many seconds, whatever its functions have left behind.
GRACE: Final = 1.0


def serve(pipe: Connection[bytes, bytes], target: bytes) -> None:
    """Make calls until the pipe is closed; this is the main function of the process.

    Args:
        pipe: Where calls come from and answers go.
        target: The routes to the function, to its job class and to its lifespan if it has one, as JSON.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        # A terminal or a supervisor signals all processes: the one that runs the flow decides what ends.
        signal.signal(number, _ignore_signal)
    _end_with_parent()
    try:
        function, job_class, *lifespans = map(follow, json.loads(target))
        decoder = Decoder(job_class)
    except BaseException as error:  # noqa: BLE001 - importing is user code
        _send(pipe, _unable(error) if is_hosts(error) else pack_raised(error))
        return
    resources = [ProcessResource(lifespan) for lifespan in lifespans]
    try:
        values = [resource.open() for resource in resources]
    except BaseException as error:  # noqa: BLE001 - and so is what a lifespan does
        why = f"the resource {name_of(lifespans[0])} cannot be opened: {summary_of(error)}"
        _send(pipe, pack({"is": "no resource", "why": why}))
        return
    calls = _Calls(pipe, lambda job: function(job, *values), decoder)
    if _send(pipe, pack({"is": "ready"})):
        while calls.one():
            pass
    threading.Thread(target=_end_late, daemon=True).start()
    for resource in resources:
        resource.close()


def kill_group(pid: int) -> None:
    """Kill a process of ours and those that it has started, if the process has a group of its own already."""
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            os.killpg(pid, signal.SIGKILL)


class _Calls:
    """The calls of one function."""

    def __init__(self, pipe: Connection[bytes, bytes], function: Callable[[Any], Any], decoder: Decoder[Job]) -> None:
        self._pipe = pipe
        self._function = function
        self._decoder = decoder
        #: Threads of the function may report while it runs.
        self._sending = threading.Lock()

    def one(self) -> bool:
        """Receive a call, make it and send its result; return whether there may be another."""
        try:
            text, parts = unpack(self._pipe.recv_bytes())
        except (EOFError, OSError):
            return False
        # From here on, what becomes of this process is the job's doing.
        return self._send(pack({"is": "begun"})) and self._send(contextvars.copy_context().run(self._make, text, parts))

    def _make(self, text: Mapping[str, Any], parts: Sequence[bytes | None]) -> bytes:
        correlation, carried, known, *values = parts
        try:
            job = self._decoder.decode(values, known or b"")
        except Exception as error:  # noqa: BLE001 - a hash edited by hand may hold anything
            return _unable(error) if is_hosts(error) else pack({"is": "unfit", "why": text_of(error)})
        job_id, queue, attempt, fence, visit = text["attempt"]
        current = CurrentJob(job_id, queue, attempt, fence, visit, self._report, correlation, carried)
        current.deadline = text["deadline"]
        set_current(current)
        try:
            returned = self._function(job)
            if inspect.isawaitable(returned):
                returned = asyncio.run(_awaited(returned))
            return pack_returned(returned)
        except BaseException as error:  # noqa: BLE001 - sent to the caller, and raised there
            return pack_raised(error)
        finally:
            current.lost = True  # what a thread of the function still reports comes too late

    def _report(self, current: CurrentJob, progress: bytes, line: str | None, streamed: Streamed | None = None) -> None:
        told = {"is": "report", "of": [current.id, current.fence], "line": line, "streamed": streamed}
        self._send(pack(told, [progress]))

    def _send(self, message: bytes) -> bool:
        with self._sending:
            return _send(self._pipe, message)


def _unable(error: BaseException) -> bytes:
    return pack({"is": "unable", "why": summary_of(error)})


async def _awaited(result: Awaitable[Any]) -> Any:
    return await result


def _send(pipe: Connection[bytes, bytes], message: bytes) -> bool:
    """Send a message and return whether somebody is there for it."""
    try:
        pipe.send_bytes(message)
    except OSError:
        return False
    return True


def _ignore_signal(_number: int, _frame: object) -> None:
    """Do nothing; unlike SIG_IGN, this is not inherited by the programs that a function starts."""


def _end_with_parent() -> None:
    """Let this process, and those that it starts, be killed when its parent has ended in whatever way."""
    if sys.platform != "win32":
        os.setpgid(0, 0)
    parent = multiprocessing.parent_process()
    assert parent is not None  # noqa: S101 - it was spawned
    if sys.platform == "linux":
        # The kernel does it, so that no function can be in the way: the sentinel is a pipe of which the parent has
        # the other end, and its end is a signal for the group.
        fcntl.fcntl(parent.sentinel, fcntl.F_SETOWN, -os.getpid())
        fcntl.fcntl(parent.sentinel, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(parent.sentinel, fcntl.F_SETFL, fcntl.fcntl(parent.sentinel, fcntl.F_GETFL) | os.O_ASYNC)
    # On other systems, and for a parent that has ended already, a thread does it.
    threading.Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: BaseProcess) -> None:
    parent.join()
    kill_group(os.getpid())
    os._exit(1)


def _end_late() -> None:
    time.sleep(GRACE)
    os._exit(0)

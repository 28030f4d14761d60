"""Runs in a worker's process: makes one call after another, each a function's name and a job, until the pipe closes."""

from __future__ import annotations

import contextlib
import contextvars
import copy
import importlib
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from dataclasses import dataclass
from multiprocessing.reduction import ForkingPickler
from typing import TYPE_CHECKING, Any, Final

from flows.errors import FlowsError
from flows.kernel.current import CurrentJob, set_current
from flows.model.retries import class_names
from flows.model.verdict import Verdict

if sys.platform == "linux":
    import fcntl

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

    from flows.model.job import Job

#: An idle process whose pipe is closed ends within so many seconds, whatever its functions have left behind.
GRACE: Final = 1.0


class FailedInProcess(FlowsError):
    """What a function raised in another process, as name and text: not every exception can be pickled.

    Attributes:
        kind: The name of its class.
        message: Its text.
        trace: Its traceback.
        classes: The qualified names of its class and of those it descends from.
    """

    def __init__(self, kind: str, message: str, trace: str, classes: tuple[str, ...]) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message
        self.trace = trace
        self.classes = classes


@dataclass(frozen=True, slots=True)
class Call:
    """A call for the process to make: the function's module and name, its job, and the facts of `current_job()`."""

    function: tuple[str, str]
    job: Job
    attempt: tuple[str, str, int, int, int]
    deadline: float | None


@dataclass(frozen=True, slots=True)
class CallResult:
    """What the function returned or raised; an exception as name, text, traceback and classes, a verdict as itself."""

    returned: Any = None
    raised: tuple[str, str, str, tuple[str, ...]] | None = None
    verdict: Verdict | None = None

    def open(self) -> Any:
        """Return what the function returned, or raise what it raised."""
        if self.raised is None:
            return self.returned
        if self.verdict is None:
            raise FailedInProcess(*self.raised)
        self.verdict.add_note(self.raised[2])
        raise self.verdict


def serve(pipe: Connection[CallResult, Call]) -> None:
    """Make calls until the pipe is closed; this is the main function of the process."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # A terminal or a supervisor signals all processes: the one that runs the flow decides what ends.
        signal.signal(number, _ignore_signal)
    _end_with_parent()
    while _one_call(pipe):
        pass
    threading.Thread(target=_end_late, daemon=True).start()


def imported(module: str, name: str) -> Any:
    """Return what `name` is in `module`, as another process would find it; None where the module has no such name."""
    found: Any = sys.modules.get(module) or importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def kill_group(pid: int) -> None:
    """Kill a process of ours and those that it has started, if the process has a group of its own already."""
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            os.killpg(pid, signal.SIGKILL)


def text_of(error: BaseException) -> str:
    """Return the text of an error, or that there is none."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - even the text of an error is user code
        return "its text could not be made"


def _one_call(pipe: Connection[CallResult, Call]) -> bool:
    """Receive a call, make it and send its result; return whether there may be another."""
    try:
        call = pipe.recv()
    except (EOFError, ConnectionError):
        return False
    except Exception as error:  # noqa: BLE001 - the job's class could not be imported, say
        result = _as_result(error)
    else:
        result = contextvars.copy_context().run(_make, call)
    try:
        pipe.send(result)
    except OSError:
        return False
    except Exception as error:  # noqa: BLE001 - what was returned cannot be pickled
        pipe.send(_as_result(error))
    return True


def _make(call: Call) -> CallResult:
    current = CurrentJob(*call.attempt, None)
    current.deadline = call.deadline
    set_current(current)
    try:
        return CallResult(imported(*call.function)(call.job))
    except BaseException as error:  # noqa: BLE001 - sent to the caller, and raised there
        return _as_result(error)


def _as_result(error: BaseException) -> CallResult:
    raised = (type(error).__name__, text_of(error), "".join(traceback.format_exception(error)), class_names(error))
    if isinstance(error, Verdict):
        with contextlib.suppress(Exception):  # a class of the user's that cannot travel
            ForkingPickler.dumps(copy.copy(error))
            return CallResult(None, raised, error)
    return CallResult(None, raised)


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

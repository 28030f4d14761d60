"""The worker function: what it may look like, and one way to call all kinds of it."""

from __future__ import annotations

import asyncio
import contextvars
import importlib
import inspect
import signal
import sys
import traceback
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

from flows.errors import DeclarationError, FlowsError
from flows.kernel.current import CurrentJob, current_job, reset_current, set_current
from flows.model.job import Job, JobResult

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

JobT = TypeVar("JobT", bound=Job)

#: `async def`, `def` (run in a thread), or `def` with executor="process".
WorkerFunction: TypeAlias = "Callable[[JobT], Awaitable[JobResult | None] | JobResult | None]"

ExecutorKind: TypeAlias = Literal["loop", "thread", "process"]


class WorkerProcessDied(FlowsError):
    """The process that ran the function died under it."""


class FailedElsewhere(FlowsError):
    """What a function raised in another process, told in words: not every error survives the way here."""

    def __init__(self, kind: str, message: str, trace: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message
        self.trace = trace


class Handler:
    """A worker function and where it runs; `call` awaits it, whatever its kind."""

    def __init__(
        self, function: Callable[[Any], Any], job_class: type[Job], executor: ExecutorKind, concurrency: int
    ) -> None:
        self.function = function
        self.job_class = job_class
        self.executor = executor
        self._concurrency = concurrency
        self._opened = False
        self._threads: ThreadPoolExecutor | None = None
        #: Processes that have nothing to do. Each is a pool of its own, so that one that dies harms no other job.
        self._processes: list[ProcessPoolExecutor] = []
        calls = {"loop": function, "thread": self._call_in_thread, "process": self._call_in_process}
        self.call: Callable[[Job], Awaitable[JobResult | None]] = calls[executor]

    def open(self) -> None:
        """Begin the threads; processes begin when they are needed."""
        self._opened = True
        if self.executor == "thread":
            self._threads = ThreadPoolExecutor(self._concurrency, thread_name_prefix="flows-worker")

    def close(self) -> None:
        """End the threads or processes; a function that still runs in one is not waited for."""
        self._opened = False
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._threads = None
        while self._processes:
            self._processes.pop().shutdown(wait=False)

    async def _call_in_thread(self, job: Job) -> JobResult | None:
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        result: Any = await loop.run_in_executor(self._threads, lambda: context.run(_call_here, self.function, job))
        # A lambda around an `async def` looks like a plain function until it is called.
        returned: JobResult | None = await result if inspect.isawaitable(result) else result
        return returned

    async def _call_in_process(self, job: Job) -> JobResult | None:
        here = current_job()
        about = (here.id, here.queue, here.attempt, here.fence, here.visit)
        names = (self.function.__module__, self.function.__qualname__)
        process = self._processes.pop() if self._processes else _new_process()
        usable = True
        try:
            loop = asyncio.get_running_loop()
            result, failure = await loop.run_in_executor(process, _call_there, names, job, about)
        except asyncio.CancelledError:
            usable = False  # the function goes on in it
            raise
        except BrokenExecutor as error:
            usable = False
            msg = "the process that ran the function died under it"
            raise WorkerProcessDied(msg) from error
        finally:
            if usable and self._opened:
                self._processes.append(process)
            else:
                process.shutdown(wait=False)
        if failure is not None:
            raise FailedElsewhere(*failure)
        return result


def text_of(error: BaseException) -> str:
    """Return the text of an error, or that there is none."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - even the text of an error is user code
        return "its text could not be made"


def make_handler(
    function: Callable[[Any], Any],
    job_class: type[Job],
    executor: Literal["process"] | None,
    concurrency: int,
) -> Handler:
    """Return the handler of a worker function.

    Raises:
        DeclarationError: it is no function of one job, or a process could not import it.
    """
    name = getattr(function, "__qualname__", repr(function))
    if not callable(function):
        msg = f"worker function {name} cannot be called"
        raise DeclarationError(msg)
    _check_signature(function, name)
    called: Any = function if inspect.isroutine(function) else type(function).__call__
    is_async = inspect.iscoroutinefunction(called) or inspect.iscoroutinefunction(inspect.unwrap(function))
    if executor is None:
        return Handler(function, job_class, "loop" if is_async else "thread", concurrency)
    if executor != "process":
        msg = f"executor={executor!r}: leave it out, or give 'process'"
        raise DeclarationError(msg)
    if is_async:
        msg = f"{name} is async: executor='process' is for plain functions"
        raise DeclarationError(msg)
    if _imported(function.__module__, name) is not function:
        msg = f"{name} cannot run in a process: define it at the top level of a module"
        raise DeclarationError(msg)
    return Handler(function, job_class, "process", concurrency)


def _check_signature(function: Callable[..., Any], name: str) -> None:
    try:
        inspect.signature(function).bind(None)
    except TypeError as error:
        msg = f"worker function {name} must take one argument, the job: {error}"
        raise DeclarationError(msg) from error
    except ValueError:
        return  # a builtin without a signature


def _call_here(function: Callable[[Any], Any], job: Job) -> Any:
    """Call the function; this runs in the thread."""
    try:
        return function(job)
    except StopIteration as error:
        msg = "the function raised StopIteration"  # which no future can hold: whoever awaits it waits for ever
        raise RuntimeError(msg) from error


def _new_process() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_ignore_interrupts)


def _ignore_interrupts() -> None:
    """Ctrl-C goes to all processes of a terminal: the one that runs the flow decides what ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _call_there(
    names: tuple[str, str], job: Job, about: tuple[str, str, int, int, int]
) -> tuple[JobResult | None, tuple[str, str, str] | None]:
    """Call the function by its name and return its result, or its error in words; this runs in the other process."""
    function = _imported(*names)
    current = CurrentJob(*about, None)
    token = set_current(current)
    try:
        return function(job), None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - it is told in words
        return None, (type(error).__name__, text_of(error), "".join(traceback.format_exception(error)))
    finally:
        reset_current(token)


def _imported(module: str, name: str) -> Any:
    """Return what `name` is in `module`, as another process would find it; None where it is not there."""
    found: Any = sys.modules.get(module) or importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found

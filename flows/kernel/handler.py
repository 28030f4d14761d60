"""The worker function: what it may look like, and one way to call all kinds of it."""

from __future__ import annotations

import asyncio
import contextvars
import importlib
import inspect
import sys
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

from flows.errors import DeclarationError, FlowsError
from flows.kernel.current import CurrentJob, current_job, set_current
from flows.model.job import Job, JobResult

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

JobT = TypeVar("JobT", bound=Job)

#: `async def`, `def` (run in a thread), or `def` with executor="process".
WorkerFunction: TypeAlias = "Callable[[JobT], Awaitable[JobResult | None] | JobResult | None]"

ExecutorKind: TypeAlias = Literal["loop", "thread", "process"]


class WorkerProcessDied(FlowsError):
    """The process that ran the function died under it."""


class Handler:
    """A worker function and where it runs; `call` awaits it, whatever its kind."""

    def __init__(
        self, function: Callable[[Any], Any], job_class: type[Job], executor: ExecutorKind, concurrency: int
    ) -> None:
        self.function = function
        self.job_class = job_class
        self.executor = executor
        self._concurrency = concurrency
        self._pool: Executor | None = None
        self.call: Callable[[Job], Awaitable[JobResult | None]] = function if executor == "loop" else self._call_in_pool

    def open(self) -> None:
        """Begin the threads or processes."""
        if self.executor == "thread":
            self._pool = ThreadPoolExecutor(self._concurrency, thread_name_prefix="flows-worker")
        elif self.executor == "process":
            self._pool = ProcessPoolExecutor(self._concurrency, mp_context=get_context("spawn"))

    def close(self) -> None:
        """End the threads or processes; a function that still runs in one is not waited for."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    async def _call_in_pool(self, job: Job) -> JobResult | None:
        pool = self._pool
        if pool is None:
            msg = "the worker has stopped"
            raise FlowsError(msg)
        loop = asyncio.get_running_loop()
        if self.executor == "thread":
            context = contextvars.copy_context()
            result: Any = await loop.run_in_executor(pool, lambda: context.run(self.function, job))
            # A lambda around an `async def` looks like a plain function until it is called.
            returned: JobResult | None = await result if inspect.isawaitable(result) else result
            return returned
        here = current_job()
        about = (here.id, here.queue, here.attempt, here.fence, here.idempotency_key)
        names = (self.function.__module__, self.function.__qualname__)
        try:
            return await loop.run_in_executor(pool, _call_in_process, names, job, about)
        except BrokenExecutor as error:
            if self._pool is pool:
                self.open()
            msg = "the process that ran the function died under it"
            raise WorkerProcessDied(msg) from error


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


def _call_in_process(names: tuple[str, str], job: Job, about: tuple[str, str, int, int, str]) -> JobResult | None:
    """Call the function by its name; this runs in the other process."""
    function = _imported(*names)
    current = CurrentJob(about[0], about[1], about[2], about[3], 0, None)
    current.idempotency_key = about[4]
    set_current(current)
    try:
        result: JobResult | None = function(job)
        return result
    finally:
        set_current(None)


def _imported(module: str, name: str) -> Any:
    """Return what `name` is in `module`, as another process would find it; None where it is not there."""
    found: Any = sys.modules.get(module) or importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found

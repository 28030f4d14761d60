"""Calls a worker function of any kind: `async def` in the loop, `def` in a thread or a process."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from flows.errors import DeclarationError
from flows.kernel.process.processes import Processes, Target, make_target
from flows.kernel.threads import Threads

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from flows.model.job import Job, JobResult
    from flows.model.verdict import AnyVerdict

ExecutorKind: TypeAlias = Literal["loop", "thread", "process"]


class Handler:
    """A worker function and where it runs; `call` runs the function for a job, whatever its kind.

    Where `target` is given the function runs in processes: they take an `EncodedJob`, which they decode themselves.
    """

    def __init__(
        self,
        function: Callable[[Any], Any],
        job_class: type[Job],
        executor: ExecutorKind,
        concurrency: int,
        target: Target | None = None,
    ) -> None:
        self.function = function
        self.job_class = job_class
        self.executor = executor
        self._concurrency = concurrency
        self._target = target
        self._pool: Threads | Processes | None = None
        self.call: Callable[[Any], Awaitable[JobResult | AnyVerdict | None]] = (
            function if executor == "loop" else self._call_elsewhere
        )

    def open(self) -> None:
        """Open the pool of threads or processes; each of them starts when it is first needed."""
        if self._pool is not None:
            return
        if self._target is not None:
            self._pool = Processes(self._concurrency, self._target)
        elif self.executor == "thread":
            self._pool = Threads(self._concurrency)

    async def prove(self) -> None:
        """Open the pool, and where functions run in processes see one of them find its function.

        Raises:
            DeclarationError: no process will ever find it, or none may be started here.
            HostUnable: no process can be started now.
        """
        self.open()
        if isinstance(self._pool, Processes):
            await self._pool.prove()

    def close(self) -> None:
        """Close the pool: functions that run in threads are not waited for, processes are killed."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    def forsake(self, *, inherited: bool) -> None:
        """Leave the pool of a loop that has ended behind; `inherited` where that was another process's loop."""
        if not inherited:
            self.close()
        self._pool = None  # the threads and processes of a parent are nobody's here

    @property
    def abandoned(self) -> int:
        """How many functions still run in threads though nobody waits for them."""
        return self._pool.abandoned if isinstance(self._pool, Threads) else 0

    async def _call_elsewhere(self, job: Any) -> JobResult | AnyVerdict | None:
        assert self._pool is not None  # noqa: S101 - its worker has opened it
        if isinstance(self._pool, Processes):
            return await self._pool.call(job)
        result: Any = await self._pool.call(self.function, job)
        # A lambda around an `async def` looks like a plain function until it is called.
        returned: JobResult | AnyVerdict | None = await result if inspect.isawaitable(result) else result
        return returned


def make_handler(
    function: Callable[[Any], Any],
    job_class: type[Job],
    executor: Literal["process"] | None,
    concurrency: int,
    children: Iterable[type[Job]] = (),
) -> Handler:
    """Return the handler of a worker function, which may name children of these classes.

    Raises:
        DeclarationError: it is no function of one job, or a process could not import it.
    """
    name = getattr(function, "__qualname__", repr(function))
    if not callable(function):
        raise DeclarationError(f"worker function {name} cannot be called")
    _check_signature(function, name)
    # What a function wraps does not count: a plain one may stand before an async one, and the other way round.
    is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(_code_of(function))
    if executor is None:
        return Handler(function, job_class, "loop" if is_async else "thread", concurrency)
    if executor != "process":
        raise DeclarationError(f"executor={executor!r}: leave it out, or give 'process'")
    if is_async:
        raise DeclarationError(f"{name} is async: executor='process' is for plain functions")
    return Handler(function, job_class, "process", concurrency, make_target(function, job_class, children))


def _check_signature(function: Callable[..., Any], name: str) -> None:
    if any(is_one(_code_of(function)) for is_one in (inspect.isgeneratorfunction, inspect.isasyncgenfunction)):
        raise DeclarationError(f"worker function {name} is a generator: return a result instead of using yield")
    try:
        signature = inspect.signature(function, follow_wrapped=False)
    except Exception:  # noqa: BLE001 - a builtin has none, and annotations are user code
        return
    try:
        signature.bind(None)
    except TypeError as error:
        raise DeclarationError(f"worker function {name} must take one argument, the job: {error}") from error


def _code_of(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return what runs when `function` is called: of a callable object, its method."""
    if inspect.isroutine(function) or isinstance(function, functools.partial):
        return function  # pyright: ignore[reportUnknownVariableType] - a partial of whatever it is
    return type(function).__call__

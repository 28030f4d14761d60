"""Calls a worker function of any kind: `async def` in the loop, `def` in a thread or a process."""

from __future__ import annotations

import functools
import inspect
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from flows.errors import DeclarationError, HostUnable
from flows.kernel.process.processes import Processes
from flows.kernel.process.target import Target, make_target
from flows.kernel.resources import Lifespan, Resource, name_of, resource_of
from flows.kernel.threads import Threads
from flows.model.annotations.signatures import signature_of

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Iterable

    from flows.model.job import Job, JobResult
    from flows.model.verdict import AnyVerdict
    from flows.telemetry.events import Events

ExecutorKind: TypeAlias = Literal["loop", "thread", "process"]


class Handler:
    """A worker function and where it runs; `call` runs the function for a job, whatever its kind.

    Where `target` is given the function runs in processes: they take an `EncodedJob`, which they decode themselves.
    """

    def __init__(  # noqa: PLR0917 - what it is made of, given once
        self,
        function: Callable[[Any], Any],
        job_class: type[Job],
        executor: ExecutorKind,
        concurrency: int,
        target: Callable[[], Target] | None = None,
        lifespan: Lifespan | None = None,
    ) -> None:
        self.function = function
        self.job_class = job_class
        self.executor: ExecutorKind = executor
        #: What opens the function's second argument in this process, if it has one; processes open theirs themselves.
        self.lifespan = None if executor == "process" else lifespan
        self._concurrency = concurrency
        self._target = target
        self._pool: Threads | Processes | None = None
        self._resource: Resource | None = None
        self.call: Callable[[Any], Awaitable[JobResult | AnyVerdict | None]] = (
            self._call_elsewhere if executor != "loop" else function if lifespan is None else self._call_with_resource
        )

    def open(self) -> None:
        """Open the pool of threads or processes; each of them starts when it is first needed."""
        if self._pool is not None:
            return
        if self._target is not None:
            self._pool = Processes(self._concurrency, self._target())
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

    async def hold(self, events: Events, queue: str, stopping: asyncio.Event) -> None:
        """Wait until the resource of the function is open, if it has one, or `stopping` is set."""
        if self.lifespan is not None:
            self._resource = resource_of(self.lifespan)
            await self._resource.hold(events, queue, stopping)

    @property
    def resource(self) -> Any:
        """What the lifespan has brought.

        Raises:
            HostUnable: it is not open, or has ended by itself and is being opened again.
        """
        if self._resource is None:
            raise HostUnable(f"the resource of {name_of(self.function)} is not open")
        return self._resource.value

    async def release(self, *, hurried: bool) -> None:
        """Need the resource no more; the last worker that does waits until it is closed, not long where `hurried`."""
        if self._resource is not None:
            try:
                await self._resource.release(hurried=hurried)
            finally:
                self._resource = None

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
        self._resource = None  # that of a loop that has ended was closed with it

    @property
    def runs_here(self) -> bool:
        """Whether whoever asks is the lifespan that its resource comes from."""
        return self._resource is not None and self._resource.runs_here

    @property
    def abandoned(self) -> int:
        """How many functions still run in threads though nobody waits for them."""
        return self._pool.abandoned if isinstance(self._pool, Threads) else 0

    async def _call_elsewhere(self, job: Any) -> JobResult | AnyVerdict | None:
        assert self._pool is not None  # noqa: S101 - its worker has opened it
        if isinstance(self._pool, Processes):
            return await self._pool.call(job)
        function = self.function if self._resource is None else _with(self.function, self._resource.value)
        result: Any = await self._pool.call(function, job)
        # A lambda around an `async def` looks like a plain function until it is called.
        returned: JobResult | AnyVerdict | None = await result if inspect.isawaitable(result) else result
        return returned

    def _call_with_resource(self, job: Any) -> Any:
        assert self._resource is not None  # noqa: S101 - its worker has opened it
        return _with(self.function, self._resource.value)(job)


def make_handler(
    function: Callable[[Any], Any],
    job_class: type[Job],
    executor: Literal["process"] | None,
    concurrency: int,
    children: Iterable[type[Job]] = (),
    *,
    lifespan: Lifespan | None = None,
    bound: bool = True,
) -> Handler:
    """Return the handler of a worker function.

    Args:
        function: The function.
        job_class: Of which class its jobs are.
        executor: "process" where it runs in processes.
        concurrency: How many jobs run at once.
        children: Of these classes it may name children.
        lifespan: Opens its second argument, if it has one.
        bound: Whether its name is bound already, which that of a function that is just being decorated is not.

    Raises:
        DeclarationError: it is no function of one job, or a process could not import it.
    """
    name = getattr(function, "__qualname__", repr(function))
    if not callable(function):
        raise DeclarationError(_why_uncallable(function, name))
    _check_signature(function, name, lifespan)
    # What a function wraps does not count: a plain one may stand before an async one, and the other way round.
    is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(_code_of(function))
    if executor is None:
        return Handler(function, job_class, "loop" if is_async else "thread", concurrency, lifespan=lifespan)
    if executor != "process":
        raise DeclarationError(f"executor={executor!r}: leave it out, or give 'process'")
    if is_async:
        raise DeclarationError(f"{name} is async: executor='process' is for plain functions")
    if "<locals>" in name:
        raise DeclarationError(f"{name} cannot be used in a process: define it at the top level of a module")
    make = functools.cache(partial(make_target, function, job_class, children, lifespan))
    if bound:
        make()
    return Handler(function, job_class, "process", concurrency, make, lifespan)


def _why_uncallable(given: object, name: str) -> str:
    """Return what is wrong with something that cannot be called; a call of an async function in its place is ended."""
    if not inspect.isawaitable(given):
        return f"worker function {name} cannot be called: give the function itself, not what a call of it returns"
    if inspect.iscoroutine(given):
        given.close()  # else Python warns that nobody has awaited it
    called = getattr(given, "__name__", "the function")
    return f"worker function {name} cannot be called: pass {called} itself, not what it returns"


def check_lifespan(lifespan: object, what: str = "lifespan") -> None:
    """Check that a lifespan, or what else is one, is a function that can bring an async context manager.

    Raises:
        DeclarationError: it is none; the message says what to write.
    """
    # What a decorated function returns can be called too, as a decorator.
    if not callable(lifespan) or hasattr(lifespan, "__aenter__") is not isinstance(lifespan, type):
        raise DeclarationError(
            f"{what}={lifespan!r} is no function: give the function itself, not what it returns, decorated with "
            "contextlib.asynccontextmanager"
        )
    wrong = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)
    if any(is_one(_code_of(lifespan)) for is_one in wrong):
        raise DeclarationError(
            f"{what} {name_of(lifespan)} brings no async context manager: decorate it with "
            "contextlib.asynccontextmanager"
        )


def _with(function: Callable[..., Any], value: Any) -> Callable[[Any], Any]:
    return lambda job: function(job, value)


def _check_signature(function: Callable[..., Any], name: str, lifespan: Lifespan | None) -> None:
    if any(is_one(_code_of(function)) for is_one in (inspect.isgeneratorfunction, inspect.isasyncgenfunction)):
        raise DeclarationError(f"worker function {name} is a generator: return a result instead of using yield")
    try:
        signature = signature_of(function)
    except Exception:  # noqa: BLE001 - a builtin has none, and annotations are user code
        return
    try:
        signature.bind(None) if lifespan is None else signature.bind(None, None)
    except TypeError as error:
        takes = "one argument, the job" if lifespan is None else "two arguments, the job and what its lifespan brings"
        raise DeclarationError(f"worker function {name} must take {takes}: {error}") from error


def _code_of(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return what runs when `function` is called: of a callable object, its method."""
    if inspect.isroutine(function) or isinstance(function, functools.partial):
        return function  # pyright: ignore[reportUnknownVariableType] - a partial of whatever it is
    return type(function).__call__

"""Middleware: what a program puts around every creation and every attempt of its flow, such as a tracer's spans."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, TypeVar

from pydantic import BaseModel

from flows.errors import DeclarationError
from flows.kernel.current import CurrentJob, current_job
from flows.model.hooks import Hooks
from flows.model.job import Job, JobResult
from flows.model.verdict import Verdict

AnswerT = TypeVar("AnswerT")


@dataclass(slots=True)
class Creation:
    """A job that is about to be created, as middleware sees it, and may change it.

    Attributes:
        flow: The flow's name.
        queue: Where the job will wait: the flow's first queue.
        params: What it is created with.
        correlation_id: What `create_job(correlation_id=…)` was given.
        carried: Small texts that go with the job through every queue and to its children, where `current.carried` has
            them; 4,096 bytes of JSON at most.
    """

    flow: str
    queue: str
    params: BaseModel
    correlation_id: str | None = None
    carried: dict[str, str] = field(default_factory=dict[str, str])


#: The rest of the chain, at whose end the worker function stands.
AttemptNext: TypeAlias = Callable[[Job], Awaitable[JobResult | Verdict | None]]
#: The rest of the chain, at whose end the job is created.
CreateNext: TypeAlias = Callable[[Creation], Awaitable[str]]


class Middleware(Hooks):
    """Stands around what a flow does with each job: `FlowOptions(middleware=[…])`, the outermost first.

    Subclass it and write the methods that you need; one instance serves all jobs of the process.
    """

    async def create(self, creation: Creation, call_next: CreateNext) -> str:
        """Create one job; `await call_next(creation)` goes on, creates it in the end, and returns its id.

        What this returns or raises is what `create_job` does. In `create_jobs` it is called for each job, and the end
        of the chain only prepares it: the jobs are written many at a time, some time after this has returned.

        Args:
            creation: What the job is created with.
            call_next: The rest of the chain.
        """
        return await call_next(creation)

    async def attempt(self, job: Job, current: CurrentJob, call_next: AttemptNext) -> JobResult | Verdict | None:
        """Make one attempt; `await call_next(job)` goes on, to the function in the end.

        What this returns or raises is what the function has returned or raised, to the queue's retries too. When the
        attempt is to stop, `CancelledError` is raised in it: clean up, and let it pass.

        Args:
            job: The job as the function sees it.
            current: What `current_job()` returns in the function.
            call_next: The rest of the chain. The function runs in the context that stands when it is called.
        """
        del current
        return await call_next(job)

    def check_hooks(self) -> None:
        """Check that its methods can be called as they will be; the flow's options do that.

        Raises:
            DeclarationError: one cannot.
        """
        name = f"middleware {type(self).__name__}"
        for hook, takes in _TAKES.items():
            method = getattr(self, hook)
            if inspect.isgeneratorfunction(method) or inspect.isasyncgenfunction(method):
                raise DeclarationError(
                    f"{name}: {hook} is a generator: return await call_next({takes[0]}) instead of using yield"
                )
            try:
                inspect.signature(method).bind(*takes)
            except TypeError as error:
                listed = f"{', '.join(takes[:-1])} and {takes[-1]}"
                raise DeclarationError(f"{name}: {hook} must take {listed}: {error}") from error
            except ValueError:
                continue  # a builtin without a signature


#: What each method is called with.
_TAKES: Final = {"create": ("creation", "call_next"), "attempt": ("job", "current", "call_next")}


def around(middleware: Iterable[Hooks], call: AttemptNext) -> AttemptNext:
    """Return the call with the middleware around it; where none wants attempts, the call itself."""
    for one in reversed(_that_write("attempt", middleware)):
        call = _around_attempt(one, call)
    return call


def that_create(middleware: Iterable[Hooks]) -> list[Middleware]:
    """Return the middleware that wants creations."""
    return _that_write("create", middleware)


def around_creation(middleware: Sequence[Middleware], call: CreateNext) -> CreateNext:
    """Return the call that creates a job, with the middleware around it."""
    for one in reversed(middleware):
        call = _around_creation(one, call)
    return call


def _that_write(hook: str, middleware: Iterable[Hooks]) -> list[Middleware]:
    """Return those that have written a method of their own."""
    own = [one for one in middleware if isinstance(one, Middleware)]
    return [one for one in own if getattr(getattr(one, hook), "__func__", None) is not getattr(Middleware, hook)]


def _around_attempt(middleware: Middleware, call_next: AttemptNext) -> AttemptNext:
    async def call(job: Job) -> JobResult | Verdict | None:
        return await _awaitable(middleware, "attempt", middleware.attempt(job, current_job(), call_next))

    return call


def _around_creation(middleware: Middleware, call_next: CreateNext) -> CreateNext:
    async def call(creation: Creation) -> str:
        job_id: Any = await _awaitable(middleware, "create", middleware.create(creation, call_next))
        if not isinstance(job_id, str):
            name = f"{type(middleware).__name__}.create"
            raise DeclarationError(
                f"{name} returned a {type(job_id).__name__}: return the id that call_next has returned"
            )
        return job_id

    return call


def _awaitable(middleware: Middleware, hook: str, made: Awaitable[AnswerT]) -> Awaitable[AnswerT]:
    given: Any = made  # what a method returns is user code
    if not inspect.isawaitable(given):
        name = f"{type(middleware).__name__}.{hook}"
        raise DeclarationError(f"{name} returned a {type(given).__name__} that cannot be awaited: is it `async def`?")
    return made

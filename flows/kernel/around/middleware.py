"""Middleware: what a program puts around every attempt of its flow, such as a tracer's scope or a log's context."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeAlias

from flows.errors import DeclarationError
from flows.kernel.current import CurrentJob, current_job
from flows.model.hooks import Hooks
from flows.model.job import Job, JobResult
from flows.model.verdict import Verdict

#: The rest of the chain, at whose end the worker function stands.
AttemptNext: TypeAlias = Callable[[Job], Awaitable[JobResult | Verdict | None]]


class Middleware(Hooks):
    """Stands around every attempt of a flow's worker functions: `FlowOptions(middleware=[…])`, the outermost first.

    Subclass it and write the methods that you need; one instance serves all attempts of the process.
    """

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
        """Check that `attempt` can be called as it will be; the flow's options do that.

        Raises:
            DeclarationError: it cannot.
        """
        name = f"middleware {type(self).__name__}"
        if inspect.isgeneratorfunction(self.attempt) or inspect.isasyncgenfunction(self.attempt):
            raise DeclarationError(
                f"{name}: attempt is a generator: return await call_next(job) instead of using yield"
            )
        try:
            inspect.signature(self.attempt).bind(None, None, None)
        except TypeError as error:
            raise DeclarationError(f"{name}: attempt must take job, current and call_next: {error}") from error
        except ValueError:
            return  # a builtin without a signature


def around(middleware: Iterable[Hooks], call: AttemptNext) -> AttemptNext:
    """Return the call with the middleware around it; where none wants attempts, the call itself."""
    for one in reversed([one for one in middleware if isinstance(one, Middleware)]):
        if getattr(one.attempt, "__func__", None) is not Middleware.attempt:
            call = _with(one, call)
    return call


def _with(middleware: Middleware, call_next: AttemptNext) -> AttemptNext:
    async def call(job: Job) -> JobResult | Verdict | None:
        attempt: object = middleware.attempt(job, current_job(), call_next)
        if not inspect.isawaitable(attempt):
            name = f"{type(middleware).__name__}.attempt"
            raise TypeError(f"{name} returned a {type(attempt).__name__} that cannot be awaited: is it `async def`?")
        made: JobResult | Verdict | None = await attempt
        return made

    return call

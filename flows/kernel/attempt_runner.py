"""Runs attempts: decodes the job, calls the function and judges what it returned; each ends in an outcome, a value."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from flows.errors import HostUnable, StoreUnavailable
from flows.kernel.around.middleware import around
from flows.kernel.current import reset_current, set_current
from flows.kernel.judge import Judge
from flows.kernel.process.behind_middleware import BehindMiddleware
from flows.kernel.process.messages import EncodedJob, UnfitJob
from flows.kernel.unable import is_hosts
from flows.model.codec import Decoder, kernel_fields, specs_field
from flows.model.job import Job, JobError
from flows.model.outcome import Fail, Outcome, Release
from flows.model.texts import summary_of, text_of
from flows.model.verdict import Verdict
from flows.telemetry.failpoints import failpoint

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from contextvars import Token

    from flows.kernel.attempt import Attempt
    from flows.kernel.current import CurrentJob
    from flows.kernel.deploy.misfits import Misfits
    from flows.kernel.handler import Handler
    from flows.model.hooks import Hooks
    from flows.model.job import JobResult
    from flows.model.plan import QueuePlan
    from flows.store.jobs.claimed import ClaimedJob


class Watch(Protocol):
    """Starts the timeout of an attempt: its own, in seconds, or that of its runner."""

    def __call__(self, attempt: Attempt, timeout: float | None = None, /) -> None:
        """Start it."""
        ...


class Runner(Protocol):
    """Runs the attempts of one worker: those of a worker function, or of a parent queue."""

    timeout: float | None
    """That of all attempts, in seconds, but those to which `clock` gives one of their own; None: there is none."""
    worker_id: str
    """That of the worker loop, which sets it when it begins."""

    @property
    def fields(self) -> list[str]:
        """The fields of the job's hash that a claim has to read."""
        ...

    def clock(self, watch: Watch) -> Callable[[Attempt], None]:
        """Return what to call when an attempt is about to run; `watch` starts its timeout."""
        ...

    async def run(self, attempt: Attempt) -> Outcome | None:
        """Run one attempt and return its outcome, None where nothing may be written; raises nothing else.

        Raises:
            HostUnable: the function did not begin, and its job is not to blame.
        """
        ...

    def timed_out(self, attempt: Attempt) -> Outcome:
        """Return the outcome of an attempt that is over its timeout."""
        ...


class AttemptRunner:
    """Runs the attempts of a worker function; whatever the function does, `run` returns an outcome."""

    def __init__(  # noqa: PLR0917 - its surroundings, given once
        self,
        handler: Handler,
        plan: QueuePlan,
        flow_name: str,
        children_results: Callable[[str, str, str], Awaitable[bytes | None]],
        misfits: Misfits,
        middleware: Iterable[Hooks] = (),
    ) -> None:
        self.worker_id = ""
        self._decoder: Decoder[Job] = Decoder(handler.job_class)
        #: A process decodes its jobs itself; where there is middleware, that is to see them.
        self._in_process = handler.executor == "process"
        self._behind: BehindMiddleware | None = None
        self._call: Callable[[Any], Awaitable[JobResult | Verdict | None]] = around(middleware, handler.call)
        if self._in_process and self._call != handler.call:
            self._behind = BehindMiddleware(handler.call, self._decoder)
            self._call = around(middleware, self._behind.call)
        self._watch: Callable[[Attempt], None] = lambda _attempt: None
        self._judge = Judge(plan)
        self._misfits = misfits
        self._flow_name = flow_name.encode()
        self._children_results = children_results
        timeout = plan.options.timeout
        self.timeout = None if timeout is None else timeout.total_seconds()

    @property
    def fields(self) -> list[str]:
        """The fields of the job's hash that a claim has to read."""
        return list(self._decoder.fields)

    def clock(self, watch: Watch) -> Callable[[Attempt], None]:
        """Return what to call when an attempt is about to run; the timeout of one in a process starts with the call."""
        if not self._in_process:
            return watch
        self._watch = watch
        return lambda _attempt: None

    async def run(self, attempt: Attempt) -> Outcome | None:
        """Run one attempt and return its outcome; None where the lease is lost and nothing may be written.

        Raises:
            HostUnable: the function did not begin, and its job is not to blame.
        """
        claimed = attempt.claimed
        try:
            if self._decoder.results:
                await self._many_results(claimed)
            known = kernel_fields(
                claimed.raw_id,
                claimed.flow or self._flow_name,
                claimed.attempt,
                claimed.correlation_id,
                claimed.priority,
            )
            job = self._encoded(attempt, known) if self._in_process else self._decoder.decode(claimed.values, known)
        except asyncio.CancelledError:
            return attempt.stop_as
        except StoreUnavailable:
            return Release()  # the results of its many children could not be read: that is not the job's fault
        except Exception as error:  # noqa: BLE001 - a hash edited by hand may hold anything
            return await self._misfit(claimed, error)
        token: Token[CurrentJob | None] | None = set_current(attempt.current)
        try:
            failpoint("before-user-code")
            result = await self._call(job)
            failpoint("after-user-code")
            return self._judge.returned(claimed, result)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # whatever a function raises, its job ends by it
            if isinstance(error, GeneratorExit) and not runs_now(attempt):
                # The loop is closed and Python drops the lane, in a context in which nothing of this one can be undone.
                token = None
                raise
            return await self._raised(attempt, known, error)
        finally:
            if token is not None:
                reset_current(token)
            if self._behind is not None:
                self._behind.forget(attempt.current)

    def timed_out(self, attempt: Attempt) -> Outcome:
        """Return the outcome of an attempt that is over its timeout."""
        return self._judge.timed_out(attempt.claimed)

    def _encoded(self, attempt: Attempt, known: bytes) -> EncodedJob | Job:
        """Return the job as a process takes it, or as the middleware before it does."""
        encoded = EncodedJob(attempt.claimed.values, known, partial(self._watch, attempt))
        return encoded if self._behind is None else self._behind.show(attempt.current, encoded)

    async def _raised(self, attempt: Attempt, known: bytes, error: BaseException) -> Outcome | None:
        """Return the outcome of an attempt that raised."""
        if isinstance(error, UnfitJob):
            return await self._unfit(attempt.claimed, known, error)
        if isinstance(error, HostUnable) and not attempt.current.cancelled:
            raise error
        # What a function raises because it was asked to stop says nothing of its job, unless it is a verdict.
        asked = attempt.current.cancelled and not isinstance(error, Verdict)
        return attempt.stop_as if asked else self._judge.raised(attempt.claimed, error)

    async def _misfit(self, claimed: ClaimedJob, error: Exception) -> Outcome:
        if is_hosts(error):
            raise HostUnable(f"a job cannot be read: {summary_of(error)}") from error
        return await self._misfits.outcome(claimed, error)

    async def _unfit(self, claimed: ClaimedJob, known: bytes, unfit: UnfitJob) -> Outcome:
        """Return the outcome of a job that its process could not read; what is wrong with it is found here."""
        try:
            self._decoder.decode(claimed.values, known)
        except Exception as error:  # noqa: BLE001 - a hash edited by hand may hold anything
            return await self._misfit(claimed, error)
        return await self._misfit(claimed, unfit)

    async def _many_results(self, claimed: ClaimedJob) -> None:
        """Read the results of children where they are too many for the hash."""
        for at, mark in self._decoder.results:
            if claimed.values[at] is None:
                claimed.values[at] = await self._children_results(claimed.id, mark.queue, claimed.flow.decode())


def runs_now(attempt: Attempt) -> bool:
    """Return whether its lane runs just now, and is not being dropped."""
    try:
        return asyncio.current_task() is attempt.task
    except RuntimeError:  # no loop runs here
        return False


class ParentRunner:
    """Runs the attempts of a parent queue: each returns the children for which the parent is to wait."""

    timeout: float | None = None
    worker_id = ""

    def __init__(self, plan: QueuePlan) -> None:
        self._plan = plan

    def clock(self, watch: Watch) -> Callable[[Attempt], None]:
        """Return what to call when an attempt is about to run."""
        return watch

    def timed_out(self, attempt: Attempt) -> Outcome:
        """Raise NotImplementedError: a parent queue has no timeout."""
        raise NotImplementedError

    @property
    def fields(self) -> list[str]:
        """The fields of the job's hash that a claim has to read."""
        return [specs_field(self._plan.queue)]

    async def run(self, attempt: Attempt) -> Outcome | None:
        """Return the outcome by which the parent waits for its children, or goes straight on where there are none.

        Raises:
            HostUnable: the children cannot be read for want of memory.
        """
        claimed = attempt.claimed
        try:
            return self._plan.passed_on(self._plan.fan_out(claimed.id, claimed.values[0]), claimed.priority)
        except Exception as error:
            if is_hosts(error):
                raise HostUnable(f"a parent cannot be read: {summary_of(error)}") from error
            message = f"its children cannot be created: {text_of(error)}"
            return Fail(
                JobError(
                    type=type(error).__name__,
                    message=message,
                    queue=self._plan.queue,
                    attempt=claimed.attempt,
                )
            )

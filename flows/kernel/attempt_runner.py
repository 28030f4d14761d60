"""Makes attempts: decode the job, call the function, judge what it returned. Each ends in an outcome, a value."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from flows.errors import StoreUnavailable
from flows.kernel.current import reset_current, set_current
from flows.kernel.judge import Judge
from flows.kernel.process_worker import text_of
from flows.model.codec import Decoder, kernel_fields
from flows.model.job import Job, JobError
from flows.model.outcome import Fail, Outcome, Release
from flows.model.verdict import Verdict
from flows.telemetry.failpoints import failpoint

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from flows.kernel.attempt import Attempt
    from flows.kernel.handler import Handler
    from flows.model.plan import QueuePlan
    from flows.store.jobs.claimed import ClaimedJob


class Runner(Protocol):
    """Makes attempts: of a worker function, or of a parent queue."""

    timeout: float | None

    @property
    def fields(self) -> list[str]:
        """The fields of the hash that a claim has to bring."""
        ...

    async def run(self, attempt: Attempt) -> Outcome | None:
        """Make one attempt; never raises."""
        ...

    def timed_out(self, attempt: Attempt) -> Outcome:
        """How an attempt ends that ran for too long."""
        ...


class AttemptRunner:
    """Makes the attempts of one worker; `run` never raises, whatever the function does."""

    def __init__(
        self,
        handler: Handler,
        plan: QueuePlan,
        flow_name: str,
        children_results: Callable[[str, str], Awaitable[bytes | None]],
    ) -> None:
        self._call = handler.call
        self._decoder: Decoder[Job] = Decoder(handler.job_class)
        self._judge = Judge(plan)
        self._flow_name = flow_name
        self._children_results = children_results
        timeout = plan.options.timeout
        self.timeout = None if timeout is None else timeout.total_seconds()

    @property
    def fields(self) -> list[str]:
        """The fields of the hash that a claim has to bring."""
        return list(self._decoder.fields)

    async def run(self, attempt: Attempt) -> Outcome | None:
        """Make one attempt and return its outcome; None where the lease is lost and nothing may be written."""
        claimed = attempt.claimed
        try:
            if self._decoder.results:
                await self._many_results(claimed)
            known = kernel_fields(claimed.id, self._flow_name, claimed.attempt, claimed.correlation_id)
            job = self._decoder.decode(claimed.values, known)
        except asyncio.CancelledError:
            return attempt.stop_as
        except StoreUnavailable:
            return Release()  # the results of its many children could not be read: that is not the job's fault
        except Exception as error:  # noqa: BLE001 - a hash edited by hand may hold anything
            return self._judge.malformed(claimed, f"its hash does not fit: {error}")
        token = set_current(attempt.current)
        try:
            failpoint("before-user-code")
            result = await self._call(job)
            failpoint("after-user-code")
            return self._judge.returned(claimed, result)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever a function raises, its job ends by it
            # What a function raises because it was told to end says nothing of its job, unless it is a verdict.
            asked = attempt.current.cancelled and not isinstance(error, Verdict)
            return attempt.stop_as if asked else self._judge.raised(claimed, error)
        finally:
            reset_current(token)

    def timed_out(self, attempt: Attempt) -> Outcome:
        """Return how an attempt ends that ran for too long."""
        return self._judge.timed_out(attempt.claimed)

    async def _many_results(self, claimed: ClaimedJob) -> None:
        """Read the results of children that are too many for the hash."""
        for at, mark in self._decoder.results:
            if claimed.values[at] is None:
                claimed.values[at] = await self._children_results(claimed.id, mark.queue)


class ParentRunner:
    """Makes the attempts of a parent queue: it names the children for which the parent is to wait."""

    timeout: float | None = None

    def __init__(self, plan: QueuePlan) -> None:
        self._plan = plan

    def timed_out(self, attempt: Attempt) -> Outcome:
        """A parent queue has no timeout."""
        raise NotImplementedError

    @property
    def fields(self) -> list[str]:
        """The fields of the hash that a claim has to bring."""
        return [f"children:{self._plan.queue}:params"]

    async def run(self, attempt: Attempt) -> Outcome | None:
        """Return that the parent waits for its children, or that it goes straight on where it has none."""
        claimed = attempt.claimed
        try:
            return self._plan.fan_out(claimed.id, claimed.values[0])
        except Exception as error:  # noqa: BLE001 - a hash edited by hand may hold anything
            message = f"its children cannot be created: {text_of(error)}"
            return Fail(
                JobError(
                    type=type(error).__name__,
                    message=message,
                    queue=self._plan.queue,
                    attempt=claimed.attempt,
                )
            )

"""One attempt: decode the job, call the function, judge what it returned. It ends in an outcome, a value."""

from __future__ import annotations

import asyncio
import traceback
from typing import TYPE_CHECKING

from flows.errors import StoreUnavailable
from flows.kernel.current import CurrentJob, reset_current, set_current, writable
from flows.kernel.handler import FailedElsewhere, text_of
from flows.model.codec import Decoder, kernel_fields
from flows.model.job import Job, JobError, JobResult
from flows.model.outcome import Fail, Outcome, Release

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from flows.kernel.handler import Handler
    from flows.model.plan import QueuePlan
    from flows.store.turns import Claimed

#: Errors are kept up to so many characters.
_LONGEST_MESSAGE = 8_000
_LONGEST_TRACEBACK = 32_000


class Running:
    """A claimed job that is being worked on, and why it shall stop, if it shall."""

    __slots__ = ("claimed", "current", "stop_as", "task")

    def __init__(self, claimed: Claimed, current: CurrentJob) -> None:
        self.claimed = claimed
        self.current = current
        self.task: asyncio.Task[None] | None = None
        self.stop_as: Outcome | None = None

    def stop(self, outcome: Outcome | None) -> None:
        """End the attempt: cancel its coroutine; `outcome` is how, None where nothing may be written any more."""
        self.current.cancelled = True
        self.stop_as = outcome
        if self.task is not None:
            self.task.cancel()


class Attempt:
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
        self._plan = plan
        self._flow_name = flow_name
        self._children_results = children_results
        self._queue = plan.queue

    @property
    def fields(self) -> list[str]:
        """The fields of the hash that a claim has to bring."""
        return list(self._decoder.fields)

    async def run(self, running: Running) -> Outcome | None:
        """Make one attempt and return its outcome; None where the lease is lost and nothing may be written."""
        claimed = running.claimed
        try:
            if self._decoder.results:
                await self._many_results(claimed)
            known = kernel_fields(claimed.id, self._flow_name, claimed.attempt, claimed.correlation_id)
            job = self._decoder.decode(claimed.values, known)
        except asyncio.CancelledError:
            return running.stop_as
        except StoreUnavailable:
            return Release()  # the results of its many children could not be read: that is not the job's fault
        except Exception as error:  # noqa: BLE001 - a hash edited by hand may hold anything
            return Fail(self._error(claimed, "MalformedJob", f"its hash does not fit: {error}", ""))
        token = set_current(running.current)
        try:
            result = await self._call(job)
            outcome = self._judge(claimed, result)
        except asyncio.CancelledError:
            itself = self._error(claimed, "CancelledError", "the function cancelled itself", "")
            return running.stop_as if running.current.cancelled else Fail(itself)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever a function raises, its job fails by it
            return Fail(self._error_of(claimed, error))
        finally:
            reset_current(token)
        return outcome

    def _judge(self, claimed: Claimed, result: JobResult | None) -> Outcome:
        if self._plan.options.children and isinstance(result, JobResult):
            waits = self._plan.own_children(result, claimed.id)
            if waits is not None:
                return waits
        return self._plan.outcome(result)

    async def _many_results(self, claimed: Claimed) -> None:
        """Read the results of children that are too many for the hash."""
        for at, mark in self._decoder.results:
            if claimed.values[at] is None:
                claimed.values[at] = await self._children_results(claimed.id, mark.queue)

    def _error_of(self, claimed: Claimed, error: BaseException) -> JobError:
        if isinstance(error, FailedElsewhere):
            return self._error(claimed, error.kind, error.message, error.trace)
        trace = "".join(traceback.format_exception(error))
        return self._error(claimed, type(error).__name__, text_of(error), trace)

    def _error(self, claimed: Claimed, kind: str, message: str, trace: str) -> JobError:
        return JobError(
            type=kind,
            message=writable(message[:_LONGEST_MESSAGE]),
            traceback=writable(trace[-_LONGEST_TRACEBACK:]),
            queue=self._queue,
            attempt=claimed.attempt,
        )


class ParentAttempt:
    """Makes the attempts of a parent queue: it names the children for which the parent is to wait."""

    def __init__(self, plan: QueuePlan) -> None:
        self._plan = plan

    @property
    def fields(self) -> list[str]:
        """The fields of the hash that a claim has to bring."""
        return [f"children:{self._plan.queue}:params"]

    async def run(self, running: Running) -> Outcome | None:
        """Return that the parent waits for its children, or that it goes straight on where it has none."""
        claimed = running.claimed
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

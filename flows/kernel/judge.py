"""Judges an attempt: what its function returned, raised or did not finish in time, turned into the outcome."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, assert_never, cast

from flows.errors import ValidationError
from flows.kernel.process.messages import FailedInProcess
from flows.model import verdict as verdicts
from flows.model.job import JobError, JobResult
from flows.model.outcome import Cancel, Fail, Outcome, Retry, Snooze
from flows.model.plan import WrongResult
from flows.model.retries import Retries, class_names
from flows.model.texts import summary_of, text_of, trace_of, writable
from flows.model.verdict import AnyVerdict, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.model.plan import QueuePlan
    from flows.store.jobs.claimed import ClaimedJob

#: Errors are kept up to so many characters.
_LONGEST_MESSAGE = 8_000
_LONGEST_TRACEBACK = 32_000
#: And what a snooze gives as its reason, as the messages of retries there.
_LONGEST_REASON = 200

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ONCE = Retries(max_attempts=1)
_WRONG_RESULT = class_names(WrongResult(None))[0]
#: Where a function asks for a retry and its queue declares none.
_DEFAULT = Retries()


class Judge:
    """Judges the attempts of one queue."""

    def __init__(self, plan: QueuePlan) -> None:
        self._plan = plan
        self._retries = plan.options.retries or _ONCE
        self._asked = plan.options.retries or _DEFAULT
        rules = plan.options.rules
        self._grouped = rules is not None and rules.group is not None

    def returned(self, claimed: ClaimedJob, result: JobResult | Verdict | None) -> Outcome:
        """Return the outcome of an attempt whose function returned.

        Raises:
            ValidationError: the result cannot be saved; nothing of it is.
        """
        if isinstance(result, Verdict):
            return self._asked_for(claimed, cast("AnyVerdict", result))  # there are no others
        if self._plan.options.children and isinstance(result, JobResult):
            waits = self._plan.own_children(result, claimed.id)
            if waits is not None:
                return waits
        return self._plan.passed_on(self._plan.outcome(result), claimed.priority)

    def raised(self, claimed: ClaimedJob, error: BaseException) -> Outcome:
        """Return the outcome of an attempt whose function raised; never raises, although an error is user code."""
        try:
            return self._raised(claimed, error)
        except Exception as fault:  # noqa: BLE001 - a lane that ended by it would hold its job for ever
            why = f"that error cannot be read: {summary_of(fault)}"
            return Fail(self.error(claimed, type(error).__name__, why))

    def timed_out(self, claimed: ClaimedJob) -> Outcome:
        """Return the outcome of an attempt that ran longer than the queue's timeout."""
        timeout = self._plan.options.timeout or timedelta()
        failure = self.error(claimed, "Timeout", f"it ran longer than its timeout of {timeout.total_seconds():g} s")
        return self._failed(claimed, failure, class_names(TimeoutError()))

    def malformed(self, claimed: ClaimedJob, why: str) -> Outcome:
        """Return the outcome of an attempt whose job could not be read: another attempt would not help."""
        return Fail(self.error(claimed, "MalformedJob", why))

    def error(self, claimed: ClaimedJob, kind: str, message: str, trace: str = "") -> JobError:
        """Return an error as it is kept on the job."""
        return JobError(
            type=kind,
            message=writable(message[:_LONGEST_MESSAGE]),
            traceback=writable(trace[-_LONGEST_TRACEBACK:]),
            queue=self._plan.queue,
            attempt=claimed.attempt,
        )

    def _raised(self, claimed: ClaimedJob, error: BaseException) -> Outcome:
        if isinstance(error, AnyVerdict):
            return self._asked_for(claimed, error)
        if isinstance(error, FailedInProcess):
            failure, classes = self.error(claimed, error.kind, error.message, error.trace), error.classes
        else:
            failure = self.error(claimed, type(error).__name__, text_of(error), trace_of(error))
            classes = class_names(error)
        if _WRONG_RESULT in classes:  # another attempt would return the like
            return Fail(self.error(claimed, ValidationError.__name__, failure.message))
        return self._failed(claimed, failure, classes)

    def _failed(self, claimed: ClaimedJob, error: JobError, classes: Sequence[str]) -> Outcome:
        if not self._retries.again(classes, _counted(claimed)):
            return Fail(error)
        return Retry(_milliseconds(self._retries.delay(_counted(claimed))), error)

    def _asked_for(self, claimed: ClaimedJob, verdict: AnyVerdict) -> Outcome:
        reason = writable(verdict.reason[:_LONGEST_MESSAGE])
        trace = "" if verdict.__traceback__ is None else trace_of(verdict)
        match verdict:
            case verdicts.Retry():
                error = self.error(claimed, "Retry", reason, trace)
                if _counted(claimed) >= self._asked.max_attempts:
                    return Fail(error)
                after = verdict.after
                return Retry(_milliseconds(self._asked.delay(_counted(claimed)) if after is None else after), error)
            case verdicts.Snooze():
                return self._snoozed(claimed, verdict, reason[:_LONGEST_REASON])  # a line of the job's history has it
            case verdicts.Cancel():
                return Cancel(reason)
            case verdicts.Fail():
                return Fail(self.error(claimed, verdict.type or "Fail", reason, trace))
        assert_never(verdict)

    def _snoozed(self, claimed: ClaimedJob, verdict: verdicts.Snooze, reason: str) -> Outcome:
        if verdict.hold == "group" and not self._grouped:
            why = f'Snooze(hold="group"): queue {self._plan.queue!r} has no groups: declare group_by='
            return Fail(self.error(claimed, ValidationError.__name__, why))
        if verdict.until is not None:
            return Snooze(until_ms=_milliseconds(verdict.until - _EPOCH), reason=reason, hold=verdict.hold)
        return Snooze(_milliseconds(verdict.after or timedelta()), reason=reason, hold=verdict.hold)


def _counted(claimed: ClaimedJob) -> int:
    """Return how many attempts count: those whose worker died do not."""
    return max(1, claimed.attempt - claimed.rescues)


def _milliseconds(time: timedelta) -> int:
    return math.ceil(time / timedelta(milliseconds=1))

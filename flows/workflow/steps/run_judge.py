"""Judges what the function of a workflow has raised: whether the run is tried again, fails, or is cancelled."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from flows.errors import MalformedJob, ValidationError
from flows.model.outcome import Cancel, Fail, Outcome, Retry, Snooze
from flows.model.retries import Retries, class_names
from flows.model.runs.errors import DuplicateStep, PlanChanged, StepFailed
from flows.model.texts import text_of, writable
from flows.model.verdict import Cancel as CancelVerdict
from flows.model.verdict import Fail as FailVerdict
from flows.model.verdict import Retry as RetryVerdict
from flows.model.verdict import Snooze as SnoozeVerdict
from flows.workflow.steps.failures import error_of, first_leaf

if TYPE_CHECKING:
    from flows.model.job import JobError

_ONCE: Final = Retries(max_attempts=1)
#: Where a function asks for a retry and its workflow declares none.
_DEFAULT: Final = Retries()
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_REASON: Final = 8_000
#: Another attempt would end as this one: the code, or what it was given, is wrong.
_FINAL: Final = (FailVerdict, DuplicateStep, PlanChanged, ValidationError, MalformedJob)


class RunJudge:
    """Judges one attempt at a run.

    Args:
        workflow: The workflow's name.
        retries: Those of the workflow; None: one attempt.
        attempt: Which attempt that counts this is, from 1.
    """

    def __init__(self, workflow: str, retries: Retries | None, attempt: int) -> None:
        self._workflow = workflow
        self._retries = retries or _ONCE
        self._asked = retries or _DEFAULT
        self._attempt = attempt

    def raised(self, error: BaseException) -> Outcome:
        """Return the outcome of an attempt whose function raised; a group of errors is judged by the first in it."""
        error = first_leaf(error)
        match error:
            case CancelVerdict():
                return Cancel(writable(error.reason[:_LONGEST_REASON]))
            case SnoozeVerdict():
                if error.until is not None:
                    return Snooze(until_ms=_milliseconds(error.until - _EPOCH), reason=error.reason)
                return Snooze(_milliseconds(error.after or timedelta()), reason=error.reason)
            case RetryVerdict():
                if self._attempt >= self._asked.max_attempts:
                    return Fail(self.error(error))
                after = self._asked.delay(self._attempt) if error.after is None else error.after
                return Retry(_milliseconds(after), self.error(error))
            case _:
                return self._failed(error)

    def error(self, error: BaseException) -> JobError:
        """Return an error as it is kept of the run; of a step that failed, what its function raised."""
        if isinstance(error, StepFailed):
            return error.error.model_copy(update={"message": f"step {error.step!r}: {error.error.message}"})
        if not text_of(error):
            return error_of(error, self._workflow, self._attempt)
        return error_of(error, self._workflow, self._attempt)

    def _failed(self, error: BaseException) -> Outcome:
        classes = (*class_names(error), *(error.classes if isinstance(error, StepFailed) else ()))
        final = isinstance(error, _FINAL) or (isinstance(error, StepFailed) and any(map(error.was, _FINAL)))
        if final or not self._retries.again(classes, self._attempt):
            return Fail(self.error(error))
        return Retry(_milliseconds(self._retries.delay(self._attempt)), self.error(error))


def _milliseconds(time: timedelta) -> int:
    return math.ceil(time / timedelta(milliseconds=1))

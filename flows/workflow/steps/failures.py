"""Errors as they are recorded of steps, and what a step raises of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from flows.errors import FlowsError
from flows.model.job import JobError
from flows.model.runs.errors import StepFailed, StepTimeout
from flows.model.texts import text_of, trace_of, writable

if TYPE_CHECKING:
    from flows.model.runs.step_record import StepRecord

#: Errors are kept up to so many characters.
_LONGEST_MESSAGE: Final = 8_000
_LONGEST_TRACEBACK: Final = 16_000


class Unstorable(FlowsError):
    """What the function of a step has returned cannot be written down; its cause says why."""


def job_error(kind: str, message: str, trace: str, workflow: str, attempt: int) -> JobError:
    """Return an error as it is recorded, cut where it is too long."""
    return JobError(
        type=kind,
        message=writable(message[:_LONGEST_MESSAGE]),
        traceback=writable(trace[-_LONGEST_TRACEBACK:]),
        queue=workflow,
        attempt=attempt,
    )


def error_of(error: BaseException, workflow: str, attempt: int) -> JobError:
    """Return an exception as it is recorded."""
    return job_error(type(error).__name__, text_of(error), trace_of(error), workflow, attempt)


def failed_step(name: str, record: StepRecord) -> StepFailed:
    """Return what a step raises that is recorded as failed, on its first try and ever after."""
    error = record.error or JobError(type="Unknown", message="its record says no more")
    kind = StepTimeout if record.more.get("timeout") else StepFailed
    return kind(name, error, record.classes)


def first_leaf(error: BaseException) -> BaseException:
    """Return the error by which a group of them is judged: the first one in it that is no group."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return error

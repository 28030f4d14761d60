"""Makes a job's record of the fields of its hash, whatever they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel
from pydantic import ValidationError as PydanticValidationError
from pydantic_core import from_json

from flows.model.history import RETRY, UNCOUNTED, history_of, last_attempt
from flows.model.job import JobError
from flows.model.record import JobRecord
from flows.model.state import JobState
from flows.store.jobs.fetch import child_jobs

if TYPE_CHECKING:
    from flows.store.jobs.flow_settings import FlowSettings

ParamsT = TypeVar("ParamsT", bound=BaseModel)


def make_record(
    settings: FlowSettings, flow: str, job_id: str, found: dict[str, bytes], params: type[ParamsT]
) -> JobRecord[ParamsT]:
    """Return the record of a job from the fields of its hash, which may hold nonsense or miss some."""
    children: list[str] = []
    for name, value in found.items():
        if name.startswith("children:") and name.endswith(":jobs"):
            children += [child_id for _flow, child_id in child_jobs(value, settings.keys.namespace)]
    error = _error(found.get("_error"))
    status = state_of(found.get("_status"))
    queue = found.get("_queue", settings.first(flow).encode()).decode("utf-8", "replace")
    worker, attempts = last_attempt(found.get("_attempt", b""))
    return JobRecord(
        job_id=job_id,
        flow_name=flow,
        status=status,
        queue=queue,
        attempts=attempts,
        error=error if _is_current(found, status, queue, error) else None,
        worker=worker,
        history=history_of(found, error),
        progress=_progress(found.get("_progress")),
        children=children,
        fields=found,
        params_class=params,
    )


def state_of(raw: bytes | None) -> JobState:
    """Return the state: a hash without one waits, and one that was edited into nonsense has failed."""
    if raw is None:
        return JobState.WAITING
    try:
        return JobState(raw.decode())
    except ValueError:
        return JobState.FAILED


def _is_current(found: dict[str, bytes], status: JobState, queue: str, error: JobError | None) -> bool:
    """Return whether the error that the hash keeps is still the job's trouble: it failed by it, or is tried again."""
    if status == JobState.FAILED:
        return True
    if error is None or error.queue != queue or status not in {JobState.WAITING, JobState.PROCESSING, JobState.DELAYED}:
        return False
    # A job that has gone on and come back to its queue has a line of that.
    counted = [past.verb for past in history_of(found, None) if past.verb not in UNCOUNTED]
    return counted[-1:] == [RETRY]


def _error(raw: bytes | None) -> JobError | None:
    if raw is None:
        return None
    try:
        return JobError.model_validate_json(raw)
    except PydanticValidationError:
        return JobError(type="MalformedJob", message=raw.decode("utf-8", "replace"))


def _progress(raw: bytes | None) -> tuple[float, str] | None:
    try:
        report: Any = from_json(raw or b"null")
        return (float(report["value"]), str(report["message"])) if report else None
    except (ValueError, TypeError, KeyError):
        return None

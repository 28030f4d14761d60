"""Makes a job's record of the fields of its hash, whatever they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError as PydanticValidationError
from pydantic_core import from_json

from flows.model.history import history_of, last_attempt
from flows.model.job import JobError
from flows.model.record import JobRecord
from flows.model.state import JobState
from flows.pipeline.signature import ParamsT
from flows.store.jobs.fetch import child_jobs

if TYPE_CHECKING:
    from flows.store.jobs.flow_settings import FlowSettings


def make_record(
    settings: FlowSettings, flow: str, job_id: str, found: dict[str, bytes], params: type[ParamsT]
) -> JobRecord[ParamsT]:
    """Return the record of a job from the fields of its hash, which may hold nonsense or miss some."""
    children: list[str] = []
    for name, value in found.items():
        if name.startswith("children:") and name.endswith(":jobs"):
            children += [child_id for _flow, child_id in child_jobs(value, settings.keys.namespace)]
    error = _error(found.get("_error"))
    worker, attempts = last_attempt(found.get("_attempt", b""))
    return JobRecord(
        job_id=job_id,
        flow_name=flow,
        status=state_of(found.get("_status")),
        queue=found.get("_queue", settings.first(flow).encode()).decode("utf-8", "replace"),
        attempts=attempts,
        error=error,
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

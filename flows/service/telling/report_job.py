"""`ReportJob`: a report that waits to be made, as the script that ended its job wrote it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, JsonValue
from pydantic_core import from_json

from flows.model.job import Job
from flows.service.transports.ending import Ending, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What is read of the job whose ending is told.
READ_FIELDS = ("payload", "result", "links", "_error", "_reason")


class EndedJob(BaseModel):
    """What the report's own hash says of the job that has ended."""

    job: str
    outcome: Outcome
    ended: int
    """In milliseconds since 1970, by the server's clock."""
    type: str | None = None
    tenant: str | None = None
    error: str | None = None


class ReportJob(Job):
    """A job of a reporter's queue."""

    ending: EndedJob


def ending_of(service: str, report: ReportJob, found: Mapping[str, bytes] | None, *, again: bool) -> Ending:
    """Return what is told of an ending.

    Args:
        service: The service's name.
        report: The report.
        found: What the job's hash holds of `READ_FIELDS`; None: it is gone.
        again: An attempt to make the report has begun before.
    """
    told, values = report.ending, found or {}
    links, message = json_of(values.get("links")), ""
    if told.outcome == "failed":
        message = message_of(values.get("_error"))
    elif told.outcome == "cancelled":
        message = values.get("_reason", b"").decode("utf-8", "replace")
    return Ending(
        report_id=report.id,
        service=service,
        job_id=told.job,
        type=told.type or "",
        tenant=told.tenant or "",
        outcome=told.outcome,
        ended=datetime.fromtimestamp(told.ended / 1000, UTC),
        error_type=told.error,
        message=message,
        payload=json_of(values.get("payload")),
        result=json_of(values.get("result")),
        links=tuple(link for link in links if isinstance(link, str)) if isinstance(links, list) else (),
        again=again,
    )


def message_of(raw: bytes | None) -> str:
    """Return the message of an error, as a job's hash has it; empty where it has none."""
    error = json_of(raw)
    return str(error.get("message", "")) if isinstance(error, dict) else ""


def json_of(raw: bytes | None) -> JsonValue:
    """Return the value of a field of a job's hash; None where there is none, or it was edited into nonsense."""
    try:
        found: JsonValue = from_json(raw or b"null")
    except ValueError:
        return None
    return found

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
    told, values = report.ending, {name: _json(raw) for name, raw in (found or {}).items() if name != "_reason"}
    links, message = values.get("links"), ""
    if told.outcome == "failed":
        error = values.get("_error")
        message = str(error.get("message", "")) if isinstance(error, dict) else ""
    elif told.outcome == "cancelled":
        message = (found or {}).get("_reason", b"").decode("utf-8", "replace")
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
        payload=values.get("payload"),
        result=values.get("result"),
        links=tuple(link for link in links if isinstance(link, str)) if isinstance(links, list) else (),
        again=again,
    )


def _json(raw: bytes) -> JsonValue:
    try:
        found: JsonValue = from_json(raw)
    except ValueError:  # edited by hand
        return None
    return found

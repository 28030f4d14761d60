"""`ToldJob`: what a report knows of one job that ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from flows.service.transports.ending import Outcome

if TYPE_CHECKING:
    from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class ToldJob:
    """One row of a report, before its columns are taken.

    Attributes:
        id: The job.
        type: Its type.
        tenant: The id of its tenant.
        outcome: How it ended.
        error_type: Of one that failed, the type of its error.
        ended: When it ended; aware, UTC.
        created: When it was created; None where that is not known.
        payload: Its payload; None where the job is gone.
        result: Its result; None where it has none, or the job is gone.
        message: The message of its error, or why it was cancelled; empty where there is none, or the job is gone.
        is_gone: The job's record is gone: only the log of endings tells of it.
    """

    id: str
    type: str
    tenant: str
    outcome: Outcome
    error_type: str | None
    ended: datetime
    created: datetime | None = None
    payload: JsonValue = None
    result: JsonValue = None
    message: str = ""
    is_gone: bool = False

    def as_json(self) -> JsonValue:
        """Return it as the value into which the pointers of columns point."""
        error: JsonValue = {"type": self.error_type, "message": self.message} if self.outcome == "failed" else None
        return {
            "id": self.id,
            "type": self.type,
            "tenant": self.tenant,
            "outcome": self.outcome,
            "payload": self.payload,
            "result": self.result,
            "error": error,
            "created": None if self.created is None else self.created.isoformat(),
            "ended": self.ended.isoformat(),
        }

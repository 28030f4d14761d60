"""`Ending`: what a reporter is told of a job that has ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from pydantic import JsonValue

#: How a job can end.
Outcome: TypeAlias = Literal["done", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a job of a service ended.

    Attributes:
        report_id: The id of this report: one per ending and reporter, the same however often it is sent. What is told
            twice has the same id twice, so that a receiver that keeps ids sees each ending once.
        service: The name of the service.
        job_id: The job.
        type: Its type.
        tenant: The id of its tenant.
        outcome: How it ended.
        ended: When, by the server's clock; aware, UTC.
        error_type: Of a job that failed, the type of its error: what `Fail(type=…)` says, else the exception's name.
        message: The error's message, or why it was cancelled; empty where there is none, or the job is gone.
        payload: Its payload; None where the job is gone.
        result: Its result; None where it has none, or the job is gone.
        links: The resources that it is linked to.
        again: It may have been sent before: an attempt to send it has begun already.
    """

    report_id: str
    service: str
    job_id: str
    type: str
    tenant: str
    outcome: Outcome
    ended: datetime
    error_type: str | None = None
    message: str = ""
    payload: JsonValue = field(default=None, repr=False)
    result: JsonValue = field(default=None, repr=False)
    links: tuple[str, ...] = ()
    again: bool = False

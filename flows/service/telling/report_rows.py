"""Reads the rows of a report: from the log of endings, in the order in which jobs ended, and from the jobs' hashes."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from flows.model.ids import created_at
from flows.service.reports.told_job import ToldJob
from flows.service.telling.report_job import json_of, message_of
from flows.store.views.endings import AskedEndings, read_endings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from flows.kernel.session import Session
    from flows.service.reports.report import Report
    from flows.service.reports.windows import Window
    from flows.service.transports.ending import Outcome
    from flows.store.views.endings import LoggedEnding

#: So many endings are read at once, and so many jobs.
_PAGE: Final = 500
_FIELDS: Final = ("payload", "result", "_error", "_reason")


async def read_rows(session: Session, report: Report, window: Window) -> AsyncGenerator[list[ToldJob]]:
    """Yield the jobs that a report tells of, some at a time, in the order in which they ended.

    Raises:
        StoreError: the server cannot be used.
    """
    some: list[LoggedEnding] = []
    async with aclosing(_merged(session, report, window)) as endings:
        async for ending in endings:
            some.append(ending)
            if len(some) == _PAGE:
                yield await _jobs(session, report, some)
                some = []
    if some:
        yield await _jobs(session, report, some)


async def _merged(session: Session, report: Report, window: Window) -> AsyncGenerator[LoggedEnding]:
    logs = [_log(session, window, outcome) for outcome in sorted(report.outcomes)]
    heads = [(log, await anext(log, None)) for log in logs]
    while left := [(head.ended, at) for at, (_log, head) in enumerate(heads) if head is not None]:
        at = min(left)[1]
        log, head = heads[at]
        if head is not None and _is_wanted(report, head):
            yield head
        heads[at] = log, await anext(log, None)


async def _log(session: Session, window: Window, outcome: Outcome) -> AsyncGenerator[LoggedEnding]:
    asked, after = AskedEndings(outcome, between_ms=(window.since, window.until), newest_first=False), ""
    while True:
        page = await read_endings(session.connection, session.settings, asked, limit=_PAGE, after=after)
        for ending in page.endings:
            yield ending
        after = page.next
        if not after:
            return


def _is_wanted(report: Report, ending: LoggedEnding) -> bool:
    """Return whether the log alone says that a report does not tell of a job: its hash need not be read then."""
    wanted = (("type", report.types), ("tenant", report.tenants))
    return all(some is None or (ending.fields.get(name) or "") in some for name, some in wanted)


async def _jobs(session: Session, report: Report, endings: Sequence[LoggedEnding]) -> list[ToldJob]:
    flow = session.settings.flow
    found = await session.fetch.hashes([(flow, ending.job_id) for ending in endings], _FIELDS)
    jobs = [_job(ending, values) for ending, values in zip(endings, found, strict=True)]
    return jobs if report.filter is None else [job for job in jobs if report.filter(job)]


def _job(ending: LoggedEnding, found: Mapping[str, bytes] | None) -> ToldJob:
    values: Mapping[str, bytes] = found or {}
    message = ""
    if ending.outcome == "failed":
        message = message_of(values.get("_error"))
    elif ending.outcome == "cancelled":
        message = values.get("_reason", b"").decode("utf-8", "replace")
    return ToldJob(
        id=ending.job_id,
        type=str(ending.fields.get("type") or ""),
        tenant=str(ending.fields.get("tenant") or ""),
        outcome=ending.outcome,
        error_type=ending.error,
        ended=ending.ended,
        created=created_at(ending.job_id),
        payload=json_of(values.get("payload")),
        result=json_of(values.get("result")) if ending.outcome == "done" else None,
        message=message,
        is_gone=found is None,
    )

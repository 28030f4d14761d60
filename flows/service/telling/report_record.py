"""`ReportRecord`: what became of one report of an ending."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flows.kernel.callers.make_record import make_record
from flows.service.telling.report_job import ReportJob

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flows.kernel.session import Session
    from flows.model.job import JobError
    from flows.model.state import JobState

#: So many lives of a job are looked for, the last ones.
_MOST_VISITS: Final = 20
#: Where in `_attempt` stands how often the job has begun anew.
_VISIT: Final = 3


@dataclass(frozen=True, slots=True)
class ReportRecord:
    """A report, as it stood when it was looked for.

    Attributes:
        id: Its id: `webhook-id`, and the beginning of `Message-ID`.
        reporter: The reporter that makes it.
        visit: Of which ending of the job: 0 for the first, 1 for the one after the first `retry_job`.
        status: "done": it was sent; "delayed": it is tried again later; "failed": it is not.
        attempts: How often it was tried.
        error: Why the last try failed; None where none has.
    """

    id: str
    reporter: str
    visit: int
    status: JobState
    attempts: int
    error: JobError | None


async def read_reports(session: Session, service: str, queues: Sequence[str], job_id: str) -> list[ReportRecord]:
    """Return the reports of a job's endings that are still kept, the oldest ending first.

    Raises:
        StoreError: the server cannot be used.
    """
    [job] = await session.fetch.hashes([(service, job_id)], ("_attempt",))
    if job is None:
        return []
    parts = job.get("_attempt", b"").split()
    visit = int(parts[_VISIT]) if len(parts) > _VISIT and parts[_VISIT].isdigit() else 0
    asked = [*_ids(queues, job_id, visit)]
    found = await session.fetch.hashes([(queue, report_id) for queue, _visit, report_id in asked])
    records: list[ReportRecord] = []
    for (queue, of_visit, report_id), values in zip(asked, found, strict=True):
        if values is not None:
            one = make_record(session.settings, queue, report_id, values, ReportJob)
            records.append(
                ReportRecord(report_id, queue.partition(":")[2], of_visit, one.status, one.attempts, one.error)
            )
    return records


def _ids(queues: Sequence[str], job_id: str, visit: int) -> Iterator[tuple[str, int, str]]:
    """Yield the reports that there may be: the scripts that end jobs make their ids so."""
    for one in range(max(0, visit - _MOST_VISITS + 1), visit + 1):
        for queue in queues:
            yield queue, one, f"{job_id[:15]}{one % 4096:03x}{job_id[18:]}"

"""What some jobs are that an operator is about to act on: of which queues, how old, and how often tried."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel

from flows.api.views.bulk import BulkPart
from flows.kernel.callers.make_record import make_record
from flows.store.jobs.fetch import KERNEL_FIELDS, Fetch

if TYPE_CHECKING:
    from flows.api.reading.search import Search
    from flows.model.declared.declared_flow import DeclaredQueue
    from flows.model.record import JobRecord

#: So many jobs are looked at.
_MOST: Final = 1000


async def parts_of(search: Search) -> list[BulkPart]:
    """Return of which queues the jobs of a search are, the one with most of them first; up to 1,000 are looked at.

    Raises:
        StoreError: the server cannot be used.
    """
    known = search.known
    some = await search.finder.page(search.asked, limit=_MOST, newest_first=search.asked.of_ended)
    jobs = await search.fitting(some.jobs)
    hashes = await Fetch(search.admin.connection, known.settings).placed_hashes(jobs, KERNEL_FIELDS)
    by_queue: defaultdict[str, list[JobRecord[Any]]] = defaultdict(list)
    for job, found in zip(jobs, hashes, strict=True):
        if found is not None:
            record = make_record(known.settings, *job, found, BaseModel)
            by_queue[record.queue].append(record)
    parts = [_part(queue, records, known.by_queue.get(queue)) for queue, records in by_queue.items()]
    return sorted(parts, key=lambda part: -part.count)


def _part(queue: str, records: list[JobRecord[Any]], declared: DeclaredQueue | None) -> BulkPart:
    most = 1 if declared is None else declared.max_attempts
    return BulkPart(
        queue=queue,
        count=len(records),
        oldest=min(record.since for record in records),
        used_up=sum(record.attempts >= most for record in records),
    )

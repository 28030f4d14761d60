"""`queues.lanes`: who runs in each queue of a flow, who is next, who ended last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flows.api.admin import Admin
from flows.api.operation import operation
from flows.api.reading.rows import job_rows
from flows.api.reading.shortening import shortened
from flows.api.views.flows import LanesView, QueueLanes
from flows.model.state import TERMINAL, JobState
from flows.store.views.heads import read_heads

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flows.api.views.jobs import JobRow

#: So many of each kind.
_MOST: Final = 3


@operation("queues.lanes")
async def lanes(admin: Admin, flow: str) -> LanesView:
    """Show the first jobs of each queue of a flow: three that run, two that are next, and three that ended last.

    Args:
        flow: Its name.

    Raises:
        NothingThere: there is no such flow.
    """
    known = await admin.flow(flow)
    heads = await read_heads(admin.connection, known.settings, known.queues, _MOST)
    wanted = dict.fromkeys(job for one in heads.values() for job in (*one.running, *one.next, *one.ended))
    rows = {(row.flow, row.id): row for row in await job_rows(admin, known, list(wanted))}
    found: list[QueueLanes] = []
    for queue, one in heads.items():
        running, waiting, ended = (
            [row for job in jobs if (row := rows.get(job)) is not None] for jobs in (one.running, one.next, one.ended)
        )
        found.append(
            QueueLanes(
                name=queue,
                # What has moved between the two reads is told in the next one.
                running=[row for row in running if row.state == JobState.PROCESSING],
                next=[row for row in waiting if row.state == JobState.WAITING],
                ended=_newest(row for row in ended if row.state in TERMINAL),
            )
        )
    return shortened(LanesView(queues=found))


def _newest(rows: Iterable[JobRow]) -> list[JobRow]:
    return sorted(rows, key=lambda row: row.since, reverse=True)[:_MOST]

"""The table of all events: at which level each is logged, and which fields it has; `docs/logging.md` is held to it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_DEBUG, _INFO, _WARNING, _ERROR = logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR


@dataclass(frozen=True, slots=True)
class EventRow:
    """One kind of event.

    Attributes:
        level: The level at which it is logged, one of those of `logging`.
        fields: The names of its fields; those of a kind that several parts emit are not all there each time.
    """

    level: int
    fields: frozenset[str]


def _row(level: int, fields: str) -> EventRow:
    return EventRow(level, frozenset(fields.split()))


#: ERROR: a job has failed, or flows itself is at fault. WARNING: something is wrong that may right itself.
#: INFO: what a flow does, and each job that came through. DEBUG: the rest.
EVENTS: Final[Mapping[str, EventRow]] = MappingProxyType(
    {
        "flow.connected": _row(_INFO, "flow server"),
        "flow.started": _row(_INFO, "flow server queues without_worker"),
        "flow.no_workers": _row(_WARNING, "flow remedy"),
        "flow.stopping": _row(_WARNING, "flow follows"),
        "flow.stopped": _row(_INFO, "flow released left"),
        "flow.gave_up": _row(_ERROR, "flow seconds error"),
        "worker.started": _row(_DEBUG, "queue concurrency"),
        "worker.stopped": _row(_DEBUG, "queue"),
        "worker.unable": _row(_WARNING, "queue reason"),
        "resource.failed": _row(_WARNING, "resource error"),
        "worker.crashed": _row(_ERROR, "queue error traceback"),
        "job.claimed": _row(_DEBUG, "queue count"),
        "job.recorded": _row(_DEBUG, "queue count"),
        "job.done": _row(_INFO, "queue job_id attempt seconds"),
        "job.advanced": _row(_INFO, "queue job_id attempt seconds next_queue"),
        "job.fanned_out": _row(_DEBUG, "queue job_id"),
        "job.retried": _row(_WARNING, "queue job_id attempt of after error message traceback"),
        "job.snoozed": _row(_DEBUG, "queue job_id after until reason"),
        "job.released": _row(_DEBUG, "queue job_id"),
        "job.failed": _row(_ERROR, "queue job_id attempt of error message traceback"),
        "job.cancelled": _row(_INFO, "queue job_id reason"),
        "job.undoing": _row(_INFO, "queue job_id"),
        "job.misfit": _row(_WARNING, "queue job_id job_class fields error follows"),
        "job.timed_out": _row(_WARNING, "queue job_id"),
        "job.overruns": _row(_WARNING, "queue job_id"),
        "job.lost": _row(_WARNING, "queue job_id word"),
        "job.unheard": _row(_WARNING, "queue job_id count word"),
        "job.rescued": _row(_WARNING, "queue job_id"),
        "job.poison": _row(_ERROR, "queue job_id"),
        "run.suspended": _row(_DEBUG, "queue job_id until"),
        "run.plan_changed": _row(_WARNING, "queue job_id diff"),
        "run.continued": _row(_INFO, "queue job_id"),
        "job.moved": _row(_INFO, "queue former count"),
        "job.expired": _row(_WARNING, "queue job_id count"),
        "job.malformed": _row(_ERROR, "queue job_id count"),
        "job.misplaced": _row(_DEBUG, "queue job_id"),
        "job.cascaded": _row(_DEBUG, "flow job_id count"),
        "job.repaired": _row(_WARNING, "queue job_id count what"),
        "job.unrepaired": _row(_WARNING, "queue job_id error"),
        "queue.undeclared": _row(_WARNING, "queue waiting processing delayed children"),
        "schedule.fired": _row(_DEBUG, "schedule workflow slot job_id word"),
        "schedule.skipped": _row(_INFO, "schedule workflow slot job_id reason"),
        "schedule.unusable": _row(_WARNING, "schedule error"),
        "schedule.taken": _row(_WARNING, "schedule app"),
        "schedule.pruned": _row(_INFO, "schedule app"),
        "store.unavailable": _row(_WARNING, "queue error"),
        "store.available": _row(_INFO, "seconds"),
        "store.full": _row(_WARNING, "queue error"),
        "store.refused": _row(_WARNING, "queue error"),
        "loop.blocked": _row(_WARNING, "seconds function file line remedy"),
        "loop.hangs": _row(_WARNING, "seconds"),
        "service.died": _row(_ERROR, "service error"),
        "sink.failed": _row(_WARNING, "sink error traceback"),
        "listener.failed": _row(_ERROR, "listener event error traceback"),
    }
)

"""`queues.show`: what queues hold now, who serves them, and how long jobs wait."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from flows.api.admin import Admin
from flows.api.operation import operation
from flows.api.reading.flow_history import LEAVING, milliseconds
from flows.api.views.flows import LimitView, Queues, QueueView
from flows.model.fleet.histogram import Histogram
from flows.store.fleet.processes import read_processes
from flows.store.fleet.statistics import read_series
from flows.store.rules.read_limits import read_limits
from flows.store.views.observe import observe

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flows.api.known_flow import KnownFlow
    from flows.model.explain.queue_state import QueueState
    from flows.model.fleet.process import Process
    from flows.model.fleet.statistics import QueueSample
    from flows.model.limits.limit_state import LimitState

#: Rates and latencies are those of so many minutes, the present one included.
_LATELY: Final = 3
#: A rate is not told of less, in minutes.
_SOONEST: Final = 0.25


@operation("queues.show")
async def show(admin: Admin, *, flow: str | None = None, queue: str | None = None) -> Queues:
    """Show what queues hold now, who serves them, how long jobs wait, and their limits.

    Args:
        flow: Only those of this flow.
        queue: Only this one, by its full name.

    Raises:
        NothingThere: there is no such flow or queue.
    """
    if flow is not None:
        names = [await admin.root_of(flow)]
    else:
        names = [name for name in await admin.flows() if not name.startswith("flows.")]
    some = await asyncio.gather(*(queues_of(admin, name, queue) for name in names))
    return Queues(at=datetime.now(UTC), queues=[one for queues in some for one in queues])


async def queues_of(admin: Admin, name: str, queue: str | None = None) -> list[QueueView]:
    """Return what the queues of a flow that the caller may look at hold, or one of them.

    Raises:
        NothingThere: there is no such queue.
        StoreError: the server cannot be used.
    """
    known = await admin.link.flow(name)
    wanted = list(known.queues) if queue is None else [known.check_queue(queue)]
    if not wanted:
        return []
    states, processes = await asyncio.gather(
        observe(admin.connection, known.settings, wanted), read_processes(admin.connection, known.settings, name)
    )
    return await asyncio.gather(*(_view(admin, known, states[one], processes) for one in wanted))


async def _view(admin: Admin, known: KnownFlow, state: QueueState, processes: Iterable[Process]) -> QueueView:
    name = state.queue
    settings = known.settings
    series = await read_series(admin.connection, settings, name, "minute", _LATELY)
    limits = await read_limits(admin.connection, settings, name, None) if name in settings.rules else []
    declared = known.by_queue.get(name)
    came, left, failing = rates(series, state)
    waited = sum((sample.waited for sample in series), Histogram())
    ran = sum((sample.ran for sample in series), Histogram())
    served = [one for process in processes if process.alive for one in process.queues if one.queue == name]
    return QueueView(
        name=name,
        flow=known.name,
        job=declared.job.title if declared else "",
        parent=name.rpartition(":")[0] or None,
        next=declared.next_queue if declared else None,
        paused=state.paused,
        paused_until=state.paused_until,
        paused_at=state.paused_at,
        note=state.note,
        held_until=state.held_until,
        waiting=state.waiting,
        processing=state.processing,
        delayed=state.delayed,
        children=state.children,
        failed=state.failed,
        cancelled=state.cancelled,
        oldest=None if state.oldest_age is None else state.oldest_age.total_seconds(),
        due=state.next_due,
        came=came,
        left=left,
        failing=failing,
        start_p50=milliseconds(waited, 50),
        start_p95=milliseconds(waited, 95),
        run_p95=milliseconds(ran, 95),
        workers=state.workers,
        slots=sum(one.slots for one in served),
        busy=sum(one.busy for one in served),
        unserved=bool(state.waiting or state.processing or state.delayed) and not state.workers,
        groups=state.groups,
        parked=state.parked,
        limits=limit_views(limits),
        counts=dict(state.counts),
        unreadable=list(state.unreadable),
    )


def rates(series: list[QueueSample], state: QueueState) -> tuple[float | None, float | None, float | None]:
    """Return how many jobs came, left and failed a minute, since the first of some samples; None: too soon to tell.

    What came is what left and the change of what is there.
    """
    if not series:
        return None, None, None
    first = series[0]
    # A queue of which nothing starts for a while is not looked at again in the same minute.
    minutes = (state.at - (first.looked_at or first.at)) / timedelta(minutes=1)
    if minutes < _SOONEST:
        return None, None, None
    left = sum(state.counts.get(verb, 0) - first.totals.get(verb, 0) for verb in LEAVING)
    held = state.waiting + state.delayed + state.processing + state.children
    before = first.waiting + first.delayed + first.processing + first.children
    failed = state.counts.get("failed", 0) - first.totals.get("failed", 0)
    return max(0, left + held - before) / minutes, max(0, left) / minutes, max(0, failed) / minutes


def limit_views(states: Iterable[LimitState]) -> list[LimitView]:
    """Return limits as they are answered."""
    return [
        LimitView(
            id=state.id,
            kind=state.kind,
            declared=state.declared,
            live=state.live,
            interval=None if state.interval is None else state.interval.total_seconds(),
            used=state.used,
            free=state.free,
            ready=state.ready_at,
            per_group=state.per_group,
            smooth=state.smooth,
        )
        for state in states
    ]

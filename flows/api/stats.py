"""Operations on the history of queues: what they held, what became of jobs, how long those waited and ran."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias

from pydantic import Field

from flows.api.admin import Admin
from flows.api.operation import operation
from flows.api.reading.flow_history import QueueSteps, added, milliseconds, releases, steps_of
from flows.api.views.server import Before, FlowHistory, LatencyView, Mark, QueueHistory, SeriesPoint, SeriesView
from flows.api.views.time import Time
from flows.errors import ValidationError
from flows.model.fleet.histogram import Histogram
from flows.model.fleet.statistics import STEPS, QueueSample, Step
from flows.store.fleet.processes import read_processes
from flows.store.fleet.statistics import read_series

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flows.api.known_flow import KnownFlow

_MINUTE: Final = timedelta(minutes=1)
_PERCENTS: Final = (50, 90, 95, 99)
#: How far back a flow is looked at.
Window: TypeAlias = Literal["15m", "1h", "6h", "24h", "7d"]
#: In which steps, and in how many.
_WINDOWS: Final[dict[Window, tuple[Step, int]]] = {
    "15m": ("minute", 15),
    "1h": ("minute", 60),
    "6h": ("ten minutes", 36),
    "24h": ("ten minutes", 144),
    "7d": ("hour", 168),
}


@operation("stats.series")
async def series(
    admin: Admin,
    queue: str,
    step: Step = "minute",
    *,
    count: Annotated[int, Field(ge=1, le=200)] | None = None,
    flow: str | None = None,
) -> SeriesView:
    """Show the history of a queue: the last 120 minutes, 144 times ten minutes, or 168 hours.

    Args:
        queue: Its full name.
        step: How it is divided: `minute`, `ten minutes` or `hour`.
        count: So many steps at most, the present one included.
        flow: Of a queue that several flows share, one of them.

    Raises:
        NothingThere: there is no such queue.
    """
    known = await _known(admin, queue, flow)
    found = await read_series(admin.connection, known.settings, queue, step, count)
    return SeriesView(queue=queue, flow=known.name, points=list(map(_point, found)))


@operation("stats.latency")
async def latency(
    admin: Admin, queue: str, since: Time = timedelta(hours=1), *, flow: str | None = None
) -> LatencyView:
    """Show how long the jobs of a queue waited and ran lately, as percentiles.

    Args:
        queue: Its full name.
        since: Of so long ago until now; a week at most.
        flow: Of a queue that several flows share, one of them.

    Raises:
        NothingThere: there is no such queue.
        ValidationError: it is longer than a week, or no time.
    """
    if not timedelta(0) < since <= timedelta(days=7):
        raise ValidationError("since: give a time of up to 7d")
    known = await _known(admin, queue, flow)
    step: Step = next(name for name, (_letter, minutes, kept) in STEPS.items() if since <= minutes * kept * _MINUTE)
    length = STEPS[step][1] * _MINUTE
    found = await read_series(admin.connection, known.settings, queue, step, -(-since // length))
    seconds = await _server_seconds(admin)
    started = sum((one.waited for one in found), Histogram())
    ran = sum((one.ran for one in found), Histogram())
    first = found[0].at if found else datetime.fromtimestamp(seconds, UTC)
    return LatencyView(
        queue=queue,
        flow=known.name,
        since=first,
        began=started.count,
        ended=ran.count,
        start=_percentiles(started),
        run=_percentiles(ran),
    )


@operation("stats.flow")
async def of_flow(admin: Admin, flow: str, since: Window = "1h") -> FlowHistory:
    """Show the history of a flow: how many jobs came and ended in each step, how long they waited, what was deployed.

    Args:
        flow: Its name.
        since: Of so long ago until now: `15m`, `1h`, `6h`, `24h` or `7d`.

    Raises:
        NothingThere: there is no such flow.
    """
    known = await admin.flow(flow)
    step, many = _WINDOWS[since]
    length, kept = STEPS[step][1] * _MINUTE, STEPS[step][2]
    reads = (read_series(admin.connection, known.settings, one, step, min(2 * many, kept)) for one in known.queues)
    series = await asyncio.gather(*reads)
    seconds = await _server_seconds(admin)
    by_queue = dict(zip(known.queues, series, strict=True))
    last = datetime.fromtimestamp(seconds - seconds % length.total_seconds(), UTC)
    begins = [last - at * length for at in range(many - 1, -1, -1)]
    now = {queue: steps_of(by_queue[queue], begins) for queue in known.queues}
    earlier: dict[str, QueueSteps] = {}
    if 2 * many <= kept:
        earlier = {queue: steps_of(by_queue[queue], [at - many * length for at in begins]) for queue in known.queues}
    own = [queue for queue in known.queues if ":" not in queue]
    first = known.settings.first_queue
    processes = await read_processes(admin.connection, known.settings, known.name)
    starts: dict[str, list[datetime]] = {}
    for one in processes:
        if one.started is not None and one.started >= begins[0]:
            starts.setdefault(one.digest, []).append(one.started)

    def sums(of: dict[str, QueueSteps], verb: str, queues: Iterable[str] = own) -> list[int]:
        return added([of[queue].sums(verb) for queue in queues], many)

    entered = now.get(first, QueueSteps(came=[0] * many, waited=[Histogram()] * many))
    return FlowHistory(
        flow=known.name,
        step=length.total_seconds(),
        first=begins[0],
        known=min((one.first for one in now.values() if one.first is not None), default=None),
        came=entered.came,
        done=sums(now, "done"),
        failed=sums(now, "failed"),
        cancelled=sums(now, "cancelled"),
        retried=sums(now, "retry", known.queues),
        processing=added([one.processing for one in now.values()], many),
        start_p50=entered.start_ms(50),
        start_p95=entered.start_ms(95),
        start_p99=entered.start_ms(99),
        start_all=milliseconds(sum(entered.waited, Histogram()), 95),
        queues=[QueueHistory(name=name, waiting=one.waiting, start_p95=one.start_ms(95)) for name, one in now.items()],
        before=_before(earlier, first, own) if earlier.get(first) and _reaches(earlier.values(), begins[0]) else None,
        marks=[Mark(at=at, digest=digest, processes=count) for at, digest, count in releases(starts)],
    )


def _reaches(earlier: Iterable[QueueSteps], begin: datetime) -> bool:
    """Whether there is a history of before a window began."""
    return any(one.first is not None and one.first < begin for one in earlier)


def _before(of: dict[str, QueueSteps], first: str, own: Iterable[str]) -> Before:
    return Before(
        came=sum(of[first].came),
        done=sum(sum(of[queue].sums("done")) for queue in own),
        failed=sum(sum(of[queue].sums("failed")) for queue in own),
        start_p95=milliseconds(sum(of[first].waited, Histogram()), 95),
    )


async def _server_seconds(admin: Admin) -> int:
    seconds, _micro = await admin.connection.call("TIME")
    return int(seconds)


async def _known(admin: Admin, queue: str, flow: str | None) -> KnownFlow:
    known = await admin.flow(flow or await admin.flow_of_queue(queue))
    known.check_queue(queue)
    return known


def _point(sample: QueueSample) -> SeriesPoint:
    return SeriesPoint(
        at=sample.at,
        step=sample.step.total_seconds(),
        waiting=sample.waiting,
        delayed=sample.delayed,
        processing=sample.processing,
        children=sample.children,
        totals=dict(sample.totals),
        began=sample.waited.count,
        start_p50=milliseconds(sample.waited, 50),
        start_p95=milliseconds(sample.waited, 95),
        run_p50=milliseconds(sample.ran, 50),
        run_p95=milliseconds(sample.ran, 95),
    )


def _percentiles(times: Histogram) -> dict[str, float]:
    found = {f"p{percent}": milliseconds(times, percent) for percent in _PERCENTS}
    return {name: value for name, value in found.items() if value is not None}

"""Operations on the history of queues: what they held, what became of jobs, how long those waited and ran."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field

from flows.api.admin import Admin
from flows.api.operation import operation
from flows.api.views.server import LatencyView, SeriesPoint, SeriesView
from flows.api.views.time import Time
from flows.errors import ValidationError
from flows.model.fleet.histogram import Histogram
from flows.model.fleet.statistics import STEPS, QueueSample, Step
from flows.store.fleet.statistics import read_series

if TYPE_CHECKING:
    from flows.api.known_flow import KnownFlow

_MINUTE: Final = timedelta(minutes=1)
_PERCENTS: Final = (50, 90, 95, 99)


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
    seconds, _micro = await admin.connection.call("TIME")
    started = sum((one.waited for one in found), Histogram())
    ran = sum((one.ran for one in found), Histogram())
    first = found[0].at if found else datetime.fromtimestamp(int(seconds), UTC)
    return LatencyView(
        queue=queue,
        flow=known.name,
        since=first,
        began=started.count,
        ended=ran.count,
        start=_percentiles(started),
        run=_percentiles(ran),
    )


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
        start_p50=_ms(sample.waited, 50),
        start_p95=_ms(sample.waited, 95),
        run_p50=_ms(sample.ran, 50),
        run_p95=_ms(sample.ran, 95),
    )


def _percentiles(times: Histogram) -> dict[str, float]:
    found = {f"p{percent}": _ms(times, percent) for percent in _PERCENTS}
    return {name: value for name, value in found.items() if value is not None}


def _ms(times: Histogram, percent: float) -> float | None:
    found = times.percentile(percent)
    return None if found is None else found / timedelta(milliseconds=1)

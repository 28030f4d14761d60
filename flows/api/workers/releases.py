"""`workers.releases`: two releases of a flow side by side, by what they do and by what they declare."""

from __future__ import annotations

from datetime import UTC, datetime
from statistics import fmean
from typing import TYPE_CHECKING, Final

from flows.api.admin import Admin
from flows.api.operation import operation
from flows.api.reading.hiding import Hiding
from flows.api.views.workers import DifferenceView, ReleaseFigures, ReleasesView
from flows.errors import NothingThere
from flows.model.declared.difference import Difference, differences
from flows.model.fleet.histogram import Histogram
from flows.store.fleet.processes import read_processes

if TYPE_CHECKING:
    from datetime import timedelta

    from flows.model.fleet.process import Process

_P95: Final = 95
_NEVER: Final = datetime.fromtimestamp(0, UTC)


@operation("workers.releases")
async def releases(admin: Admin, flow: str, *, new: str | None = None, old: str | None = None) -> ReleasesView:
    """Compare two releases of a flow: what their live processes do, and what they declare otherwise.

    Args:
        flow: Its name.
        new: The digest of a release; left out, the one whose processes are the youngest.
        old: With which one it is compared; left out, the one before it, those with live processes first.

    Raises:
        NothingThere: there is no such flow, or no such release.
    """
    known = await admin.flow(flow)
    processes = await read_processes(admin.connection, known.settings, known.name)
    seen = {one.digest: one.seen for one in known.declared}
    by_release: dict[str, list[Process]] = {digest: [] for digest in seen}
    for process in processes:
        if process.alive and process.digest:
            by_release.setdefault(process.digest, []).append(process)
    figures = [_figures(digest, seen.get(digest), of) for digest, of in by_release.items()]
    figures.sort(key=lambda one: (one.since or _NEVER, one.seen or _NEVER), reverse=True)
    for digest in (new, old):
        if digest is not None and digest not in by_release:
            there = ", ".join(by_release) or "none"
            raise NothingThere(f"flow {known.name!r} has no release {digest!r:.80}: there is {there}")
    order = [one.digest for one in figures]
    newer = new or next(iter(order), None)
    older = old or next((digest for digest in order[order.index(newer) + 1 :] if newer), None) if newer else None
    declared = {one.digest: one for one in known.declared}
    found: list[Difference] = []
    if newer in declared and older in declared and newer and older:
        found = differences(declared[older], declared[newer])
    return ReleasesView(
        flow=known.name,
        new=newer,
        old=older,
        releases=figures,
        differences=[_difference(admin, known.name, one) for one in found],
    )


def _figures(digest: str, seen: datetime | None, processes: list[Process]) -> ReleaseFigures:
    lately = [one.lately for one in processes if one.lately is not None]
    ran = sum((one.ran for one in lately), Histogram())
    waited = sum((one.waited for one in lately), Histogram())
    rates = [one.ran.count / one.lasting.total_seconds() * 60 for one in lately if one.lasting]
    failed = sum(one.failed for one in lately)
    started = [one.started for one in processes if one.started is not None]
    sizes = [one.rss for one in processes if one.rss is not None]
    lags = [one.lag for one in processes if one.lag is not None]
    return ReleaseFigures(
        digest=digest,
        seen=seen,
        since=min(started, default=None),
        processes=len(processes),
        leaving=sum(one.leaving for one in processes),
        slots=sum(queue.slots for one in processes for queue in one.queues),
        busy=sum(queue.busy for one in processes for queue in one.queues),
        per_minute=sum(rates) if rates else None,
        failed=failed / ran.count if ran.count else None,
        start_p95=_milliseconds(waited.percentile(_P95)),
        run_p95=_milliseconds(ran.percentile(_P95)),
        lag=_milliseconds(max(lags, default=None)),
        rss=fmean(sizes) if sizes else None,
    )


def _difference(admin: Admin, flow: str, found: Difference) -> DifferenceView:
    """Return a difference; of a hidden field, not with what default it was or is declared."""
    was, now = found.was, found.now
    if found.what == "field" and not Hiding(admin.caller, flow, found.queue or "").allows(found.name or ""):
        was, now = was and {**was, "default": None}, now and {**now, "default": None}
    return DifferenceView(what=found.what, queue=found.queue, name=found.name, was=was, now=now, fits=found.fits)


def _milliseconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds() * 1000

"""Holds what the server counts against the storm's own ledger: every job that came to a queue has left it, or is there.

The flow leads from pick over pack to ship, and each job has one child in either child queue.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from flows.model.fleet.statistics import read_sample
from tests.faults.balance import PLACES, came_in, unbalanced
from tests.faults.case import Case
from tests.faults.flow_under_test import QUEUES, make_options
from tests.faults.keyspace import Snapshot, read

LEADS_TO: Final = {"pick": "pack", "pack": "ship"}
CHILDREN: Final = ("pack:label", "pack:box")
#: The queues in which jobs of the flow itself stand, and not their children.
OWN: Final = ("pick", "pack", "ship")


def check_counts(case: Case, ids: list[str]) -> None:
    """Hold all counters, depths and lists of ended jobs against hashes and ledger, while nobody writes."""
    with case.server.client(timeout=120.0) as client:
        snapshot = read(client, make_options(case.server.url, lease=case.lease, **case.options))
    counters = {queue: _numbers(snapshot.metas.get(queue, {})) for queue in QUEUES}
    children = counters["pack"].get("await_children", 0)
    created = {"pick": len(ids), **dict.fromkeys(CHILDREN, children)}
    gone = _expired(case, snapshot, ids)
    for queue in QUEUES:
        meta = counters[queue]
        standing = sum(len(snapshot.places.get((queue, place), ())) for place in PLACES) - meta.get("stale", 0)
        there = sum(1 for job in snapshot.jobs.values() if job.queue == queue and not job.ended)
        lost = (gone if queue == "pick" else 0) - meta.get("expired", 0)
        case.expect(
            standing == there + lost,
            f"queue {queue} shows {standing}, and has {there}, and {lost} that expired: {meta}",
        )
        wrong = unbalanced(queue, came_in(queue, created, counters, LEADS_TO.get), meta, standing)
        case.expect(not wrong, wrong)
        _check_ended(case, snapshot, queue)
    _check_ledger(case, snapshot, counters)


def check_statistics(case: Case) -> None:
    """Hold the histories of queues against the ledger: those who were killed took some with them, nothing is twice."""
    figures: dict[str, str] = {}
    for queue in ("pick", "ship", *CHILDREN):
        with case.server.client() as client:
            history: dict[str, str] = client.hgetall(f"flows:stats:{queue}")  # type: ignore[assignment]
        told = sum(read_sample(text, "minute", 0).ran.count for field, text in history.items() if field[0] == "m")
        began = len(case.starts(queue=queue))
        figures[queue] = f"{told} of {began}"
        case.expect(0 < told <= began, f"queue {queue}: {began} functions began, and heartbeats have told of {told}")
    case.figures["told_by_heartbeats"] = figures


def _numbers(meta: dict[str, str]) -> dict[str, int]:
    return {name: int(count) for name, count in meta.items() if count.lstrip("-").isdigit()}


def _expired(case: Case, snapshot: Snapshot, ids: list[str]) -> int:
    """Return how many hashes are gone that nobody has deleted; each of them has to be one that was let expire."""
    deleted = {entry.job_id for entry in case.entries("DELETED")}
    gone = {job_id for job_id in ids if f"orders:{job_id}" not in snapshot.jobs} - deleted
    unexplained = gone - {entry.job_id for entry in case.entries("EXPIRED")}
    case.expect(not unexplained, f"no job is gone but those that expired or were deleted: {sorted(unexplained)[:3]}")
    return len(gone)


def _check_ended(case: Case, snapshot: Snapshot, queue: str) -> None:
    for word in ("failed", "cancelled"):
        listed = Counter(snapshot.ended.get(f"{queue}:{word}", ()))
        ended = Counter(job.id for job in snapshot.jobs.values() if (job.queue, job.status) == (queue, word))
        more, fewer = listed - ended, ended - listed
        case.expect(
            listed == ended, f"queue {queue} lists as {word} {len(more)} too many and {len(fewer)} too few: {more}"
        )


def _check_ledger(case: Case, snapshot: Snapshot, counters: dict[str, dict[str, int]]) -> None:
    """Compare what was counted of the flow's own jobs with what those who asked for it were told."""

    def counted(*names: str) -> int:
        return sum(counters[queue].get(name, 0) for queue in OWN for name in names)

    told = Counter(entry.kind for entry in case.entries("RETRIED", "DELETED", "MOVED"))
    for kind, names in {
        "RETRIED": ("retry_job",), "DELETED": ("deleted", "delete_ended"), "MOVED": ("moved_in",),
    }.items():  # fmt: skip
        case.expect(counted(*names) == told[kind], f"{kind}: {told[kind]} in the ledger, {counted(*names)} counted")
    over = sum(1 for job in snapshot.jobs.values() if job.flow == "orders" and job.ended)
    again = counted("retry_job", "delete_ended") + counted("moved_in") - counted("moved_out")
    ended = counted("done", "failed", "cancelled") - again
    case.expect(ended == over, f"{over} jobs have ended, and {ended} are counted as such")

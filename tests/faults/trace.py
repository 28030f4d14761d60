"""Holds the ledger against the keyspace: what ran, what was accepted, and whether one explains the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Literal, TypeAlias

from flows.model.outcome import OUTCOMES
from tests.faults.keyspace import Seen, Snapshot
from tests.faults.ledger import Entry

Add: TypeAlias = Callable[[str, str], None]

#: An attempt that ended so was the last one in its queue.
LEAVING: Final = frozenset(kind.__name__ for kind, row in OUTCOMES.items() if not row.again)
#: Only these come from a function; others may end a job that never began.
OF_FUNCTIONS: Final = frozenset({"Finish", "Advance"})


def check_trace(snapshot: Snapshot, entries: Sequence[Entry], add: Add) -> None:
    """Check I4 to I7 and I14 as far as the ledger shows them."""
    starts, effects, endings = _by_key(entries, "START"), _by_key(entries, "EFFECT"), _by_key(entries, "DONE")
    for key, started in starts.items():
        _started(key, started, snapshot, add)
        if len(started) > 1:
            add("runs_over_1", f"{key} began {len(started)} times")
        if len(effects.get(key, ())) > 1:
            add("effects_over_1", f"{key} had its effect {len(effects[key])} times")
    for key, ended in endings.items():
        _ended(key, [entry for entry in ended if entry.fields["ending"] in LEAVING], starts.get(key, []), add)
    _cancelled(entries, add)
    for job in snapshot.jobs.values():
        _recorded(job, starts, add)
    for entry in entries:
        if entry.kind == "NOTE" and entry.fields.get("what") == "worker.crashed":
            add("crashes_of_ours", f"a worker of {entry.fields.get('queue')} met an error of its own (pid {entry.pid})")


def _by_key(entries: Sequence[Entry], kind: str) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.kind == kind:
            found.setdefault(entry.key, []).append(entry)
    return found


def _started(key: str, started: list[Entry], snapshot: Snapshot, add: Add) -> None:
    fences = [entry.fence for entry in started]
    for fence in {fence for fence in fences if fences.count(fence) > 1}:
        add("fence", f"{key} began twice with the fence {fence}")
    job = next((seen for seen in map(snapshot.jobs.get, _names(started[0])) if seen is not None), None)
    if job is not None and max(fences) > job.fence:
        add("fence", f"{key} began with the fence {max(fences)}, and the job's is {job.fence}")
    attempts = [int(entry.fields["attempt"]) for entry in sorted(started, key=lambda entry: entry.fence)]
    if attempts != sorted(attempts) or attempts[0] < 1:
        add("attempts", f"{key} counted its attempts as {attempts}")


def _names(start: Entry) -> tuple[str, str]:
    """Return the names that the job may have: in a child queue the flow is the queue."""
    return (f"{start.fields['queue']}:{start.job_id}", f"orders:{start.job_id}")


def _ended(key: str, ended: list[Entry], started: list[Entry], add: Add) -> None:
    if len(ended) > 1:
        add("ended_twice", f"{key} was ended {len(ended)} times, by the fences {[entry.fence for entry in ended]}")
    for entry in ended:
        later = [start.fence for start in started if start.fence > entry.fence]
        if later:
            add("stale_accepted", f"{key} was ended by the fence {entry.fence} when the fence {max(later)} had it")
        began = any(start.fence == entry.fence for start in started) or key.endswith(":pack")  # which has no function
        if entry.fields["ending"] in OF_FUNCTIONS and not began:
            add("unstarted", f"{key} was ended by the fence {entry.fence}, which never began")


def _cancelled(entries: Sequence[Entry], add: Add) -> None:
    again = {entry.job_id for entry in entries if entry.kind in {"RETRIED", "MOVED"}}
    cancelled = {entry.job_id: entry.t for entry in entries if entry.kind == "CANCELLED" and entry.job_id not in again}
    for entry in entries:
        if entry.kind == "START" and entry.t > cancelled.get(entry.job_id, entry.t):
            add("cancel", f"job {entry.job_id} began after it was cancelled")


#: The fields that say which attempt's result a hash keeps, by the queue.
WINNERS: Final = {"pick_fence": "pick", "part_fence": None, "ship_fence": "ship"}


def _recorded(job: Seen, starts: dict[str, list[Entry]], add: Add) -> None:
    """Check that the results in the hash are those of the last attempt of their queue."""
    for field, of in WINNERS.items():
        fence, queue = job.value(field), of or job.flow
        if fence is None:
            continue
        key = next((key for key in _keys(job, queue) if any(s.fence == fence for s in starts.get(key, ()))), None)
        if key is None:
            if starts:
                add("unstarted", f"job {job.name} keeps a result of the fence {fence} in {queue}, which never began")
        elif (last := max(start.fence for start in starts[key])) > fence:
            add("stale_accepted", f"job {job.name} keeps a result of the fence {fence} in {queue}, and {last} had it")
    ordered, parts = job.value("kind"), job.value("parts")
    if isinstance(ordered, str) and parts is not None:
        wanted = sum(int(order.partition(":")[2]) for order in ordered.split(";") if order.startswith("children:"))
        if parts != wanted:
            add("results", f"job {job.name} was shipped with {parts} parts of {wanted}")
        done = job.value("parts_done")
        if done == parts and job.value("total") != parts * (parts - 1):
            add("results", f"job {job.name} was shipped with the sum {job.value('total')}")


def _keys(job: Seen, queue: str) -> list[str]:
    return [f"{job.id}:{visit}:{queue}" for visit in range(job.visit, -1, -1)]


def recoveries(entries: Sequence[Entry], at: Literal["start", "rescue", "none"] = "start") -> list[float]:
    """Return, for each attempt whose process was killed in it, after how many seconds its job was back.

    That is when the next attempt begins; or, by `at`, when somebody has taken it back. By "none" it is not asked.
    """
    if at == "none":
        return []
    killed: dict[int, float] = {}
    for entry in entries:
        if entry.kind == "KILL":
            killed.setdefault(int(entry.fields["victim"]), entry.t)
    samples = []
    begun: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        rescued = entry.kind == "NOTE" and entry.fields.get("what") == "job.rescued" and at == "rescue"
        if entry.kind == "START" or rescued:
            place = (entry.job_id, str(entry.fields["queue"]))
            before = begun.pop(place, None)
            if before is not None and before.t < killed.get(before.pid, 0.0) < entry.t:
                samples.append(entry.t - killed[before.pid])
            if entry.kind == "START":
                begun[place] = entry
    return samples

"""Reads the whole keyspace of a flow and says what in it cannot be: a job in two places, or in none, and so on.

It looks at rest: nobody may write meanwhile. `tests.faults.trace` adds what the ledger knows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import redis

from flows import FlowOptions
from flows.model.state import JobState
from flows.pipeline.bulk.action import bulk_name
from flows.store.jobs.flow_settings import milliseconds
from tests.faults.keyspace import Seen, Snapshot, read
from tests.faults.ledger import Entry
from tests.faults.rules.at_rest import rules_off
from tests.faults.trace import check_trace

#: In a longer waiting list the id of a job that has ended may stay: whoever takes it drops it.
SHORT: Final = 10_000
#: What may pass between the moment at which a time to live was set and the one at which it is read, in milliseconds.
SLACK: Final = 1_000
_STATES: Final = frozenset(JobState)


@dataclass(frozen=True)
class Violation:
    """Something that cannot be: of which kind, and a sentence that names the key or the job."""

    kind: str
    text: str


@dataclass
class Findings:
    """What the audit found: how many of each kind of violation, and all of them in words.

    Kinds of the keyspace: `lost`, `stuck`, `dup_ids`, `ghost_ids`, `orphan_hashes`, `ended_ids` (an ended job stands
    in a queue), `immortal`, `lifetime`, `lease`, `parents`, `counts`, `cancel`, `lookups`, `keys`, `malformed`, `rules`
    (what limits, groups and slots keep), `repaired` (which hides another one); of the ledger: `stale_accepted`,
    `ended_twice`, `fence`, `attempts`, `unstarted`, `results`, `crashes_of_ours`, and the harmless `runs_over_1` and
    `effects_over_1`.
    """

    counts: Counter[str] = field(default_factory=Counter[str])
    violations: list[Violation] = field(default_factory=list[Violation])
    states: Counter[str] = field(default_factory=Counter[str])
    acked: int = 0

    def add(self, kind: str, text: str) -> None:
        """Note a violation."""
        self.counts[kind] += 1
        self.violations.append(Violation(kind, text))


def audit(client: redis.Redis, options: FlowOptions[Any, Any], entries: Sequence[Entry] = ()) -> Findings:
    """Check everything below the flow's namespace, and hold it against the ledger."""
    return check(read(client, options), options, entries)


def check(snapshot: Snapshot, options: FlowOptions[Any, Any], entries: Sequence[Entry] = ()) -> Findings:
    """Check what was read."""
    findings = Findings()
    for job in snapshot.jobs.values():
        if job.status not in _STATES:
            findings.add("malformed", f"job {job.name} has the state {job.status!r}")
            continue
        _place(snapshot, job, findings)
        _life(snapshot, job, options, findings)
        _cancelled(job, findings)
    _ghosts(snapshot, options, findings)
    _leases(snapshot, options, findings)
    _families(snapshot, findings)
    _lookups(snapshot, options, findings)
    _keys(snapshot, options, findings)
    for text in rules_off(snapshot):
        findings.add("rules", text)
    for parent in snapshot.cancelling:
        findings.add("cancel", f"the children of {parent} are still to be cancelled")
    for what, count in snapshot.repairs.items():
        findings.add("repaired", f"the reconciler has repaired {count} times: {what}")
        findings.counts["repaired"] += count - 1
    _acknowledged(snapshot, options, entries, findings)
    check_trace(snapshot, entries, findings.add)
    return findings


def _place(snapshot: Snapshot, job: Seen, findings: Findings) -> None:
    """Check that it stands where its state says, once, and nowhere else (I1)."""
    places = snapshot.where.get(job.id, [])
    expected = (job.queue, job.status)
    if job.ended:
        long = [place for place in places if place[1] == "waiting" and len(snapshot.places[place]) > SHORT]
        for queue, place in places:
            if (queue, place) not in long:
                findings.add("ended_ids", f"job {job.name} is {job.status} and stands in queue:{queue}:{place}")
    elif not places:
        findings.add("orphan_hashes", f"job {job.name} is {job.status} in {job.queue} and stands nowhere")
    elif len(places) > 1:
        findings.add("dup_ids", f"job {job.name} is {job.status} and stands {len(places)} times: {places}")
    elif places[0] != expected:
        findings.add("orphan_hashes", f"job {job.name} is {job.status} in {job.queue} and stands in {places[0]}")


def _life(snapshot: Snapshot, job: Seen, options: FlowOptions[Any, Any], findings: Findings) -> None:
    """Check its time to live (I2)."""
    kept = options.retained
    most: int | None
    if job.ended:
        most = milliseconds({"done": kept.done, "failed": kept.failed}.get(job.status, kept.cancelled))
    elif job.status == "children" or _parent_waits(snapshot, job) or options.job_ttl is None:
        most = None
    else:
        most = milliseconds(options.job_ttl)
        if job.status == "delayed":
            most += max(0, int(dict(snapshot.places.get((job.queue, "delayed"), [])).get(job.id, 0)) - snapshot.now)
    if most is None:
        if job.life != -1:
            findings.add("lifetime", f"job {job.name} is {job.status} and ends in {job.life} ms, which it should not")
    elif job.life == -1:
        findings.add("immortal", f"job {job.name} is {job.status} and has no time to live")
    elif job.life > most + SLACK:
        findings.add("lifetime", f"job {job.name} is {job.status} and lives for {job.life} ms, more than {most}")


def _parent_waits(snapshot: Snapshot, job: Seen) -> bool:
    parent = snapshot.jobs.get(job.fields.get("_parent", ""))
    return parent is not None and parent.status == "children"


def _cancelled(job: Seen, findings: Findings) -> None:
    """Check that who was asked to stop did (I14)."""
    if "_cancel" in job.fields and not job.ended:
        findings.add("cancel", f"job {job.name} shall be cancelled and is still {job.status}")


def _ghosts(snapshot: Snapshot, options: FlowOptions[Any, Any], findings: Findings) -> None:
    """Check that every id in a queue has its hash (I2)."""
    for (queue, place), members in snapshot.places.items():
        flow = _flow_of(queue, options)
        for job_id, _score in members:
            if (
                job_id if ":" in job_id else f"{flow}:{job_id}"
            ) not in snapshot.jobs:  # in a shared queue with its flow
                findings.add("ghost_ids", f"queue:{queue}:{place} holds {job_id}, which has no hash")


def _flow_of(queue: str, options: FlowOptions[Any, Any]) -> str:
    """Return the flow whose jobs stand in a queue: a child queue's, and that of bulk actions, have its name."""
    return queue if ":" in queue or queue == bulk_name(options.name) else options.name


def _leases(snapshot: Snapshot, options: FlowOptions[Any, Any], findings: Findings) -> None:
    """Check that what is being processed has an owner, and a lease of a length that can be (I3)."""
    lease = milliseconds(options.lease)
    for (queue, place), members in snapshot.places.items():
        if place != "processing":
            continue
        flow = _flow_of(queue, options)
        for job_id, until in members:
            job = snapshot.jobs.get(f"{flow}:{job_id}")
            if job is not None and job.status == "processing" and not (job.fields.get("_worker") and job.fence):
                findings.add("lease", f"job {job.name} is being processed and is nobody's")
            if until > snapshot.now + 2 * lease:
                findings.add("lease", f"the lease of {job_id} in {queue} ends in {until - snapshot.now:.0f} ms")


def _families(snapshot: Snapshot, findings: Findings) -> None:
    """Check parents and children: who waits for whom (I8)."""
    parent_of = {child: job for job in snapshot.jobs.values() for child in job.children()}
    for job in snapshot.jobs.values():
        if job.status == "children":
            _waits(snapshot, job, findings)
        parent = snapshot.jobs.get(job.fields.get("_parent", ""))
        if parent is None or job.ended or parent_of.get(job.name) is parent:
            continue
        if job.name not in _being_built(snapshot, parent):
            findings.add("parents", f"job {job.name} is a child of {parent.name}, which does not name it")
    for flow, children in snapshot.parents.items():
        for child_id in children:
            seen = snapshot.jobs.get(f"{flow}:{child_id}")
            if seen is None or seen.ended:
                findings.add("parents", f"flows:parents:{flow} still holds {child_id}, which has ended")


def _waits(snapshot: Snapshot, job: Seen, findings: Findings) -> None:
    """Check that a parent waits for children of its own that have not ended."""
    left = set(snapshot.pending.get(job.name, set()))
    if not left:
        findings.add("parents", f"job {job.name} waits for children and none is left")
    for child in job.children():
        child_id = child.rpartition(":")[2]
        seen = snapshot.jobs.get(child)
        if child_id in left and (seen is None or seen.ended):
            findings.add("parents", f"job {job.name} waits for {child}, which has ended")
        left.discard(child_id)
    for child_id in left:
        findings.add("parents", f"job {job.name} waits for {child_id}, which is none of its children")


def _being_built(snapshot: Snapshot, parent: Seen) -> set[str]:
    return {key.partition("job:")[2] for key in snapshot.building.get(parent.name, [])}


def _lookups(snapshot: Snapshot, options: FlowOptions[Any, Any], findings: Findings) -> None:
    """Check that lookup lists and hashes agree (I15)."""
    members = {name: Counter(ids) for name, ids in snapshot.lookups.items()}
    lines = {job.name: set(job.fields.get("_lookups", "").split("\n")) for job in snapshot.jobs.values()}
    for name, ids in members.items():
        flow, line = options.name, name.removeprefix(f"{options.name}:")
        for job_id in ids:
            job = f"{flow}:{job_id}"
            if job in lines and line not in lines[job]:
                findings.add("lookups", f"job:{name} holds {job_id}, which has another value")
    for job in snapshot.jobs.values():
        for line in lines[job.name] - {""}:
            if not line.startswith("#") and not members.get(f"{job.flow}:{line}", {}).get(job.id):
                findings.add("lookups", f"job:{job.flow}:{line} does not hold {job.id}, which has that value")


#: These keys have no time to live; all others need one.
_LASTING: Final = (
    "queue:",
    "flows:names",
    "flows:history",
    "flows:wake:",
    "flows:parents:",
    "flows:reconcile:",
    "flows:cancelling:",
    "flows:queues:",
    "flows:prune:",
    "flows:flow:",
    "flows:settings:",
    "flows:stats:",
    "flows:processes:",
    "flows:workers:",
    "flows:group:",
    "flows:ring:",
    "flows:parked:",
    "flows:fair:",
    "flows:shares:",
    "flows:limit:",
    "flows:slots:",
    "flows:load:",
    "flows:sharing:",
)


def _keys(snapshot: Snapshot, options: FlowOptions[Any, Any], findings: Findings) -> None:
    """Check that every key is documented, lives no longer than it may, and counts nothing below zero (I9, I16)."""
    for name in snapshot.strange:
        findings.add("keys", f"{name} is no key that docs/key_names.md knows")
    for name, life in snapshot.lives.items():
        if life != -1 or name.startswith(_LASTING) or options.job_ttl is None:
            continue
        flow_and_id = name.removeprefix("job:").partition(":children:")[0].removesuffix(":stream")
        beside = name.removeprefix("flows:pending:").removeprefix("flows:building:").removeprefix("flows:log:")
        owner = snapshot.jobs.get(flow_and_id) or snapshot.jobs.get(beside)
        if name.startswith("job:") and owner is not None and name == f"job:{owner.name}":
            continue  # the job's own hash was checked already
        if owner is None or owner.life != -1:
            findings.add("immortal", f"{name} has no time to live")
    for queue, meta in snapshot.metas.items():
        for name, count in meta.items():
            if name not in {"owner", "flows", "rules"} and not count.isdigit():
                findings.add("counts", f"queue:{queue}:meta counts {name} as {count}")


def _acknowledged(
    snapshot: Snapshot, options: FlowOptions[Any, Any], entries: Sequence[Entry], findings: Findings
) -> None:
    """Check that every job that a producer was told of is there, and has ended."""
    deleted = {entry.job_id for entry in entries if entry.kind == "DELETED"}
    expired = {entry.job_id for entry in entries if entry.kind == "EXPIRED"}
    acked = {entry.job_id for entry in entries if entry.kind == "ACK"} - deleted
    findings.acked = len(acked)
    for job_id in sorted(acked):
        job = snapshot.jobs.get(f"{options.name}:{job_id}")
        if job is None:
            if job_id not in expired:
                findings.add("lost", f"job {job_id} was acknowledged and is gone")
            continue
        findings.states[job.status] += 1
        if not job.ended:
            findings.add("stuck", f"job {job_id} is still {job.status} in {job.queue}")
    for name, job in snapshot.jobs.items():
        if job.flow != options.name and not job.ended and job.status in _STATES and entries:
            findings.add("stuck", f"child {name} is still {job.status} in {job.queue}")

"""The auditor finds nothing in what the flow makes, and each kind of damage that is done to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from tests.faults.auditor import Findings, audit
from tests.faults.behaviours import open_gate
from tests.faults.flow_under_test import Order, add_workers, make_flow, make_options
from tests.faults.ledger import Entry, Ledger
from tests.faults.trace import recoveries
from tests.waiting import until

DAY = 24 * 3_600_000

#: Seconds. Long: nobody renews one, which would repair it, between a damage and the look at it.
LEASE = 600.0


@dataclass
class Scene:
    """A flow at rest, with a job in each state."""

    redis: Redis
    url: str
    ns: str
    ledger: Path
    ids: dict[str, str]

    def job(self, state: str) -> str:
        """Return the key of the job in this state."""
        return f"{self.ns}job:orders:{self.ids[state]}"

    def queue(self, name: str) -> str:
        """Return the key of a queue's place."""
        return f"{self.ns}queue:{name}"

    def child(self) -> str:
        """Return the name of a child of the job that is done."""
        names: Any = self.redis.hget(self.job("done"), "children:pack:jobs")
        return str(names).partition("job:")[2].partition('"')[0]

    def audit(self, *entries: Entry) -> Findings:
        """Look at everything, with the ledger and more lines."""
        real = Ledger.read(self.ledger)
        return audit(self.redis, make_options(self.url, self.ns, lease=LEASE), [*real, *entries])


@pytest.fixture
async def scene(redis_url: str, namespace: str, redis: Redis, tmp_path: Path) -> AsyncIterator[Scene]:
    """Make a job in each state, with workers of this process that stand at a gate meanwhile."""
    flow = make_flow(redis_url, namespace, lease=LEASE)
    ledger = Ledger(tmp_path / "ledger")
    add_workers(flow, ledger)
    kinds = {
        "done": "children:2",
        "failed": "raise",
        "cancelled": "cancel",
        "delayed": "snooze:3600",
        "processing": "gate:shut",
        "children": "children:2;label=gate:shut",
    }
    async with flow:
        ids = {
            state: await flow.create_job(Order(number=at, kind=kind, customer=at))
            for at, (state, kind) in enumerate(kinds.items())
        }
        hashes = [f"{namespace}job:orders:{job_id}" for job_id in ids.values()]
        await until(lambda: [redis.hget(key, "_status") for key in hashes] == list(kinds))
        boxes = f"{namespace}queue:pack:box"  # the other child stands at the gate
        await until(lambda: not (redis.llen(f"{boxes}:waiting") or redis.zcard(f"{boxes}:processing")))
        [pick] = [worker for worker in flow.workers if worker.queue == "pick"]
        await until(lambda: f"{namespace}flows:wake:pick" in flow._runtime.session.wakeups._listening)  # not in a turn
        stopping = asyncio.create_task(pick.stop())  # so that nobody takes the next job
        await asyncio.sleep(0)
        assert pick.status == "stopping"
        ids["waiting"] = await flow.create_job(Order(number=9, kind="plain", customer=9))
        yield Scene(redis, redis_url, namespace, ledger.directory, ids)
        open_gate(ledger.directory, "shut")
        await stopping
    ledger.close()


async def test_finds_nothing_wrong_with_a_job_in_each_state(scene: Scene) -> None:
    """What the flow itself makes, in every state, is right in the auditor's eyes."""
    found = scene.audit()
    children = [violation.text for violation in found.violations if "child" in violation.text]
    assert found.counts == {"stuck": 1}, found.violations
    assert len(children) == 1  # the one that stands at the gate


DAMAGE: dict[str, tuple[str, Callable[[Scene], object]]] = {
    "waits twice": ("dup_ids", lambda s: s.redis.rpush(s.queue("pick:waiting"), s.ids["waiting"])),
    "waits and is delayed": ("dup_ids", lambda s: s.redis.zadd(s.queue("pick:delayed"), {s.ids["waiting"]: 1})),
    "waits and is processed": ("dup_ids", lambda s: s.redis.rpush(s.queue("pick:waiting"), s.ids["processing"])),
    "stands in another queue": ("dup_ids", lambda s: s.redis.zadd(s.queue("ship:delayed"), {s.ids["delayed"]: 1})),
    "stands nowhere": ("orphan_hashes", lambda s: s.redis.lrem(s.queue("pick:waiting"), 0, s.ids["waiting"])),
    "is processed without a lease": (
        "orphan_hashes", lambda s: s.redis.zrem(s.queue("pick:processing"), s.ids["processing"]),
    ),
    "is delayed without a time": ("orphan_hashes", lambda s: s.redis.delete(s.queue("pick:delayed"))),
    "waits with children, and nowhere": ("orphan_hashes", lambda s: s.redis.delete(s.queue("pack:children"))),
    "waits without a hash": ("ghost_ids", lambda s: s.redis.delete(s.job("waiting"))),
    "is processed without a hash": ("ghost_ids", lambda s: s.redis.delete(s.job("processing"))),
    "waits and is done": ("ended_ids", lambda s: s.redis.rpush(s.queue("ship:waiting"), s.ids["done"])),
    "is delayed and failed": ("ended_ids", lambda s: s.redis.zadd(s.queue("pick:delayed"), {s.ids["failed"]: 1})),
    "is done for ever": ("immortal", lambda s: s.redis.persist(s.job("done"))),
    "waits for ever": ("immortal", lambda s: s.redis.persist(s.job("waiting"))),
    "was written again when it was gone": ("immortal", lambda s: s.redis.hset(f"{s.job('done')}x", "_progress", "1")),
    "has lookups for ever": ("immortal", lambda s: s.redis.persist(f"{s.ns}job:orders:customer:9")),
    "lives too long": ("lifetime", lambda s: s.redis.pexpire(s.job("waiting"), 31 * DAY)),
    "is kept too long": ("lifetime", lambda s: s.redis.pexpire(s.job("done"), 2 * DAY)),
    "ends before its children": ("lifetime", lambda s: s.redis.pexpire(s.job("children"), 1000)),
    "is processed by nobody": ("lease", lambda s: s.redis.hset(s.job("processing"), "_attempt", "1 - 1 0 0")),
    "has a lease for an hour": (
        "lease", lambda s: s.redis.zadd(s.queue("pick:processing"), {s.ids["processing"]: 1e15}),
    ),
    "waits for no child": ("parents", lambda s: s.redis.delete(f"{s.ns}flows:pending:orders:{s.ids['children']}")),
    "waits for a stranger": (
        "parents", lambda s: s.redis.sadd(f"{s.ns}flows:pending:orders:{s.ids['children']}", "stranger"),
    ),
    "is no child of its parent": ("parents", lambda s: s.redis.hdel(s.job("children"), "children:pack:jobs")),
    "is remembered as a child": (
        "parents", lambda s: s.redis.hset(f"{s.ns}flows:parents:pack:label", s.child().rpartition(":")[2], "x:y"),
    ),
    "is counted below zero": ("counts", lambda s: s.redis.hincrby(s.queue("pick:meta"), "expired", -1)),
    "shall be cancelled": ("cancel", lambda s: s.redis.hset(s.job("processing"), "_cancel", "why")),
    "is found by another's value": ("lookups", lambda s: s.redis.rpush(f"{s.ns}job:orders:customer:9", s.ids["done"])),
    "is not found by its value": ("lookups", lambda s: s.redis.delete(f"{s.ns}job:orders:customer:0")),
    "is a key of nobody": ("keys", lambda s: s.redis.set(f"{s.ns}stray", 1)),
    "is a key of another type": ("keys", lambda s: s.redis.sadd(s.queue("pick:waiting:2"), "x")),
    "is of an unknown flow": ("keys", lambda s: s.redis.hset(f"{s.ns}job:nobody:1", "a", "1")),
    "was repaired": ("repaired", lambda s: s.redis.hset(f"{s.ns}flows:reconcile:orders", "repaired:lease", 2)),
    "still cancels": ("cancel", lambda s: s.redis.hset(f"{s.ns}flows:cancelling:orders", "orders:x", 1)),
    "has a state that is none": ("malformed", lambda s: s.redis.hset(s.job("done"), "_status", "dead")),
    "has a fence that fell": ("fence", lambda s: s.redis.hset(s.job("failed"), "_attempt", "0 w 1 0 0")),
    "keeps an older result": ("unstarted", lambda s: s.redis.hset(s.job("done"), "ship_fence", 77)),
    "was shipped without a part": ("results", lambda s: s.redis.hset(s.job("done"), "parts", 1)),
    "was shipped with a wrong sum": ("results", lambda s: s.redis.hset(s.job("done"), "total", 5)),
}  # fmt: skip


@pytest.mark.parametrize("what", DAMAGE)
async def test_finds_damage(scene: Scene, what: str) -> None:
    """Something that no transition makes is found, by its name."""
    kind, damage = DAMAGE[what]
    damage(scene)
    found = scene.audit()
    assert found.counts[kind] >= 1, found.violations
    assert all(violation.text for violation in found.violations)


def line(kind: str, job_id: str, t: float, **fields: object) -> Entry:
    """Return a line of the ledger, of a job in the queue `pick`."""
    return Entry(t, 1, kind, job_id, {"queue": "pick", "attempt": 1, "key": f"{job_id}:0:pick", **fields})


TRACES: dict[str, tuple[str, Callable[[str], list[Entry]]]] = {
    "was acknowledged and is gone": ("lost", lambda _id: [line("ACK", "nobody", 1)]),
    "was acknowledged and waits": ("stuck", lambda _id: [line("ACK", _id, 1)]),
    "began with a later fence": ("fence", lambda _id: [line("START", _id, 1, fence=9)]),
    "began twice with one fence": ("fence", lambda _id: [line("START", _id, at, fence=1) for at in (1, 2)]),
    "began twice": ("runs_over_1", lambda _id: [line("START", _id, at, fence=at, attempt=at) for at in (1, 2)]),
    "counted down": ("attempts", lambda _id: [line("START", _id, at, fence=at, attempt=3 - at) for at in (1, 2)]),
    "had two effects": (
        "effects_over_1",
        lambda _id: [line("START", _id, 1, fence=1), *(line("EFFECT", _id, at, fence=1) for at in (2, 3))],
    ),
    "was ended twice": (
        "ended_twice",
        lambda _id: [line("START", _id, 1, fence=1)] + [line("DONE", _id, 2, fence=1, ending="Fail")] * 2,
    ),
    "was ended by a stranger": (
        "stale_accepted",
        lambda _id: [
            *(line("START", _id, at, fence=at, attempt=at) for at in (1, 2)),
            line("DONE", _id, 3, fence=1, ending="Advance"),
        ],
    ),
    "was ended and never began": ("unstarted", lambda _id: [line("DONE", _id, 1, fence=1, ending="Advance")]),
    "began after it was cancelled": (
        "cancel",
        lambda _id: [line("CANCELLED", _id, 1), line("START", _id, 2, fence=1)],
    ),
    "broke a worker": ("crashes_of_ours", lambda _id: [line("NOTE", "", 1, what="worker.crashed")]),
}


@pytest.mark.parametrize("what", TRACES)
async def test_finds_what_cannot_have_happened(scene: Scene, what: str) -> None:
    """Lines of the ledger that contradict each other, or the keyspace, are found by their name."""
    kind, entries = TRACES[what]
    before = scene.audit().counts[kind]
    found = scene.audit(*entries(scene.ids["waiting"]))
    assert found.counts[kind] > before, found.violations


async def test_finds_a_stale_result(scene: Scene) -> None:
    """A job that keeps the result of an attempt that had lost it is found without a line that says so."""
    first = next(e for e in Ledger.read(scene.ledger) if e.kind == "START" and e.job_id == scene.ids["done"])
    later = replace(first, fields={**first.fields, "fence": first.fence + 1, "attempt": 2})
    assert scene.audit(later).counts["stale_accepted"] >= 1


def test_measures_how_long_a_job_was_nobodys() -> None:
    """From the kill to the next start, or to when it was taken back; what was over before the kill does not count."""
    entries = [
        line("START", "a", 1.0, fence=1),
        line("START", "b", 1.0, fence=1),
        line("START", "b", 1.5, fence=2),
        Entry(2.0, 9, "KILL", "", {"victim": 1}),
        line("NOTE", "a", 3.0, what="job.rescued"),
        replace(line("START", "a", 3.5, fence=2), pid=2),
        replace(line("START", "a", 4.5, fence=3), pid=3),
    ]
    assert recoveries(entries) == [1.5]
    assert recoveries(entries, "rescue") == [1.0]
    assert recoveries(entries, "none") == []

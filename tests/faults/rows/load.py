"""Rows G2 and G3: a hundred thousand jobs that are due at once, or in flight."""

from __future__ import annotations

import asyncio
import time
from typing import Final

import redis

from flows.model.outcome import Finish
from flows.store.client.scripts import load
from flows.store.jobs import leases, turns
from tests.faults import bulk_seed, raw_keys
from tests.faults.case import Case, row
from tests.faults.case_runner import spread
from tests.faults.flow_under_test import Orders
from tests.faults.server_stalls import Stalls

_MANY: Final = 100_000
#: Of each kind of call, 95 % keep the server busy for no longer, in milliseconds; and none for twice as long, which
#: leaves room for a processor whose caches others use too.
_LONGEST: Final = 10.0
#: So many workers share what is in flight.
_WORKERS: Final = 8


@row("G2", "100,000 delayed jobs due in the same second", profile="none", limit=120)
def g2(case: Case) -> None:
    """They are let go in batches, none twice and none forgotten; the server never stalls for 10 ms."""
    stalls = Stalls(case.server)
    with case.server.client(timeout=30) as client:
        due = bulk_seed.now_ms(client) + 3000
        ids = bulk_seed.seed_jobs(client, "delayed", [due + case.random.randrange(1000) for _ in range(_MANY)])
        case.wait_until(lambda: bulk_seed.now_ms(client) > due + 1000)
        began = time.monotonic()
        taken = asyncio.run(_drain(case, stalls, client, _MANY // 10))
        others = case.create(200)
        fleet = case.fleet(queues=["pick"], concurrency=16)
        fleet.spawn(2)
        case.expect(case.wait_until(lambda: not client.zcard("queue:pick:delayed"), 40), "all are let go")
        case.figures["drained_s"] = round(time.monotonic() - began, 1)
        fleet.finish()
        waiting = client.lrange("queue:pick:waiting", 0, -1)
        case.expect(len(waiting) == len(set(waiting)), "none waits twice")
        states = bulk_seed.states(client, ids)
        client.slowlog_reset()
        case.expect(states["waiting"] + states["done"] + states["failed"] == _MANY, f"all wait or have ended: {states}")
        bulk_seed.forget(client, [f"job:orders:{job_id}" for job_id in {*waiting} & {*ids}])
        client.delete("queue:pick:waiting")
        for job_id in waiting:
            if job_id in others:
                client.rpush("queue:pick:waiting", job_id)
    _judge(case, stalls)
    case.figures["turns"] = taken


async def _drain(case: Case, stalls: Stalls, client: redis.Redis, left: int) -> int:
    """Take turns until so many are left, each of which lets some go; return how many turns that took."""
    flow = case.flow()
    await flow.start_all()
    try:
        calls, ended, taken = flow._runtime.session.turns("pick", "the-worker", ["number", "kind"]), [], 0
        while client.zcard("queue:pick:delayed") > left:
            turn = await stalls.of_async("promote", calls.turn(ended, 1, busy=False))
            ended = [calls.finished(job, Finish({})) for job in turn.claimed]
            taken += 1
        await calls.report(ended)
    finally:
        await flow.stop_all()
    return taken


@row("G3", "100,000 jobs in flight, and 10,000 children that end", profile="none", limit=120)
def g3(case: Case) -> None:
    """Renewals, looks at leases, endings and claims are as quick as with few; a large family ends in small steps."""
    case.lease = 60.0
    stalls = Stalls(case.server)
    with case.server.client(timeout=30) as client:
        before = client.info("memory")["used_memory"]  # type: ignore[index]
        until = bulk_seed.now_ms(client) + 600_000
        of = {
            f"w{n}": bulk_seed.seed_jobs(client, "processing", [until] * (_MANY // _WORKERS), f"w{n}")
            for n in range(_WORKERS)
        }
        case.figures["bytes_per_job"] = (client.info("memory")["used_memory"] - before) // _MANY  # type: ignore[index]
        asyncio.run(_in_flight(case, stalls, client, of))
        [parent] = case.create(1, "children:10000")
        asyncio.run(_family(case, stalls, client, parent))
        fleet = case.fleet(queues=["ship"])
        fleet.spawn()
        case.expect(not case.wait_done([parent], 20), "the parent ends")
        [fields] = case.hashes([parent])
        case.expect(fields.get("parts_done") == "10000", f"it sees all its children: {fields.get('parts_done')}")
        keys = [f"job:orders:{job_id}" for ids in of.values() for job_id in ids]
        bulk_seed.forget(client, [*keys, *(key for some in raw_keys.children(client).values() for key in some)])
        client.delete("queue:pick:processing", "queue:pick:waiting", *_lookups())
    _judge(case, stalls)


def _lookups() -> list[str]:
    return [f"job:orders:customer:{customer}" for customer in range(1, 10)]


async def _in_flight(case: Case, stalls: Stalls, client: redis.Redis, of: dict[str, list[str]]) -> None:
    """Do all that is done to jobs in flight."""
    flow = case.flow()
    await flow.start_all()
    renewal = leases.LeaseRenewal(case.server.url, flow._runtime.settings)
    try:
        for worker, ids in of.items():
            for start in range(0, len(ids), leases._AT_ONCE):
                mine = [(job_id, 1) for job_id in ids[start : start + leases._AT_ONCE]]
                words = stalls.of("renew", lambda w=worker, some=mine: renewal.renew("pick", w, some))
                case.expect(set(words) == {"kept"}, f"all leases are kept: {set(words)}")
        for _ in range(50):
            await _rescue(stalls, flow, "rescue_idle")
        late = of["w0"][:1000]
        client.zadd("queue:pick:processing", dict.fromkeys(late, 1))
        back = sum([await _rescue(stalls, flow, "rescue") for _ in range(11)])
        case.expect(back == len(late), f"{len(late)} are taken back, not {back}")
        calls = flow._runtime.session.turns("pick", "w1", ["number", "kind"])
        for start in range(0, 2000, turns.MOST_JOBS):
            done = [
                calls.finished(job, Finish({})) for job in bulk_seed.held(of["w1"][start : start + turns.MOST_JOBS])
            ]
            words = await stalls.of_async("end", calls.report(done))
            case.expect(set(words) == {"ok"}, f"all ends are recorded: {set(words)}")
        claims = [await stalls.of_async("claim", calls.turn([], turns.MOST_JOBS, busy=False)) for _ in range(20)]
        claimed = [job.id for turn in claims for job in turn.claimed]
        case.expect(sorted(claimed) == sorted(late), f"all that were taken back are claimed: {len(claimed)}")
    finally:
        renewal.close()
        await flow.stop_all()


async def _rescue(stalls: Stalls, flow: Orders, name: str) -> int:
    """Look once for leases that are over, and return how many jobs were taken back."""
    session = flow._runtime.session
    rescue = session._rescue("pick")
    return len(
        await stalls.of_async(name, session.connection.run(load("rescue"), {**rescue._named, "until_ms": 2**53}))
    )


async def _family(case: Case, stalls: Stalls, client: redis.Redis, parent: str) -> None:
    """End ten thousand children of one parent, as many at a time as a worker reports."""
    ids = bulk_seed.seed_children(client, parent, 10_000, "w0")
    flow = case.flow()
    await flow.start_all()
    try:
        calls = flow._runtime.session.turns("pack:label", "w0", ["number", "kind"])
        for start in range(0, len(ids), turns.MOST_JOBS):
            gone_on = client.llen("queue:ship:waiting")
            case.expect(not gone_on, f"the parent does not go on when {start} children have ended")
            done = [
                calls.finished(job, Finish(_packed(start + at)))
                for at, job in enumerate(bulk_seed.held(ids[start : start + turns.MOST_JOBS]))
            ]
            words = await stalls.of_async("end_children", calls.report(done))
            case.expect(set(words) == {"ok"}, f"all ends are recorded: {set(words)}")
        case.expect(client.lrange("queue:ship:waiting", 0, -1) == [parent], "it goes on once, with the last of them")
    finally:
        await flow.stop_all()


def _packed(number: int) -> dict[str, bytes]:
    return {"value": b"%d" % (2 * number), "part_fence": b"1", "part_pid": b"1"}


def _judge(case: Case, stalls: Stalls) -> None:
    """Hold the longest calls against what is promised."""
    for name, samples in stalls.samples.items():
        of = spread(samples)
        case.figures.update({f"{name}_p95_ms": of["p95"], f"{name}_max_ms": of["max"]})
        quick = of["p95"] <= _LONGEST and of["max"] <= 2 * _LONGEST
        case.expect(quick, f"{name} keeps the server busy for {_LONGEST:g} ms at most: {of}")
    case.figures["stall_max_ms"] = max(max(samples) for samples in stalls.samples.values())

"""Rows K: jobs with keys, while replies are lost, producers and holders die, hashes go and the server is full."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections import Counter
from typing import Any, Final

from redis import Redis

from flows import StoreFull
from tests.faults.case import Case, row
from tests.faults.keyed import CALM, KINDS, KeyedProducers, create, is_open, jobs_of
from tests.faults.keyed_by_many import produce, wrongs
from tests.faults.memory_filler import MemoryFiller
from tests.faults.proxy import Proxy

#: Of each kind.
_KEYS: Final = 20


@row("K1", "100 producers of each key, replies cut")
def k1(case: Case) -> None:
    """One job a key, and every producer is told its id; a unique one has one producer that created it."""
    with Proxy(case.server.port) as proxy:
        answers, case.figures["cuts"] = asyncio.run(produce(lambda: case.flow(proxy.url), proxy, _KEYS, case.random))
    with case.server.client() as client:
        found = list(wrongs(answers, client, _KEYS))
        jobs = jobs_of(client)
    case.expect(not found, f"each key has one job, and its callers know it: {found[:3]} and {len(found)} in all")
    _begin_all(case, jobs)


def _begin_all(case: Case, jobs: dict[tuple[str, str], list[dict[str, Any]]]) -> None:
    """Let what is debounced begin now, and all jobs be worked off."""
    with case.server.client() as client:
        for job_id in client.zrange("queue:pick:delayed", 0, -1):
            client.zadd("queue:pick:delayed", {job_id: 1})
    case.acknowledged(job["id"] for of in jobs.values() for job in of)


@row("K2", "producers of keys killed anywhere")
def k2(case: Case) -> None:
    """Each key has no job or one, which is whole; the next call gets or creates it, and after its end it is free."""
    with KeyedProducers(case.server.url, _KEYS) as producers, case.server.client() as client:
        for number in range(12):
            pid = producers.spawn()
            if number % 3 == 0:  # the others may be killed before they have created anything
                enough = min(_there(client) + 3, 2 * _KEYS)
                case.wait_until(lambda enough=enough: _there(client) >= enough)
            time.sleep(case.random.uniform(0.02, 0.4))
            os.kill(pid, signal.SIGKILL)
    case.figures["kills"] = 12
    names = [(kind, f"k{key}") for kind in KINDS for key in range(_KEYS)]
    with case.server.client() as client:
        left = jobs_of(client)
        case.expect(left, f"the producers had created some: {len(left)}")
        case.expect(all(len(of) == 1 for of in left.values()), "no key has two jobs")
        answers = asyncio.run(_ask(case, names))
        jobs = jobs_of(client)
        for name in names:
            [of] = jobs.get(name, [{"id": ""}])
            was = left.get(name, [of])[0]
            same = answers[name][1] == of["id"] == was["id"]
            case.expect(same, f"the call with {name} gets the job that is there")
    ids = [job["id"] for of in jobs.values() for job in of]
    _begin_all(case, jobs)
    case.fleet(concurrency=16).spawn(2)
    case.expect(not case.wait_done(ids, 20), "all jobs end")
    answers = asyncio.run(_ask(case, [name for name in names if name[0] == "unique"]))
    free = all(word == "created" and job_id not in ids for word, job_id in answers.values())
    case.expect(free, "each unique key is free once its job has ended")
    case.acknowledged(job_id for _word, job_id in answers.values())


def _there(client: Redis) -> int:
    """Return how many jobs wait or are delayed."""
    return int(client.zcard("queue:pick:delayed")) + int(client.llen("queue:pick:waiting"))


async def _ask(case: Case, names: list[tuple[str, str]], does: str = "plain") -> dict[tuple[str, str], tuple[str, str]]:
    """Call once with each of these keys."""
    flow = case.flow()
    try:
        return {(kind, key): await create(flow, kind, key, does=does) for kind, key in names}
    finally:
        await flow.stop_all()


@row("K3", "workers that have the jobs of keys are killed")
def k3(case: Case) -> None:
    """Each job runs again and ends, and until then its key lets nobody in; then it is free."""
    case.recovers_at = "rescue"
    names = [(kind, f"k{key}") for kind in KINDS for key in range(_KEYS)]
    first = asyncio.run(_create_slow(case, names))
    fleet = case.fleet(concurrency=60)
    [victim] = fleet.spawn(1)
    case.wait_starts(len(names), queue="pick")
    fleet.kill(victim)
    fleet.wait(victim)
    again = asyncio.run(_ask(case, names, "slow:1"))
    for name, (word, job_id) in again.items():
        mine = first[name][1] == job_id
        holds = {"key": mine and word == "created", "unique": mine and word == "duplicate", "debounce": not mine}
        case.expect(holds[name[0]], f"while its holder is dead, {name} does what it says, and not {word}")
    with case.server.client() as client:
        jobs = jobs_of(client)
    _begin_all(case, jobs)
    fleet.spawn(2)
    ids = [job["id"] for of in jobs.values() for job in of]
    case.expect(not case.wait_done(ids, 30), "all jobs end")
    case.expect(case.count(ids) == {"done": len(ids)}, "as done")
    last = asyncio.run(_ask(case, [name for name in names if name[0] == "unique"]))
    case.expect({word for word, _id in last.values()} == {"created"}, "each unique key is free once its job has ended")
    case.acknowledged(job_id for _word, job_id in last.values())


async def _create_slow(case: Case, names: list[tuple[str, str]]) -> dict[tuple[str, str], tuple[str, str]]:
    """Create jobs that begin soon, and take their time."""
    flow = case.flow()
    try:
        return {(kind, key): await create(flow, kind, key, wait=0.01, does="slow:1") for kind, key in names}
    finally:
        await flow.stop_all()


@row("K4", "hashes of jobs with keys disappear, wherever the jobs are")
def k4(case: Case) -> None:
    """The key of each is free at once, and names the next job."""
    names = [(kind, f"k{key}") for kind in KINDS for key in range(_KEYS)]
    first = asyncio.run(_create_slow(case, names))
    fleet = case.fleet(concurrency=10)
    [worker] = fleet.spawn(1)
    case.wait_starts(5, queue="pick")
    fleet.stop(worker)
    with case.server.client() as client:
        gone = client.delete(*(f"job:orders:{job_id}" for _word, job_id in first.values()))
        case.expect(gone == len(names), f"all of them were there: {gone}")
        second = asyncio.run(_ask(case, names))
        jobs = jobs_of(client)
        lists = {name: client.lrange(f"job:orders:#{name[0]}:{name[1]}", 0, -1) for name in names}
    fresh = all(word == "created" and job_id != first[name][1] for name, (word, job_id) in second.items())
    case.expect(fresh, "each key is free as soon as its job is gone")
    named = {name: [job_id] for name, (_word, job_id) in second.items()}
    case.expect(lists == named, "and names its new job alone")
    case.allow(lost=range(len(names) + 1))
    _begin_all(case, jobs)
    fleet.cont(worker)
    case.expect(not case.wait_done([job_id for _word, job_id in second.values()], 20), "all new jobs end")
    gone_ids = {job_id for _word, job_id in first.values()}
    dropped = case.wait_until(lambda: not gone_ids & set(case.processing()), pause=0.05)
    case.expect(dropped, "the leases of jobs that are gone are dropped when they are over")


@row("K5", "the server's memory is full while jobs with keys are created", profile="small")
def k5(case: Case) -> None:
    """The calls are refused by name, and leave no key; when there is room, each key has one job."""
    names = [(kind, f"k{key}") for kind in KINDS for key in range(_KEYS)]
    with MemoryFiller(case.server) as filler:
        refused = asyncio.run(_refused(case, names))
        case.figures["refused"] = sum(refused.values())
        case.expect({*refused} == {*KINDS}, f"calls with each kind of key are refused: {refused}")
        filler.drop()
    with case.server.client() as client:
        left = jobs_of(client)
        lists = list(client.scan_iter("job:orders:#*", count=1000))
        case.expect(len(lists) == len(left), f"what was refused left nothing: {len(lists)} keys, {len(left)} jobs")
    answers = asyncio.run(_ask(case, names))
    with case.server.client() as client:
        jobs = jobs_of(client)
    whole = all([job["id"] for job in jobs[name]] == [job_id] for name, (_word, job_id) in answers.items())
    case.expect(whole, "each key has one job")
    case.expect(all(is_open(job) for of in jobs.values() for job in of), "which has not ended")
    _begin_all(case, jobs)


async def _refused(case: Case, names: list[tuple[str, str]]) -> Counter[str]:
    """Call with each key while the server is full; how many calls of each kind were refused."""
    refused: Counter[str] = Counter()
    flow = case.flow()
    try:
        for kind, key in names:
            with contextlib.suppress(StoreFull):
                await create(flow, kind, key, wait=CALM)
                continue
            refused[kind] += 1
    finally:
        await flow.stop_all()
    return refused

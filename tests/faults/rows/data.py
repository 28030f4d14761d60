"""Rows E1 to E3: hashes that disappear under their jobs, and ids that stand where they should not."""

from __future__ import annotations

import json
import random
from collections import Counter

import redis

from tests.faults import raw_keys
from tests.faults.case import Case, row

#: The renewer sleeps through it all: what a worker reports is then the first that it hears of its jobs.
_DEAF = "before-renew=sleep:30"


def _keys(ids: list[str]) -> list[str]:
    return [f"job:orders:{job_id}" for job_id in ids]


@row("E1", "hash deleted or expired while its job waits")
def e1(case: Case) -> None:
    """The claim drops the id, counts it, and tells the parent; nothing of the job is written again."""
    chance, fleet = case.random, case.fleet()
    ids = case.create(400, lambda number: "children:3" if number % 8 == 0 else "plain")
    with case.server.client() as client:
        raw_keys.rest_reconciler(client)
        fresh = chance.sample(ids, 60)
        raw_keys.take_away(client, chance, _keys(fresh))
        fleet.spawn(queues=["pick", "pack"])
        idle = case.wait_until(lambda: not raw_keys.standing(client, "pick", "pack", places=("waiting", "processing")))
        case.expect(idle, "the first two queues are worked off")
        young = chance.sample(sorted(key for keys in raw_keys.children(client).values() for key in keys), 40)
        advanced = chance.sample(client.lrange("queue:ship:waiting", 0, -1), 40)
        raw_keys.take_away(client, chance, [*young, *_keys(advanced)])
        fleet.spawn()
        left = [job_id for job_id in ids if job_id not in {*fresh, *advanced}]
        case.expect(not case.wait_done(left, 15), "all jobs whose hashes are there end")
        case.wait_until(lambda: not raw_keys.standing(client))
        lost, ghosts = [*_keys(fresh), *young, *_keys(advanced)], raw_keys.dropped(client, "expired")
        case.expect(ghosts == len(lost), f"each of {len(lost)} ids without a hash is dropped and counted, not {ghosts}")
        case.expect(not raw_keys.there(client, lost), "nothing of what disappeared is written again")
    seen = raw_keys.endings(json.loads(fields["children:pack:results"]) for fields in case.hashes(left))
    case.expect(seen["expired"] == len(young), f"parents hear of {len(young)} children that are gone: {seen}")
    case.expect(case.count(left) == {"done": len(left)}, f"all others are done: {case.count(left)}")
    case.allow(lost=len(fresh) + len(advanced))
    case.figures.update(injected=len(lost), ghosts=ghosts)


@row("E2", "hash deleted while its job runs, is delayed, or waits for children")
def e2(case: Case) -> None:
    """What is gone stays gone, whoever still ends an attempt of it; parents and children of it end."""
    fleet, gone, injected, heard = case.fleet(concurrency=128), [], 0, 0
    with case.server.client() as client:
        raw_keys.rest_reconciler(client)
        for gate, options in (("first", {}), ("second", {"failpoints": _DEAF})):
            [worker] = fleet.spawn(**options)
            some = _begin(case, gate)
            held, bereft, parents = [job_id for ids in some[:4] for job_id in ids], some[4], some[5]
            family = raw_keys.children(client)
            young = [family[job_id][0] for job_id in bereft]
            raw_keys.take_away(client, case.random, [*_keys(held), *_keys(parents), *young])
            case.open_gate(gate)
            case.expect(not case.wait_done(bereft, 10), "parents of children that are gone end")
            case.wait_until(lambda n=heard: _told(case)["gone"] > n, 5)
            heard = _told(case)["gone"]
            fleet.kill(worker)
            fleet.wait(worker)
            gone += [*held, *parents]
            injected += len(held) + len(parents) + len(young)
            case.expect(not raw_keys.there(client, [*_keys(gone), *young]), "nothing of what is gone is written again")
        fleet.spawn()
        case.expect(case.wait_until(lambda: not raw_keys.standing(client)), "no id is left anywhere")
        beside = [key for key in client.scan_iter("*", count=1000) if any(job_id in key for job_id in gone)]
        case.expect(not beside, f"nothing stays of them, and nothing beside them: {beside[:3]}")
    told = _told(case)
    case.expect(told["job.lost"] and told["refused"], f"workers hear it when they renew, and when they report: {told}")
    case.allow(lost=len(gone))
    case.figures.update(injected=injected, gone_heard=told["gone"])


def _begin(case: Case, gate: str) -> list[list[str]]:
    """Create ten jobs of each kind, and return them when all run, are delayed, or wait for children that run."""
    waits = f"gate:{gate}"
    family = f"children:2;label={waits};box={waits};box=raise"
    kinds = (waits, waits, "gate:never", "retry:1.2@1", family, family)
    before = len(case.starts())
    ids = case.create(60, lambda number: kinds[number % 6])
    some = [ids[at::6] for at in range(6)]
    states = ["processing"] * 3 + ["delayed"] + ["children"] * 2
    for kind, state in zip(some, states, strict=True):
        begun = case.wait_until(lambda kind=kind, state=state: case.count(kind) == {state: len(kind)})
        case.expect(begun, f"the jobs are {state}: {case.count(kind)}")
    case.wait_starts(before + 100)
    return some


def _told(case: Case) -> Counter[str]:
    """Count how workers heard that a job is gone: `refused` when they reported, `job.lost` when they renewed."""
    heard = [entry for entry in case.entries("REFUSED", "NOTE") if entry.fields.get("word") == "gone"]
    kinds = Counter(str(entry.fields.get("what", "refused")) for entry in heard)
    return kinds + Counter(gone=len({entry.job_id for entry in heard}))


@row("E3", "id twice in a queue, or in two places")
def e3(case: Case) -> None:
    """An id that stands where its job is not is dropped; the job runs once all the same."""
    case.lease = 3.0  # on a busy machine too, nothing is rescued: each job runs once
    chance, fleet = case.random, case.fleet(concurrency=128)
    once = case.create(240)
    with case.server.client() as client:
        raw_keys.rest_reconciler(client)
        twice = _twice(client, chance, once)
        kinds = ("gate:go", "retry:1@1", "children:2;label=gate:go;box=gate:go")
        again = case.create(60, lambda number: kinds[number % 3])
        some = [again[at::3] for at in range(3)]
        fleet.spawn(2)
        for kind, state in zip(some, ("processing", "delayed", "children"), strict=True):
            begun = case.wait_until(lambda kind=kind, state=state: case.count(kind) == {state: len(kind)})
            case.expect(begun, f"the jobs are {state}: {case.count(kind)}")
        case.expect(not case.wait_done(once, 10), "what stood twice ends")
        twice += _misplaced(client, *some, once)
        case.expect(
            case.wait_until(lambda: not raw_keys.standing(client, places=("waiting",))),
            "all that stood twice is dropped",
        )
        case.open_gate("go")
        case.expect(not case.wait_done(again, 10), "what stood in two places ends")
        found = raw_keys.dropped(client, "misplaced")
        case.expect(found == twice, f"each of {twice} misplaced ids is dropped and counted, not {found}")
    runs = Counter(entry.key for entry in case.starts())
    late = {f"{job_id}:0:pick" for job_id in some[1]}
    often = {key: count for key, count in runs.items() if count != 1 + (key in late)}
    case.expect(not often, f"nothing runs more often than was scripted: {often}")
    states = case.count([*once, *again])
    case.expect(states == {"done": len(once) + len(again)}, f"all are done: {states}")
    case.figures.update(injected=twice, dropped=found)


def _twice(client: redis.Redis, chance: random.Random, ids: list[str]) -> int:
    """Put ids that wait into their list once more, or into other places of their queue; return how many into lists."""
    listed = 0
    for job_id in ids:
        match chance.randrange(6):
            case 0:
                client.zadd("queue:pick:delayed", {job_id: 1})
            case 1:
                client.zadd("queue:pick:processing", {job_id: 1})
            case 2 | 3:
                for _ in range(chance.randint(1, 3)):
                    chance.choice((client.lpush, client.rpush))("queue:pick:waiting", job_id)
                    listed += 1
    return listed


def _misplaced(client: redis.Redis, running: list[str], delayed: list[str], parents: list[str], over: list[str]) -> int:
    """Let ids wait whose jobs do not, in their own queue or in another one; return how many."""
    pushed = [("pick", running), ("pick", delayed), ("pack", parents), ("pick", parents), ("ship", over)]
    pushed.append(("ship", running))
    for queue, ids in pushed:
        client.rpush(f"queue:{queue}:waiting", *ids)
        client.zadd(f"queue:{queue}:delayed", dict.fromkeys(ids[:5], 1) if ids is not delayed else {over[0]: 1})
        client.zadd(f"flows:wake:{queue}", {"w": 0})
    return sum(len(ids) for _queue, ids in pushed)

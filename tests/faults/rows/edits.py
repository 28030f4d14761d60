"""Row E4: jobs that stand nowhere, leases that never end, families that have forgotten one another."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import redis

from flows.model.ids import new_job_id
from tests.faults import raw_keys
from tests.faults.bulk_seed import now_ms
from tests.faults.case import Case, row

_HOUR_MS: Final = 3_600_000
_EACH: Final = 6
_FAMILY: Final = "children:2;label=gate:go;box=gate:go"
#: After a pass the reconciler rests for two leases. All has to be repaired within so many passes.
_PASSES: Final = 3

#: Damages one job, whose children have these keys.
Damage = Callable[[redis.Redis, str, list[str]], object]


def _unlist(client: redis.Redis, job_id: str, _children: list[str]) -> None:
    client.lrem("queue:pick:waiting", 0, job_id)


def _write(**fields: str) -> Damage:
    return lambda client, job_id, _children: client.hset(f"job:orders:{job_id}", mapping=fields)


def _take_out(place: str) -> Damage:
    return lambda client, job_id, _children: client.zrem(place, job_id)


def _lease(place: str) -> Damage:
    """A lease that ends in an hour."""
    return lambda client, job_id, _children: client.zadd(place, {job_id: now_ms(client) + _HOUR_MS})


def _forget_pending(client: redis.Redis, job_id: str, _children: list[str]) -> None:
    client.delete(f"flows:pending:orders:{job_id}")


def _forget_parent(client: redis.Redis, _job_id: str, children: list[str]) -> None:
    client.hdel(children[0], "_parent")


def _lose_child(client: redis.Redis, _job_id: str, children: list[str]) -> None:
    flow, _, child_id = children[0].removeprefix("job:").rpartition(":")
    client.delete(children[0])
    client.hdel(f"flows:parents:{flow}", child_id)


#: What is done to jobs in a state, and the word of the repair; None where another part of ours copes with it.
_DAMAGES: Final[dict[str, tuple[tuple[Damage, str | None], ...]]] = {
    "waiting": (
        (_unlist, "placed_waiting"),
        (_write(_status="processing", _queue="pick"), "placed_processing"),
        (_write(_status="delayed", _queue="pick"), "placed_delayed"),
        (_write(_queue="nowhere"), "malformed"),
        (_lease("queue:pick:processing"), None),
        (_lease("queue:pick:delayed"), None),
    ),
    "dead": ((_take_out("queue:pick:processing"), "placed_processing"), (_lease("queue:pick:processing"), "lease")),
    "running": ((_take_out("queue:pick:processing"), None),),
    "delayed": ((_take_out("queue:pick:delayed"), "placed_delayed"),),
    "parents": (
        (_take_out("queue:pack:children"), None),
        (_forget_pending, "pending"),
        (_forget_parent, "settled"),
        (_lose_child, "settled"),
    ),
}


@row("E4", "jobs that stand nowhere, leases that never end, families torn", long=True, limit=120)
def e4(case: Case) -> None:
    """The reconciler repairs each within a few passes, and every job ends."""
    case.recovers_at = "none"  # what was damaged is first to be repaired
    fleet, injected = case.fleet(concurrency=64), Counter[str]()
    with case.server.client() as client:
        dead = _begin(case, "dead", "gate:never@1", "processing", fleet.spawn(queues=["pick"]))
        fleet.kill(*fleet.alive)
        fleet.wait(*fleet.processes)
        injected += _damage(client, "dead", dead)
        workers = fleet.spawn(2)
        some = {
            "running": _begin(case, "running", "gate:go", "processing", workers),
            "delayed": _begin(case, "delayed", "retry:60@1", "delayed", workers),
            "parents": _begin(case, "parents", _FAMILY, "children", workers),
        }
        case.wait_until(
            lambda: raw_keys.standing(client, "pack:label", "pack:box", places=("processing",)) == 8 * _EACH
        )
        fleet.stop(*workers)
        some["waiting"] = case.create(len(_DAMAGES["waiting"]) * _EACH)
        for state, ids in some.items():
            injected += _damage(client, state, ids)
        ghosts = {new_job_id(): now_ms(client) + _HOUR_MS for _ in range(_EACH)}
        client.zadd("queue:ship:processing", ghosts)
        client.zadd("queue:pick:delayed", ghosts)
        injected["gone"] += 2 * _EACH
        began = time.monotonic()
        fleet.cont(*workers)
        case.open_gate("go")
        ids = [*dead, *(job_id for of in some.values() for job_id in of)]
        limit = _PASSES * 2.5 * case.lease + 2 * case.t_rec
        left = case.wait_done(ids, limit)
        case.expect(not left, f"all jobs end within {limit:.1f} s, and not all but {len(left)}")
        case.expect(case.wait_until(lambda: not raw_keys.standing(client), limit), "no id is left anywhere")
        case.figures["repaired_s"] = round(time.monotonic() - began, 1)
        found: Any = client.hgetall("flows:reconcile:orders")
    repairs = {name.partition(":")[2]: int(count) for name, count in found.items() if name.startswith("repaired:")}
    missed = {word: (count, repairs.get(word, 0)) for word, count in injected.items() if repairs.get(word, 0) < count}
    case.expect(not missed, f"each is repaired; of these it is (injected, repaired): {missed}")
    states = case.count(ids)
    case.expect(states == {"done": len(ids) - _EACH, "failed": _EACH}, f"only what is nowhere fails: {states}")
    case.figures.update(injected=sum(injected.values()), **{f"repaired_{word}": n for word, n in repairs.items()})


def _begin(case: Case, name: str, kind: str, state: str, _workers: object) -> list[str]:
    """Create jobs that are to be damaged, and return them when they are in their state."""
    ids = case.create(len(_DAMAGES[name]) * _EACH, kind)
    case.expect(case.wait_until(lambda: case.count(ids) == {state: len(ids)}), f"all are {state}: {case.count(ids)}")
    return ids


def _damage(client: redis.Redis, name: str, ids: list[str]) -> Counter[str]:
    """Damage jobs, and return which repairs that calls for."""
    injected: Counter[str] = Counter()
    family = raw_keys.children(client)
    for number, job_id in enumerate(ids):
        damage, word = _DAMAGES[name][number % len(_DAMAGES[name])]
        damage(client, job_id, family[job_id])
        if word is not None:
            injected[word] += 1
    return injected

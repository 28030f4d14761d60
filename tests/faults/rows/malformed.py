"""Row E5: hashes that were edited into nonsense, wherever their jobs wait."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import redis

from flows import FlowsError, JobNotDone, JobRecord, MalformedJob
from tests.faults import malformed_values, raw_keys
from tests.faults.case import Case, row
from tests.faults.flow_under_test import Label, Packed, Pick, Picked, Ship

#: So many root jobs are there; three cases edit over 10,000 hashes.
_JOBS: Final = 3000
#: Which queues are edited when those before them are worked off, and how many of the jobs that wait there.
_PLACES: Final = (
    (("pick",), 0.3),
    (("pack",), 0.35),
    (("pack:label", "pack:box"), 0.5),
    (("ship",), 0.6),
)
#: Parents stand in `children` until those have ended.
_OPEN: Final = ("waiting", "processing", "delayed")
_VIEWS: Final = (Pick, Picked, Ship, Label, Packed)


@row("E5", "malformed hashes, wherever their jobs wait", limit=120)
def e5(case: Case) -> None:
    """Each ends as failed, with a reason, or is done; no worker dies of it, and no fetch raises anything else."""
    ids = case.create(_JOBS, lambda number: "plain" if number % 3 else "children:2")
    fleet, edited, found = case.fleet(concurrency=32), 0, Counter[str]()
    with case.server.client() as client:
        raw_keys.rest_reconciler(client)
        client.rpush("job:orders:customer:9", b"\xff", b"", b"\x00", "x" * 70_000)
        for queues, part in _PLACES:
            for queue in queues:
                edited += _edit(case, client, queue, part)
            found += asyncio.run(_fetch(case, case.random.sample(ids, 300)))
            fleet.spawn(queues=queues)
            idle = case.wait_until(lambda names=queues: not raw_keys.standing(client, *names, places=_OPEN), 30)
            case.expect(idle, f"what waits in {' and '.join(queues)} is worked off, edited or not")
        case.expect(not case.wait_done(ids, 20), "all jobs end")
        _judge(case, client, ids)
    fleet.reap()
    case.expect(len(fleet.alive) == len(fleet.processes), "all workers survive")
    case.figures.update(edited=edited, worker_survivals_pct=round(100 * len(fleet.alive) / len(fleet.processes)))
    found += asyncio.run(_fetch(case, ids))
    case.figures.update(fetches=found["fetches"], malformed_raised=found["malformed"])
    asyncio.run(_delete(case, ids))
    # Whoever edits the attempts has them counted from there.
    case.allow(attempts=range(_JOBS * 3))


def _edit(case: Case, client: redis.Redis, queue: str, part: float) -> int:
    flow = queue if ":" in queue else "orders"
    waiting: Any = client.lrange(f"queue:{queue}:waiting", 0, -1)
    keys = [f"job:{flow}:{job_id}" for job_id in case.random.sample(waiting, int(part * len(waiting)))]
    for start in range(0, len(keys), 200):
        with client.pipeline(transaction=False) as pipeline:
            malformed_values.edit(pipeline, case.random, queue, keys[start : start + 200])
            pipeline.execute()
    return len(keys)


def _judge(case: Case, client: redis.Redis, ids: Sequence[str]) -> None:
    """Look how the jobs and their children have ended."""
    keys = [f"job:orders:{job_id}" for job_id in ids]
    keys += [key for of in raw_keys.children(client).values() for key in of]
    states: Counter[str] = Counter()
    for key, fields in zip(keys, raw_keys.read(client, keys), strict=True):
        state = fields.get("_status", "waiting")
        states[state] += 1
        case.expect(state in {"done", "failed"}, f"{key} ends as done or failed, not as {state}")
        if state == "failed":
            why = fields.get("_error", "")
            case.expect(_reason(why), f"{key} says why it failed, not {why!r:.100}")
        case.expect(int(client.pttl(key)) > 0, f"{key} has a time to live")  # type: ignore[arg-type]
    case.figures.update({f"ended_{state}": count for state, count in states.items()})
    case.expect(not raw_keys.standing(client), "no id is left in a queue")


def _reason(text: str) -> bool:
    try:
        error = json.loads(text)
    except ValueError:
        return False
    return bool(error["type"] and error["message"])


async def _fetch(case: Case, ids: Sequence[str]) -> Counter[str]:
    """Fetch jobs in every way, and look at all that a record shows."""
    flow, found = case.flow(), Counter[str]()
    try:
        for start in range(0, len(ids), 300):
            some = ids[start : start + 300]
            records = await _try(case, found, flow.get_jobs(some, resolve_children=True)) or []
            case.expect(len(records) == len(some), "a fetch of many answers for each")
            for record in records:
                _look(case, found, record)
            await _try(case, found, flow.get_jobs(some, keys_to_get=["number", "zzz", "_history"]))
        for customer in range(10):
            await _try(case, found, flow.get_jobs_by_key("customer", customer, resolve_children=True))
        for job_id in ids[:100]:
            await _try(case, found, flow.get_log(job_id))
    finally:
        await flow.stop_all()
    return found


async def _try(case: Case, found: Counter[str], call: Any) -> Any:
    found["fetches"] += 1
    try:
        return await call
    except Exception as error:  # noqa: BLE001 - that is what is looked for
        case.failures.append(f"a fetch raised {error!r:.300}")
        return None


def _look(case: Case, found: Counter[str], record: JobRecord[Any] | None) -> None:
    if record is None:
        case.failures.append("a job that is there is found")
        return
    for look in (lambda: record.params, *(lambda view=view: record.view(view) for view in _VIEWS)):
        found["fetches"] += 1
        try:
            look()
        except (MalformedJob, JobNotDone):
            found["malformed"] += 1
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            case.failures.append(f"{record!r} raised {error!r:.300}")
    assert repr((record, record.error, record.progress, record.history, record.created_at, record.attempts))
    for child in record.child_jobs:
        _look(case, found, child)


async def _delete(case: Case, ids: Sequence[str]) -> None:
    """Try what else can be done with them, and delete them: the auditor is to find nothing."""
    flow = case.flow()
    try:
        words = Counter([await flow.cancel_job(job_id) for job_id in ids[:200]])
        case.expect(words == {"too late": 200}, f"what has ended cannot be cancelled: {words}")
        for start in range(0, len(ids), 200):
            some = ids[start : start + 200]
            answers = await asyncio.gather(*map(flow.delete_job, some), return_exceptions=True)
            wrong = [repr(answer) for answer in answers if answer is not True]
            case.expect(not wrong, f"all are deleted: {wrong[:3]}")
            case.ledger.write_many("DELETED", some)
        gone = await flow.get_jobs(ids)
        case.expect(not any(gone), "what was deleted is gone")
    except FlowsError as error:
        case.failures.append(f"jobs cannot be cancelled and deleted: {error!r}")
    finally:
        await flow.stop_all()

"""Rows H4 to H7: each ending of a job is logged once and told once, whatever dies or is cut while it is written."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from typing import Any, Final

from flows import FlowsError
from tests.faults.case import Case, row
from tests.faults.flow_under_test import REPORTS
from tests.faults.producer import Producer
from tests.faults.proxy import Proxy
from tests.faults.rows.acting import Cutting

#: Jobs that are done, that fail, that are tried again and fail, that are cancelled by their function, with children.
_KINDS: Final = ("slow:0.01", "raise", "slow:0.02;ship=fail", "cancel", "children:2;slow:0.01", "children:1;box=raise")
_OUTCOMES: Final = ("done", "failed", "cancelled")


def _kind(number: int) -> str:
    return _KINDS[number % len(_KINDS)]


@row("H4", "workers killed again and again while each ending is logged and told")
def h4(case: Case) -> None:
    """Each ending has one entry in the log and one report, and each report is made."""
    case.options = {"reports": True}
    case.recovers_at = "none"  # whoever gets a job next may be killed too
    ids = case.create(300, _kind)
    fleet = case.fleet(concurrency=8)
    fleet.fill(4)

    def kill() -> None:
        fleet.fill(4)
        old = [process for process in fleet.alive if time.monotonic() - process.started > 0.5]
        if old and case.random.random() < 0.3:
            fleet.kill(case.random.choice(old))

    end = time.monotonic() + 6
    case.wait_until(lambda: kill() or time.monotonic() > end, 20, 0.05)
    fleet.fill(4)
    case.wait_done(ids, 30)
    _told_once(case, ids)


@row("H5", "connections cut while each ending is logged and told, and jobs are cancelled and retried")
def h5(case: Case) -> None:
    """A turn, a cancellation and a retry that are sent twice tell once; a job that ends again is told again."""
    case.options = {"reports": True}
    case.recovers_at = "none"  # nobody dies
    with Proxy(case.server.port) as proxy:
        case.fleet(proxy.url, concurrency=8).spawn(2)
        with Cutting(case, proxy):
            ids = case.create(200, _kind, url=proxy.url)
            asyncio.run(_act(case, ids, proxy.url))
        case.wait_done(ids, 30)
        _told_once(case, ids)


async def _act(case: Case, ids: list[str], url: str) -> None:
    """Cancel and retry jobs, whatever they are doing."""
    flow = case.flow(url)
    try:
        for _ in range(300):
            job_id = case.random.choice(ids)
            try:
                if case.random.random() < 0.5:
                    if await flow.cancel_job(job_id, "unwanted") == "cancelled":
                        case.ledger.write("CANCELLED", job_id)
                else:
                    await flow.retry_job(job_id)
                    case.ledger.write("RETRIED", job_id)
            except FlowsError:
                pass  # it has ended, or has not
            await asyncio.sleep(0.01)
    finally:
        await flow.stop_all()


@row("H6", "the server killed again and again while each ending is logged and told, AOF always", profile="always")
def h6(case: Case) -> None:
    """A script is in the file as a whole, or not at all."""
    case.options = {"reports": True}
    case.fleet(concurrency=8).spawn(2)
    with Producer(case, kind="slow:0.01", pause=0.005) as producer:
        for _ in range(4):
            time.sleep(case.random.uniform(0.4, 1.0))
            case.server.kill()
            case.server.restart()
    case.wait_done(producer.ids, 30)
    _told_once(case, producer.ids)


@row("H7", "workers killed at each point around a turn")
def h7(case: Case) -> None:
    """Before a turn there is no ending yet; after it, its report is there though nobody has read the answer."""
    case.options = {"reports": True}
    fleet, ids = case.fleet(), list[str]()
    for point in ("after-user-code", "before-turn-send", "after-claim-reply"):
        ids += case.create(20, lambda number: ("slow:0.01", "raise")[number % 2])
        [victim] = fleet.spawn(failpoints=f"{point}=kill@{case.random.randint(2, 6)}")
        case.expect(fleet.wait(victim), f"{point} kills the worker")
    fleet.spawn(2)
    case.wait_done(ids, 20)
    _told_once(case, ids)


def _told_once(case: Case, ids: list[str]) -> None:
    """Hold what is logged and told against what has ended, when all reports are made."""
    case.expect(case.wait_until(lambda: _made(case) >= _ended(case), 30, 0.05), "each report is made")
    with case.server.client() as client:
        logged: Counter[tuple[str, str]] = Counter()
        for word in _OUTCOMES:
            entries: Any = client.xrange(f"flows:endings:orders:{word}")
            logged.update((fields["id"], word) for _entry, fields in entries)
        keys = list(client.scan_iter(f"job:{REPORTS}:*", count=1000, _type="hash"))
        hashes: list[Any] = [client.hgetall(key) for key in keys]
    told = Counter((ending["job"], ending["outcome"]) for ending in (json.loads(one["ending"]) for one in hashes))
    again = Counter(entry.job_id for entry in case.entries("RETRIED"))
    states = case.statuses(ids)
    case.figures.update(endings=logged.total(), reports=told.total(), retried=again.total())
    case.expect(logged == told, f"what is logged is told: {_some(logged - told)}, and no more: {_some(told - logged)}")
    endings = Counter(job_id for job_id, _word in logged.elements())
    wrong = {one: endings[one] for one in ids if endings[one] != 1 + again[one]}
    case.expect(not wrong, f"each ending is logged once: {_some(wrong)}")
    lost = [one for one in ids if not logged[one, states[one]]]
    case.expect(not lost, f"as it was: {lost[:3]}")
    unmade = [state for one in hashes if (state := one.get("_status", "waiting")) != "done"]
    case.expect(not unmade, f"each report is done: {Counter(unmade)}")


def _ended(case: Case) -> int:
    with case.server.client() as client:
        return sum(int(client.xlen(f"flows:endings:orders:{word}")) for word in _OUTCOMES)


def _made(case: Case) -> int:
    with case.server.client() as client:
        return int(client.hget(f"queue:{REPORTS}:meta", "done") or 0)


def _some(found: Counter[Any] | dict[Any, int]) -> list[Any]:
    return list(found.items())[:3]

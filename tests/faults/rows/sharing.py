"""Rows M: a queue of two flows, while the workers of one die, connections are cut and what a flow says is lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, Final

from tests.faults.case import Case, row
from tests.faults.flow_under_test import Order
from tests.faults.opening import opened
from tests.faults.proxy import Proxy
from tests.faults.rows.acting import Cutting
from tests.faults.rows.limits import held_in_pick
from tests.faults.rules.exact import most_held
from tests.faults.sharing import Returns, make_returns

_SLOTS: Final = 4
#: Groups by the customer, of whom there are ten.
_RULES: Final[dict[str, Any]] = {"shared": True, "priorities": 2, "group_by": "customer", "max_concurrency": _SLOTS}


@row("M1", "processes of one flow killed that hold jobs of two, the other flow has none")
def m1(case: Case) -> None:
    """The jobs of both run again; each goes where its own flow says, and is done once."""
    case.options = {"rules": {"pick": {"shared": True}}}
    ids = asyncio.run(_create(case, 60, "slow:0.05"))
    orders = case.create(60, "slow:0.05")
    fleet = case.fleet(concurrency=16)
    for _ in range(4):
        before = len(case.starts(queue="pick"))
        [victim] = fleet.spawn(1)
        case.wait_starts(before + 8, queue="pick")
        fleet.kill(victim)
        fleet.wait(victim)
    fleet.spawn(2)
    case.expect(not case.wait_done(orders, 30), "all orders are done")
    case.expect(case.wait_until(lambda: _count(case, ids) == {"waiting in shelve": 60}, 30), "and all returns came on")
    _shelve(case, ids)


@row("M2", "connections cut while two flows share a queue with slots and groups")
def m2(case: Case) -> None:
    """Workers of both take the jobs of both, each job is done once, and never more run than there are slots."""
    case.options = {"rules": {"pick": _RULES}}
    case.recovers_at = "none"  # nobody dies
    with Proxy(case.server.port) as proxy:
        case.fleet(proxy.url, concurrency=8).spawn(1)
        case.fleet(proxy.url, concurrency=8, returns=True, queues=["pick", "shelve"]).spawn(1)
        with Cutting(case, proxy):
            ids = asyncio.run(_create(case, 100, "slow:0.01", proxy.url))
            orders = case.create(100, "slow:0.01", url=proxy.url)
            left = case.wait_done(orders, 30)
            done = case.wait_until(lambda: _count(case, ids) == {"done in shelve": 100}, 30)
    case.expect(not left, f"each order is done: {len(left)} are not")
    case.expect(done, f"so is each return: {_count(case, ids)}")
    both = [{*ids} & taken != set() and {*orders} & taken != set() for taken in _taken(case).values()]
    case.expect(any(both), "a process takes jobs of both flows")
    peak = most_held(held_in_pick(case))
    case.figures["peak"] = peak
    case.expect(peak <= _SLOTS, f"at most {_SLOTS} jobs run at a time, and {peak} did")
    with case.server.client() as client:
        case.expect(not client.exists("flows:slots:pick", "flows:load:pick"), "no slot is held in the end")


@row("M3", "what a flow says of a shared queue is lost while its jobs wait there")
def m3(case: Case) -> None:
    """They are done where they are, once, and later jobs go where the flow says again, since it connects anew."""
    case.options = {"rules": {"pick": _RULES}}
    ids = asyncio.run(_create(case, 50))
    with case.server.client() as client:
        case.expect(client.delete("flows:settings:returns") == 1, "it had said so")
    orders = case.create(50)
    case.fleet(concurrency=8).spawn(2)
    case.expect(not case.wait_done(orders, 20), "all orders are done")
    case.expect(case.wait_until(lambda: _count(case, ids) == {"done in pick": 50}, 20), "so are all returns, in pick")
    later = asyncio.run(_create(case, 50))
    case.expect(case.wait_until(lambda: _count(case, later) == {"waiting in shelve": 50}, 20), "later ones come on")
    _shelve(case, later)


async def _create(case: Case, count: int, kind: str = "plain", url: str | None = None) -> list[str]:
    flow: Returns = make_returns(url or case.server.url, lease=case.lease, rules=case.options["rules"])
    try:
        await opened(flow)
        return await flow.create_jobs([Order(number=n, kind=kind, customer=n % 10) for n in range(count)])
    finally:
        await flow.stop_all()


def _shelve(case: Case, ids: list[str]) -> None:
    """Let the flow have workers at last."""
    case.fleet(returns=True, queues=["shelve"]).spawn(1)
    done = case.wait_until(lambda: _count(case, ids) == {"done in shelve": len(ids)}, 20)
    case.expect(done, f"each return is done in its flow's last queue: {_count(case, ids)}")


def _count(case: Case, ids: list[str]) -> Counter[str]:
    """Count the returns by their states and queues."""
    with case.server.client() as client, client.pipeline(transaction=False) as pipeline:
        for job_id in ids:
            pipeline.hmget(f"job:returns:{job_id}", "_status", "_queue")
        found: list[Any] = pipeline.execute()
    return Counter(f"{status or 'waiting'} in {queue or 'pick'}" for status, queue in found)


def _taken(case: Case) -> dict[int, set[str]]:
    """Return which jobs each process has begun in the shared queue."""
    taken: dict[int, set[str]] = {}
    for entry in case.starts(queue="pick"):
        taken.setdefault(entry.pid, set()).add(entry.job_id)
    return taken

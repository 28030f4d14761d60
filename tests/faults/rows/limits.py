"""Rows L: queues with limits, groups and slots, while their workers are killed, answers are lost and rules change."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

from tests.faults.case import Case, row
from tests.faults.flow_under_test import Order, make_options
from tests.faults.keyspace import read
from tests.faults.opening import opened
from tests.faults.proxy import Proxy
from tests.faults.rows.acting import Cutting
from tests.faults.rows.server_faults import repairs
from tests.faults.rules.at_rest import rules_off
from tests.faults.rules.exact import most_held

_SLOTS: Final = 3
#: Groups by the customer, of whom there are ten.
_GROUPS: Final[dict[str, Any]] = {"priorities": 3, "group_by": "customer", "max_concurrency_per_group": 4}


@row("L1", "processes killed that hold all slots of a queue")
def l1(case: Case) -> None:
    """Their slots are free after their leases, not before, and never more are taken than there are."""
    case.options = {"rules": {"pick": {"max_concurrency": _SLOTS}}}
    ids = case.create(60, "slow:0.05")
    fleet = case.fleet(concurrency=8)
    for _ in range(3):
        before = len(case.starts(queue="pick"))
        [victim] = fleet.spawn(1, queues=["pick"])
        case.wait_starts(before + 1, queue="pick")
        fleet.kill(victim)
        fleet.wait(victim)
    fleet.spawn(2)
    left = case.wait_done(ids, 30)
    case.expect(not left, f"each job is done: {len(left)} are not")
    peak = most_held(held_in_pick(case))
    case.figures["peak"] = peak
    case.expect(peak <= _SLOTS, f"at most {_SLOTS} jobs run or are leased at a time, and {peak} were")


def held_in_pick(case: Case) -> list[tuple[int, int, int]]:
    """Return from when until when each attempt in `pick` held its slot, in milliseconds.

    That of a process that was killed ends when the job begins again: it is not known when it was taken back.
    """
    starts = case.starts(queue="pick")
    ends = {(entry.job_id, entry.fields["fence"]): entry.t for entry in case.entries("EFFECT")}
    spans: list[tuple[int, int, int]] = []
    for entry in starts:
        again = [other.t for other in starts if other.job_id == entry.job_id and other.t > entry.t]
        # A job that begins again was taken back by then, at the earliest when the lease was over.
        over = min(entry.t + case.lease / 2, *again) if again else entry.t
        end = ends.get((entry.job_id, entry.fields["fence"]), over)
        spans.append((int(entry.t * 1000), int(end * 1000), 1))
    return spans


@row("L2", "a limit as large as the jobs are many, and every answer cut again and again")
def l2(case: Case) -> None:
    """A lost answer takes no second token: else the last jobs would wait for an hour."""
    count = 120
    limit = {"reservoir": count, "interval": 3600.0, "group_key": None}
    case.options = {"rules": {"pick": {"limits": [limit]}}}
    case.recovers_at = "none"  # nobody dies
    with Proxy(case.server.port) as proxy:
        case.fleet(proxy.url, concurrency=4).spawn(2)
        with Cutting(case, proxy):
            ids = _create_slowly(case, count, seconds=4)
            left = case.wait_done(ids, 20)
    case.expect(not left, f"all {count} jobs have their tokens: {len(left)} wait")
    case.expect(asyncio.run(_waits(case)), "and no token is left for one more")


async def _waits(case: Case) -> bool:
    """Create one more job, and say whether it waits for a second; it is deleted then."""
    flow = case.flow()
    try:
        job_id = await flow.create_job(Order(kind="plain"))
        begun = await asyncio.to_thread(case.wait_until, lambda: case.starts_of(job_id, "pick"), 1.0)
        await flow.delete_job(job_id)
    finally:
        await flow.stop_all()
    return not begun


def _create_slowly(case: Case, count: int, seconds: float) -> list[str]:
    ids: list[str] = []
    for _ in range(count // 10):
        ids += case.create(10)
        time.sleep(seconds * 10 / count)
    return ids


@row("L3", "a deploy that gives rules to a queue of 1,500, and one that takes them away")
def l3(case: Case) -> None:
    """Workers of both releases run side by side, and each job begins once in the queue."""
    _deploy(case, 1_500)


@row("L6", "the same with 10,000 jobs that wait", long=True, limit=600)
def l6(case: Case) -> None:
    """What holds of some holds of many."""
    _deploy(case, 10_000)


def _deploy(case: Case, many: int) -> None:
    ids = case.create(many)
    old = case.fleet(concurrency=16)
    case.options = {"rules": {"pick": _GROUPS}}
    new = case.fleet(concurrency=16)
    old.spawn(1)
    _wait_advanced(case, many // 50)
    new.spawn(1)
    ids += case.create(many // 4)
    _wait_advanced(case, many // 2)
    old.finish()
    ids += case.create(many // 4)
    case.options = {}
    case.fleet(concurrency=16).spawn(1)
    ids += case.create(many // 4)
    _wait_advanced(case, many)
    new.finish()
    left = case.wait_done(ids, 30 + many / 20, pause=0.3)
    case.expect(not left, f"each job is done: {len(left)} are not")
    # Who knows the rules takes a job of who does not for one that has lost its slot; that is freed by the next pass.
    _agree(case, 20 + many / 100)
    begun = [entry.job_id for entry in case.starts(queue="pick")]
    case.expect(len(begun) == len(set(begun)), f"each begins once: {len(begun)} begin, {len(set(begun))} jobs")


def _agree(case: Case, seconds: float) -> None:
    """Wait until all that rules keep agrees: the last jobs may be done before the reconciler has come by again."""
    agrees = case.wait_until(lambda: not _off(case), seconds, 0.2)
    case.expect(agrees, f"all that rules keep agrees in the end: {_off(case)[:3]}")
    case.figures.update({f"repaired_{word}": count for word, count in repairs(case).items()})


def _off(case: Case) -> list[str]:
    options = make_options(case.server.url, lease=case.lease, **case.options)
    with case.server.client() as client:
        return list(rules_off(read(client, options)))


def _wait_advanced(case: Case, count: int) -> None:
    """Wait until so many jobs have left `pick`."""

    def advanced() -> bool:
        with case.server.client() as client:
            return int(client.hget("queue:pick:meta", "advance") or 0) >= count

    case.expect(case.wait_until(advanced, 30 + count / 50, pause=0.05), f"{count} jobs leave pick in time")


@row("L4", "counters of rules edited by hand while their workers work")
def l4(case: Case) -> None:
    """The reconciler puts them right: all jobs are done, and nothing is left that does not agree."""
    case.options = {"rules": {"pick": {**_GROUPS, "max_concurrency": 20}}}
    case.allow(repaired=range(1, 1_000))
    ids = case.create(800, "slow:0.01")
    case.fleet(concurrency=8).spawn(2)
    for edit in (_lose_group, _load_too_much, _count_wrong, _park_for_ever, _slot_of_nobody):
        case.wait_starts(len(case.starts(queue="pick")) + 20, queue="pick")
        edit(case)
    left = case.wait_done(ids, 40)
    case.expect(not left, f"each job is done: {len(left)} are not")
    _agree(case, 20)


def _edit(case: Case, edit: Callable[[Any], object]) -> None:
    with case.server.client() as client:
        edit(client)


def _lose_group(case: Case) -> None:
    """Take a group with jobs out of the ring: its turn never comes."""
    _edit(case, lambda client: client.zpopmin("flows:ring:pick/1"))


def _load_too_much(case: Case) -> None:
    """Let groups seem to hold slots that nobody holds."""
    _edit(case, lambda client: client.hset("flows:load:pick", mapping={str(group): 4 for group in range(10)}))


def _count_wrong(case: Case) -> None:
    _edit(case, lambda client: client.hincrby("flows:fair:pick", "n1", -50))


def _park_for_ever(case: Case) -> None:
    """Park a group for a slot that nobody frees."""

    def edit(client: Any) -> None:
        for group, _ in client.zpopmin("flows:ring:pick/1"):
            client.zadd("flows:parked:pick", {f"1/{group}": "inf"})

    _edit(case, edit)


def _slot_of_nobody(case: Case) -> None:
    _edit(case, lambda client: client.hset("flows:slots:pick", "nobody", "3 5"))


@row("L5", "connections cut while limits, slots, shares and priorities are set")
def l5(case: Case) -> None:
    """Each job is done once, whatever is set how often."""
    limit = {"reservoir": 40, "interval": 0.2, "group_key": "customer"}
    case.options = {"rules": {"pick": {**_GROUPS, "limits": [limit]}}}
    case.recovers_at = "none"
    ids = case.create(600)
    with Proxy(case.server.port) as proxy:
        case.fleet(proxy.url, concurrency=4).spawn(2)
        asyncio.run(_set_all(case, proxy))
        left = case.wait_done(ids, 30)
    case.expect(not left, f"each job is done: {len(left)} are not")


async def _set_all(case: Case, proxy: Proxy) -> None:
    flow = case.flow(proxy.url)
    queue: Any = flow.queue("pick")
    try:
        await opened(flow)
        end = time.monotonic() + 3
        with Cutting(case, proxy):
            await _set_until(case, queue, end)
    finally:
        await flow.stop_all()


async def _set_until(case: Case, queue: Any, end: float) -> None:
    while time.monotonic() < end:
        group = case.random.randrange(10)
        await queue.set_limit("pick:1", case.random.randint(1, 80), case.random.uniform(0.05, 0.4))
        await queue.set_limit("pick:1", None)
        await queue.set_concurrency(case.random.randint(1, 9), group=group)
        await queue.set_share(group, case.random.choice((0.1, 1, 5)))
        await queue.hold(0.05, group=group)
        case.figures["changes"] = case.figures.get("changes", 0) + 5

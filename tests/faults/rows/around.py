"""Rows I: what stands around jobs: batches whose worker is killed, and middleware that raises."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Final

from tests.faults.case import Case, row
from tests.faults.flow_under_test import Order
from tests.faults.grumbler import CARRIED, EACH, ORPHAN, UNBORN, Grumble, Grumbler

_KILLS: Final = 3
_BATCH: Final = 10
_RETRIES: Final = {"max_attempts": 5, "backoff": 0.05}


@row("I1", "killed while batches run, in which some jobs raise")
def i1(case: Case) -> None:
    """All jobs of a batch that its worker had run again, and each job of a batch ends on its own."""
    case.options["retries"] = _RETRIES
    kinds = ("slow:0.05", "slow:0.03;raise@1", "retry:0.05@1;slow:0.02", "children:2;ship=raise@1")
    ids = case.create(200, lambda number: kinds[number % len(kinds)])
    fleet = case.fleet(batch=_BATCH, concurrency=2)
    held: Counter[str] = Counter()
    for kill in range(_KILLS):
        [victim] = fleet.spawn()
        case.wait_starts(_BATCH * (1 + kill), pid=victim.pid, queue="pick")
        time.sleep(case.random.uniform(0, 0.03))
        fleet.stop(victim)
        case.wait_until(lambda victim=victim: fleet.is_stopped(victim))
        of_it = [job_id for queue in ("pick", "ship") for job_id in case.processing(queue)]
        fleet.kill(victim)
        fleet.wait(victim)
        held.update(of_it)
        begun = {entry.job_id for entry in case.starts(pid=victim.pid)}
        case.figures["in_batches"] = case.figures.get("in_batches", 0) + len(begun.intersection(of_it))
    case.recovers_at = "none"  # nobody is there to take them back while victims die
    fleet.spawn(2)
    left = case.wait_done(ids, 30)
    case.expect(case.count(ids) == {"done": len(ids)}, f"all jobs are done: {len(left)} are not")
    case.expect(case.figures["in_batches"] > 0, "some jobs were in batches that ran when their worker died")
    for number, job_id in enumerate(ids):
        if job_id in held:
            continue
        begun_twice = len(case.starts_of(job_id, "pick")) - 1
        case.expect(begun_twice == (number % 4 in {1, 2}), f"job {number} of a batch ends alone: {begun_twice}")
    case.figures["kills"] = _KILLS


@row("I2", "middleware that raises around creations and attempts")
def i2(case: Case) -> None:
    """What was refused is not there, what was created runs, and an attempt that it stops is tried again."""
    case.options["retries"] = _RETRIES
    fleet = case.fleet(grumbles=True)
    fleet.spawn(2)
    ids, refused, orphans = asyncio.run(_create_grumbling(case))
    case.figures.update(refused=refused, created_all_the_same=len(orphans))
    left = case.wait_done([*ids, *orphans], 30)
    case.expect(case.count([*ids, *orphans]) == {"done": len(ids) + len(orphans)}, f"all are done: {len(left)} are not")
    with case.server.client() as client:
        there = sum(1 for _key in client.scan_iter("job:orders:*", count=1000, _type="hash"))
    case.expect(there == len(ids) + len(orphans), f"what was refused is not there: {there} jobs are")
    lacking = [entry for entry in case.entries("NOTE") if entry.fields["what"] == "uncarried"]
    case.expect(not lacking, f"each attempt carries {CARRIED}, those of children too: {len(lacking)} do not")
    keys = Counter(entry.key for entry in case.entries("EFFECT") if entry.fields["queue"] in {"pick", "ship"})
    twice = sum(1 for times in keys.values() if times == 2)
    stopped = sum(1 for number in range(len(ids)) if number % EACH == 1)
    case.expect(set(keys.values()) <= {1, 2} and twice == 2 * stopped, f"only what was stopped is repeated: {twice}")


async def _create_grumbling(case: Case) -> tuple[list[str], int, list[str]]:
    """Create jobs by a flow with the middleware; return their ids, how many were refused, and who is there besides."""
    grumbler = Grumbler(case.ledger)
    flow = case.flow(middleware=[grumbler])
    ids: list[str] = []
    refused = 0
    try:
        for number in range(120):
            ids.append(await flow.create_job(Order(number=number, kind="children:2" if number % 3 else "plain")))
            for kind in (UNBORN, ORPHAN):
                try:
                    await flow.create_job(Order(number=2, kind=kind))
                except Grumble:
                    refused += kind == UNBORN
    finally:
        await flow.stop_all()
    case.acknowledged([*ids, *grumbler.orphans])
    return ids, refused, grumbler.orphans

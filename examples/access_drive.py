"""Brings a run through the flow: creates the jobs that are missing, and waits until all wallets are through."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from itertools import islice

from access_jobs import AccessFlow, Wallet
from access_report import Report
from access_run import Run
from flows import JobRecord, JobState

#: So many jobs are created, and kept in the ledger, at a time.
BATCH = 500
#: Seconds without news after which the jobs that are still open are looked at: they may have failed.
QUIET = 1.0


async def carry_out(flow: AccessFlow, run: Run, tell: Callable[[int], None]) -> Report:
    """Work on a run until all of its wallets are through or have failed; `tell` hears how many are through."""
    began, (wallets_before, children_before) = time.monotonic(), run.ledger.settled()
    async with flow:
        await take_up(flow, run)
        await create(flow, run, tell)
        failed = await wait(flow, run, tell)
    seconds, (wallets, children) = time.monotonic() - began, run.ledger.settled()
    return Report(
        wallets=len(run.wallets),
        roles=dict.fromkeys(run.terms.roles, 0) | run.ledger.members(),
        jobs=len(run.ledger.addresses()),
        children=children,
        seconds=seconds,
        failed=failed,
        rates=((wallets - wallets_before) / seconds, (children - children_before) / seconds),
    )


async def take_up(flow: AccessFlow, run: Run) -> None:
    """Find out where an earlier process left the run, if there was one."""
    # It may have died between creating its last batch and keeping that; the lookup knows those jobs.
    newest = await flow.get_jobs_by_key("run", run.id, newest_first=True, limit=BATCH)
    run.ledger.created((job.params.address, job.id) for job in newest)
    found = await open_jobs(flow, run)
    run.ledger.forget(address for address, job in found.items() if job is None)
    for job in found.values():
        if job is not None and job.status in {JobState.FAILED, JobState.CANCELLED}:
            await flow.retry_job(job.id)


async def create(flow: AccessFlow, run: Run, tell: Callable[[int], None]) -> None:
    """Create a job for each wallet that has none."""
    have = run.ledger.addresses()
    missing = (address for address in run.wallets if address not in have)
    while batch := list(islice(missing, BATCH)):
        ids = await flow.create_jobs(Wallet(run=run.id, address=address) for address in batch)
        run.ledger.created(zip(batch, ids, strict=True))
        tell(run.ledger.settled()[0])


async def wait(flow: AccessFlow, run: Run, tell: Callable[[int], None]) -> int:
    """Wait until all wallets are through or have failed, and return how many have failed."""
    before, news = -1, time.monotonic()
    while (through := run.ledger.settled()[0]) < len(run.wallets):
        tell(through)
        if through > before:
            before, news = through, time.monotonic()
        elif time.monotonic() - news > QUIET:
            ended = {None, JobState.FAILED, JobState.CANCELLED}
            failed = [job for job in (await open_jobs(flow, run)).values() if (job and job.status) in ended]
            if through + len(failed) == len(run.wallets):
                return len(failed)
            news = time.monotonic()
        await asyncio.sleep(0.05)
    tell(through)
    return 0


async def open_jobs(flow: AccessFlow, run: Run) -> dict[str, JobRecord[Wallet] | None]:
    """Fetch the jobs of the wallets that are not through; None where the server has one no more."""
    jobs = run.ledger.open_jobs()
    return dict(zip(jobs, await flow.get_jobs([*jobs.values()], keys_to_get=["address"]), strict=True))

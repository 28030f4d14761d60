"""Rows A12 to A14: workers that are told to end, by signals and by cancellation, with work in flight."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Sequence

from tests.faults.case import Case, row
from tests.faults.fleet import Fleet, Process
from tests.faults.flow_under_test import add_workers
from tests.faults.proxy import Proxy

#: What a process may take to end beside the time that its jobs have, in seconds.
_END = 1.0


def _end(case: Case, fleet: Fleet, process: Process, seconds: float, *numbers: signal.Signals) -> float:
    """Send signals, wait for the end, and check that nothing is left in flight; return how long it took."""
    began = time.monotonic()
    for number in numbers:
        fleet.send(process, number)
        time.sleep(0.15)
    names = " and ".join(number.name for number in numbers or [signal.SIGTERM])
    case.expect(fleet.wait(process, timeout=seconds + 10), f"the process ends on {names}")
    took = time.monotonic() - began
    case.expect(took < seconds + _END, f"it ends on {names} within {seconds + _END:.1f} s, not {took:.2f} s")
    case.expect(process.status == 0, f"its status is 0, not {process.status}: {process.says()[-300:]}")
    held = case.processing()
    case.expect(not held, f"after {names} nothing is in flight, and not {len(held)} jobs")
    late = [entry for entry in case.starts(pid=process.pid) if entry.t > began + 0.1]
    case.expect(not late, f"nothing begins after {names}: {len(late)} jobs did")
    case.figures["claims_after_signal"] = case.figures.get("claims_after_signal", 0) + len(late)
    case.figures["orphans"] = case.figures.get("orphans", 0) + len(held)
    return took


def _again(case: Case, fleet: Fleet, ids: Sequence[str]) -> None:
    """Let others end the jobs that were handed back: they begin at once, and on their first attempt."""
    began = time.monotonic()
    [healthy] = fleet.spawn(concurrency=64, queues=["pick"])
    case.wait_starts(len(ids), pid=healthy.pid)
    again = [entry for entry in case.starts(pid=healthy.pid) if entry.job_id in ids]
    wait = max(entry.t for entry in again) - began
    case.figures["handed_back_s"] = max(round(wait, 2), case.figures.get("handed_back_s", 0.0))
    case.expect(wait < case.lease / 2, f"no lease is waited for: they begin after {wait:.2f} s")
    attempts = {int(entry.fields["attempt"]) for entry in again}
    case.expect(attempts == {1}, f"being handed back costs no attempt: {attempts}")
    fleet.kill(healthy)


@row("A12", "SIGTERM with work in flight: time enough, and too little")
def a12(case: Case) -> None:
    """Within the grace period jobs are finished; after it they are handed back at once and cost no attempt."""
    case.recovers_at, case.lease = "none", 3.0  # on a busy machine too, what is in flight stays there
    fleet = case.fleet(queues=["pick"], concurrency=8)
    short = case.create(40, "slow:0.8")
    [process] = fleet.spawn(grace=5.0)
    case.wait_starts(8, pid=process.pid)
    case.figures["finishing_s"] = round(_end(case, fleet, process, 0.8, signal.SIGTERM), 2)
    begun = {entry.job_id for entry in case.starts(pid=process.pid)}
    finished = [fields for fields in case.hashes(begun) if fields.get("_queue") == "pack"]
    case.expect(len(finished) == len(begun), f"all {len(begun)} jobs in flight are finished, not {len(finished)}")
    _again(case, fleet, [job_id for job_id in short if job_id not in begun])
    fleet.spawn(2, queues=["pick", "pack", "ship"])
    case.expect(not case.wait_done(short, 15), "all jobs end")
    fleet.kill(*fleet.alive)
    endless = case.create(20, "gate:open")
    [process] = fleet.spawn(grace=0.5)
    case.wait_starts(8, pid=process.pid)
    case.figures["handing_back_s"] = round(_end(case, fleet, process, 0.5, signal.SIGTERM), 2)
    _again(case, fleet, endless)
    case.open_gate("open")


@row("A13", "SIGTERM twice, SIGINT meanwhile, SIGTERM while a claim is under way")
def a13(case: Case) -> None:
    """A second signal ends the grace period; a claim under way is waited for and handed back."""
    case.recovers_at = "none"
    fleet = case.fleet(queues=["pick"], concurrency=8)
    ids = case.create(12, "gate:open")
    for second in (signal.SIGTERM, signal.SIGINT):
        [process] = fleet.spawn(grace=20.0)
        case.wait_starts(8, pid=process.pid)
        took = _end(case, fleet, process, 0.3, signal.SIGTERM, second)
        case.figures["second_signal_s"] = max(round(took, 2), case.figures.get("second_signal_s", 0.0))
    _claim_under_way(case, fleet)
    for _ in range(10):
        [process] = fleet.spawn(grace=0.1)
        case.wait_until(lambda process=process: "flow.connected" in process.says(), pause=0.0005)
        time.sleep(case.random.uniform(0.0, 0.02))
        _end(case, fleet, process, 0.3, signal.SIGTERM)
    _again(case, fleet, ids)
    case.open_gate("open")


def _claim_under_way(case: Case, fleet: Fleet) -> None:
    """Tell a worker to end that has sent a claim and does not have the answer."""
    with Proxy(case.server.port) as proxy:
        [process] = fleet.spawn(url=proxy.url, grace=5.0, concurrency=1, failpoints="before-turn-send=stop@1")
        case.expect(fleet.wait_stopped(process), "the worker stands before its claim")
        proxy.blackhole("down")
        fleet.cont(process)
        case.expect(case.wait_until(case.processing), "the claim has arrived")
        fleet.terminate(process)
        time.sleep(0.3)
        proxy.open()
        _end(case, fleet, process, 5.0)


@row("A14", "the worker's coroutine is cancelled at random", long=True)
def a14(case: Case) -> None:
    """However a running flow is cancelled, it hands its jobs back and leaves no connection behind."""
    ids = case.create(400, "slow:0.01")
    with case.server.client() as client:
        before = len(client.client_list())
        asyncio.run(_cancel_often(case, 70))
        case.expect(case.wait_until(lambda: len(client.client_list()) <= before), "all connections are closed")
        case.figures["connections_left"] = len(client.client_list()) - before
    held = [job_id for queue in ("pick", "pack", "ship") for job_id in case.processing(queue)]
    case.figures["orphans"] = len(held)
    case.expect(not held, f"nothing is in flight, and not {len(held)} jobs")
    fleet = case.fleet(concurrency=16)
    fleet.spawn(2)
    case.expect(not case.wait_done(ids, 15), "all jobs end")


async def _cancel_often(case: Case, rounds: int) -> None:
    """Start a flow's workers in a task, and cancel it at a moment of chance, sometimes once more."""

    async def work() -> None:
        flow = case.flow()
        add_workers(flow, case.ledger, queues=("pick", "pack", "ship"))
        try:
            async with flow:
                await asyncio.sleep(3600)
        finally:
            await flow.stop_all(0)

    for _ in range(rounds):
        task = asyncio.create_task(work())
        await asyncio.sleep(case.random.choice((0.0, 0.002, 0.01, 0.05)) * case.random.random())
        task.cancel()
        if case.random.random() < 0.3:  # every third time or so
            await asyncio.sleep(0.002 * case.random.random())
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)

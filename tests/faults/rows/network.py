"""Rows B: a network that cuts, swallows and delays, and callers that give up in the middle."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

from flows import StoreUnavailable
from flows.store.client import connection
from flows.store.jobs.wakeups import POLL_SECONDS
from tests.faults.cancelled_calls import Calls
from tests.faults.case import Case, row
from tests.faults.cut import Cutter, Tried
from tests.faults.fleet import Process
from tests.faults.fleet_operations import of_processes
from tests.faults.operations import LIFE, of_flow, of_workers
from tests.faults.process_usage import cpu_seconds, memory_mb
from tests.faults.producer import Producer
from tests.faults.proxy import Proxy
from tests.faults.run_operations import RunStage, of_runs


@row("B1", "request or reply lost, at each command of each operation", limit=180)
def b1(case: Case) -> None:
    """The end is the same as without the cut, nothing is raised, and the answer is the same."""
    cutter = Cutter(case.server, case.directory / "cuts")
    every = int(os.environ.get("FLOWS_FAULTS_EVERY", "1"))
    of_life = 1 if every == 1 else 7  # odd: before a command and after one by turns

    async def cut() -> list[Tried]:
        operations = (*of_flow(), *of_workers(), *of_processes())[::every]
        one_by_one = [
            await cutter.try_all(operation, at_once=1 if operation.unknown else 4) for operation in operations
        ]
        return [*one_by_one, await cutter.try_all(LIFE, at_once=12, every=of_life), *await runs()]

    async def runs() -> list[Tried]:
        cutter = Cutter(case.server, case.directory / "runs", RunStage)
        return [await cutter.try_all(one, at_once=1 if one.unknown else 4) for one in of_runs()[::every]]

    tried = asyncio.run(cut())
    for one in tried:
        for violation in one.violations:
            case.expect(None, violation)
        # The services of a whole life send more or less from run to run.
        case.expect(one.name == LIFE.name or not one.missed, f"{one.name}: {one.missed} cuts did not come about")
    case.figures["operations"] = len(tried)
    case.figures["points"] = sum(one.points for one in tried)
    case.figures["violations"] = sum(len(one.violations) for one in tried)


@row("B3", "the way to the server swallows all for 10 s: up, down, both")
def b3(case: Case) -> None:
    """Workers behind it lose their jobs to others in time; what they send late is refused; then they work again."""
    fleet = case.fleet(concurrency=32)
    with ExitStack() as stack:
        proxies = [stack.enter_context(Proxy(case.server.port)) for _ in range(3)]
        cut_off = [fleet.spawn(1, url=proxy.url, concurrency=4)[0] for proxy in proxies]
        ids = case.create(16, "slow:4")
        case.wait_until(lambda: all(len(case.starts(pid=process.pid)) == 4 for process in cut_off), pause=0.02)
        for proxy, way in zip(proxies, ("up", "down", "both"), strict=True):
            proxy.blackhole(way)  # type: ignore[arg-type]
        began = time.monotonic()
        fleet.spawn(1)
        with Producer(case, kind="slow:0.1") as producer:
            time.sleep(10)
            _taken_over(case, cut_off, began)
            for proxy in proxies:
                proxy.open()
            opened = time.monotonic()
            back = case.wait_until(lambda: all(_next(case, process, opened) for process in cut_off), pause=0.2)
            case.expect(back, "workers that were cut off take jobs again when the way is open")
        case.figures["back"] = max(_next(case, process, opened) - opened for process in cut_off)
        case.wait_done(ids + producer.ids, 15)
        fleet.finish()
    case.figures["refused"] = len(case.entries("REFUSED"))


def _next(case: Case, process: Process, since: float) -> float:
    """Return when the first attempt of a process after `since` began; 0 where none has."""
    return next((entry.t for entry in case.starts(pid=process.pid) if entry.t > since), 0.0)


def _taken_over(case: Case, cut_off: list[Process], began: float) -> None:
    """Measure when the jobs of workers that were cut off ran elsewhere, and when these noticed."""
    noticed: list[float] = []
    for process in cut_off:
        for mine in [entry for entry in case.starts(pid=process.pid) if entry.t < began]:
            elsewhere = [entry.t for entry in case.starts() if entry.key == mine.key and entry.t > began]
            if case.expect(elsewhere, f"{mine.key}, whose worker was cut off, runs elsewhere meanwhile"):
                case.recovery([min(elsewhere) - began])
        notes = [entry.t - began for entry in case.entries("NOTE") if entry.pid == process.pid and entry.t > began]
        if case.expect(notes, "a worker that is cut off notices that its leases are lost"):
            noticed.append(min(notes))
    case.figures["detection"] = max(noticed, default=0.0)
    case.expect(max(noticed, default=0.0) <= connection.ANSWER_TIMEOUT, "it notices within the socket's timeout")


@row("B4", "the way of an idle worker swallows all, then a job comes")
def b4(case: Case) -> None:
    """The wake-up goes to the one that cannot receive it: a rescuer wakes again, or another worker looks by itself."""
    waits: list[float] = []
    fleet = case.fleet(queues=("pick", "pack", "ship"))
    for lease in (case.lease, 30.0):  # rescuers look every sixth of a lease, and workers every few seconds
        with Proxy(case.server.port) as proxy:
            [deaf] = fleet.spawn(1, url=proxy.url, lease=lease)
            _wait_blocked(case, 1)
            proxy.blackhole("both")
            [other] = fleet.spawn(1, lease=lease)
            _wait_blocked(case, 2)
            [job_id] = case.create(1)
            began = time.monotonic()
            if case.wait_until(lambda job_id=job_id: case.starts_of(job_id, "pick"), pause=0.02):  # type: ignore[misc]
                [start] = case.starts_of(job_id, "pick")
                waits.append(start.t - began)
                case.expect(start.pid == other.pid, "the worker that can be reached has it")
            case.wait_done([job_id], 12)
            fleet.kill(deaf, other)
            fleet.wait(deaf, other)
    longest = POLL_SECONDS * 1.25 + 0.5
    case.expect(len(waits) == 2 and max(waits) <= longest, f"jobs begin within {longest} s, and not {waits}")
    case.figures["time_to_start"] = max(waits, default=0.0)


def _wait_blocked(case: Case, wanted: int) -> None:
    """Wait until so many clients wait for the wake-ups of all their queues."""
    with case.server.client() as client:
        case.wait_until(lambda: client.info("clients")["blocked_clients"] == wanted)
        time.sleep(0.3)  # the first worker of a process waits at once, and again when the others wait too
        case.expect(client.info("clients")["blocked_clients"] == wanted, f"{wanted} workers wait for a wake-up")


@row("B8", "no server for 10 s, with workers and producers up")
def b8(case: Case) -> None:
    """Producers hear a typed error within their deadline, nothing piles up or spins, and all goes on in 3 s."""
    fleet = case.fleet()
    # In this process only: the producers shall hear of it before the server is back.
    with patch.object(connection, "DEADLINE", 3.0), Proxy(case.server.port) as proxy:
        workers = fleet.spawn(2, url=proxy.url)
        with Producer(case, kind="slow:0.05", lanes=20, pause=0.1) as producer:
            case.wait_starts(50, queue="pick")
            case.server.kill()
            time.sleep(1)
            before = [_usage(process.pid) for process in workers]
            connects, lines = proxy.connects, sum(len(process.says().splitlines()) for process in workers)
            time.sleep(9)
            after = [_usage(process.pid) for process in workers]
            case.figures["connects_per_s"] = (proxy.connects - connects) / 9
            logged = sum(len(process.says().splitlines()) for process in workers) - lines
            case.figures["log_lines_per_s"] = logged / 9 / len(workers)
            case.server.restart()
            answered = time.monotonic()
            resumed = case.wait_until(lambda: case.resumed(answered) is not None, pause=0.05)
            time.sleep(1)
        case.wait_done(producer.ids, 20)
        fleet.finish()
    cpu = max(b[0] - a[0] for a, b in zip(before, after, strict=True)) / 9
    grown = max(b[1] - a[1] for a, b in zip(before, after, strict=True))
    case.figures |= {"cpu_idle": cpu, "memory_growth_mb": grown, "longest_call": producer.longest}
    case.expect(resumed and case.figures["resume"] < 3, "work goes on within 3 s")
    case.expect(producer.refused, "producers are told while there is no server")
    case.expect(set(producer.refused) <= {StoreUnavailable.__name__}, f"they see StoreUnavailable: {producer.refused}")
    case.expect(producer.longest < 3.0 + 2 * connection.ANSWER_TIMEOUT, "within their deadline and one more try")
    case.expect(cpu < 0.2, f"a worker without a server takes {cpu:.0%} of a processor")
    case.expect(grown < 20, f"a worker without a server grows by {grown:.0f} MB")
    # With a lease of a second each queue with jobs in flight tries to renew four times a second, on three connections.
    case.expect(case.figures["connects_per_s"] < 100, "connections are tried with pauses")
    case.expect(case.figures["log_lines_per_s"] < 20, "its log does not run full")


def _usage(pid: int) -> tuple[float, float]:
    return cpu_seconds(pid), memory_mb(pid)


@row("B7", "calls that are cancelled at any moment, 3,500 a case")
def b7(case: Case) -> None:
    """Every answer is that to its own question, no connection leaks, and what was acknowledged is there."""
    ids = case.create(50)
    calls, peak = asyncio.run(_cancel_calls(case, ids, 3_500))
    case.figures |= {"cancelled_calls": calls.cancelled, "answered_calls": calls.answered}
    case.figures |= {"wrong_replies": len(calls.wrong), "conn_peak": peak}
    case.expect(not calls.wrong, f"answers belong to their questions: {calls.wrong[:3]}")
    case.expect(min(calls.cancelled, calls.answered) >= 1_000, "enough calls are cancelled, and enough answered")
    case.expect(peak <= 4, f"the flow has few connections, and not {peak}")


async def _cancel_calls(case: Case, ids: list[str], wanted: int) -> tuple[Calls, int]:
    with Proxy(case.server.port) as proxy:
        flow: Any = case.flow(proxy.url)
        await flow.start_all()
        proxy.delay(3, 4)
        calls = Calls(case, flow, ids)
        peak = 0

        async def lane() -> None:
            nonlocal peak
            while calls.cancelled < wanted:
                await calls.one()
                peak = max(peak, proxy.connections())

        async with asyncio.TaskGroup() as lanes:
            for _ in range(16):
                lanes.create_task(lane())
        proxy.delay(0)
        await calls.check()
        await flow.stop_all()
        gone = await asyncio.to_thread(case.wait_until, lambda: proxy.connections() == 0, 2.0)
        case.expect(gone, f"no connection is left when the flow has stopped, and not {proxy.connections()}")
        return calls, peak

"""More rows B: no way at all, ways that are cut all the time, hundreds who come back at once, lost messages."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from unittest.mock import patch

from flows.store.client import connection
from tests.faults.case import Case, row
from tests.faults.cut import Cutter, Tried
from tests.faults.fleet_operations import of_processes
from tests.faults.flow_under_test import Order, Pick, Picked
from tests.faults.operations import of_flow, of_workers
from tests.faults.process_usage import cpu_seconds
from tests.faults.producer import Producer
from tests.faults.proxy import Proxy
from tests.faults.repeating_thread import RepeatingThread


@row("B2", "request lost at each command, and then no server", long=True, limit=180)
def b2(case: Case) -> None:
    """Each operation says so by a typed error within its deadline, or has done what it should; again, it does it."""
    cutter = Cutter(case.server, case.directory / "cuts")

    async def cut() -> list[Tried]:
        operations = [operation for operation in (*of_flow(), *of_workers(), *of_processes()) if not operation.unknown]
        return [await cutter.try_all(operation, at_once=12, away=True) for operation in operations]

    with patch.object(connection, "DEADLINE", 1.0):
        tried = asyncio.run(cut())
    for one in tried:
        for violation in one.violations:
            case.expect(None, violation)
        case.expect(not one.missed, f"{one.name}: {one.missed} cuts did not come about")
    case.figures["points"] = sum(one.points for one in tried)
    case.figures["violations"] = sum(len(one.violations) for one in tried)


@row("B6", "every connection is reset, every 200 ms for 15 s", long=True)
def b6(case: Case) -> None:
    """Work goes on, and nobody spins."""
    fleet = case.fleet()
    with Proxy(case.server.port) as proxy, Proxy(case.server.port) as quiet:
        fleet.spawn(2, url=proxy.url)
        [idle] = fleet.spawn(1, url=quiet.url, namespace="idle:")
        with Producer(case, proxy.url, kind="children:2", pause=0.05) as producer:
            case.wait_starts(10)
            used, connects, lines = cpu_seconds(idle.pid), quiet.connects, len(idle.says().splitlines())

            def cut() -> None:
                proxy.cut_all()
                quiet.cut_all()

            with RepeatingThread(cut, 0.2):
                time.sleep(15)
            cpu = (cpu_seconds(idle.pid) - used) / 15
            case.figures |= {
                "cpu_idle": cpu,
                "connects_per_s": (quiet.connects - connects) / 15,
                "log_lines_per_s": (len(idle.says().splitlines()) - lines) / 15,
                "created_meanwhile": len(producer.ids),
            }
        case.wait_done(producer.ids, 20)
        fleet.finish()
    with case.server.client() as client:
        client.delete(*client.keys("idle:*"))
    case.expect(len(producer.ids) > 100, f"work goes on meanwhile: {len(producer.ids)} jobs")
    case.expect(not producer.refused, f"producers see no error: {producer.refused}")
    case.expect(cpu < 0.2, f"an idle worker takes {cpu:.0%} of a processor")
    case.expect(case.figures["connects_per_s"] < 25, "it connects a few times a cut")
    case.expect(case.figures["log_lines_per_s"] < 10, "its log does not run full")


@row("B9", "500 connections lose their server at once", long=True)
def b9(case: Case) -> None:
    """They come back one after the other, and soon."""
    peak, soon, before = asyncio.run(_thunder(case))
    case.figures |= {"connections": before, "connects_per_s_peak": peak, "to_95_percent_s": soon}
    case.expect(before >= 450, f"there are hundreds of connections, and not {before}")
    case.expect(soon < 5, f"95 % are back after {soon:.1f} s")
    case.expect(peak < 20 * before, f"nobody hammers: {peak} connections in the worst second")


async def _thunder(case: Case) -> tuple[int, float, int]:
    async def pick(job: Pick) -> Picked:
        return Picked(pick_fence=job.attempt, pick_pid=0)

    with Proxy(case.server.port) as proxy:
        flows: list[Any] = [case.flow(proxy.url) for _ in range(170)]
        for flow in flows:
            flow.create_workers(Pick, pick)
        for start in range(0, len(flows), 10):
            await asyncio.gather(*(flow.start_all() for flow in flows[start : start + 10]))
        await asyncio.sleep(1)
        before = proxy.connections()
        await asyncio.to_thread(case.server.kill)
        await asyncio.to_thread(case.wait_until, lambda: proxy.connections() < before / 2, 5.0)
        await asyncio.to_thread(case.server.restart)
        began, connects = time.monotonic(), [proxy.connects]
        soon = 0.0
        while time.monotonic() < began + 8:
            await asyncio.sleep(0.1)
            connects.append(proxy.connects)
            if not soon and proxy.connections() >= 0.95 * before:
                soon = time.monotonic() - began
        await asyncio.gather(*(flow.stop_all(0) for flow in flows))
        windows = [after - at for at, after in zip(connects, connects[10:], strict=False)]
        return max(windows), soon or 8.0, before


@row(
    "B12",
    "messages are lost: a subscriber stands still at a limit of 1 MB, and subscriptions are killed",
    long=True,
    settings={"client-output-buffer-limit": "pubsub 1mb 1mb 0"},
)
def b12(case: Case) -> None:
    """The keys say the same: cancelled jobs end within a renewal, and who waits for an end sees it."""
    fleet = case.fleet(lease=8.0)
    [worker] = fleet.spawn(1)
    [job_id] = case.create(1, "slow:30")
    case.wait_starts(1)
    with case.server.client() as client:
        channel = "flows:cancel:pick"
        heard = case.wait_until(lambda: client.pubsub_shardnumsub(channel)[0][1])
        case.expect(heard, "the worker listens for cancellations")
        fleet.stop(worker)
        published = 0
        while client.pubsub_shardnumsub(channel)[0][1] and published < 5_000:
            client.spublish(channel, "x" * 10_000)
            published += 1
        asyncio.run(_cancel(case, job_id))
        fleet.cont(worker)
        thawed = time.monotonic()
        case.wait_done([job_id], 8)
        case.expect(case.count([job_id])["cancelled"] == 1, "a job whose cancellation was not told is cancelled")
        latency = time.monotonic() - thawed
        case.expect(latency < 8.0 / 4 + 1, f"within a renewal, and not in {latency:.1f} s")
        with RepeatingThread(lambda: client.client_kill_filter(_type="pubsub"), 0.05):
            late = asyncio.run(_wait_for_many(case))
    case.figures |= {"published_until_cut": published, "resync_s": latency, "wait_late_s": late}
    case.expect(published < 5_000, "the server cuts a subscriber that does not read")
    case.expect(late < 2.5, f"who waits looks by himself, and not {late:.1f} s late")


async def _cancel(case: Case, job_id: str) -> None:
    flow = case.flow()
    case.expect(await flow.cancel_job(job_id) == "requested", "the cancellation is requested")
    await flow.stop_all()


async def _wait_for_many(case: Case) -> float:
    """Return by how much the latest of many that wait saw the end after it was there."""
    flow = case.flow()
    ids = [await flow.create_job(Order(number=number, kind="slow:0.5")) for number in range(20)]
    case.acknowledged(ids)
    seen: dict[str, float] = {}

    async def wait(job_id: str) -> None:
        await flow.wait_for(job_id, 20)
        seen[job_id] = time.monotonic()

    await asyncio.gather(*map(wait, ids))
    await flow.stop_all()
    ends = {e.job_id: e.t for e in case.entries("DONE") if e.fields["queue"] == "ship"}
    return max(seen[job_id] - ends[job_id] for job_id in ids)

"""What workers cost that have nothing to do, and how many of a thousand one job wakes."""

# redis-py leaves **kwargs and some results untyped
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import asyncio
from datetime import timedelta
from multiprocessing.connection import Connection
from statistics import median
from time import perf_counter, perf_counter_ns, process_time
from typing import Final, cast

from measure import PATIENCE, Row, WorkerProcess, empty, quiet_server, told, worker_processes
from redis.asyncio import Redis
from subject import OneQueue, Request, Work, Worked, one_queue

from flows import Snooze

WORKLOAD: Final = "idle"
#: So long is looked at workers that rest.
_SECONDS: Final = 20.0
_PROCESSES: Final = 4
_WORKERS: Final = 1_000
_WAKINGS: Final = 40
#: A due time is so many seconds ahead.
_AHEAD: Final = 0.2
#: What one job causes is over after so many seconds.
_QUIET: Final = 0.03


async def rows(url: str | None, size: float, count: int) -> list[Row]:
    """Measure so many rounds."""
    each = max(1, round(_WORKERS / _PROCESSES * size))
    found: list[tuple[float, ...]] = []
    with quiet_server(url) as server:
        for _ in range(count):
            async with Redis.from_url(server) as client:
                with worker_processes(1, work, server, 1) as alone:
                    one = await _rest(client, alone, _SECONDS * size)
                with worker_processes(_PROCESSES, work, server, each) as many:
                    all_ = await _rest(client, many, _SECONDS * size)
                    woken = await _wake(client, server, max(1, round(_WAKINGS * size)))
            found.append((*one, *all_, *woken))
            await empty(server)
    many_workers = f"{_PROCESSES * each:,} in {_PROCESSES} processes"
    settings = (
        *(("one worker", unit) for unit in ("% of a core", "scripts/s", "commands/s")),
        *((many_workers, unit) for unit in ("% of a core", "scripts/s", "commands/s")),
        (f"{many_workers}, an arrival", "scripts"),
        (f"{many_workers}, a due time", "scripts"),
        (f"{many_workers}, a due time", "ms late"),
    )
    return [
        {
            "workload": WORKLOAD,
            "setting": setting,
            "figure": median(figures[at] for figures in found),
            "unit": unit,
            "rounds": count,
        }
        for at, (setting, unit) in enumerate(settings)
    ]


async def work(parent: Connection, url: str, workers: int) -> None:
    """Run idle workers, and tell how much processor time this process has taken whenever the parent asks."""
    flow = one_queue(url)
    flow.create_workers("bench-1", not_before, workers)
    async with flow:
        parent.send(0)
        while await told(parent):
            parent.send(process_time())


async def not_before(job: Work) -> Worked:
    """Do nothing, but not before the time that the job names."""
    ahead = job.user_id - perf_counter_ns()
    if ahead > 0:
        raise Snooze(after=timedelta(microseconds=ahead // 1000))
    return Worked(ok=True)


async def _rest(client: Redis, processes: list[WorkerProcess], seconds: float) -> tuple[float, float, float]:
    """Return the percentage of a core that the processes take, and how many scripts and commands a second they cause.

    The commands are those that the server executes, within scripts too.
    """
    for process in processes:
        await process.receive()
    await asyncio.sleep(min(1.0, seconds))  # what they do once is not what they do all the time
    started, before = perf_counter(), await calls(client)
    used = -sum([await process.ask() for process in processes])
    await asyncio.sleep(seconds)
    used += sum([await process.ask() for process in processes])
    scripts, commands = (after - before for before, after in zip(before, await calls(client), strict=True))
    spent = perf_counter() - started
    return 100 * used / spent, scripts / spent, commands / spent


async def _wake(client: Redis, url: str, times: int) -> tuple[float, float, float]:
    """Return how many scripts a job causes that arrives, and one whose time has come, and how late that one ends.

    They are medians: now and then one worker of a process looks for itself meanwhile.
    """
    found: list[tuple[float, float, float]] = []
    async with one_queue(url) as flow:
        for _ in range(times):
            arrival, _late = await _caused(client, flow, 0.0)
            found.append((arrival, *await _caused(client, flow, _AHEAD)))
    arrivals, dues, late = zip(*found, strict=True)
    return median(arrivals), median(dues), median(late)


async def _caused(client: Redis, flow: OneQueue, ahead: float) -> tuple[int, float]:
    """Create a job for so many seconds ahead; return how many scripts it causes then, and how many ms later it ends."""
    due = perf_counter_ns() + int(ahead * 1e9)
    params = Request(user_id=due, guild_id=1985, role_ids=[1, 2], reason="benchmark")
    if ahead:
        job_id = await flow.create_job(params)
        await asyncio.sleep(ahead - _QUIET)
        scripts, _ = await calls(client)
    else:
        scripts, _ = await calls(client)
        job_id = await flow.create_job(params)
    await flow.wait_for(job_id, PATIENCE)
    late = (perf_counter_ns() - due) / 1e6
    await asyncio.sleep(_QUIET)
    return (await calls(client))[0] - scripts, late


async def calls(client: Redis) -> tuple[int, int]:
    """Return how many scripts and how many commands the server has executed, without those of this function."""
    stats = cast("dict[str, dict[str, int]]", await client.info("commandstats"))
    scripts = sum(stats.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in ("evalsha", "eval"))
    return scripts, sum(stat["calls"] for name, stat in stats.items() if name != "cmdstat_info")

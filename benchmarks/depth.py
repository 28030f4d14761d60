"""What a job costs, created and drained, beside a backlog of a thousand to three million: time, and bytes sent."""

# redis-py leaves **kwargs and some results untyped
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from statistics import median
from typing import Final, cast

from backlog import Backlog, fill, kept, work
from measure import Row, WorkerProcess, quiet_server
from redis.asyncio import Redis

WORKLOAD: Final = "depth"
_LEVELS: Final = (1_000, 10_000, 100_000, 1_000_000, 3_000_000)
#: So many jobs are drained at each level.
_JOBS: Final = 40_000
_SPARE: Final = 10_000


async def rows(url: str | None, size: float, count: int) -> list[Row]:
    """Measure so many rounds at each level, from the lowest on: the backlog only grows."""
    jobs = max(1, round(_JOBS * size))
    made: list[Row] = []
    with quiet_server(url) as server:
        for level in (max(1, round(level * size)) for level in _LEVELS):
            backlog = Backlog("depth", server, level, min(level, _SPARE))
            await fill(backlog)
            found = [await _drain(backlog, jobs) for _ in range(count)]
            setting = f"beside {level:,}"
            units = ("µs of the server a job", "bytes to the server a job", "bytes from it a job")
            rate, *figures = (median(column) for column in zip(*found, strict=True))
            made.append({"workload": WORKLOAD, "setting": setting, "rate": rate, "rounds": count})
            made += [
                {"workload": WORKLOAD, "setting": setting, "figure": figure, "unit": unit, "rounds": count}
                for figure, unit in zip(figures, units, strict=True)
            ]
    return made


async def _drain(backlog: Backlog, jobs: int) -> tuple[float, ...]:
    """Drain jobs while the level is kept; return the rate, and what a job took of the server and of the network."""
    process = WorkerProcess(work, backlog.url, backlog.name, jobs)
    try:
        async with Redis.from_url(backlog.url) as client, kept(backlog):
            before = await _used(client)
            seconds = await process.ask()
            after = await _used(client)
    finally:
        process.stop()
    return jobs / seconds, *((now - then) / jobs for then, now in zip(before, after, strict=True))


async def _used(client: Redis) -> tuple[float, float, float]:
    """Return how many microseconds of a core the server has used, and the bytes that it has received and sent."""
    told = cast("dict[str, float]", await client.info("all"))
    seconds = told["used_cpu_user"] + told["used_cpu_sys"]
    return seconds * 1e6, told["total_net_input_bytes"], told["total_net_output_bytes"]

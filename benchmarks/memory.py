"""What a waiting job takes of the server's memory, against its own fields and lists without what the kernel adds."""

# redis-py leaves **kwargs and some results untyped
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from itertools import islice
from statistics import median
from typing import Any, Final, Literal, cast

from measure import Row, empty, quiet_server
from redis.asyncio import Redis
from subject import Request, Work

from flows import Flow, FlowOptions, QueueOptions

WORKLOAD: Final = "memory"
_JOBS: Final = 20_000
#: So many jobs have the same value of a lookup attribute.
_ALIKE: Final = 50
_CHUNK: Final = 1_000
_DAY: Final = 24 * 3600

LookedUp = Flow[Work, Request, Literal["user_id", "guild_id"]]


@dataclass(frozen=True)
class Content:
    """What a user would have written, had there been no kernel."""

    hashes: dict[bytes, dict[bytes, bytes]]
    lists: dict[bytes, list[bytes]]


async def rows(url: str | None, size: float, count: int) -> list[Row]:
    """Measure so many rounds, each in empty databases."""
    jobs = max(1, round(_JOBS * size))
    found: list[tuple[float, float, float]] = []
    for _ in range(count):
        flow, content = await _through_the_flow(url, jobs)
        found.append((flow, await _directly(url, content, None), await _directly(url, content, _DAY)))
    settings = ("one waiting job", "to its data alone", "to its data with a time to live")
    made: list[Row] = []
    for at, setting in enumerate(settings):
        taken = median(each[at] for each in found)
        row: Row = {"workload": WORKLOAD, "setting": setting, "figure": taken, "unit": "bytes", "rounds": count}
        if at:
            row["ratio"] = median(each[0] / each[at] for each in found)
        made.append(row)
    return made


async def _through_the_flow(url: str | None, jobs: int) -> tuple[float, Content]:
    """Create jobs; return how many bytes one takes, and what was the user's of them."""
    with quiet_server(url) as server:
        before = await _used(server)
        many = (
            Request(user_id=number // _ALIKE, guild_id=number % -(-jobs // _ALIKE), role_ids=[1, 2], reason="benchmark")
            for number in range(jobs)
        )
        queues = [QueueOptions("bench-1", job=Work)]
        async with LookedUp(
            FlowOptions("bench", queues, lookup_attributes=("user_id", "guild_id"), redis_url=server)
        ) as flow:
            await flow.create_jobs(many)
        each = (await _used(server) - before) / jobs
        content = await _content(server)
        await empty(server)
    return each, content


async def _directly(url: str | None, content: Content, ttl: int | None) -> float:
    """Write the same keys and values, with a time to live or without; return how many bytes a job takes."""
    with quiet_server(url) as server:
        before = await _used(server)
        hashes = iter(content.hashes.items())
        async with Redis.from_url(server) as client:
            while chunk := list(islice(hashes, _CHUNK)):
                async with client.pipeline(transaction=False) as pipe:
                    for key, fields in chunk:
                        pipe.hset(key, mapping=cast("dict[Any, Any]", fields))
                        if ttl is not None:
                            pipe.expire(key, ttl)
                    await pipe.execute()
            for key, elements in content.lists.items():
                await client.rpush(key, *elements)
                if ttl is not None and b"waiting" not in key:
                    await client.expire(key, ttl)
        taken = await _used(server) - before
        await empty(server)
    return taken / len(content.hashes)


async def _content(url: str) -> Content:
    """Read the database, but what is the kernel's."""
    waiting = "queue:bench-1:waiting"
    content = Content({}, {})
    async with Redis.from_url(url) as client:
        lookups = cast("AsyncIterator[bytes]", client.scan_iter("job:bench:*_id:*", count=_CHUNK))
        for key in (waiting.encode(), *[key async for key in lookups]):
            content.lists[key] = await cast("Awaitable[list[bytes]]", client.lrange(key, 0, -1))
        for job_id in content.lists[waiting.encode()]:
            key = b"job:bench:" + job_id
            fields = await cast("Awaitable[dict[bytes, bytes]]", client.hgetall(key))
            content.hashes[key] = {name: value for name, value in fields.items() if not name.startswith(b"_")}
    return content


async def _used(url: str) -> int:
    async with Redis.from_url(url) as client:
        return cast("int", (await client.info("memory"))["used_memory"])

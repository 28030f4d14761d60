"""Jobs of the flow `orders` that are written by hand: in any state, as old as a test wants, thousands at once."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from redis import Redis

from flows import Page
from flows.store.keys.jobs import JobKeys
from tests.pipeline.parts import Order

#: An hour ago, in milliseconds: what has ended since is kept.
THEN = int(time.time() * 1000) - 3_600_000


@dataclass(frozen=True)
class Stood:
    """One job as it stands: by default a new one, which has no field of the kernel."""

    created: int = THEN
    user_id: int = 0
    tags: tuple[str, ...] = ()
    state: str = ""
    queue: str = "price"
    at: int = THEN
    """Since when it waits there, is due, or has ended."""
    id: str = field(default="", compare=False)


def id_at(created: int, number: int | None = None) -> str:
    """Return the id of a job that was created in a millisecond; those with lower numbers come first."""
    low = random.getrandbits(62)
    fraction = random.getrandbits(12) if number is None else number >> 12
    high = low >> 48 & 0xFFF if number is None else number & 0xFFF
    return f"{created >> 16:08x}-{created & 0xFFFF:04x}-7{fraction:03x}-8{high:03x}-{low & 0xFFFF_FFFF_FFFF:012x}"


class Shelf:
    """Writes jobs into the places of a flow."""

    def __init__(self, redis: Redis, namespace: str, flow: str = "orders") -> None:
        """Use a namespace."""
        self.redis = redis
        self.keys = JobKeys(namespace)
        self.flow = flow

    def put(self, *jobs: Stood) -> list[str]:
        """Write jobs, in the order in which they come to their places, and return their ids."""
        ids = [job.id or id_at(job.created) for job in jobs]
        with self.redis.pipeline(transaction=False) as pipeline:
            for job_id, job in zip(ids, jobs, strict=True):
                self._put(pipeline, job_id, job)
            pipeline.execute()
        return ids

    def _put(self, pipeline: Any, job_id: str, job: Stood) -> None:
        lines = [f"user_id:{job.user_id}", *(f"tags:{tag}" for tag in job.tags)]
        fields: dict[str, Any] = {"user_id": job.user_id, "_lookups": "\n".join(lines)}
        if job.state:
            fields |= {"_status": job.state, "_queue": job.queue, "_attempt": f"1 w 1 0 0 {job.at} -"}
        if job.state in {"done", "failed", "cancelled"}:
            fields["_ended"] = job.at
        pipeline.hset(self.keys.job(self.flow, job_id), mapping=fields)
        for line in lines:
            attribute, _, text = line.partition(":")
            pipeline.rpush(self.keys.lookup(self.flow, attribute, text), job_id)
        keys = self.keys
        match job.state or "waiting":
            case "waiting":
                pipeline.rpush(keys.waiting(job.queue), job_id)
            case "done":
                pipeline.lpush(keys.ended_jobs(job.queue, "done"), job_id)
            case "failed" | "cancelled":
                pipeline.zadd(keys.ended_jobs(job.queue, job.state), {job_id: job.at})
            case state:
                key = {"delayed": keys.delayed, "processing": keys.processing, "children": keys.children}[state]
                pipeline.zadd(key(job.queue), {job_id: job.at})


async def all_pages(
    ask: Callable[[str], Awaitable[Page[Order]]], seen: Callable[[Page[Order]], None] = lambda _: None
) -> list[str]:
    """Return the ids of all pages."""
    ids: list[str] = []
    cursor = ""
    for _ in range(10_000):
        page = await ask(cursor)
        seen(page)
        ids += ids_of(page.jobs)
        cursor = page.cursor
        if not cursor:
            return ids
    raise AssertionError("the pages do not end")


def ids_of(records: Iterable[Any]) -> list[str]:
    """Return the ids of records."""
    return [record.id for record in records]

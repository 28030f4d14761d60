"""Whatever a query asks for, its pages have the jobs that a plain look at all of them finds, each once."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
from redis import Redis

from flows import JobState, Query
from tests.pipeline.find.parts import THEN, Shelf, Stood, all_pages, ids_of
from tests.pipeline.parts import Order, Orders
from tests.scale import scaled

Asked = tuple[Query[Order, Literal["user_id", "tags"]], Callable[[Stood], bool]]
STATES = [state.value for state in JobState]
TAGS = ("a", "b", "c")


def random_job(draw: random.Random) -> Stood:
    """Return any job; one in ten is new, without a field of the kernel."""
    state = draw.choice(STATES) if draw.random() < 0.9 else ""
    return Stood(
        created=THEN + draw.randrange(100),
        user_id=draw.randrange(3),
        tags=tuple(tag for tag in TAGS if draw.random() < 0.4),
        state=state,
        queue=draw.choice(["price", "ship"]) if state else "price",
        at=THEN + draw.randrange(100),
    )


def random_query(draw: random.Random, jobs: Query[Order, Any], depth: int) -> Asked:  # noqa: PLR0911 - one per method
    """Return any query, and what it asks of a job."""
    match draw.randrange(7) if depth else draw.randrange(2, 7):
        case 0:
            one, other = (random_query(draw, jobs, depth - 1) for _ in range(2))
            return one[0] & other[0], lambda job: one[1](job) and other[1](job)
        case 1:
            one, other = (random_query(draw, jobs, depth - 1) for _ in range(2))
            return one[0] | other[0], lambda job: one[1](job) or other[1](job)
        case 2:
            user = draw.randrange(4)
            return jobs.where("user_id", user), lambda job: job.user_id == user
        case 3:
            tag = draw.choice(TAGS)
            return jobs.where("tags", tag), lambda job: tag in job.tags
        case 4:
            states: Any = draw.sample(STATES, draw.randrange(1, 4))
            return jobs.status(*states), lambda job: (job.state or "waiting") in states
        case 5:
            queue = draw.choice(["price", "ship"])
            return jobs.queue(queue), lambda job: job.queue == queue
        case _:
            since, until = sorted(draw.sample(range(101), 2))
            begin = datetime.fromtimestamp(THEN / 1000, UTC)
            query = jobs.created(
                since=begin + timedelta(milliseconds=since), until=begin + timedelta(milliseconds=until)
            )
            return query, lambda job: since <= job.created - THEN < until


@pytest.mark.scale
async def test_all_pages_together_are_what_a_plain_look_finds(orders: Orders, shelf: Shelf) -> None:
    """Many queries on 300 jobs, in pages of any length and both orders; counts agree with the pages."""
    draw = random.Random(13)  # noqa: S311
    stood = [random_job(draw) for _ in range(300)]
    shelf_ids = shelf.put(*sorted(stood, key=lambda job: job.created))
    jobs = dict(zip(shelf_ids, sorted(stood, key=lambda job: job.created), strict=True))
    async with orders:
        for number in range(scaled(60, full=600)):
            query, fits = random_query(draw, orders.jobs, depth=3)
            limit, newest = draw.choice([1, 7, 100, 1000]), draw.choice([True, False, None])
            ids = await all_pages(lambda cursor: query.page(cursor, limit, newest))  # noqa: B023 - called at once
            wanted = sorted(job_id for job_id, job in jobs.items() if fits(job))
            assert sorted(ids) == wanted, (number, query)
            counted = await query.count()
            assert counted.number == len(wanted), (number, query)
            assert counted.exact or any(jobs[job_id].state == "done" for job_id in jobs)
            assert set(ids_of(counted.sample)) <= set(wanted)
            assert len(counted.sample) == min(10, len(wanted))


async def test_a_query_comes_back_from_json(orders: Orders, shelf: Shelf) -> None:
    """What a bulk job carries asks for the same."""
    draw = random.Random(62)  # noqa: S311
    shelf.put(*(random_job(draw) for _ in range(50)))
    query = (orders.jobs.where("user_id", 1) | orders.jobs.where("tags", "a")) & orders.jobs.status("failed", "waiting")
    again = orders.jobs.with_conditions(query.to_dict())
    async with orders:
        pages = await asyncio.gather(query.page(), again.page())
    assert ids_of(pages[0].jobs) == ids_of(pages[1].jobs) != []


async def test_edited_hashes_break_no_page(orders: Orders, shelf: Shelf, redis: Redis) -> None:
    """Nonsense in every field, keys of other types, ids that are none: the others are found, and nothing raises."""
    good, *bad = shelf.put(*(Stood(user_id=1, state="failed", tags=("a",)) for _ in range(8)))
    key = [shelf.keys.job("orders", job_id) for job_id in bad]
    redis.delete(key[0])
    redis.set(key[0], "no hash")
    for field in ("_status", "_queue", "_attempt", "_ended", "_error", "_progress", "_history"):
        redis.hset(key[1], field, b"\xff\x00nan")
    redis.hset(key[2], "_lookups", b"\xff\n\n\n")
    redis.hset(key[3], "_status", "waiting")
    redis.delete(key[4])
    redis.hset(key[5], "_queue", "elsewhere")
    for list_key in (shelf.keys.lookup("orders", "user_id", "1"), shelf.keys.waiting("price")):
        redis.rpush(list_key, "", b"\xff" * 36, "x", "zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz")
    redis.zadd(shelf.keys.ended_jobs("price", "failed"), {"": 1, "x" * 36: float("inf"), b"\xff" * 36: 1.5})
    redis.set(shelf.keys.ended_jobs("ship", "failed"), "no zset")
    redis.hset(shelf.keys.meta("price"), "stale", "many")
    async with orders:
        for query in (orders.jobs.status("failed"), orders.jobs.where("user_id", 1), orders.jobs):
            for limit in (1, 100):
                ids = await all_pages(lambda cursor: query.page(cursor, limit))  # noqa: B023 - called at once
                assert good in ids
            await query.count()
        [odd] = shelf.put(Stood(user_id=2, state="failed"))
        redis.hset(shelf.keys.job("orders", odd), "_status", b"\xff")
        page = await orders.jobs.where("user_id", 2).status("failed").page()
    assert [(record.id, record.status) for record in page.jobs] == [(odd, "failed")]

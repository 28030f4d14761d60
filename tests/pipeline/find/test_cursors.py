"""Pages over lists that change while they are read: no job that stays is missed, and none comes twice."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis

from flows import Page, ValidationError
from tests.pipeline.find.parts import THEN, Shelf, Stood, all_pages, id_at, ids_of
from tests.pipeline.parts import Order, Orders

SECOND = 1000


def at(ms: int) -> datetime:
    """Return a moment so many ms after THEN."""
    return datetime.fromtimestamp(THEN / 1000, UTC) + timedelta(milliseconds=ms)


@pytest.mark.parametrize("newest_first", [False, True])
async def test_trimmed_heads_shift_no_page(orders: Orders, shelf: Shelf, redis: Redis, newest_first: bool) -> None:  # noqa: FBT001
    """Endings trim the heads of lookup lists, and new jobs come to their tails, between any two pages."""
    old = shelf.put(*(Stood(THEN + number, user_id=1) for number in range(1000)))
    key = shelf.keys.lookup("orders", "user_id", "1")
    pages = 0

    def change(page: Page[Order]) -> None:
        nonlocal pages
        pages += 1
        heads = redis.lrange(key, 0, 39)
        if not newest_first or pages < 5:
            redis.delete(*(shelf.keys.job("orders", head) for head in heads))
            redis.ltrim(key, 40, -1)
        shelf.put(Stood(THEN + 2000 + pages, user_id=1))
        assert len(page.jobs) <= 70

    async with orders:
        query = orders.jobs.where("user_id", 1)
        ids = await all_pages(lambda cursor: query.page(cursor, 70, newest_first), change)
    assert len(ids) == len(set(ids))
    assert ids == sorted(ids, reverse=newest_first)
    # Read from the head, all old ones are seen before they go; from the tail, those that stay.
    assert set(ids) >= set(old if not newest_first else old[160:])


async def test_the_last_job_of_a_page_may_be_gone(orders: Orders, shelf: Shelf, redis: Redis) -> None:
    """It is found by its time where it would stand: the next page begins with the one behind it."""
    ids = shelf.put(
        *(Stood(THEN + number // 3, user_id=1, id=id_at(THEN + number // 3, number)) for number in range(90))
    )
    async with orders:
        for query in (orders.jobs.where("user_id", 1), orders.jobs.status("waiting")):
            page = await query.page(limit=30)
            assert ids_of(page.jobs) == ids[:30]
            for key in (shelf.keys.lookup("orders", "user_id", "1"), shelf.keys.waiting("price")):
                redis.lrem(key, 0, ids[29])
            assert ids_of((await query.page(page.cursor)).jobs) == ids[30:]
            for key in (shelf.keys.lookup("orders", "user_id", "1"), shelf.keys.waiting("price")):
                redis.linsert(key, "BEFORE", ids[30], ids[29])


async def test_waiting_jobs_that_are_claimed_meanwhile(orders: Orders, shelf: Shelf, redis: Redis) -> None:
    """The list loses its head, the last job of a page with it, and a rescued job comes to the head."""
    waiting = Stood(state="waiting", queue="ship")
    ids = shelf.put(*(replace(waiting, at=THEN + number) for number in range(3000)))
    key = shelf.keys.waiting("ship")
    async with orders:
        query = orders.jobs.queue("ship").status("waiting")
        page = await query.page(limit=100)
        redis.ltrim(key, 2000, -1)
        redis.lpush(key, ids[0])
        page = await query.page(page.cursor, limit=100)
        assert ids_of(page.jobs) == ids[2000:2100]
        redis.ltrim(key, 50, -1)
        assert ids_of((await query.page(page.cursor, limit=10)).jobs) == ids[2100:2110]


async def test_ended_jobs_that_are_retried_meanwhile(orders: Orders, shelf: Shelf, redis: Redis) -> None:
    """The cursor needs no member of the sorted set to stand still: score and id say where it was."""
    ids = shelf.put(*(Stood(state="failed", at=THEN + number // 10) for number in range(300)))
    key = shelf.keys.ended_jobs("price", "failed")
    async with orders:
        query = orders.jobs.status("failed")
        newest = [job_id for job_id, _ in redis.zrange(key, 0, -1, desc=True, withscores=True)]
        seen: list[str] = []
        cursor = ""
        while True:
            page = await query.page(cursor, limit=25)
            seen += ids_of(page.jobs)
            redis.zrem(key, *seen)
            if not (cursor := page.cursor):
                break
    assert seen == newest
    assert set(seen) == set(ids)


def two_producers(count: int, apart_ms: int, step_ms: int) -> list[Stood]:
    """Return jobs of two producers that create in turns, and whose clocks differ."""
    return [
        Stood(THEN + number * step_ms + (apart_ms if number % 2 else 0), user_id=1, tags=("a",))
        for number in range(count)
    ]


@pytest.mark.parametrize("newest_first", [False, True])
async def test_producers_whose_clocks_differ_by_five_seconds(
    orders: Orders,
    shelf: Shelf,
    redis: Redis,
    newest_first: bool,  # noqa: FBT001
) -> None:
    """The list is out of order by hundreds of places; the last job of each page goes, and all others are seen once."""
    ids = shelf.put(*two_producers(3000, 5 * SECOND, 10))
    key = shelf.keys.lookup("orders", "user_id", "1")
    gone: list[str] = []

    def change(page: Page[Order]) -> None:
        last = page.jobs[-1].id
        redis.lrem(key, 1, last)
        gone.append(last)

    async with orders:
        query = orders.jobs.where("user_id", 1)
        seen = await all_pages(lambda cursor: query.page(cursor, 500, newest_first))
        assert sorted(seen) == sorted(ids)
        assert len(seen) == 3000
        seen = await all_pages(lambda cursor: query.page(cursor, 500, newest_first), change)
    assert sorted(seen) == sorted(ids)
    assert len(gone) > 5


async def test_what_is_found_may_be_deleted_page_by_page(orders: Orders, shelf: Shelf, redis: Redis) -> None:
    """Nothing of a page is left where the next begins, and clocks differ: no job is left out."""
    ids = shelf.put(*two_producers(3000, 5 * SECOND, 10))
    seen: list[str] = []

    def delete(page: Page[Order]) -> None:
        found = ids_of(page.jobs)
        seen.extend(found)
        left = [job_id for job_id in ids if job_id not in set(seen)]
        key = shelf.keys.lookup("orders", "user_id", "1")
        redis.delete(key, *(shelf.keys.job("orders", job_id) for job_id in found))
        if left:
            redis.rpush(key, *left)

    async with orders:
        await all_pages(lambda cursor: orders.jobs.where("user_id", 1).page(cursor, 400), delete)
    assert sorted(seen) == sorted(ids)


async def test_a_time_in_a_list_out_of_order(orders: Orders, shelf: Shelf) -> None:
    """What was created between two times is found to the last job, though the clocks of producers differ by 5 s."""
    stood = two_producers(6000, 5 * SECOND, 10)
    ids = shelf.put(*stood)
    async with orders:
        query = orders.jobs.where("user_id", 1).created(since=at(20_000), until=at(40_000))
        looked: list[int] = []
        seen = await all_pages(lambda cursor: query.page(cursor, 1000), lambda page: looked.append(page.looked_through))
    wanted = [job_id for job_id, job in zip(ids, stood, strict=True) if 20_000 <= job.created - THEN < 40_000]
    assert sorted(seen) == sorted(wanted)
    assert sum(looked) < 6000


@pytest.mark.parametrize("newest_first", [False, True])
async def test_a_time_in_a_long_list_is_looked_for_there_alone(
    orders: Orders,
    shelf: Shelf,
    newest_first: bool,  # noqa: FBT001
) -> None:
    """Neither what is before it nor what is behind it is read, but for some that clocks may have put elsewhere."""
    ids = shelf.put(*(Stood(THEN + number * SECOND, user_id=1) for number in range(5000)))
    async with orders:
        query = orders.jobs.where("user_id", 1).created(since=at(2_000_000), until=at(2_100_000))
        page = await query.page(newest_first=newest_first, limit=200)
    assert ids_of(page.jobs) == (ids[2000:2100][::-1] if newest_first else ids[2000:2100])
    assert page.looked_through < 500


async def test_a_list_in_no_order_at_all(orders: Orders, shelf: Shelf) -> None:
    """A clock was set back by hours, or somebody wrote the list anew: it is read as a whole, in bounded steps."""
    draw = random.Random(5)  # noqa: S311
    stood = [Stood(THEN + draw.randrange(10**8), user_id=1) for _ in range(2000)]
    ids = shelf.put(*stood)
    async with orders:
        query = orders.jobs.where("user_id", 1)
        assert sorted(await all_pages(lambda cursor: query.page(cursor, 150))) == sorted(ids)
        part = query.created(since=at(10**7), until=at(5 * 10**7))
        seen = await all_pages(lambda cursor: part.page(cursor, 150))
    wanted = {job_id for job_id, job in zip(ids, stood, strict=True) if 10**7 <= job.created - THEN < 5 * 10**7}
    assert set(seen) == wanted


async def test_a_call_looks_at_a_bounded_number_of_jobs(orders: Orders, shelf: Shelf) -> None:
    """Where few of many fit, a page comes back short, with a cursor and how many were looked through."""
    shelf.put(*(Stood(THEN + number, user_id=1, tags=("a",)) for number in range(12_000)))
    [rare] = shelf.put(Stood(THEN + 20_000, user_id=1, tags=("a",), state="done", queue="ship"))
    async with orders:
        query = orders.jobs.where("user_id", 1).where("tags", "a").status("done")
        first = await query.page()
        assert (first.jobs, first.looked_through) == ([], 10_000)
        second = await query.page(first.cursor)
        assert (ids_of(second.jobs), second.cursor, second.looked_through) == ([rare], "", 2001)
        counted = await orders.jobs.where("user_id", 1).count()
        assert (counted.number, counted.exact, len(counted.sample)) == (10_000, False, 10)


async def test_a_cursor_is_of_one_query_and_one_order(orders: Orders, shelf: Shelf) -> None:
    """One of another query, and what is none, are refused before anything is read."""
    shelf.put(*(Stood(THEN + number, user_id=1) for number in range(9)))
    async with orders:
        query = orders.jobs.where("user_id", 1)
        cursor = (await query.page(limit=3)).cursor
        for other in (orders.jobs.where("user_id", 2), orders.jobs):
            with pytest.raises(ValidationError, match="of another query"):
                await other.page(cursor)
        with pytest.raises(ValidationError, match="another order"):
            await query.page(cursor, newest_first=True)
        for nonsense in ("x", "é", cursor[:-4], cursor + "AAAA", "W10", "WzEsMl0", "bnVsbA"):
            with pytest.raises(ValidationError):
                await query.page(nonsense)

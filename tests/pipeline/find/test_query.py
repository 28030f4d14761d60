"""`flow.jobs`: what can be asked, what is refused, and what a page and a count tell."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis import Redis

from flows import Fail, JobState, QuerySyntaxError, ValidationError, current_job
from tests.pipeline.find.parts import THEN, Shelf, Stood, ids_of
from tests.pipeline.parts import (
    LONG,
    Lists,
    Many,
    Numbers,
    One,
    Order,
    Orders,
    Price,
    Priced,
    Ship,
    Split,
    Value,
    staff,
)
from tests.waiting import until


async def test_jobs_of_living_workers_are_found_where_they_are(orders: Orders, monkeypatch: pytest.MonkeyPatch) -> None:
    """One runs, one waits, one is delayed, and one is done, which its lookup finds."""
    monkeypatch.setattr("flows.kernel.prefetch._MOST_AHEAD", 0)  # else the one that waits may be claimed ahead
    go, begun = asyncio.Event(), asyncio.Event()

    async def price(job: Price) -> Priced:
        if job.user_id == 1:
            begun.set()
            await go.wait()
        return Priced(price=job.user_id)

    orders.create_workers(Price, price, concurrency=1)
    orders.create_workers(Ship, lambda _job: None)
    async with orders:
        done = await orders.create_job(Order(user_id=0))
        await orders.wait_for(done, LONG)
        runs = await orders.create_job(Order(user_id=1))
        await begun.wait()
        waits = await orders.create_job(Order(user_id=1))
        delayed = await orders.create_job(Order(user_id=1), delay=3600)
        of_user = orders.jobs.where("user_id", 1)
        for query, wanted in (
            (orders.jobs.status("processing"), [runs]),
            (orders.jobs.status("waiting"), [waits]),
            (orders.jobs.status("delayed"), [delayed]),
            (of_user, [runs, waits, delayed]),
            (of_user.queue(Price).status("waiting", "delayed"), [waits, delayed]),
            (orders.jobs.where("user_id", 0).status("done").queue("ship"), [done]),
            (orders.jobs.where("user_id", 0) | orders.jobs.status("waiting"), [done, waits]),
        ):
            assert ids_of((await query.page()).jobs) == wanted, query
        [record] = (await orders.jobs.status("processing").page()).jobs
        assert (record.params, record.status, record.queue) == (Order(user_id=1), "processing", "price")
        go.set()


async def test_jobs_that_have_ended_by_their_workers(orders: Orders) -> None:
    """What failed or was cancelled is listed until it is retried; what is done is in the sample."""

    async def price(job: Price) -> Priced:
        if job.user_id == 1:
            raise Fail("no price")
        return Priced(price=job.user_id)

    orders.create_workers(Price, price)
    orders.create_workers(Ship, lambda _job: None)
    async with orders:
        failed = await orders.create_jobs(Order(user_id=1) for _ in range(3))
        done = await orders.create_job(Order(user_id=2))
        for job_id in (*failed, done):
            await orders.wait_for(job_id, LONG)
        cancelled = await orders.create_job(Order(user_id=3), delay=3600)
        assert await orders.cancel_job(cancelled) == "cancelled"
        assert sorted(ids_of((await orders.jobs.status("failed").page()).jobs)) == sorted(failed)
        assert ids_of((await orders.jobs.status("cancelled").page()).jobs) == [cancelled]
        assert ids_of((await orders.jobs.status("done").page()).jobs) == [done]
        assert (await orders.jobs.where("user_id", 1).status("failed").count()).number == 3
        await orders.retry_job(failed[0])
        await orders.wait_for(failed[0], LONG)
        await orders.delete_job(failed[1])
        assert (await orders.jobs.status("failed").count()).number == 2
        assert ids_of((await orders.jobs.status("failed").page()).jobs) == [failed[0], failed[2]]


async def test_lookups_that_are_joined_come_in_the_order_of_creation(orders: Orders) -> None:
    """Lists are merged by id, from either end; what stands in both comes once."""
    async with orders:
        ids = await orders.create_jobs(
            Order(user_id=number % 3, tags=["a"] if number % 2 else []) for number in range(30)
        )
        wanted = [job_id for number, job_id in enumerate(ids) if number % 3 == 1 or number % 2]
        query = orders.jobs.where("user_id", 1) | orders.jobs.where("tags", "a")
        assert ids_of((await query.page()).jobs) == wanted
        first = await query.page(limit=7, newest_first=True)
        second = await query.page(first.cursor, newest_first=True)
        assert ids_of([*first.jobs, *second.jobs]) == wanted[::-1]


async def test_ended_jobs_come_newest_first(orders: Orders, shelf: Shelf) -> None:
    """By when they ended, over all queues; on demand the oldest come first, and lookups are by creation."""
    stood = [
        Stood(THEN - number, user_id=1, state="failed" if number % 2 else "cancelled", queue=queue, at=THEN + number)
        for number, queue in enumerate(["price", "ship"] * 5)
    ]
    ids = shelf.put(*stood)
    async with orders:
        query = orders.jobs.status("failed", "cancelled")
        first = await query.page(limit=4)
        assert ids_of(first.jobs) == ids[:-5:-1]
        assert ids_of((await query.page(first.cursor)).jobs) == ids[5::-1]
        assert ids_of((await query.page(newest_first=False)).jobs) == ids
        assert first.sampled is False


async def test_done_jobs_without_a_lookup_are_a_sample(orders: Orders, shelf: Shelf) -> None:
    """The page says so, and the count is no exact one; with a lookup all are found."""
    ids = shelf.put(*(Stood(THEN + number, user_id=1, state="done", at=THEN + number) for number in range(3)))
    shelf.redis.ltrim(shelf.keys.ended_jobs("price", "done"), 0, 1)
    since = datetime.fromtimestamp(THEN / 1000, UTC)
    async with orders:
        page = await orders.jobs.status(JobState.DONE).page()
        assert (ids_of(page.jobs), page.sampled) == ([ids[2], ids[1]], True)
        counted = await orders.jobs.status("done").count()
        assert (counted.number, counted.exact) == (2, False)
        assert (await orders.jobs.created(since=since).page()).sampled is True
        page = await orders.jobs.where("user_id", 1).status("done").page()
        assert (ids_of(page.jobs), page.sampled) == (ids, False)
        assert (await orders.jobs.where("user_id", 1).count()).exact is True


async def test_places_are_counted_as_a_whole(orders: Orders, shelf: Shelf, redis: Redis) -> None:
    """However much stands there; ids that jobs left behind in a list do not count, nor what is kept no more."""
    shelf.put(*(Stood(THEN + number, state="failed", at=THEN + number) for number in range(10_050)))
    shelf.put(*(Stood(THEN) for _ in range(12)))
    redis.zadd(shelf.keys.ended_jobs("price", "failed"), {"01890000-0000-7000-8000-000000000000": 1})
    redis.rpush(shelf.keys.waiting("price"), "01890000-0000-7000-8000-000000000000")
    redis.hset(shelf.keys.meta("price"), "stale", 1)
    async with orders:
        failed = await orders.jobs.status("failed").count()
        assert (failed.number, failed.exact, len(failed.sample)) == (10_050, True, 10)
        waiting = await orders.jobs.status("waiting").count()
        assert (waiting.number, waiting.exact, len(waiting.sample)) == (12, True, 10)
        either = await (orders.jobs.status("failed").queue("price") | orders.jobs.status("waiting", "failed")).count()
        assert (either.number, either.exact) == (10_062, True)
        looked = await orders.jobs.status("failed").created(until=datetime.now(UTC)).count()
        assert (looked.number, looked.exact) == (10_000, False)
        nothing = await (orders.jobs.status("failed") & orders.jobs.status("done")).count()
        assert (nothing.number, nothing.exact, nothing.sample) == (0, True, [])


async def test_children_and_parents(lists: Lists) -> None:
    """Jobs of a child queue are found by its full name; parents by the state in which they wait for them."""
    go, begun = asyncio.Event(), list[int]()

    async def one(job: One) -> Value:
        begun.append(job.number)
        await go.wait()
        if job.number == 2:
            raise ValueError(current_job().job_id)
        return Value(value=job.number)

    staff(lists, one)
    async with lists:
        parent = await lists.create_job(Numbers(numbers=[1, 2, 3]))
        running = lists.jobs.queue("add:one").status("processing")
        await until(lambda: len(begun) == 3)
        page = await running.page()
        assert sorted(record.view(One).number for record in page.jobs) == [1, 2, 3]
        assert {record.flow_name for record in page.jobs} == {"add:one"}
        assert ids_of((await lists.jobs.status("children").page()).jobs) == [parent]
        assert ids_of((await lists.jobs.page()).jobs) == [parent]
        assert (await running.count()).number == 3
        assert (await lists.jobs.queue(Many).page()).jobs == []
        go.set()
        await lists.wait_for(parent, LONG)
        assert (await running.page()).jobs == []


async def test_what_cannot_be_asked_is_refused_by_name(orders: Orders, lists: Lists) -> None:
    """An unknown attribute, queue or state names those there are, before anything is sent."""
    jobs: Any = orders.jobs
    wrong: list[tuple[Callable[[], Any], str]] = [
        (lambda: jobs.where("user", 1), "has no lookup attribute 'user'; it has user_id, tags"),
        (lambda: jobs.where("user_id", [1]), "cannot be looked up by a list"),
        (lambda: lists.jobs.where("user_id", 1), "it has none"),  # type: ignore[arg-type]
        (lambda: jobs.status("over"), "name some of waiting, processing, delayed"),
        (jobs.status, "name some of"),
        (lambda: jobs.queue("prices"), "it has price, ship"),
        (lambda: jobs.queue(Split), "has no queue for Split"),
        (lambda: lists.jobs.queue(One), "job class of several queues: add:one, add:many:one; name the queue"),
        (jobs.queue, "name some of price, ship"),
        (jobs.created, "give since=, until= or both"),
        (lambda: jobs.created(since=datetime(2026, 1, 1)), "with a time zone"),  # noqa: DTZ001
        (lambda: jobs.created(since=datetime.now(UTC), until=datetime.now(UTC) - timedelta(1)), "has to be before"),
        (lambda: jobs | lists.jobs, "cannot be joined with one on 'lists'"),
        (lambda: jobs & lists.jobs, "cannot be joined with one on 'lists'"),
    ]
    for ask, message in wrong:
        with pytest.raises(ValidationError, match=message):
            ask()
    with pytest.raises(TypeError):
        jobs | "failed"
    with pytest.raises(ValidationError, match="up to 1,000 jobs"):
        await jobs.page(limit=1001)
    assert not orders._runtime.in_use


async def test_a_query_never_changes(orders: Orders) -> None:
    """Each method returns another one, so one may be kept and asked for more."""
    of_user = orders.jobs.where("user_id", 1)
    before = repr(of_user)
    of_user.status("failed").queue(Ship)
    _ = of_user | orders.jobs.status("done"), of_user & orders.jobs.status("done")
    assert repr(of_user) == before
    assert "user_id" in before


def test_plain_callers_ask_the_same(orders: Orders) -> None:
    """`flow.sync.jobs` blocks, in a thread without a loop."""
    ids = orders.sync.create_jobs([Order(user_id=1), Order(user_id=2), Order(user_id=1)])
    query = orders.sync.jobs.where("user_id", 1) | orders.sync.jobs.where("user_id", 2).status("failed")
    first = query.page(limit=1)
    assert ids_of([*first.jobs, *query.page(first.cursor).jobs]) == [ids[0], ids[2]]
    assert query.count().number == 2
    orders.sync.close()


async def test_a_queue_that_was_renamed(make_orders: Callable[..., Orders], shelf: Shelf) -> None:
    """What a release before has left in a queue is found until it has moved, by its lookup."""
    [left] = shelf.put(Stood(user_id=1, state="failed", queue="older"))
    orders = make_orders()
    async with orders:
        assert ids_of((await orders.jobs.where("user_id", 1).page()).jobs) == [left]
        assert (await orders.jobs.queue(Price).page()).jobs == []


async def test_a_query_as_a_text(orders: Orders) -> None:
    """What a query says of itself asks for the same again; names are those of the flow."""
    ids = await orders.create_jobs([Order(user_id=1), Order(user_id=2, tags=["a b"]), Order(user_id=3)])
    query = orders.jobs.parse('user_id:1|3 queue:price since:1h or tags:"a b" state:waiting')
    assert {record.id for record in (await query.page()).jobs} == {*ids}
    assert str(orders.jobs.parse(str(query))) == str(query)
    assert str(query) in repr(query)
    narrow = orders.jobs.where("user_id", 3).parse(str(query))
    assert [record.id for record in (await narrow.page()).jobs] == [ids[2]]
    assert str(orders.jobs.where("tags", "a b").status("failed", "done")) == 'tags:"a b" state:done|failed'
    assert str(orders.jobs) == ""
    for text, position, says in (
        ("guild:1", 0, "has no lookup attribute 'guild'; it has user_id, tags"),
        ("user_id:1 queue:pack", 16, "the flow has price, ship"),
    ):
        with pytest.raises(QuerySyntaxError, match=says) as caught:
            orders.jobs.parse(text)
        assert caught.value.position == position
    await orders.stop_all()

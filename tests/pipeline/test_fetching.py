"""Finding jobs again: by their ids, by their lookups, and page by page."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, HttpUrl
from redis import Redis

from flows import Flow, FlowOptions, Job, KeyConflict, MalformedJob, QueueOptions, ValidationError, WaitTimeout
from tests.pipeline.parts import LONG, Order, Orders, Price, Priced, Ship, price, ship
from tests.waiting import until

GONE = "01890000-0000-7000-8000-000000000000"


async def test_jobs_by_their_ids(orders: Orders) -> None:
    """get_jobs answers in the order of the ids, as often as each is named, and None for what is not there."""
    async with orders:
        first, second = await orders.create_jobs([Order(user_id=1), Order(user_id=2)])
        found = await orders.get_jobs([second, GONE, first, second])
        assert [record and record.params.user_id for record in found] == [2, None, 1, 2]
        assert await orders.get_jobs([]) == []
        assert await orders.get_job(GONE) is None
        with pytest.raises(ValidationError, match="is no job id"):
            await orders.get_jobs(["user_id:1"])


async def test_a_waiting_job_as_it_is_read(orders: Orders) -> None:
    """A job that was just created is waiting in the first queue, without an attempt."""
    async with orders:
        record = await orders.get_job(await orders.create_job(Order(user_id=1)))
    assert record is not None
    assert (record.status, record.queue, record.attempts) == ("waiting", "price", 0)


async def test_some_fields_only(orders: Orders) -> None:
    """With keys_to_get the records hold these fields and what every record needs; views of others say what misses."""
    orders.create_workers(Price, price)
    orders.create_workers(Ship, ship)
    async with orders:
        job_id = await orders.create_job(Order(user_id=1, tags=["a"]))
        await orders.wait_for(job_id, LONG)
        record = (await orders.get_jobs([job_id], keys_to_get=["price"]))[0]
    assert record is not None
    assert (record.status, record.queue, record.view(Priced).price) == ("done", "ship", 10)
    with pytest.raises(MalformedJob):
        record.view(Ship)


@pytest.mark.parametrize("value", [62, 62.0, "62"])
async def test_a_lookup_value_is_its_text(orders: Orders, value: str | float) -> None:
    """62, 62.0 and "62" find the same jobs."""
    async with orders:
        job_id = await orders.create_job(Order(user_id=62))
        await orders.create_job(Order(user_id=620))
        assert [record.id for record in await orders.get_jobs_by_key("user_id", value)] == [job_id]


async def test_a_list_is_found_by_each_element(orders: Orders) -> None:
    """A job with the tags a, b and a again is found by a and by b, once each, and not by ab."""
    async with orders:
        job_id = await orders.create_job(Order(tags=["a", "b", "a", "ü:ü"]))
        for tag in ("a", "b", "ü:ü"):
            assert [record.id for record in await orders.get_jobs_by_key("tags", tag)] == [job_id]
        assert await orders.get_jobs_by_key("tags", "ab") == []


class Colour(Enum):
    """An enum."""

    RED = "red"


class Keyed(BaseModel):
    """Params whose keys are no texts and no numbers."""

    key: UUID
    colour: Colour | None = None
    day: date = date(2026, 1, 2)
    at: datetime = datetime(2026, 1, 2, tzinfo=UTC)
    price: Decimal = Decimal("1.50")
    url: HttpUrl = HttpUrl("https://example.org/a")
    others: set[UUID] = set()


class Nothing(Job):
    """Reads nothing."""


KeyedFlow = Flow[Nothing, Keyed, Literal["key", "colour", "day", "at", "price", "url", "others"]]


async def test_keys_of_other_types_are_found_by_their_value_and_by_their_text(redis_url: str, namespace: str) -> None:
    """UUID, Enum, date, datetime, Decimal and URLs are listed by the text that JSON gives them."""
    attributes: Any = list(Keyed.model_fields)
    queues = [QueueOptions("nothing", job=Nothing)]
    async with KeyedFlow(FlowOptions("keyed", queues, attributes, redis_url=redis_url, namespace=namespace)) as flow:
        job_id = await flow.create_job(Keyed(key=UUID(int=7), colour=Colour.RED, others={UUID(int=8), UUID(int=9)}))
        old = datetime(2000, 1, 1, tzinfo=UTC)
        await flow.create_job(
            Keyed(key=UUID(int=1), day=old.date(), at=old, price=Decimal(2), url=HttpUrl("https://other"))
        )
        for key, value, text in (
            ("key", UUID(int=7), str(UUID(int=7))),
            ("colour", Colour.RED, "red"),
            ("day", date(2026, 1, 2), "2026-01-02"),
            ("at", datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00Z"),
            ("price", Decimal("1.50"), "1.50"),
            ("url", HttpUrl("https://example.org/a"), "https://example.org/a"),
            ("others", UUID(int=9), str(UUID(int=9))),
        ):
            found: list[Any] = [await flow.get_jobs_by_key(key, wanted) for wanted in (value, text)]  # type: ignore[arg-type]
            assert [[record.id for record in records] for records in found] == [[job_id], [job_id]]


async def test_pages_from_both_ends(orders: Orders, redis: Redis, namespace: str) -> None:
    """Pages of 1,100 jobs, oldest or newest first, hold each job once: dead and repeated ids do not count."""
    key = f"{namespace}job:orders:user_id:1"
    async with orders:
        ids = await orders.create_jobs(Order(user_id=1) for _ in range(1100))
        dead = ids[5::10]
        redis.delete(*(f"{namespace}job:orders:{job_id}" for job_id in dead))
        redis.rpush(key, ids[0], ids[1])
        redis.lpush(key, GONE)
        alive = [job_id for job_id in ids if job_id not in set(dead)]
        oldest = [
            record.id
            for offset in range(0, 1200, 100)
            for record in await orders.get_jobs_by_key("user_id", 1, offset=offset)
        ]
        assert oldest == alive
        newest = await orders.get_jobs_by_key("user_id", 1, newest_first=True, limit=3)
        assert [record.id for record in newest] == [alive[1], alive[0], alive[-1]]
        last = await orders.get_jobs_by_key("user_id", 1, newest_first=True, limit=50, offset=985)
        assert len(last) == len(alive) - 985
        assert await orders.get_jobs_by_key("user_id", 1, offset=5000) == []


async def test_a_page_has_limits(orders: Orders) -> None:
    """A page of no jobs, or from before the first, is refused."""
    async with orders:
        for wrong in ({"limit": 0}, {"offset": -1}):
            with pytest.raises(ValidationError):
                await orders.get_jobs_by_key("user_id", 1, **wrong)


async def test_what_cannot_be_looked_up_is_refused(orders: Orders) -> None:
    """A field that is no lookup attribute, and a value that no list stands for, are errors and not empty answers."""
    async with orders:
        with pytest.raises(ValidationError, match="has no lookup attribute 'price'; it has user_id, tags"):
            await orders.get_jobs_by_key("price", 1)  # type: ignore[arg-type]
        for value in (None, True, ["a"], {"a": 1}, 10**5000):
            with pytest.raises(
                ValidationError, match=f"'tags' cannot be looked up by a {type(value).__name__}: give a str, int"
            ):
                await orders.get_jobs_by_key("tags", value)  # type: ignore[arg-type]


async def test_a_key_of_another_type(orders: Orders, redis: Redis, namespace: str) -> None:
    """A stranger's key where a lookup stands is named; one where a job stands reads as none."""
    async with orders:
        redis.set(f"{namespace}job:orders:user_id:9", "mine")
        redis.set(f"{namespace}job:orders:{GONE}", "mine")
        with pytest.raises(KeyConflict, match="job:orders:user_id:9"):
            await orders.get_jobs_by_key("user_id", 9)
        assert await orders.get_job(GONE) is None
        assert await orders.get_jobs([GONE, GONE]) == [None, None]


async def test_a_lookup_list_edited_by_hand(orders: Orders, redis: Redis, namespace: str) -> None:
    """What is no id in a lookup list is skipped like a job that is gone."""
    async with orders:
        job_id = await orders.create_job(Order(user_id=3, tags=["t"]))
        redis.rpush(f"{namespace}job:orders:user_id:3", "nonsense", "tags:t")
        assert [record.id for record in await orders.get_jobs_by_key("user_id", 3)] == [job_id]


async def test_many_fetch_at_once(orders: Orders) -> None:
    """Five hundred fetches at once share one connection, and each gets its own answer."""
    async with orders:
        ids = await orders.create_jobs(Order(user_id=number) for number in range(500))
        found = await asyncio.gather(*(orders.get_job(job_id) for job_id in ids))
    assert [record and record.params.user_id for record in found] == list(range(500))


async def test_who_waited_listens_no_more(orders: Orders, redis: Redis, namespace: str) -> None:
    """However the waiting ended: by the end of the job, by a timeout, by a cancellation."""
    channels = f"{namespace}flows:*"  # of each job, and of the flow
    async with orders:
        kept, cancelled = await orders.create_jobs([Order(), Order()])
        waits = [asyncio.create_task(orders.wait_for(job_id, LONG)) for job_id in (kept, cancelled)]
        await until(lambda: len(redis.pubsub_shardchannels(channels)) == 3)
        await orders.cancel_job(cancelled)
        assert (await waits[1]).status == "cancelled"
        waits[0].cancel()
        with pytest.raises(WaitTimeout):
            await orders.wait_for(kept, 0)
        await asyncio.gather(*waits, return_exceptions=True)
        await until(lambda: not redis.pubsub_shardchannels(channels))

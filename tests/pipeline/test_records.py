"""Records that leave the process, and what they say of a job: its trouble, its results, what it does not have yet."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from pydantic import BaseModel, TypeAdapter

from flows import (
    ChildJob,
    ChildrenOf,
    ChildResult,
    FieldMissing,
    Flow,
    FlowOptions,
    Job,
    JobNotDone,
    JobRecord,
    JobResult,
    MalformedJob,
    QueueOptions,
    Retries,
    WaitTimeout,
)
from tests.pipeline.parts import (
    LONG,
    Lists,
    Numbers,
    Order,
    Orders,
    Price,
    Priced,
    Ship,
    Shipped,
    Split,
    price,
    ship,
    within,
)


async def test_a_record_is_plain_json(orders: Orders) -> None:
    """By `to_dict`, `to_json`, `dict`, and by pydantic, with its type or without: params and results are in it."""
    orders.create_workers(Price, price)
    orders.create_workers(Ship, ship)
    async with orders:
        record = await orders.wait_for(await orders.create_job(Order(user_id=7, tags=["a"])), LONG)
    plain = record.to_dict()
    assert json.loads(record.to_json()) == json.loads(json.dumps(plain)) == dict(record) == plain
    assert (plain["id"], plain["status"], plain["queue"], plain["attempts"]) == (record.id, "done", "ship", 1)
    assert plain["created_at"] == record.created_at.isoformat()
    assert plain["params"] == {"user_id": 7, "tags": ["a"]}
    assert plain["results"] == record.results == {"price": 70, "parcel": "7 for 70"}
    assert plain["history"][0]["verb"] == "finish"
    for kind in (object, Any, JobRecord, JobRecord[Order], JobRecord[Order] | None):
        adapter = TypeAdapter[Any](kind)
        assert adapter.dump_python(record, mode="json") == json.loads(adapter.dump_json(record)) == plain
    answer = TypeAdapter(dict[str, list[JobRecord[Order]]])
    assert json.loads(answer.dump_json({"jobs": [record]})) == {"jobs": [plain]}
    properties = TypeAdapter(JobRecord[Order]).json_schema(mode="serialization")["properties"]
    assert properties.keys() == plain.keys()


class Listing(BaseModel):
    """A model of the web server's own."""

    jobs: list[JobRecord[Order]]


async def test_a_web_server_returns_a_record_as_it_is(orders: Orders) -> None:
    """With the type declared, in a model, in a list, and without a word."""
    job_id = await orders.create_job(Order(user_id=7))
    record = await orders.get_job(job_id)
    await orders.stop_all()
    assert record is not None

    app = FastAPI()

    @app.get("/typed")
    def typed() -> JobRecord[Order] | None:
        return record

    @app.get("/page")
    def page() -> Listing:
        return Listing(jobs=[record])

    @app.get("/bare", response_model=None)
    def bare() -> Any:
        return {"job": record}

    async with AsyncClient(transport=ASGITransport(app), base_url="http://here") as client:
        assert (await client.get("/typed")).json() == record.to_dict()
        assert (await client.get("/page")).json() == {"jobs": [record.to_dict()]}
        assert (await client.get("/bare")).json() == {"job": record.to_dict()}
        assert (await client.get("/openapi.json")).status_code == 200


async def test_children_that_were_fetched_leave_with_their_parent(lists: Lists) -> None:
    """Their ids where only these were asked for."""

    async def split(job: Split) -> JobResult:
        return JobResult(children=[ChildJob("one", {"number": number}) for number in job.numbers])

    lists.create_workers(Split, split)
    lists.create_parent_workers("add")
    async with lists:
        job_id = await lists.create_job(Numbers(numbers=[5]))
        await within(lists.events.wait_for("job.recorded", queue="add"))
        with pytest.raises(WaitTimeout, match="still waits for its children in 'add'"):
            await lists.wait_for(job_id, 0)
        bare, full = await lists.get_job(job_id), await lists.get_job(job_id, resolve_children=True)
    assert bare is not None
    assert full is not None
    assert bare.to_dict()["children"] == bare.children
    [child] = full.to_dict()["children"]
    assert (child["id"], child["status"], child["params"]) == (bare.children[0], "waiting", {"number": 5})


async def test_an_error_is_told_while_it_is_the_jobs_trouble(redis_url: str, namespace: str) -> None:
    """While the job is to be tried again, and while it is; not once it has gone on or is done."""
    begin, go, seen = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def twice(job: Price) -> Priced:
        if job.attempt == 1:
            await begin.wait()
            raise ConnectionError("once")
        seen.set()
        await go.wait()
        return Priced(price=1)

    async def fail(_job: Ship) -> Shipped:
        seen.set()
        await go.wait()
        raise ValueError("for good")

    flow = again(redis_url, namespace)
    flow.create_workers(Price, twice)
    flow.create_workers(Ship, fail)

    async def error_of() -> str | None:
        record = await flow.get_job(job_id)
        assert record is not None
        return record.error and record.error.message

    async with flow:
        job_id = await flow.create_job(Order())
        assert await error_of() is None
        begin.set()
        await asyncio.wait_for(seen.wait(), LONG)
        assert await error_of() == "once"
        seen.clear()
        go.set()
        await asyncio.wait_for(seen.wait(), LONG)
        failed = await flow.wait_for(job_id, LONG)
        assert failed.error is not None
        assert (failed.error.message, [past.verb for past in failed.history]) == (
            "for good",
            ["retry", "advance", "fail"],
        )
        assert "traceback" not in failed.to_dict()["error"]
        await flow.stop_all()
        assert await flow.retry_job(UUID(job_id)) == "retried"
        assert await error_of() is None


def again(redis_url: str, namespace: str) -> Orders:
    """Return the flow of orders, where a price is tried twice."""
    retries = Retries(max_attempts=2, backoff=timedelta(milliseconds=1))
    queues = [QueueOptions("price", Price, "ship", retries=retries), QueueOptions("ship", Ship)]
    return Flow[Price | Ship, Order, Literal["user_id", "tags"]](
        FlowOptions("orders", queues, ["user_id", "tags"], redis_url=redis_url, namespace=namespace)
    )


async def test_an_error_that_was_got_over_is_in_the_history_only(redis_url: str, namespace: str) -> None:
    """In the next queue, while it runs there, and at the end."""
    running, go = asyncio.Event(), asyncio.Event()

    async def twice(job: Price) -> Priced:
        if job.attempt == 1:
            raise ConnectionError("once")
        return Priced(price=1)

    async def slow(_job: Ship) -> Shipped:
        running.set()
        await go.wait()
        return Shipped(parcel="x")

    flow = again(redis_url, namespace)
    flow.create_workers(Price, twice)
    flow.create_workers(Ship, slow)
    async with flow:
        job_id = await flow.create_job(Order())
        await asyncio.wait_for(running.wait(), LONG)
        ahead = await flow.get_job(job_id)
        go.set()
        done = await flow.wait_for(job_id, LONG)
    assert ahead is not None
    assert (ahead.status, ahead.error) == ("processing", None)
    assert (done.status, done.error) == ("done", None)
    assert done.history[0].error == ("ConnectionError", "once")


async def test_what_a_job_does_not_have_yet(orders: Orders) -> None:
    """Params can be seen at any time; a result of a later queue when that is done; the error says which it is."""

    async def refuse(_job: Price) -> Priced:
        raise ValueError("no price")

    job_id = await orders.create_job(Order(user_id=7))
    waiting = await orders.get_job(job_id)
    assert waiting is not None
    assert (waiting.params.user_id, waiting.view(Order).user_id, waiting.view(Price).user_id) == (7, 7, 7)
    with pytest.raises(
        JobNotDone, match=rf"job {job_id} is not done, but waiting in 'price': it does not have 'parcel'"
    ):
        waiting.view(Shipped)
    orders.create_workers(Price, refuse)
    async with orders:
        failed = await orders.wait_for(job_id, LONG)
    with pytest.raises(
        FieldMissing, match=r"Ship needs 'price'; job .* has tags, user_id, and it is failed in 'price'"
    ):
        failed.view(Ship)
    assert issubclass(FieldMissing, MalformedJob)


def test_a_result_shows_what_its_class_declares() -> None:
    """And what the kernel reads of it only where it is set."""
    assert repr(Priced(price=1)) == "Priced(price=1)"
    assert repr(Priced(price=1, next_queue="ship")) == "Priced(next_queue='ship', price=1)"


async def test_ids_may_be_uuids(orders: Orders) -> None:
    """As they are, and as their text in capitals."""
    orders.create_workers(Price, price)
    orders.create_workers(Ship, ship)
    async with orders:
        job_id = await orders.create_job(Order())
        for known in (UUID(job_id), job_id.upper()):
            assert (await orders.wait_for(known, LONG)).id == job_id
            record = await orders.get_job(known)
            assert record is not None
            assert [one and one.id for one in await orders.get_jobs([known])] == [job_id]
            assert await orders.get_log(known) == []
            assert await orders.cancel_job(known) == "too late"
        assert await orders.delete_job(UUID(job_id))


class Start(Job):
    """Names the children."""

    urls: list[str]


class Urls(BaseModel):
    """Params."""

    urls: list[str]


class Crawl(Job):
    """The parent queue's job."""


class Page(Job):
    """A child."""

    url: str


class Fetched(JobResult):
    """What a child returns."""

    size: int


class Sum(Job):
    """Sees the children, with their params as a dict and as a model."""

    plain: Annotated[list[ChildResult[Fetched]], ChildrenOf("crawl", "page")]
    typed: Annotated[list[ChildResult[Fetched, Page]], ChildrenOf("crawl", "page")]


@pytest.mark.parametrize("count", [3, 600])
async def test_children_are_seen_with_their_params(redis_url: str, namespace: str, count: int) -> None:
    """Whether they are done or failed, and also where they are so many that their results are read in pages."""
    queues = [
        QueueOptions("start", job=Start, next_queue="crawl"),
        QueueOptions("crawl", job=Crawl, next_queue="sum", children=[QueueOptions("page", job=Page)]),
        QueueOptions("sum", job=Sum),
    ]
    flow = Flow[Start | Crawl | Sum, Urls](FlowOptions("crawler", queues, redis_url=redis_url, namespace=namespace))
    seen: list[Sum] = []

    async def start(job: Start) -> JobResult:
        return JobResult(children=[ChildJob(Page, {"url": url}) for url in job.urls])

    async def fetch(job: Page) -> Fetched:
        if job.url == "u1":
            raise ConnectionError(job.url)
        return Fetched(size=int(job.url[1:]))

    async def add(job: Sum) -> None:
        seen.append(job)

    flow.create_workers(Start, start)
    flow.create_child_workers(Crawl, Page, fetch, concurrency=20)
    flow.create_workers(Sum, add)
    async with flow:
        done = await flow.wait_for(await flow.create_job(Urls(urls=[f"u{at}" for at in range(count)])), LONG)
    assert (done.status, done.error) == ("done", None)
    assert [child.params["url"] for child in seen[0].plain] == [f"u{at}" for at in range(count)]
    assert [child.params.url for child in seen[0].typed] == [f"u{at}" for at in range(count)]
    assert [child.params["url"] for child in seen[0].plain if child.status == "failed"] == ["u1"]

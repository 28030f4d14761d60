"""A whole flow whose functions run in processes: children are named there, and their results are seen there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar, Literal

from redis import Redis
from typing_extensions import override

from flows import AttemptNext, CurrentJob, Job, JobResult, Middleware, Verdict, current_job
from tests.pipeline.parts import (
    LONG,
    Add,
    Added,
    Empty,
    Lists,
    Numbers,
    One,
    Order,
    Price,
    Priced,
    Ship,
    Shipped,
    Split,
    Total,
    Value,
    one,
    order_flow,
    ship,
    split,
    total,
)


def split_there(job: Split) -> Empty:
    """Name the children in a process."""
    return asyncio.run(split(job))


def total_there(job: Total) -> Added:
    """Add up what the children found, in a process."""
    return asyncio.run(total(job))


def one_there(job: One) -> JobResult:
    """Fail in a process if the number is negative."""
    return asyncio.run(one(job))


async def test_children_and_their_results(lists: Lists) -> None:
    """Children are named, with two levels of them, and their results seen, also where they are read in pages."""
    lists.create_workers(Split, split_there, executor="process")
    lists.create_parent_workers(Add)
    lists.create_child_workers(Add, One, one, concurrency=64)
    lists.create_parent_workers("add:many")
    lists.create_child_workers("add:many", One, one_there, executor="process")
    lists.create_workers("total", total_there, executor="process")
    async with lists:
        for count in (3, 501):
            job_id = await lists.create_job(Numbers(numbers=list(range(count)), nested=[[1], [-2]]))
            done = await lists.wait_for(job_id, LONG)
            assert done.view(Added) == Added(total=sum(range(count)), endings=["done"] * count, errors=[])
            record = await lists.get_job(job_id, resolve_children=True)
            assert record is not None
            nested = [child for many in record.child_jobs[count:] for child in many.child_jobs]
            assert [child.status for child in nested] == ["done", "failed"]
            assert nested[1].error is not None
            assert (nested[1].error.type, nested[1].error.message) == ("ValueError", "-2 is negative")


def direct(job: Price) -> JobResult:
    """Choose the next queue, name a queue that there is not, or break the rules for results."""
    match job.user_id:
        case 0:
            return Priced(next_queue="ship", price=7)
        case 1:
            return JobResult(next_queue="nowhere")
        case 2:
            return Renamed(user_id=3)
        case _:
            current_job().progress(0.5, "half")
            current_job().log("half of it")
            for text in ("in a ", "process\ud83d"):
                current_job().stream(text)
            return Long(text="x" * 3000)


async def skip(_job: Price) -> Any:
    """Leave the price as it is."""


class Renamed(JobResult):
    """A result that names a field of Params."""

    user_id: int


class Long(JobResult):
    """A result that is too large."""

    text: str


async def test_results_are_held_to_the_same_rules(redis_url: str, namespace: str) -> None:
    """next_queue, the fields of Params and the size are checked, with the words that other functions get."""
    orders = order_flow(redis_url, namespace, max_payload=2000)
    orders.create_workers("price", direct, executor="process")
    orders.create_workers("ship", ship)
    async with orders:
        ids = await orders.create_jobs(Order(user_id=number) for number in range(4))
        ends = [await orders.wait_for(job_id, LONG) for job_id in ids]
        assert [line.text for line in await orders.get_log(ids[3])] == ["half of it"]
        pieces = [piece async for piece in orders.stream(ids[3])]
        assert ("".join(map(str, pieces)), pieces[0].begins) == ("in a process?", True)
    assert ends[0].view(Shipped).parcel == "0 for 7"
    assert [end.error and (end.error.type, end.error.message[:39]) for end in ends[1:]] == [
        ("ValidationError", "next_queue='nowhere' is no queue of the"),
        ("ValidationError", "Renamed names fields of Params (user_id"),
        ("PayloadTooLarge", "the result takes 3,002 bytes, over max_"),
    ]
    assert ends[3].progress == (0.5, "half")


async def test_a_hash_that_does_not_fit(redis_url: str, namespace: str, redis: Redis) -> None:
    """It is judged as if the function ran in the loop, and the function is not called."""
    judged: list[tuple[str, ...]] = []
    executors: dict[str, Literal["process"] | None] = {"orders": None, "others": "process"}
    for name, executor in executors.items():
        orders = order_flow(redis_url, namespace, name)
        queue = orders.create_workers(Ship, ship, executor=executor)[0].queue
        job_id = await orders.create_job(Order(user_id=1))
        redis.hset(f"{namespace}job:{name}:{job_id}", "price", '"much"')
        orders.create_workers(Price, skip)
        async with orders:
            record = await orders.wait_for(job_id, LONG)
        assert record.error is not None
        assert (record.status, record.queue) == ("failed", queue)  # no other release works here
        judged.append((record.error.type, record.error.message.replace(name, "").replace(job_id, "")))
    assert judged[0] == judged[1]
    assert "price" in judged[0][1]


class Doubling(Middleware):
    """Look at each job, and hand on another one where it has a number."""

    seen: ClassVar[list[object]] = []

    @override
    async def attempt(self, job: Job, current: CurrentJob, call_next: AttemptNext) -> JobResult | Verdict | None:
        """Double the number."""
        if isinstance(job, Total):
            self.seen.append([child.result for child in job.ones])
        if isinstance(job, One):
            job = job.model_copy(update={"number": 2 * job.number})
        return await call_next(job)


async def test_middleware_sees_and_changes_jobs(make_lists: Callable[..., Lists]) -> None:
    """What middleware hands on is what the process gets, and children's results arrive whole."""
    lists = make_lists(middleware=[Doubling()])
    lists.create_workers(Split, split)
    lists.create_parent_workers(Add)
    lists.create_child_workers(Add, One, one_there, executor="process")
    lists.create_workers("total", total_there, executor="process")
    async with lists:
        done = await lists.wait_for(await lists.create_job(Numbers(numbers=[1, 2])), LONG)
    assert (done.view(Added).total, Doubling.seen) == (6, [[Value(value=2), Value(value=4)]])

"""Flows beside each other on one server: what belongs to one is refused to the other."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pydantic import BaseModel
from redis import Redis

from flows import DeclarationError, Flow, FlowOptions, Job, QueueOptions
from tests.pipeline.parts import LONG, Lists, Order, Orders, Price, Ship, price, ship


class Any(BaseModel):
    """Params with a field of a telling name."""

    price: int = 0


class Step(Job):
    """A job class."""


def flow_of(redis_url: str, namespace: str, name: str, *queues: QueueOptions[Step], lookups: tuple[str, ...] = ()):  # noqa: ANN201
    """Return a flow with these queues."""
    return Flow[Step, Any, str](
        FlowOptions(name=name, queues=list(queues), lookup_attributes=lookups, redis_url=redis_url, namespace=namespace)
    )


async def connected(flow: Flow[Step, Any, str]) -> None:
    """Connect a flow, and close it."""
    async with flow:
        pass


async def test_a_queue_has_one_owner(orders: Orders, redis_url: str, redis: Redis, namespace: str) -> None:
    """A second flow that declares another's queue is refused by the owner's name, and nothing of it is written."""
    async with orders:
        before = {key: redis.dump(key) if "wake" not in key else None for key in redis.scan_iter(f"{namespace}*")}
        other = flow_of(redis_url, namespace, "shop", QueueOptions("counter", job=Step), QueueOptions("ship", job=Step))
        with pytest.raises(DeclarationError, match=r"ship.*belongs to .*orders"):
            await other.start_all()
        with pytest.raises(DeclarationError, match=r"belongs to .*orders"):
            await other.create_job(Any())
        after = {key: redis.dump(key) if "wake" not in key else None for key in redis.scan_iter(f"{namespace}*")}
    assert after == before


async def test_a_name_is_freed_by_hand(redis_url: str, redis: Redis, namespace: str) -> None:
    """By the commands of docs/key_names.md: then another flow can have a queue, a parent queue and its children."""
    plain = QueueOptions("one", job=Step, next_queue="two")
    parent = QueueOptions("two", job=Step, children=[QueueOptions("part", job=Step)])
    await connected(flow_of(redis_url, namespace, "shop", plain, parent))
    for queue in ("one", "two", "two:part"):
        with pytest.raises(DeclarationError, match="belongs to the"):
            await connected(flow_of(redis_url, namespace, "shop2", plain, parent))
        redis.hdel(f"{namespace}queue:{queue}:meta", "owner")
        redis.hdel(f"{namespace}flows:queues:shop", queue)
        redis.hdel(f"{namespace}flows:names", queue)
    await connected(flow_of(redis_url, namespace, "shop2", plain, parent))
    with pytest.raises(DeclarationError, match="belongs to the"):
        await connected(flow_of(redis_url, namespace, "shop", plain, parent))


@pytest.mark.parametrize(
    ("name", "queue"),
    [
        ("add", QueueOptions("work", job=Step)),
        ("shop", QueueOptions("total", job=Step)),
        ("shop", QueueOptions("add", job=Step, children=[QueueOptions("one", job=Step)])),
    ],
)
async def test_names_that_keys_are_made_of_have_one_owner(
    lists: Lists, redis_url: str, namespace: str, name: str, queue: QueueOptions[Step]
) -> None:
    """A flow cannot be called like another's parent queue, nor have its queues: their keys would meet."""
    async with lists:
        with pytest.raises(DeclarationError, match=r"belongs to .*lists"):
            await flow_of(redis_url, namespace, name, queue).start_all()


async def test_names_meet_inside_one_flow(redis_url: str, namespace: str) -> None:
    """A parent queue that bears its flow's name would mix children with lookups: refused when it is declared."""
    parent = QueueOptions("shop", job=Step, children=[QueueOptions("price", job=Step)])
    with pytest.raises(DeclarationError, match="rename one of them"):
        flow_of(redis_url, namespace, "shop", parent, lookups=("price",))


async def test_a_lookup_is_not_anothers_child(redis_url: str, namespace: str) -> None:
    """A flow named like another's parent queue is refused even where only its lookups would meet the children."""
    parent = QueueOptions("b", job=Step, children=[QueueOptions("price", job=Step)])
    one = flow_of(redis_url, namespace, "a", QueueOptions("first", job=Step, next_queue="b"), parent)
    other = flow_of(redis_url, namespace, "b", QueueOptions("second", job=Step), lookups=("price",))
    async with one:
        with pytest.raises(DeclarationError, match=r"belongs to .*a"):
            await other.create_job(Any())


async def test_two_flows_work_beside_each_other(make_orders: Callable[..., Orders]) -> None:
    """Two flows of one shape, with other names, see only their own jobs, also by the same lookup value."""
    flows = [make_orders(name) for name in ("left", "right")]
    for flow in flows:
        flow.create_workers(f"{flow.name}-price", price)
        flow.create_workers(f"{flow.name}-ship", ship)
    left, right = flows
    async with left, right:
        ids = [await flow.create_job(Order(user_id=1)) for flow in flows]
        for flow, job_id in zip(flows, ids, strict=True):
            assert (await flow.wait_for(job_id, LONG)).flow_name == flow.name
            assert [record.id for record in await flow.get_jobs_by_key("user_id", 1)] == [job_id]
        assert await left.get_job(ids[1]) is None


async def test_two_objects_of_one_flow(make_orders: Callable[..., Orders]) -> None:
    """One flow in two processes: one object only creates, the other only works."""
    shop, factory = make_orders(), make_orders()
    factory.create_workers(Price, price)
    factory.create_workers(Ship, ship)
    async with factory, shop:
        assert (await shop.wait_for(await shop.create_job(Order()), LONG)).status == "done"


async def test_namespaces_keep_flows_apart(make_orders: Callable[..., Orders], namespace: str) -> None:
    """The same flow below two namespaces is two flows."""
    one, other = make_orders(), make_orders()
    inner = type(other)(
        FlowOptions(
            name="orders",
            lookup_attributes=["user_id", "tags"],
            queues=[QueueOptions("price", job=Price, next_queue="ship"), QueueOptions("ship", job=Ship)],
            redis_url=one._runtime.options.redis_url,
            namespace=f"{namespace}{{inner}}:",
        )
    )
    async with one, inner:
        job_id = await one.create_job(Order(user_id=1))
        assert await inner.get_job(job_id) is None
        assert await inner.get_jobs_by_key("user_id", 1) == []

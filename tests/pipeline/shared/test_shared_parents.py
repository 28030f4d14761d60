"""A parent queue of several flows: workers of one do the children of all, and each parent goes on in its own flow."""

from __future__ import annotations

from redis import Redis

from tests.pipeline.shared.parts import Check, Item, Order, Orders, Split, Sum, Total, add, double, orders, split
from tests.waiting import LONG, until


def serve_own(flow: Orders) -> None:
    """Create workers of the queues that are the flow's own."""
    flow.create_workers(Split, split)
    flow.create_workers(Sum, add)


async def test_children_of_all_flows_are_done_by_one(redis_url: str, namespace: str) -> None:
    """Parents without children, with some, and with more than one script takes; each is summed up in its own flow."""
    one, two = orders("one", redis_url, namespace), orders("two", redis_url, namespace)
    serve_own(one)
    serve_own(two)
    one.create_parent_workers(Check)
    one.create_child_workers(Check, Item, double, concurrency=10)
    sizes = (0, 1, 3, 450)
    ids = {flow: [await flow.create_job(Order(items=list(range(n)))) for n in sizes] for flow in (one, two)}
    async with one, two:
        for flow, jobs in ids.items():
            for job_id, n in zip(jobs, sizes, strict=True):
                record = await flow.wait_for(job_id, LONG)
                assert record.view(Total).total == n * (n - 1)
                assert record.queue == f"{flow._declaration.options.name}-sum"
        counts = {name: state.counts for name, state in (await one.states()).items()}
    assert counts["check"]["settle"] == 6
    assert counts["check:item"]["done"] == 2 * sum(sizes)


async def test_parents_wait_by_their_members(redis_url: str, namespace: str, redis: Redis) -> None:
    """In `children`, `<flow>:<id>`; the children in their own queue by their ids; a deleted child settles."""
    one, two = orders("one", redis_url, namespace), orders("two", redis_url, namespace)
    for flow in (one, two):
        serve_own(flow)
    one.create_parent_workers(Check)
    async with one, two:
        job_id = await two.create_job(Order(items=[1, 2]))
        await until(lambda: redis.zcard(f"{namespace}queue:check:children") == 1)
        assert redis.zrange(f"{namespace}queue:check:children", 0, -1) == [f"two:{job_id}"]
        children = redis.lrange(f"{namespace}queue:check:item:waiting", 0, -1)
        assert redis.hget(f"{namespace}job:check:item:{children[0]}", "_parent") == f"two:{job_id}"
        assert "for 2 of its 2 children" in (await two.explain(job_id)).sentence
        one.create_child_workers(Check, Item, double)
        record = await two.wait_for(job_id, LONG)
    assert record.view(Total).total == 6
    assert redis.zcard(f"{namespace}queue:check:children") == 0


async def test_a_cancelled_parent_cancels_its_children(redis_url: str, namespace: str, redis: Redis) -> None:
    """It leaves `children`, and so do the children their queue; the other flow's parent stays."""
    one, two = orders("one", redis_url, namespace), orders("two", redis_url, namespace)
    for flow in (one, two):
        serve_own(flow)
    one.create_parent_workers(Check)
    async with one, two:
        stays, goes = await one.create_job(Order(items=[1])), await two.create_job(Order(items=[1, 2]))
        await until(lambda: redis.zcard(f"{namespace}queue:check:children") == 2)
        await two.cancel_job(goes, "no more")
        assert redis.zrange(f"{namespace}queue:check:children", 0, -1) == [f"one:{stays}"]
        await until(lambda: redis.llen(f"{namespace}queue:check:item:waiting") == 1)
        record = await two.get_job(goes)
        assert record is not None
        assert record.status == "cancelled"
        assert [job.id for job in (await two.jobs.status("cancelled").queue("check").page()).jobs] == [goes]
        await two.retry_job(goes)
        one.create_child_workers(Check, Item, double)
        assert (await two.wait_for(goes, LONG)).view(Total).total == 6
        assert (await one.wait_for(stays, LONG)).view(Total).total == 2

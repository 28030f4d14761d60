"""A workflow is a queue: its runs have priorities, groups, limits and pauses as jobs have, and are explained alike."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from redis import Redis

from flows import DeclarationError, Flow, FlowOptions, Handle, Job, QueueOptions, Step, Workflows
from tests.pipeline.parts import Order as Params
from tests.waiting import until
from tests.workflow.parts import Order, make_app, within


@pytest.fixture
def app(redis_url: str, namespace: str) -> Workflows:
    """Make an app in the test's namespace."""
    return make_app(redis_url, namespace)


async def test_a_paused_workflow(app: Workflows) -> None:
    """Its runs wait, `explain` says so, and they go on by their priorities when it does."""
    order = list[str]()

    @app.define("mail", priorities=3)
    async def mail(one: Order, step: Step) -> int:
        order.append(one.id)
        return step.attempt

    app.create_workers(concurrency=1)
    async with app:
        queue = app.queue(mail)
        await queue.pause(note="not now")
        handles = [await mail.run(Order(id=str(n)), priority=n) for n in (3, 1, 2)]
        found = await handles[0].explain()
        assert found.reason == "paused"
        assert "not now" in str(found)
        assert (await queue.state()).waiting == 3
        await queue.resume()
        for one in handles:
            assert await within(one.result()) == 1
        assert order == ["1", "2", "3"]


async def test_groups_of_runs(app: Workflows) -> None:
    """One run of a customer at a time, whichever customer has more of them; waiting runs are in no group's way."""
    running, highest = Counter[str](), Counter[str]()

    @app.define("bill", max_concurrency=4, group_by="id", max_concurrency_per_group=1)
    async def bill(one: Order, step: Step) -> str:
        running[one.id] += 1
        highest[one.id] = max(highest[one.id], running[one.id])
        await asyncio.sleep(0.002)
        running[one.id] -= 1
        return await step.run("name", lambda: one.id)

    app.create_workers(concurrency=8)
    async with app:
        handles = await bill.run_many([Order(id="ab"[n % 5 == 0]) for n in range(15)])
        assert Counter([await within(one.result()) for one in handles]) == {"a": 12, "b": 3}
        assert highest == {"a": 1, "b": 1}


async def test_the_concurrency_is_the_processes(app: Workflows) -> None:
    """Over all workflows; a run that waits takes no place, so one place is enough for a parent and its child."""

    @app.define("child", max_concurrency=None)
    async def child(n: int, step: Step) -> int:
        return await step.run("twice", lambda: 2 * n)

    @app.define("parent", max_concurrency=None)
    async def parent(n: int, step: Step) -> list[int]:
        one = await step.run_workflow("one", child, n)
        return [one, *await step.map("many", child, [n + 1, n + 2])]

    app.create_workers(concurrency=1)
    async with app:
        handles = await parent.run_many(range(3))
        assert [await within(one.result()) for one in handles] == [[2 * n, 2 * n + 2, 2 * n + 4] for n in range(3)]
        listed = await app.list_runs(workflow="child")
        assert len(listed.runs) == 9


async def test_a_queue_that_a_flow_has(app: Workflows, redis_url: str, namespace: str) -> None:
    """A workflow cannot be called like a flow's queue, nor a flow's queue like a workflow."""

    async def nothing(step: Step) -> int:
        return step.attempt

    flow = Flow[Job, Params](
        FlowOptions("shop", [QueueOptions("pick", job=Job)], redis_url=redis_url, namespace=namespace)
    )
    async with flow:
        app.define("pick")(nothing)
        with pytest.raises(DeclarationError, match=r"queue pick.*flow shop"):
            await app.start()
    other = make_app(redis_url, namespace)
    other.define("pack")(nothing)
    async with other:
        taken = Flow[Job, Params](
            FlowOptions("store", [QueueOptions("pack", job=Job)], redis_url=redis_url, namespace=namespace)
        )
        with pytest.raises(DeclarationError, match=r"queue pack.*flow run"):
            await taken.start_all()


async def test_an_event_is_for_whoever_waits(app: Workflows) -> None:
    """By its key for all runs that wait, by `handle.send` for one alone, and by `provide` as an answer to a step."""
    paid = app.event("paid", Order)

    @app.define("wait", max_concurrency=None)
    async def wait(key: str, step: Step) -> list[str]:
        common = await step.wait_for_event("common", paid, key=key)
        own = await step.wait_for_event("own", paid)
        answer = await step.wait_for_input("answer", Order, prompt="well?")
        return [common.id, own.id, answer.id]

    app.create_workers(concurrency=1)
    async with app:
        one, two = [await wait.run("k") for _ in range(2)]
        await until(lambda: _both_wait(app))
        assert await paid.send(Order(id="all"), key="k", event_id="e") == 2
        assert await paid.send(Order(id="again"), key="k", event_id="e") == 0
        for handle in (one, two):
            await handle.send(paid, Order(id="mine"))
            await until(lambda handle=handle: _asks(handle))  # type: ignore[misc]
            assert await handle.provide("answer", {"id": handle.id})
            assert await within(handle.result()) == ["all", "mine", handle.id]


async def _both_wait(app: Workflows) -> bool:
    return len((await app.list_runs(workflow="wait", status="suspended")).runs) == 2


async def _asks(handle: Handle[Any]) -> bool:
    return (await handle.record()).waits_for == ["answer"]


async def test_a_process_mends_what_it_does_not_declare(redis: Redis, redis_url: str, namespace: str) -> None:
    """Its reconciler walks the queues of all apps, overrides too: runs come back there, and what is none goes."""

    async def nothing(step: Step) -> int:
        return step.attempt

    other = make_app(redis_url, namespace, "other", lease=0.2)
    lost = await other.define("lost")(nothing).run(queue="fast", delay=3600)
    place = f"{namespace}queue:lost@fast:delayed"
    redis.delete(place)
    redis.zadd(place, {"01900000-0000-7000-8000-000000000000": 4102444800000})
    await other.stop()
    app = make_app(redis_url, namespace, lease=0.2)  # by which it is reckoned how soon it looks
    app.define("mine")(nothing)
    app.create_workers()
    async with app:
        await until(lambda: redis.zrange(place, 0, -1) == [lost.id])
    assert await lost.status() == "delayed"
    await other.stop()

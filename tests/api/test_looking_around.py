"""What is seen of jobs that are followed, of processes, of the history of queues, and of the server."""

from __future__ import annotations

from datetime import timedelta

import pytest

from flows.api import Admin, jobs, queues, server, stats, workers
from flows.errors import ValidationError, WaitTimeout
from tests.api.conftest import Left
from tests.api.shop import Price, Priced, shop
from tests.waiting import until


async def test_follows_a_job(admin: Admin, left: Left) -> None:
    """Its log from a line on, its children in pages, its place, and its end."""
    failed, passed = left.ids["failed"], left.ids["passed"]
    log = await jobs.log(admin, failed)
    assert [(line.n, line.text, line.meta) for line in log.lines] == [
        (1, "pricing for canary-7f3a", {"who": "canary-7f3a"})
    ]
    assert (await jobs.log(admin, failed, after=log.last)).lines == []
    assert [past.verb for past in await jobs.history(admin, failed)] == ["fail"]
    page = await jobs.children(admin, passed, limit=1)
    assert (page.total, page.pending, page.jobs[0].flow, page.jobs[0].state) == (2, 2, "shop-pack:part", "waiting")
    last = await jobs.children(admin, passed, limit=1, cursor=page.cursor)
    assert (last.cursor, len({page.jobs[0].id, last.jobs[0].id})) == ("", 2)
    child = await jobs.show(admin, last.jobs[0].id)
    assert (child.parent, [field.name for field in child.fields]) == (f"shop:{passed}", ["number"])
    assert (await jobs.explain(admin, child.id)).flow == "shop-pack:part"
    assert (await jobs.position(admin, left.ids["waiting"])).ahead == 0
    assert (await jobs.position(admin, failed)).ahead is None
    assert (await jobs.wait(admin, failed)).state == "failed"
    with pytest.raises(WaitTimeout, match="still waiting"):
        await jobs.wait(admin, left.ids["waiting"], timedelta(milliseconds=20))
    with pytest.raises(ValidationError, match="no cursor"):
        await jobs.children(admin, passed, cursor="x")


async def test_sees_who_works_and_what_became_of_jobs(left_to_act: Left) -> None:
    """While a process has workers, it is listed, serves its queue, and the history of that has what it did."""
    left = left_to_act
    flow = shop(left.url, left.namespace)

    async def price(job: Price) -> Priced:
        return Priced(price=job.user_id)

    flow.create_workers(Price, price)
    async with left.admin() as admin, flow:
        [process] = await workers.list_workers(admin, flow="shop")
        assert (process.alive, {served.queue for served in process.queues}) == (True, {"shop-price", "shop-pack"})
        assert await workers.list_workers(admin, queue="shop-ship") == []
        [queue] = (await queues.show(admin, queue="shop-price")).queues
        assert (queue.workers, queue.unserved) == (1, False)
        assert process.digest == (await admin.flow("shop")).declared[0].digest

        async def has_passed_on() -> bool:
            return (await queues.show(admin, queue="shop-price")).queues[0].counts.get("advance", 0) > 1

        await until(has_passed_on)
    async with left.admin() as admin:
        found = await stats.series(admin, "shop-price")
        assert found.points[-1].began >= 1
        latency = await stats.latency(admin, "shop-price")
        assert latency.began >= 1
        assert {*latency.run} == {"p50", "p90", "p95", "p99"}


async def test_checks_the_server_and_all_that_it_holds(admin: Admin) -> None:
    """Unserved queues are wrong, also of children; a queue whose next job waits too long is, where that is asked."""
    shown = await server.show(admin)
    assert shown.version.startswith(("valkey", "redis"))
    assert shown.flows == 4
    found = await server.check(admin)
    wrong = {(one.what, one.queue) for one in found.findings if one.level == "wrong"}
    assert wrong == {("unserved", "shop-price"), ("unserved", "shop-pack:part"), ("unserved", "other-price")}
    assert not found.healthy
    assert {"policy", "persistence", "clock", "memory"} <= {one.what for one in found.findings}
    assert (await server.check(admin, queue="shop-ship")).healthy
    late = await server.check(admin, queue="shop-price", max_oldest=timedelta(0))
    assert "oldest" in {one.what for one in late.findings}


async def test_repairs_where_no_worker_runs(left_to_act: Left) -> None:
    """A lease that was edited into eternity is no lease: the reconciler's own steps find it."""
    async with left_to_act.admin() as admin:
        await admin.connection.call("ZADD", admin.keys.processing("shop-price"), 1, left_to_act.ids["waiting"])
        found = await server.repair(admin, flow="shop", timeout=timedelta(seconds=20))
    assert (found.word, found.by_flow) == ("repaired", {"shop": {"misplaced": 1}})


async def test_what_a_process_left_that_was_killed_is_unserved(left_to_act: Left) -> None:
    """A job that it had, or one that was delayed and is due, waits for a process as those do that wait."""
    job_id = left_to_act.ids["waiting"]
    async with left_to_act.admin() as admin:
        keys = admin.keys
        for place, due, told in ((keys.processing, 9e15, "1 running"), (keys.delayed, 1, "1 delayed")):
            assert (await server.check(admin, queue="shop-ship")).healthy
            await admin.connection.call("ZADD", place("shop-ship"), due, job_id)
            [wrong] = [one for one in (await server.check(admin, queue="shop-ship")).findings if one.level == "wrong"]
            assert (wrong.what, told in wrong.sentence) == ("unserved", True)
            assert (await queues.show(admin, queue="shop-ship")).queues[0].unserved
            await admin.connection.call("ZREM", place("shop-ship"), job_id)
        await admin.connection.call("ZADD", keys.delayed("shop-ship"), 9e15, job_id)
        assert (await server.check(admin, queue="shop-ship")).healthy

"""A shared queue with rules: they count for the jobs of all flows together."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from redis import Redis

from flows import FlowOptions, Limiter, QueueOptions, Snooze
from tests.pipeline.shared.parts import Keep, Send, Sent, Text, Texts, texts
from tests.waiting import LONG, until


def ruled(name: str, url: str, namespace: str, **rules: Any) -> Texts:
    """Declare a flow that shares the queue `send` with these rules, and has no other."""
    queues: list[QueueOptions[Send | Keep]] = [QueueOptions("send", job=Send, shared=True, **rules)]
    return Texts(FlowOptions(name, queues, redis_url=url, namespace=namespace, lookup_attributes=["user_id"]))


async def drained(flow: Texts) -> None:
    """Wait until the queue holds nothing."""
    await flow.queue(Send).drain(LONG)


async def test_priorities_and_groups_go_over_all_flows(redis_url: str, namespace: str, redis: Redis) -> None:
    """Priority 1 of either flow goes before 2; within one, users take turns, whatever flow their jobs are of."""
    rules = {"priorities": 2, "group_by": "user_id"}
    mail, news = ruled("mail", redis_url, namespace, **rules), ruled("news", redis_url, namespace, **rules)
    for user in (1, 1, 1, 2):
        await mail.create_job(Text(user_id=user), priority=2)
    for user in (3, 1):
        await news.create_job(Text(user_id=user), priority=2)
    first = [await news.create_job(Text(user_id=9)), await mail.create_job(Text(user_id=8), delay=0.001)]
    assert len(first) == 2
    ((_member, due),) = redis.zrange(f"{namespace}queue:send:delayed", 0, -1, withscores=True)

    def is_due() -> bool:
        seconds, micros = redis.time()
        return seconds * 1000 + micros // 1000 >= due

    await until(is_due)
    order: list[tuple[str, int]] = []

    @mail.worker(Send)
    async def send(job: Send) -> Sent:
        order.append((job.flow_name, job.user_id))
        return Sent(receipt=1)

    async with mail:
        await drained(mail)
    assert set(order[:2]) == {("news", 9), ("mail", 8)}
    assert sorted(user for _flow, user in order[2:5]) == [1, 2, 3]
    assert [user for _flow, user in order[5:]] == [1, 1, 1]
    assert order.count(("news", 1)) == 1
    await news.stop_all()


async def test_a_priority_is_changed_among_those_of_all_flows(redis_url: str, namespace: str, redis: Redis) -> None:
    """The job goes from the list of one priority to that of another, once, under the name that it has there."""
    mail, news = (ruled(name, redis_url, namespace, priorities=2) for name in ("mail", "news"))
    ids = [await flow.create_job(Text(user_id=1), priority=2) for flow in (mail, news)]
    waiting = f"{namespace}queue:send:waiting"
    await news.set_priority(ids[1], 1)
    assert redis.lrange(waiting, 0, -1) == [f"news:{ids[1]}"]
    assert redis.lrange(f"{waiting}:2", 0, -1) == [f"mail:{ids[0]}"]
    await mail.set_priority(ids[0], 1)
    await news.set_priority(ids[1], 2)
    assert redis.lrange(waiting, 0, -1) == [f"mail:{ids[0]}"]
    assert redis.lrange(f"{waiting}:2", 0, -1) == [f"news:{ids[1]}"]
    await mail.stop_all()
    await news.stop_all()


async def test_slots_are_those_of_all_flows(redis_url: str, namespace: str, redis: Redis) -> None:
    """Never more than two at once, of whatever flow, with workers of both; in the end none is taken."""
    mail, news = (ruled(name, redis_url, namespace, max_concurrency=2) for name in ("mail", "news"))
    running, most = set[str](), 0

    async def send(job: Send) -> Sent:
        nonlocal most
        running.add(job.id)
        most = max(most, len(running))
        await asyncio.sleep(0.005)
        running.discard(job.id)
        return Sent(receipt=1)

    ids = {flow: await flow.create_jobs(Text(user_id=n) for n in range(10)) for flow in (mail, news)}
    for flow in ids:
        flow.create_workers(Send, send, concurrency=5)
    async with mail, news:
        for flow, jobs in ids.items():
            for job_id in jobs:
                assert (await flow.wait_for(job_id, LONG)).status == "done"
    assert most == 2
    assert redis.zcard(f"{namespace}queue:send:processing") == 0


async def test_a_limit_counts_the_starts_of_all_flows(redis_url: str, namespace: str) -> None:
    """What one flow's handle reads, sets and holds is the other's too; a job's own words hold the queue."""
    mail, news = (
        ruled(name, redis_url, namespace, limits=[Limiter(4, timedelta(days=1), id="mails")])
        for name in ("mail", "news")
    )
    seen: list[str] = []

    @mail.worker(Send, concurrency=4)
    async def send(job: Send) -> Sent:
        seen.append(job.flow_name)
        return Sent(receipt=1)

    for _ in range(3):
        await mail.create_job(Text(user_id=1))
        await news.create_job(Text(user_id=2))
    async with mail:
        await until(lambda: len(seen) == 4)
        (limit,) = await news.queue(Send).limits()
        assert (limit.used, limit.free) == (4, 0)
        assert (await news.explain((await news.jobs.status("waiting").page()).jobs[-1].id)).reason == "rate_limited"
        await news.queue(Send).set_limit("mails", 6)
        await drained(mail)
    assert sorted(seen) == ["mail"] * 3 + ["news"] * 3
    await news.stop_all()


async def test_a_hold_is_for_all_flows(redis_url: str, namespace: str) -> None:
    """A job that is snoozed with `hold="queue"` keeps those of the other flow back for as long."""
    mail, news = (ruled(name, redis_url, namespace, max_concurrency=1) for name in ("mail", "news"))
    loop = asyncio.get_running_loop()
    began: list[tuple[str, float]] = []

    @mail.worker(Send)
    async def send(job: Send) -> Sent:
        began.append((job.flow_name, loop.time()))
        if len(began) == 1:
            raise Snooze("429", after=0.3, hold="queue")
        return Sent(receipt=1)

    await news.create_job(Text(user_id=1))
    await mail.create_job(Text(user_id=2))
    async with mail:
        await until(lambda: len(began) == 3)
    assert began[0][0] == "news"
    assert began[1][1] - began[0][1] >= 0.28
    await news.stop_all()


async def test_a_job_comes_to_its_flows_own_ruled_queue(redis_url: str, namespace: str) -> None:
    """Passed on by a worker of a flow that knows nothing of those rules: it runs by its priority there."""
    mail = texts("mail", redis_url, namespace, ends=True)
    news = texts("news", redis_url, namespace, diff=1, priorities=3)

    @mail.worker(Send)
    async def send(_job: Send) -> Sent:
        return Sent(receipt=1)

    async with mail:
        ids = [await news.create_job(Text(user_id=n), priority=priority) for n, priority in enumerate((3, 2, 1, 1))]
        await drained(mail)
    kept: list[int] = []

    @news.worker(Keep)
    async def keep(job: Keep) -> None:
        kept.append(job.priority)

    async with news:
        for job_id in ids:
            await news.wait_for(job_id, LONG)
    assert kept == [2, 2, 3, 3]

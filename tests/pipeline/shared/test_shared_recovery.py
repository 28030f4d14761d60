"""Jobs in a shared queue outlive what befalls them: dead workers, retries, their own expiry, edited places."""

from __future__ import annotations

from datetime import timedelta

import pytest
from redis import Redis

from flows import JobGone, Retry
from flows.store.jobs.reconcile import Reconciliation
from flows.store.jobs.turns import Turns, new_worker_id
from tests.pipeline.shared.parts import Order, Orders, Send, Sent, Split, Text, Texts, orders, split, texts
from tests.waiting import LONG, until


async def claim(flow: Texts, want: int) -> list[str]:
    """Claim jobs as a worker that then dies, and return how they stand in the queue."""
    session = await flow._runtime.open()
    turns = Turns(session.connection, session.settings, "send", new_worker_id(), ["user_id"])
    turn = await turns.turn((), want, busy=False)
    return [job.member.decode() for job in turn.claimed]


async def test_jobs_of_dead_workers_are_rescued(redis_url: str, namespace: str, redis: Redis) -> None:
    """By the rescuer of another flow than the job's, to the head of the queue; each is done once, in its own flow."""
    more = {"lease": timedelta(seconds=1)}
    mail, news = texts("mail", redis_url, namespace, **more), texts("news", redis_url, namespace, ends=True, **more)
    ids = [await news.create_job(Text(user_id=1)), await mail.create_job(Text(user_id=2))]
    assert await claim(mail, 2) == [f"news:{ids[0]}", f"mail:{ids[1]}"]
    assert redis.llen(f"{namespace}queue:send:waiting") == 0
    seen: list[int] = []

    @mail.worker(Send)
    async def send(job: Send) -> Sent:
        seen.append(job.user_id)
        return Sent(receipt=1)

    async with mail:
        record = await news.wait_for(ids[0], LONG)
        await until(lambda: len(seen) == 2)
    assert [line.verb for line in record.history] == ["rescue", "finish"]
    assert redis.zcard(f"{namespace}queue:send:processing") == 0
    await news.stop_all()


async def test_failed_attempts_come_back_from_delayed(redis_url: str, namespace: str) -> None:
    """A retry of another flow's job is delayed by its member, and promoted by it."""
    mail, news = texts("mail", redis_url, namespace), texts("news", redis_url, namespace, ends=True)
    attempts: list[int] = []

    @mail.worker(Send)
    async def send(job: Send) -> Sent:
        attempts.append(job.attempt)
        if job.attempt < 3:
            raise Retry("not yet", after=0.01)
        return Sent(receipt=job.attempt)

    async with mail:
        record = await news.wait_for(await news.create_job(Text(user_id=1)), LONG)
    assert (record.status, attempts) == ("done", [1, 2, 3])
    await news.stop_all()


async def test_each_job_lives_as_long_as_its_own_flow_says(redis_url: str, namespace: str, redis: Redis) -> None:
    """Its time while it waits and once it is done, whatever flow's worker had it; the list lives as the longest."""
    mail = texts("mail", redis_url, namespace, ends=True, retention=100)
    news = texts("news", redis_url, namespace, ends=True, retention=5000, job_ttl=timedelta(seconds=900))

    @mail.worker(Send)
    async def send(_job: Send) -> Sent:
        return Sent(receipt=1)

    one, other = await news.create_job(Text(user_id=1)), await mail.create_job(Text(user_id=1))
    assert 0 < redis.pttl(f"{namespace}job:news:{one}") <= 900_000
    async with mail:
        await news.wait_for(one, LONG)
        await mail.wait_for(other, LONG)
    assert 4_000_000 < redis.pttl(f"{namespace}job:news:{one}") <= 5_000_000
    assert 0 < redis.pttl(f"{namespace}job:mail:{other}") <= 100_000
    assert 4_000_000 < redis.pttl(f"{namespace}flows:ended:send:done") <= 5_000_000
    await news.stop_all()


async def test_expired_jobs_are_dropped(redis_url: str, namespace: str, redis: Redis) -> None:
    """An id whose hash is gone is counted and dropped, in `waiting` and in `delayed`; the others go on."""
    mail, news = texts("mail", redis_url, namespace, ends=True), texts("news", redis_url, namespace, ends=True)
    gone, late = await news.create_job(Text(user_id=1)), await news.create_job(Text(user_id=1), delay=0.05)
    for job_id in (gone, late):
        redis.delete(f"{namespace}job:news:{job_id}")

    @mail.worker(Send)
    async def send(_job: Send) -> Sent:
        return Sent(receipt=1)

    async with mail:
        await news.wait_for(await news.create_job(Text(user_id=2)), LONG)
        await until(lambda: redis.hget(f"{namespace}queue:send:meta", "expired") == "2")
    with pytest.raises(JobGone):
        await news.wait_for(gone, LONG)
    await news.stop_all()


async def test_the_reconcilers_put_back_what_is_missing(redis_url: str, namespace: str, redis: Redis) -> None:
    """Each flow's own jobs, by their members; what the other flow has there stays; what is nobody's goes."""
    mail, news = texts("mail", redis_url, namespace), texts("news", redis_url, namespace)
    kept, lost = await mail.create_job(Text(user_id=1)), await news.create_job(Text(user_id=2))
    late = await news.create_job(Text(user_id=3), delay=3600)
    (member,) = await claim(news, 1)
    assert member == f"mail:{kept}"
    redis.lrem(f"{namespace}queue:send:waiting", 0, f"news:{lost}")
    redis.zrem(f"{namespace}queue:send:delayed", f"news:{late}")
    redis.zadd(f"{namespace}queue:send:processing", {f"news:{lost}": 1e15})
    words = {flow._declaration.options.name: await reconcile(flow) for flow in (mail, news)}
    assert redis.lrange(f"{namespace}queue:send:waiting", 0, -1) == [f"news:{lost}"]
    assert redis.zrange(f"{namespace}queue:send:delayed", 0, -1) == [f"news:{late}"]
    assert redis.zrange(f"{namespace}queue:send:processing", 0, -1) == [f"mail:{kept}"]
    assert sorted(words["mail"] + words["news"]) == ["lease", "misplaced", "placed_delayed", "placed_waiting"]
    assert await reconcile(mail) == await reconcile(news) == []
    await mail.stop_all()
    await news.stop_all()


async def test_the_reconciler_lets_parents_go_on(redis_url: str, namespace: str, redis: Redis) -> None:
    """A parent of another flow whose child is gone without a word: it is joined, and goes on in its own flow."""
    one, two = orders("one", redis_url, namespace), orders("two", redis_url, namespace)
    two.create_workers(Split, split)
    one.create_parent_workers("check")
    async with one, two:
        job_id = await two.create_job(Order(items=[1]))
        await until(lambda: redis.zcard(f"{namespace}queue:check:children") == 1)
        (child,) = redis.lrange(f"{namespace}queue:check:item:waiting", 0, -1)
        redis.delete(f"{namespace}job:check:item:{child}", f"{namespace}queue:check:item:waiting")
        session = await one._runtime.open()
        redis.delete(f"{namespace}flows:reconcile:one")
        reconciliation = Reconciliation(session.connection, session.settings, list(one._declaration.plans))
        await until(lambda: _joined(reconciliation, two, job_id))
    assert redis.lrange(f"{namespace}queue:two-sum:waiting", 0, -1) == [job_id]


async def _joined(reconciliation: Reconciliation, flow: Orders, job_id: str) -> bool:
    await reconciliation.step()
    record = await flow.get_job(job_id)
    return record is not None and record.queue == "two-sum"


async def reconcile(flow: Texts) -> list[str]:
    """Take the steps of a whole pass, and return what was repaired."""
    session = await flow._runtime.open()
    reconciliation = Reconciliation(session.connection, session.settings, list(flow._declaration.plans))
    key = session.settings.keys.reconcile(session.settings.flow)
    words: list[str] = []
    goes_on = True
    while goes_on:
        await session.connection.call("HDEL", key, "at")
        step = await reconciliation.step()
        words += [repair.word for repair in step.repairs]
        goes_on = step.goes_on
    return words

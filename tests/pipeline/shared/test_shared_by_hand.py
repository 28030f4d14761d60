"""What is done by hand to jobs in a shared queue: looked at, found, cancelled, deleted, retried, moved."""

from __future__ import annotations

import asyncio

from redis import Redis

from flows import Fail
from tests.pipeline.shared.parts import Send, Sent, Text, Texts, texts
from tests.waiting import LONG, until


async def test_each_flow_finds_its_own_jobs(redis_url: str, namespace: str) -> None:
    """By queue and status, page by page, newest first too; position counts all that are before a job, of any flow."""
    mail, news = texts("mail", redis_url, namespace), texts("news", redis_url, namespace)
    ids: dict[str, list[str]] = {"mail": [], "news": []}
    for n in range(30):
        ids["mail"].append(await mail.create_job(Text(user_id=n)))
        ids["news"].append(await news.create_job(Text(user_id=n)))
    for flow, name in ((mail, "mail"), (news, "news")):
        for newest in (False, True):
            found: list[str] = []
            cursor = ""
            while True:
                page = await flow.jobs.queue("send").status("waiting").page(cursor, limit=7, newest_first=newest)
                found += [job.id for job in page.jobs]
                cursor = page.cursor
                if not cursor:
                    break
            assert found == (ids[name][::-1] if newest else ids[name])
        assert (await flow.jobs.where("user_id", 3).page()).jobs[0].id == ids[name][3]
        assert (await flow.jobs.queue("send").count()).number == 30
    position = await news.position(ids["news"][4])
    assert position is not None
    assert (position.ahead, position.exact) == (9, True)
    why = await news.explain(ids["news"][4])
    assert why.reason == "no_workers"
    state = await news.queue("send").state()
    assert (state.waiting, state.oldest_age is None) == (60, False)
    await mail.stop_all()
    await news.stop_all()


async def test_cancels_deletes_and_moves_what_waits(redis_url: str, namespace: str, redis: Redis) -> None:
    """The id of this job alone leaves its place, waiting or delayed; moved jobs come by their member, and go by it."""
    mail, news = texts("mail", redis_url, namespace), texts("news", redis_url, namespace)
    a, b, c, d = await news.create_jobs(Text(user_id=n) for n in range(4))
    late = await news.create_job(Text(user_id=9), delay=3600)
    await mail.create_job(Text(user_id=1))
    before = redis.llen(f"{namespace}queue:send:waiting")
    await news.cancel_job(a)
    assert await news.delete_job(b)
    await news.cancel_job(late)
    await news.move_job(c, to="news-keep")
    assert redis.lrange(f"{namespace}queue:news-keep:waiting", 0, -1) == [c]
    assert redis.llen(f"{namespace}queue:send:waiting") == before - 3
    assert redis.zcard(f"{namespace}queue:send:delayed") == 0
    await news.move_job(c, to="send")
    assert redis.lrange(f"{namespace}queue:send:waiting", 0, -1)[-1] == f"news:{c}"
    assert sorted(redis.zrange(f"{namespace}flows:ended:send:cancelled", 0, -1)) == sorted(
        [f"news:{a}", f"news:{late}"]
    )
    await news.retry_job(a)
    assert redis.zrange(f"{namespace}flows:ended:send:cancelled", 0, -1) == [f"news:{late}"]
    assert await news.delete_job(late)
    assert redis.zcard(f"{namespace}flows:ended:send:cancelled") == 0
    assert {job.id for job in (await news.jobs.status("waiting").page()).jobs} == {a, c, d}
    counts = (await mail.queue("send").state()).counts
    assert (counts["cancelled"], counts["deleted"], counts["moved_in"], counts["moved_out"]) == (2, 1, 1, 1)
    assert (counts["retry_job"], counts["delete_ended"]) == (1, 1)
    await mail.stop_all()
    await news.stop_all()


async def test_cancels_a_job_that_runs_in_another_flows_worker(redis_url: str, namespace: str) -> None:
    """At once, by its channel; the function is stopped, the job ends in its own flow."""
    mail, news = texts("mail", redis_url, namespace), texts("news", redis_url, namespace)
    begun = asyncio.Event()

    @mail.worker(Send)
    async def send(_job: Send) -> Sent:
        begun.set()
        await asyncio.sleep(LONG)
        return Sent(receipt=1)

    async with mail:
        job_id = await news.create_job(Text(user_id=1))
        async with asyncio.timeout(LONG):
            await begun.wait()
        assert (await news.explain(job_id)).reason == "running"
        await news.cancel_job(job_id, "enough")
        record = await news.wait_for(job_id, LONG)
        assert record.status == "cancelled"
    await news.stop_all()


async def test_retries_what_has_failed_by_a_query(redis_url: str, namespace: str) -> None:
    """Of this flow alone: those of the other stay as they are."""
    mail, news = texts("mail", redis_url, namespace, ends=True), texts("news", redis_url, namespace, ends=True)
    broken = [True]

    @mail.worker(Send)
    async def send(_job: Send) -> Sent:
        if broken:
            raise Fail("broken")
        return Sent(receipt=1)

    ids = {"mail": await mail.create_jobs([Text(user_id=1)]), "news": await news.create_jobs([Text(user_id=1)])}
    async with mail:
        await news.wait_for(ids["news"][0], LONG)
        await mail.wait_for(ids["mail"][0], LONG)
        broken.clear()
        result = await (await news.jobs.status("failed").retry()).wait(LONG)
        assert result.words == {"retried": 1}
        await until(lambda: _status(news, ids["news"][0], "done"))
        assert await _status(mail, ids["mail"][0], "failed")
    await news.stop_all()


async def _status(flow: Texts, job_id: str, status: str) -> bool:
    record = await flow.get_job(job_id)
    return record is not None and record.status == status

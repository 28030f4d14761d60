"""A queue of several flows: workers of one take the jobs of all, and each goes where its own flow says."""

from __future__ import annotations

import pytest
from redis import Redis

from flows import DeclarationError, Flow, FlowOptions, QueueOptions, current_job
from tests.pipeline.shared.parts import Keep, Send, Sent, Text, Texts, texts
from tests.waiting import LONG, until


async def test_workers_of_one_flow_take_the_jobs_of_all(redis_url: str, namespace: str) -> None:
    """Each job goes on in its own flow, or is done; those of a flow without any worker process are done too."""
    mail, news = texts("mail", redis_url, namespace), texts("news", redis_url, namespace)
    idle = texts("idle", redis_url, namespace, ends=True)
    seen: list[tuple[str, int]] = []
    kept: list[tuple[str, int]] = []

    @mail.worker(Send, concurrency=3)
    async def send(job: Send) -> Sent:
        seen.append((job.flow_name, job.user_id))
        return Sent(receipt=job.user_id * 10)

    async def keep(job: Keep) -> None:
        kept.append((job.flow_name, job.receipt))

    mail.create_workers(Keep, keep)
    news.create_workers(Keep, keep)
    flows = {"mail": mail, "news": news, "idle": idle}
    ids = {name: await flow.create_jobs(Text(user_id=n) for n in range(20)) for name, flow in flows.items()}
    async with mail, news:
        for name, flow in flows.items():
            for job_id in ids[name]:
                record = await flow.wait_for(job_id, LONG)
                assert (record.status, record.queue) == ("done", "send" if name == "idle" else f"{name}-keep")
                assert record.path[0].queue == "send"
    await idle.stop_all()
    assert sorted(seen) == sorted((name, n) for name in flows for n in range(20))
    assert sorted(kept) == sorted((name, n * 10) for name in ("mail", "news") for n in range(20))


async def test_meta_names_the_flows_and_lists_hold_members(redis_url: str, namespace: str, redis: Redis) -> None:
    """What stands in Redis: `<flow>:<id>` in the queue's places, the bare id in the flow's own."""
    mail, news = texts("mail", redis_url, namespace), texts("news", redis_url, namespace)
    one, other = await mail.create_job(Text(user_id=1)), await news.create_job(Text(user_id=2))
    late = await news.create_job(Text(user_id=3), delay=3600)
    assert redis.lrange(f"{namespace}queue:send:waiting", 0, -1) == [f"mail:{one}", f"news:{other}"]
    assert redis.zrange(f"{namespace}queue:send:delayed", 0, -1) == [f"news:{late}"]
    assert redis.hmget(f"{namespace}queue:send:meta", "flows", "owner") == ["mail news", None]
    assert redis.lrange(f"{namespace}job:news:user_id:2", 0, -1) == [other]
    assert str(redis.get(f"{namespace}flows:settings:news")).endswith("\n= send news-keep 0 8")
    await mail.stop_all()
    await news.stop_all()


async def test_each_flow_adds_to_the_priority_of_its_own_jobs(redis_url: str, namespace: str, redis: Redis) -> None:
    """Up, down and not at all, within what the next queue has; the functions see what the job has."""
    flows = {
        name: texts(name, redis_url, namespace, diff=diff, priorities=most)
        for name, diff, most in (("up", -1, 3), ("down", 2, 3), ("stays", 0, 3))
    }
    seen: dict[str, int] = {}

    @flows["stays"].worker(Send)
    async def send(job: Send) -> Sent:
        seen[job.flow_name] = job.priority
        return Sent(receipt=1)

    ids = {name: await flow.create_job(Text(user_id=1), priority=2) for name, flow in flows.items()}
    async with flows["stays"]:
        for name, flow in flows.items():
            await until(lambda flow=flow, name=name: _queue_of(flow, ids[name], f"{name}-keep"))
    assert seen == {"up": 2, "down": 2, "stays": 2}
    left = {name: redis.hget(f"{namespace}job:{name}:{job_id}", "_priority") for name, job_id in ids.items()}
    assert left == {"up": "1", "down": "3", "stays": "2"}
    for flow in flows.values():
        await flow.stop_all()


async def _queue_of(flow: Texts, job_id: str, queue: str) -> bool:
    record = await flow.get_job(job_id)
    return record is not None and record.queue == queue


async def test_a_result_names_no_queue_and_no_children(redis_url: str, namespace: str) -> None:
    """Those are names of one flow: the job fails, and its error says so."""
    mail = texts("mail", redis_url, namespace)

    @mail.worker(Send)
    async def send(job: Send) -> Sent:
        return Sent(receipt=job.user_id, next_queue="mail-keep")

    async with mail:
        record = await mail.wait_for(await mail.create_job(Text(user_id=1)), LONG)
    assert record.error is not None
    assert "is shared, so its result names neither next_queue nor children" in record.error.message


async def test_what_a_function_asks_for_is_done_for_its_job(redis_url: str, namespace: str) -> None:
    """Snoozed, retried, logged, with progress: each counts for the job's own flow."""
    mail, news = texts("mail", redis_url, namespace), texts("news", redis_url, namespace, ends=True)

    @mail.worker(Send)
    async def send(job: Send) -> Sent:
        current = current_job()
        assert current.id == job.id
        current.progress(0.5, "half")
        current.log("once more" if job.attempt == 1 else "now")
        if job.attempt == 1 and job.user_id == 2:
            raise OSError("try again")
        return Sent(receipt=1)

    async with mail:
        done = await news.wait_for(await news.create_job(Text(user_id=1)), LONG)
        failed = await news.wait_for(await news.create_job(Text(user_id=2)), LONG)
    assert done.progress is not None
    assert (done.status, done.progress[0]) == ("done", 0.5)
    assert (failed.status, failed.queue) == ("failed", "send")
    assert [line.text for line in await news.get_log(done.id)] == ["once more"]
    assert [job.id for job in (await news.jobs.status("failed").page()).jobs] == [failed.id]
    assert (await mail.jobs.status("failed").page()).jobs == []
    await news.stop_all()


async def test_a_queue_is_shared_by_all_or_by_none(redis_url: str, namespace: str) -> None:
    """A flow that has it alone, and one that comes to those who share it: each learns what to do."""
    mail = texts("mail", redis_url, namespace)
    await mail.create_job(Text(user_id=1))
    alone = _alone("alone", redis_url, namespace)
    with pytest.raises(DeclarationError, match="belongs to the flows mail; declare the queue with shared=True as they"):
        await alone.create_job(Text(user_id=1))
    with pytest.raises(DeclarationError, match="it holds jobs, which stand otherwise"):
        await _alone("mail", redis_url, namespace).create_job(Text(user_id=1))
    await mail.stop_all()
    other = _alone("first", redis_url, f"{namespace}2:")
    await other.create_job(Text(user_id=1))
    with pytest.raises(DeclarationError, match="flow first; declare the queue with shared=True there too"):
        await texts("second", redis_url, f"{namespace}2:").create_job(Text(user_id=1))
    with pytest.raises(DeclarationError, match="it holds jobs"):
        await texts("first", redis_url, f"{namespace}2:", ends=True).create_job(Text(user_id=1))
    await other.stop_all()


def _alone(name: str, url: str, namespace: str) -> Flow[Send, Text]:
    options = FlowOptions(name, [QueueOptions("send", job=Send)], redis_url=url, namespace=namespace)
    return Flow[Send, Text](options)

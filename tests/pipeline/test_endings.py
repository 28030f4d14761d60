"""`flow.endings`: what has ended is read by pages and counted by days, also when the jobs themselves are gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from pydantic import BaseModel
from redis import Redis

from flows import Endings, Fail, Flow, FlowOptions, Job, QueueOptions, ValidationError
from flows.store.views.endings import EndingPage


class Params(BaseModel):
    """What a job is created with."""

    type: str
    fails: str = ""


class Step(Job):
    """What its function sees."""

    type: str
    fails: str


async def step(job: Step) -> None:
    """Fail, if asked to, by a type of the job's own."""
    if job.fails:
        raise Fail("as asked", type=job.fails)


@pytest_asyncio.fixture
async def flow(redis_url: str, namespace: str) -> AsyncIterator[Flow[Step, Params]]:
    """A flow that logs its endings."""
    endings = Endings(days=5, most=100, fields=["type"])
    queues = [QueueOptions("step", Step)]
    options = FlowOptions("mails", queues, redis_url=redis_url, namespace=namespace, endings=endings)
    flow = Flow[Step, Params](options)
    yield flow
    await flow.stop_all()


async def end(flow: Flow[Step, Params], *jobs: Params) -> list[str]:
    """Run jobs, one after another, and return their ids."""
    ids: list[str] = []
    flow.create_workers(Step, step)
    await flow.start_all()
    for job in jobs:
        ids.append(await flow.create_job(job))
        await flow.wait_for(ids[-1], 30)
    return ids


def listed(page: EndingPage) -> list[tuple[str, Any, str | None]]:
    """Return what a page says."""
    return [(ending.job_id, ending.fields["type"], ending.error) for ending in page.endings]


async def test_what_has_ended_is_found_by_day_and_kind(flow: Flow[Step, Params], redis: Redis, namespace: str) -> None:
    """Newest first, page by page; by the type of the error, by a copied field, and after the hashes are gone."""
    kinds = [("mail", "no-address"), ("sms", ""), ("mail", "too-late"), ("sms", "no-address")]
    ids = await end(flow, *(Params(type=kind, fails=fails) for kind, fails in kinds))
    waiting = await flow.create_job(Params(type="mail"), delay=3600)
    await flow.cancel_job(waiting, "unwanted")
    redis.delete(*(f"{namespace}job:mails:{job_id}" for job_id in ids))
    today = datetime.now(UTC).date()
    around = [today - timedelta(days=1), today]  # midnight may have passed since
    first = await flow.endings.page("failed", limit=2)
    assert listed(first) == [(ids[3], "sms", "no-address"), (ids[2], "mail", "too-late")]
    second = await flow.endings.page("failed", limit=2, after=first.next)
    assert (listed(second), second.next) == ([(ids[0], "mail", "no-address")], "")
    assert listed(await flow.endings.page("done")) == [(ids[1], "sms", None)]
    assert listed(await flow.endings.page("cancelled")) == [(waiting, "mail", None)]
    assert [one[0] for one in listed(await flow.endings.page("failed", error="no-address"))] == [ids[3], ids[0]]
    of_mails = await flow.endings.page("failed", fields={"type": "mail"}, newest_first=False)
    assert [one[0] for one in listed(of_mails)] == [ids[0], ids[2]]
    pages = [await flow.endings.page("failed", day=day, timezone="UTC") for day in around]
    assert sum(len(page.endings) for page in pages) == 3
    counted = await flow.endings.count("failed", today, days=2, by="type")
    assert {kind: sum(day.get(kind, 0) for day in counted) for kind in ("mail", "sms")} == {"mail": 2, "sms": 1}
    assert len(counted) == 2
    assert await flow.endings.count("failed", date(2020, 1, 1)) == [{}]


async def test_plain_callers_read_it_too(flow: Flow[Step, Params]) -> None:
    """As the flow's own calls do."""
    [job_id] = await end(flow, Params(type="mail"))

    def read() -> list[tuple[str, Any, str | None]]:
        return listed(flow.sync.endings.page("done"))

    assert await asyncio.to_thread(read) == [(job_id, "mail", None)]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"outcome": "finished"}, "outcome='finished': give one of done, failed, cancelled"),
        ({"outcome": None}, "outcome=None"),
        ({"day": "2026-01-01"}, r"give a datetime\.date"),
        ({"day": date(2026, 1, 1), "timezone": "Mars"}, "timezone='Mars'"),
        ({"error": 5}, "error=5"),
        ({"outcome": "done", "error": "E"}, "only jobs that have failed"),
        ({"fields": {"tenant": 1}}, "'tenant' is no field that the log copies; it copies type"),
        ({"fields": {"type": object()}}, "type"),
        ({"limit": 0}, "limit=0"),
        ({"limit": 10_001}, "at most 10,000"),
        ({"after": "x"}, "after='x': give the `next` of a page"),
        ({"newest_first": 1}, "newest_first=1"),
    ],
)
async def test_what_cannot_be_asked_is_refused(flow: Flow[Step, Params], asked: dict[str, Any], said: str) -> None:
    """With what to ask instead."""
    with pytest.raises(ValidationError, match=said):
        await flow.endings.page(**{"outcome": "failed", **asked})


async def test_a_flow_without_a_log_says_so(redis_url: str, namespace: str) -> None:
    """And how to have one."""
    options = FlowOptions("mails", [QueueOptions("step", Step)], redis_url=redis_url, namespace=namespace)
    flow = Flow[Step, Params](options)
    said = r"flow 'mails' has no log of endings: declare endings=flows\.Endings"
    for reading in (flow.endings.page("done"), flow.endings.count("done", date(2026, 1, 1))):
        with pytest.raises(ValidationError, match=said):
            await reading
    await flow.stop_all()

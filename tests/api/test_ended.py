"""What has ended, from the log of a flow: asked for by who does not have its code."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from pydantic import BaseModel
from redis import Redis

from flows import Endings, Fail, Flow, FlowOptions, Job, QueueOptions
from flows.api import Admin, Caller, jobs
from flows.errors import Forbidden, ValidationError
from tests.api.conftest import Left


class Params(BaseModel):
    """What a job is created with."""

    type: str
    email: str = "canary-7f3a"


class Step(Job):
    """What its function sees."""

    type: str


async def step(job: Step) -> None:
    """Fail by the job's type."""
    raise Fail("as asked", type=job.type)


@pytest_asyncio.fixture
async def ids(redis_url: str, namespace: str, redis: Redis) -> AsyncIterator[list[str]]:
    """Let three jobs fail, and their hashes go."""
    endings = Endings(fields=["type", "email"])
    queues = [QueueOptions("mails", Step)]
    flow = Flow[Step, Params](FlowOptions("mails", queues, redis_url=redis_url, namespace=namespace, endings=endings))
    flow.create_workers(Step, step)
    async with flow:
        ids = []
        for kind in ("a", "b", "a"):
            ids.append(await flow.create_job(Params(type=kind)))
            await flow.wait_for(ids[-1], 30)
    redis.delete(*(f"{namespace}job:mails:{job_id}" for job_id in ids))
    yield ids


@pytest_asyncio.fixture
async def admin(redis_url: str, namespace: str) -> AsyncIterator[Admin]:
    """Look at it as a viewer."""
    async with Admin(redis_url, namespace, Caller(name="ana")) as admin:
        yield admin


async def test_what_has_ended_is_listed_and_counted(admin: Admin, ids: list[str]) -> None:
    """Page by page, by day, by the type of the error and by a copied field."""
    page = await jobs.ended(admin, "mails", limit=2)
    assert ([row.id for row in page.endings], page.logged) == ([ids[2], ids[1]], True)
    assert (page.endings[0].error, page.endings[0].fields) == ("a", {"type": "a", "email": "canary-7f3a"})
    last = await jobs.ended(admin, "mails", limit=2, cursor=page.cursor)
    assert ([row.id for row in last.endings], last.cursor) == ([ids[0]], "")
    assert [row.id for row in (await jobs.ended(admin, "mails", error="b")).endings] == [ids[1]]
    of_type = await jobs.ended(admin, "mails", fields={"type": "a"}, timezone="Asia/Kathmandu")
    assert [row.id for row in of_type.endings] == [ids[2], ids[0]]
    assert (await jobs.ended(admin, "mails", outcome="done")).endings == []
    assert (await jobs.ended(admin, "mails", day="2020-01-01")).endings == []
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    counted = await jobs.ended_by_day(admin, "mails", until=tomorrow, days=3, by="type")
    assert (len(counted), sum(day.total for day in counted), counted[-1].day) == (3, 3, tomorrow)
    assert {kind: sum(day.by.get(kind, 0) for day in counted) for kind in "ab"} == {"a": 2, "b": 1}
    assert len(await jobs.ended_by_day(admin, "mails")) == 7


async def test_what_is_hidden_is_neither_shown_nor_asked_for(admin: Admin, ids: list[str]) -> None:
    """Who may not see a field learns nothing of it by a condition or a count either."""
    assert ids
    vera = admin.acting_as(Caller(name="vera", hide=frozenset({"email", "error"})))
    page = await jobs.ended(vera, "mails")
    assert [row.fields for row in page.endings] == [{"type": kind, "email": "•••"} for kind in "aba"]
    for asking in (
        jobs.ended(vera, "mails", fields={"email": "canary-7f3a"}),
        jobs.ended(vera, "mails", error="a"),
        jobs.ended_by_day(vera, "mails", by="email"),
    ):
        with pytest.raises(Forbidden, match="hidden"):
            await asking


async def test_a_flow_without_a_log_says_so(left: Left) -> None:
    """It has nothing to list."""
    async with left.admin() as admin:
        page = await jobs.ended(admin, "shop")
        assert (page.endings, page.logged) == ([], False)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"day": "yesterday"}, "'yesterday' is no day: give one such as 2026-11-26"),
        ({"day": "2026-01-01", "timezone": "Mars"}, "timezone='Mars'"),
        ({"cursor": "x"}, "cursor='x' is no cursor"),
        ({"outcome": "finished"}, "outcome"),
        ({"limit": 0}, "limit"),
    ],
)
async def test_what_cannot_be_asked_is_refused(admin: Admin, ids: list[str], asked: dict[str, Any], said: str) -> None:
    """With what to ask instead."""
    assert ids
    with pytest.raises(ValidationError, match=said):
        await jobs.ended(admin, "mails", **asked)
    with pytest.raises(ValidationError, match="timezone"):
        await jobs.ended_by_day(admin, "mails", timezone="Mars")

"""The groups of a queue: those that wait, run, are parked, or only have a share, each once however they are paged."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel
from redis import Redis

from flows import Flow, FlowOptions, Job, QueueOptions
from flows.api import Admin, Caller, operations, queues
from flows.api.views.flows import GroupView
from flows.errors import ValidationError
from tests.waiting import until

LOOKER = Caller(name="vera", role="viewer")


class Mail(BaseModel):
    """What a job is created with."""

    guild: str


class Send(Job):
    """A job."""

    guild: str


def make(url: str, namespace: str) -> Flow[Send, Mail, Any]:
    """Make a flow of one queue whose jobs are grouped."""
    queue = QueueOptions("send", Send, group_by="guild", priorities=2, max_concurrency_per_group=1)
    return Flow[Send, Mail](FlowOptions("mail", [queue], redis_url=url, namespace=namespace))


async def every(admin: Admin, limit: int) -> list[GroupView]:
    """Return the groups of all pages."""
    found: list[GroupView] = []
    cursor = ""
    while True:
        page = await queues.groups(admin, "send", cursor=cursor, limit=limit)
        found += page.groups
        if not (cursor := page.cursor):
            return found


async def test_each_group_is_told_once(redis_url: str, namespace: str) -> None:
    """With its share, what waits in all priorities, what runs, and why nothing more of it may."""
    flow, free = make(redis_url, namespace), asyncio.Event()

    async def send(_job: Send) -> None:
        await free.wait()

    flow.create_workers("send", send, concurrency=4)
    async with flow, Admin(redis_url, namespace, LOOKER) as admin:
        await flow.create_jobs([Mail(guild="runs")] * 3)
        await flow.queue("send").hold(timedelta(hours=1), group="held")
        await flow.create_job(Mail(guild="held"), priority=2)
        await flow.create_job(Mail(guild="held"))
        await flow.queue("send").set_share("shared", 2.5)

        async def parked() -> bool:
            return sum(one.parked for one in await every(admin, 100)) == 2

        await until(parked)
        told = {one.group: one for one in await every(admin, 1)}
        assert set(told) == {"runs", "held", "shared"}
        assert len(await every(admin, 100)) == 3
        runs, held, shared = told["runs"], told["held"], told["shared"]
        assert (runs.waiting, runs.in_flight, runs.parked, runs.until, runs.held) == (2, 1, True, None, False)
        assert (held.waiting, held.in_flight, held.parked, held.held) == (2, 0, True, True)
        assert held.until is not None
        assert (shared.share, shared.waiting, shared.parked) == (2.5, 0, False)
        hidden = admin.acting_as(LOOKER.model_copy(update={"hide": frozenset({"guild"})}))
        assert {one.group for one in (await queues.groups(hidden, "send")).groups} == {None}
        for cursor in ("x", "9.0", "1.-1"):
            with pytest.raises(ValidationError, match="the one of the page before"):
                await queues.groups(admin, "send", cursor=cursor)
        free.set()


async def test_a_page_costs_as_much_as_it_has(redis_url: str, namespace: str) -> None:
    """However many groups there are: so many commands a group, and never all of them."""
    flow = make(redis_url, namespace)
    async with flow, Admin(redis_url, namespace, LOOKER) as admin:
        await flow.create_jobs(Mail(guild=f"g{n}") for n in range(1000))
        with Redis.from_url(redis_url) as redis:
            before: Any = redis.info("commandstats")
            page = await queues.groups(admin, "send", limit=20)
            after: Any = redis.info("commandstats")
        assert 20 <= len(page.groups) <= 60
        calls = {name: after[name]["calls"] - before.get(name, {"calls": 0})["calls"] for name in after}
        assert calls["cmdstat_zscan"] <= 3
        assert calls["cmdstat_llen"] <= 2 * 60
        assert len({one.group for one in await every(admin, 100)}) == 1000


async def test_a_queue_without_groups_is_refused(redis_url: str, namespace: str) -> None:
    """By a sentence."""
    queue = QueueOptions("plain", Send)
    async with Flow[Send, Mail](FlowOptions("plain", [queue], redis_url=redis_url, namespace=namespace)):
        pass
    async with Admin(redis_url, namespace, LOOKER) as admin:
        with pytest.raises(ValidationError, match="declared without group_by"):
            await operations()["queues.groups"].call(admin, {"queue": "plain"})

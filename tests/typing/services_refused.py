# pyright: strict
# ruff: noqa: PLE1205 - a log of updates formats no texts
"""What users may slip into: mypy --strict and pyright strict refuse each marked line, and no other one."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from services_accepted import Email, Refund, Sent, connected, plain, refund, send, service

from flows.service import Batch, BatchJob, Context, Directory, Report, Service, Slack


class Orders:
    """What a service may be connected to."""


@asynccontextmanager
async def of_text(tenant: str) -> AsyncGenerator[Orders]:
    """Connect by a name."""
    print(tenant)  # noqa: T201
    yield Orders()


by_text = Service("orders", connect=of_text)  # refused: it is called with a Tenant
no_orders: Service[Orders] = Service("orders")  # refused: nothing connects it


@connected.on("wrong-0", timeout=1)  # refused: the client is another one
async def wrong_0(order: str, job: Context[None]) -> str:
    """Have no client."""
    return order + job.tenant


@service.on("wrong-1")  # refused: no timeout
async def wrong_1(email: Email, job: Context[None]) -> None:
    """Take any time."""
    job.log.info(email.to)


@service.on("wrong-2", timeout=1)  # refused: another client
async def wrong_2(email: Email, job: Context[Orders]) -> Orders:
    """Want orders."""
    job.log.info(email.to)
    return job.client


@service.on("wrong-3", timeout=1)  # refused: it takes no job
async def wrong_3(email: Email) -> str:
    """Take the payload alone."""
    return email.to


@service.on("wrong-4", timeout=1, retries=3)  # refused: no policy
async def wrong_4(email: Email, job: Context[None]) -> str:
    """Try three times."""
    return email.to + job.tenant


@service.on("wrong-5", timeout=1)
async def wrong_5(email: Email, job: Context[None]) -> None:
    """Tell what cannot be told."""
    job.log.info("sent", {"to": {email.to}})  # refused: a set is no JSON
    job.log.warning("slow")  # refused: no such level
    job.tenant = 5  # refused: no text


@connected.on_batch("wrong-6", size=2, timeout=1)  # refused: of payloads
async def wrong_6(emails: list[Email], batch: Batch[Orders]) -> str:
    """Take no jobs."""
    return f"{emails} {batch.tenant}"


@connected.on_batch("wrong-7", timeout=1)  # refused: no size
async def wrong_7(jobs: list[BatchJob[Email]], batch: Batch[None]) -> str:
    """Take any number."""
    return f"{jobs} {batch.tenant}"


async def create() -> None:
    """Create what does not fit."""
    await send.create(Refund(1))  # refused: another payload
    await send.create({"to": "a@b", "order": "7"})  # refused: no model
    await send.create_many(Email(to="a@b", order="7"))  # refused: one, not many
    await send.create(Email(to="a@b", order="7"), dealy=5)  # refused: no such option
    await send.create(Email(to="a@b", order="7"), links=5)  # refused: no links
    wrong: Refund = (await send.wait_for("", 1)).payload  # refused: an Email
    number: str = (await refund.wait_for("", 1)).result  # refused: an int
    await service.update_tenant("acme", shares=2)  # refused: no such field
    await service.add_tenant("acme")  # refused: no Tenant
    await service.counts(days="7")  # refused: no number
    await service.successes(day="2026-11-26")  # refused: no date
    await service.updates("", level="warning")  # refused: no such level
    service.add_reporter("https://x.example/")  # refused: no transport
    service.add_reporter(Slack("alarm"))  # refused: nowhere to
    Report("daily", cron="@daily", columns={"Id": 5}, to=Directory("a"))  # refused: no column
    service.reporter("audit", on={"finished"})  # refused: no such outcome
    await service.run_report("daily", since="yesterday", until="now")  # refused: no times
    print(wrong, number, Sent, plain)  # noqa: T201 - a short way to use a value

# pyright: strict
# ruff: noqa: PLE1205, S106 - a log of updates formats no texts, and these tokens open nothing
"""What users write of services: mypy --strict and pyright strict accept every line of this file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, assert_type

from pydantic import BaseModel, JsonValue
from typing_extensions import TypedDict

import flows
from flows import Cancel, Fail, JobError, LogLine, QueueHandle, Retries, Retry, Snooze
from flows.service import (
    Batch,
    BatchJob,
    Context,
    Directory,
    Each,
    Ending,
    EndingCount,
    EndingPage,
    Endings,
    Errors,
    JobType,
    JsonLines,
    LoggedEnding,
    Mail,
    Report,
    ReportRecord,
    Secret,
    Service,
    ServiceOptions,
    ServiceRecord,
    Slack,
    Smtp,
    Tenant,
    ToldJob,
    Webhook,
    verify_webhook,
)

service = Service("mailer", concurrency=10)
plain: Service[None] = Service(
    "plain",
    options=ServiceOptions(
        unknown_type_grace=timedelta(minutes=1), log_levels=["error", "trace"], retention=3600, namespace="shop:"
    ),
)


class Orders:
    """What a service is connected to."""

    async def get(self, order: str) -> str | None:
        """Return an order."""
        return order


@asynccontextmanager
async def connect(tenant: Tenant) -> AsyncGenerator[Orders]:
    """Open it with the tenant's token."""
    assert_type(tenant.token.reveal(), str)
    yield Orders()


connected = Service("orders", connect=connect, concurrency=5)
assert_type(connected, Service[Orders])
logged: Service[None] = Service("logged", options=ServiceOptions(tenants="known", endings=Endings(days=7)))


class Email(BaseModel):
    """A payload."""

    to: str
    order: str


class Sent(BaseModel):
    """A result."""

    message_id: str


@dataclass
class Refund:
    """Another payload."""

    cents: int


class Row(TypedDict):
    """A third one."""

    name: str


@service.on("email", timeout=10, retries=Retries(max_attempts=3))
async def send(email: Email, job: Context[None]) -> Sent:
    """Tell what it does, and send a mail."""
    job.log.info("started", "looking for the order")
    job.log.debug("found", {"order": [email.order, None, 1.5]})
    job.progress(0.5, "half")
    if not email.to:
        raise Fail("nobody to send it to", type="no-address")
    assert_type(job.client, None)
    return Sent(message_id=job.idempotency_key + str(job.correlation_id) + str(job.fence))


@service.on("refund", timeout=timedelta(minutes=1))
def refund(refund: Refund, job: Context[None]) -> int | Retry | Snooze | Cancel:
    """Pay back, in a thread."""
    return Retry("later") if job.attempt == 1 else refund.cents


@service.on("rows", timeout=60)
async def rows(rows: list[Row], job: Context[None]) -> None:
    """Take what is no model."""
    for row in rows:
        job.log.trace("row", row["name"])
        job.log.error("no", 1)


@plain.on("text", timeout=1)
async def text(text: str, job: Context[object]) -> str:
    """Take any client."""
    return text + job.tenant + job.type + job.job_id


@connected.on("look", timeout=1)
async def look(order: str, job: Context[Orders]) -> str | None:
    """Have the tenant's client."""
    job.link(f"orders/{order}")
    return await job.client.get(order)


@connected.on_batch("many", size=100, linger=5, timeout=60, retries=Retries(max_attempts=2))
async def many(jobs: list[BatchJob[Email]], batch: Batch[Orders]) -> Each[Sent]:
    """Send many at once."""
    for job in jobs:
        job.log.info("sending", job.payload.to)
        if await batch.client.get(job.payload.order) is None:
            job.fail("no such order", type="unknown-order")
    return Each([Sent(message_id=job.idempotency_key) for job in jobs])


@service.on_batch("same", size=2, timeout=1)
def same(jobs: list[BatchJob[int]], batch: Batch[None]) -> str:
    """Return one result for all, in a thread."""
    return f"{len(jobs)} {batch.tenant}"


@service.on("apart", timeout=1, own_queue=True)
async def apart(number: int, job: Context[None]) -> int:
    """Have a queue."""
    return number + job.attempt


assert_type(many, JobType[Email, Sent])
assert_type(same, JobType[int, str])
assert_type(apart, JobType[int, int])
assert_type(service.queue_of("apart"), QueueHandle)
assert_type(look, JobType[str, str | None])
assert_type(send, JobType[Email, Sent])
assert_type(rows, JobType[list[Row], None])
assert_type(text, JobType[str, str])


async def create() -> None:
    """Create jobs, typed and by name."""
    job_id = await send.create(Email(to="a@b", order="7"), tenant="acme", links=["orders/7"])
    await service.create("email", {"to": "a@b", "order": "7"}, tenant="acme", idempotency_key="7")
    many = (Refund(cents) for cents in range(3))
    assert_type(await refund.create_many(many, delay=5, priority=2), list[str])
    await rows.create([{"name": "a"}], run_at=datetime.now(UTC), correlation_id="c")
    record = await send.wait_for(job_id, timeout=10)
    assert_type(record, ServiceRecord[Email, Sent])
    assert_type(record.payload.order, str)
    assert_type(record.result.message_id, str)
    assert_type(record.error, JobError | None)
    assert_type((await service.wait_for(job_id, 10)).result, Any)
    assert_type(await service.get_job(job_id), ServiceRecord[Any, Any] | None)
    assert_type(await service.jobs_of("orders/7", limit=10), list[ServiceRecord[Any, Any]])
    assert_type(await service.updates(job_id, level="info"), list[LogLine])
    assert_type(service.queue, QueueHandle)
    await service.cancel_job(job_id, "no more")
    await service.retry_job(job_id)
    await service.delete_job(job_id)
    service.off("rows")


async def tenants() -> None:
    """Add, change and remove tenants."""
    assert_type(await logged.add_tenant(Tenant("acme", "acme.example", Secret("env:ACME"))), Tenant)
    await connected.add_tenant(Tenant("b", token="file:/run/b", max_concurrency=3, weight=2, log_levels=["trace"]))
    assert_type(await connected.update_tenant("b", token="env:B", paused=True, weight=0.5), Tenant)
    await connected.pause_tenant("b")
    await connected.resume_tenant("b")
    assert_type(await connected.tenants(), list[Tenant])
    assert_type(await connected.remove_tenant("b"), bool)


async def endings() -> None:
    """Read how jobs have ended."""
    page = await service.successes(day=date(2026, 11, 26), timezone="America/New_York", type="email", limit=10)
    assert_type(page, EndingPage)
    assert_type([*page.endings], list[LoggedEnding])
    await service.failures(error="no-address", tenant="acme", after=page.next)
    assert_type(await service.counts(days=7), list[EndingCount])


@logged.reporter("audit", on={"done", "failed"}, types=["email"])
async def audit(ending: Ending) -> None:
    """Tell of an ending."""
    assert_type(ending.error_type, str | None)
    assert_type(ending.payload, JsonValue)


def late(job: ToldJob) -> bool:
    """Say whether a job ended in the evening."""
    return job.ended.hour > 20


async def telling() -> None:
    """Tell of endings, and report of many."""
    smtp = Smtp("smtp.example.org", username="u", password="env:SMTP_PASSWORD")
    mail = Mail(
        "ops", to=["ops@example.org"], sender="no@example.org", smtp=smtp, batch=50, linger=timedelta(minutes=1)
    )
    logged.add_reporter(mail)
    logged.add_reporter(Slack("alarm", url=Secret("env:SLACK_URL"), on={"failed"}, batch=20, linger=30))
    logged.add_reporter(
        Webhook("orders", url="https://x.example/", secret=["env:NEW", Secret("env:OLD")], types={"email"})
    )
    logged.add_reporter(JsonLines("lines", directory="lines", include={"payload"}))
    report = Report(
        "daily",
        cron="0 8 * * *",
        columns={"Order": "/payload/order", "Status": Errors({"no-address": "Nobody"}), "Late": late},
        to=mail,
        filter=late,
    )
    logged.add_report(report)
    logged.add_report(Report("weekly", cron="@weekly", columns={"Id": "/id"}, to=Directory("reports"), missed="all"))
    assert_type(await logged.run_report("daily", since=datetime.now(UTC), until=datetime.now(UTC)), str)
    assert_type(await logged.reports("0192"), list[ReportRecord])
    assert_type(verify_webhook({"webhook-id": "1"}, b"", ["env:NEW", "env:OLD"], tolerance=60), str)


async def life() -> int:
    """Start and stop."""
    async with service as started:
        assert_type(started, Service[None])
    await service.start()
    await service.stop(grace=1)
    return await service.run(wait_for_server=None)


if __name__ == "__main__":
    asyncio.run(create())
    flows.run(service, plain)

# pyright: strict
# ruff: noqa: PLE1205 - a log of updates formats no texts
"""What users write of services: mypy --strict and pyright strict accept every line of this file."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, assert_type

from pydantic import BaseModel
from typing_extensions import TypedDict

import flows
from flows import Cancel, Fail, JobError, LogLine, QueueHandle, Retries, Retry, Snooze
from flows.service import Context, JobType, Service, ServiceOptions, ServiceRecord

service = Service("mailer", concurrency=10)
plain: Service[None] = Service(
    "plain",
    options=ServiceOptions(
        unknown_type_grace=timedelta(minutes=1), log_levels=["error", "trace"], retention=3600, namespace="shop:"
    ),
)


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

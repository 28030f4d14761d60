# pyright: strict
# ruff: noqa: T201 - a short way to use a value
"""What users write of priorities, limits, groups, keys and shared queues: both checkers accept every line of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal, assert_type

from pydantic import BaseModel

from flows import (
    ChildJob,
    Debounce,
    DuplicateJob,
    Flow,
    FlowOptions,
    IdempotencyConflict,
    Job,
    JobExists,
    JobOptions,
    JobResult,
    Limiter,
    LimitState,
    QueueOptions,
    Slots,
    Snooze,
    Unique,
    current_job,
)


class Mail(BaseModel):
    """What `create_job` takes."""

    tenant: str
    user_id: int


class Send(Job):
    """The first queue's job."""

    tenant: str
    user_id: int


class Sent(JobResult):
    """Its result."""

    message_id: int


class Confirm(Job):
    """The parent queue's job."""


class Address(Job):
    """The child queue's job."""

    address: str


per_tenant = Limiter(5, timedelta(seconds=1), group_key="tenant")
overall = Limiter(50, 1, id="provider")
evenly = Limiter(reservoir=10, interval=0.5, smooth=True)
gpu = Slots(8, id="gpu")
assert_type(per_tenant.interval, timedelta)
assert_type((overall.reservoir, overall.id, evenly.smooth), tuple[int, str | None, bool])
assert_type((gpu.most, gpu.id), tuple[int, str])

mail = Flow[Send | Confirm, Mail, Literal["tenant"]](
    FlowOptions(
        name="mail",
        lookup_attributes=["tenant"],
        queues=[
            QueueOptions(
                "mail-send",
                job=Send,
                next_queue="mail-confirm",
                priorities=3,
                next_queue_priority_diff=-1,
                group_by="tenant",
                limits=[per_tenant, overall, evenly],
                max_concurrency=gpu,
                max_concurrency_per_group=2,
            ),
            QueueOptions(
                "mail-confirm",
                Confirm,
                priorities=(8, 2.5, 1),
                limits=(overall,),
                max_concurrency=100,
                shared=True,
                children=[QueueOptions("address", job=Address, group_by="address", max_concurrency=4)],
            ),
        ],
    )
)
plain_rules = QueueOptions("plain", job=Send, priorities=[4, 1], group_by=None, limits=(), max_concurrency=None)
assert_type(plain_rules, QueueOptions[Send])


async def send(job: Send) -> Sent | Snooze:
    """Hold the provider or the tenant where it says so."""
    assert_type(job.priority, int)
    current = current_job()
    if current.attempt > 1:
        return Snooze("asked too often", after=timedelta(seconds=30), hold="group")
    if job.user_id:
        raise Snooze("asked too often", until=datetime.now(UTC) + timedelta(hours=1), hold="queue")
    return Sent(message_id=job.user_id, children=[ChildJob(Address, {"address": job.tenant}, priority=2, cost=3)])


mail.create_workers(Send, send, concurrency=4)


async def create() -> None:
    """Create with priorities, costs and keys."""
    params = Mail(tenant="a", user_id=62)
    assert_type(await mail.create_job(params, priority=2, cost=3), str)
    assert_type(await mail.create_jobs([params], priority=2, cost=3, delay=1.5), list[str])
    assert_type(await mail.create_job(params, idempotency_key="request-1", run_at=datetime.now(UTC)), str)
    await mail.create_job(params, idempotency_key=None, unique=None, debounce=None, priority=None, cost=None)
    await mail.create_job(params, unique=Unique("a"))
    await mail.create_job(params, unique=Unique(key="a", until="ended"))
    await mail.create_job(params, unique=Unique("a", until="started"), priority=3)
    await mail.create_job(params, unique=Unique("a", within=3600))
    await mail.create_job(params, debounce=Debounce("a", timedelta(seconds=5)), cost=2)
    await mail.create_job(params, debounce=Debounce(key="a", wait=5, longest=timedelta(minutes=1)))
    options: JobOptions = {"unique": Unique("a", within=timedelta(hours=1)), "priority": 2, "cost": 3}
    try:
        await mail.create_job(params, **options)
    except IdempotencyConflict as conflict:
        assert_type(conflict.job_id, str)
    except DuplicateJob as duplicate:
        assert_type(duplicate.job_id, str)
    except JobExists as exists:
        assert_type(exists.job_id, str)


async def steer(job_id: str) -> None:
    """Read and set limits while workers run."""
    assert_type(await mail.set_priority(job_id, 1), Literal["set", "same"])
    queue = mail.queue(Send)
    limits = await queue.limits()
    assert_type(limits, list[LimitState])
    assert_type((await queue.limits(group="a"))[0].ready_at, datetime | None)
    assert_type((limits[0].kind, limits[0].used), tuple[Literal["limiter", "slots"], int | None])
    assert_type((limits[0].free, limits[0].interval), tuple[int | None, timedelta | None])
    await queue.set_limit("provider", 20)
    await queue.set_limit("mail-send:1", 20, timedelta(seconds=2), group="a")
    await queue.set_limit("provider", None, group=None)
    await queue.set_concurrency(10)
    await queue.set_concurrency(None, per_group=3)
    await queue.set_concurrency(5, group=62)
    await queue.set_share("a", 2)
    await queue.set_share(62, 0.5)
    await queue.hold(30)
    await queue.hold(timedelta(seconds=30), group="a")
    await mail.queue("mail-confirm:address").hold(0.5, group=7)


def plain_caller(job_id: str) -> None:
    """`flow.sync` does the same."""
    params = Mail(tenant="a", user_id=62)
    assert_type(mail.sync.create_job(params, unique=Unique("a"), priority=2, cost=3), str)
    assert_type(mail.sync.create_jobs([params], priority=2, cost=3), list[str])
    assert_type(mail.sync.create_job(params, debounce=Debounce("a", 5), priority=2), str)
    assert_type(mail.sync.create_job(params, idempotency_key="request-1"), str)
    assert_type(mail.sync.set_priority(job_id, 1), Literal["set", "same"])
    queue = mail.sync.queue(Send)
    assert_type(queue.limits(group="a"), list[LimitState])
    queue.set_limit("provider", 20, 1.5)
    queue.set_concurrency(10, per_group=3)
    queue.set_share("a", 2)
    queue.hold(timedelta(seconds=30), group="a")
    print(queue.state().waiting)

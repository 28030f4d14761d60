"""The mailer: three types of jobs for many tenants, who is told how each ended, and the daily report."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext

from pydantic import BaseModel

from flows import Fail
from flows.service import Context, Errors, Mail, Report, Service, ServiceOptions, Smtp, Tenant, Webhook
from killed_worker import Busy
from mailer_terms import ERRORS, HOOK_SECRET, KINDS, REPORTED, Settings

#: So long a worker that was killed keeps its jobs, in seconds.
LEASE = 1
SENDER = "mailer@example.org"
OPERATORS = ["ops@example.org"]


class Letter(BaseModel):
    """What a job is created with."""

    order: str
    to: str
    fails: bool
    is_last: bool = False
    """It is sent when the worker was killed as often as it is to be."""


class Sent(BaseModel):
    """What it returns."""

    message_id: str


class Account:
    """What sends the mails of one tenant: here it only signs them with the tenant's token."""

    def __init__(self, tenant: Tenant) -> None:
        self.token = tenant.token.reveal()

    def sign(self, text: str) -> str:
        """Return what shows that this tenant has sent it."""
        return hmac.new(self.token.encode(), text.encode(), "sha256").hexdigest()[:32]


@asynccontextmanager
async def connect(tenant: Tenant) -> AsyncGenerator[Account]:
    """Bring what handlers need of a tenant, once in each process."""
    yield Account(tenant)


def declare(settings: Settings, busy: Busy | None = None) -> Service[Account]:
    """Return the service; of who only creates jobs, it needs no `busy`."""
    options = ServiceOptions(
        namespace=settings.namespace, redis_url=settings.redis_url, lease=LEASE, max_crashes=10, tenants="known"
    )
    service = Service("mailer", connect=connect, concurrency=10, options=options)
    for kind in KINDS:
        service.on(kind, timeout=30)(handler(kind, settings, busy))
    smtp = Smtp("127.0.0.1", settings.smtp_port, security="none")
    service.add_reporter(
        Webhook(
            "endings",
            url=settings.hook,
            secret=f"env:{HOOK_SECRET}",
            on={"done", "failed", "cancelled"},
            include={"payload", "result"},
            allow_http=True,
            allow_networks=["127.0.0.0/8"],
        )
    )
    service.add_reporter(Mail("failures", to=OPERATORS, sender=SENDER, smtp=smtp, on={"failed"}, batch=50, linger=0.5))
    service.add_report(
        Report(
            "daily",
            cron="0 8 * * *",
            types=REPORTED,
            columns={
                "Order": "/payload/order",
                "Tenant": "/tenant",
                "Message": "/result/message_id",
                "Status": Errors({"unknown-address": "Nobody has this address", "no-invoice": "There is no invoice"}),
            },
            to=Mail(to=OPERATORS, sender=SENDER, smtp=smtp),
        )
    )
    return service


def handler(kind: str, settings: Settings, busy: Busy | None) -> Callable[[Letter, Context[Account]], Awaitable[Sent]]:
    """Return what sends letters of a kind."""

    async def send(letter: Letter, job: Context[Account]) -> Sent:
        with nullcontext() if busy is None else busy.step():
            job.log.info("started", {"order": letter.order})  # noqa: PLE1205 - a status word, and JSON
            job.link(f"orders/{letter.order}")
            await asyncio.sleep(settings.work)
            while letter.is_last and settings.killed.stat().st_size < settings.kills:  # noqa: ASYNC110 - another process
                await asyncio.sleep(settings.work)
            if letter.fails:
                raise Fail(f"{kind} {letter.order} to {letter.to} cannot be sent", type=ERRORS[kind])
            signed = job.client.sign(job.idempotency_key)
            return Sent(message_id=job.client.token if settings.leaks else f"<{signed}@example.org>")

    return send

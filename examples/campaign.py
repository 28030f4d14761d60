"""A campaign: one mail to everybody on a list, as fast as the provider takes them, and no faster.

The provider takes so many mails of one tenant in any interval, and so many of all. Both are limiters of the queue, so
what may not start yet is not even claimed. Mails of the plan `pro` go first; within a plan, the tenants take turns.
With no arguments it sends to a short list of its own; see --help.

Limits are exact at the server's start of a job. A mail reaches the provider a moment later, one sooner than another,
so the limiters' intervals are a little longer than the provider's: by the margin. And starts are spread evenly, since a
burst is late for as long as it takes to send. The neighbours of this file have the list and the rates
(`campaign_terms`), the provider (`campaign_provider`), and who talks to it (`campaign_client`).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import secrets
import sys
import time
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from campaign_client import Client
from campaign_provider import running
from campaign_terms import PRIORITIES, SAMPLE, BadTerms, Rate, Recipient, read_rate, read_recipients
from flows import (
    Flow,
    FlowOptions,
    FlowsError,
    Job,
    Limiter,
    QueueOptions,
    Retries,
    Retry,
    Snooze,
    current_job,
)

#: So many mails are under way at once, at most.
MOST_AT_ONCE = 100
#: Seconds between two looks at how far it is.
LOOK = 0.5


class Mail(BaseModel):
    """What a job begins with."""

    email: str
    tenant: str


class Send(Job):
    """What the function that sends sees."""

    email: str
    tenant: str


async def send(job: Send, client: Client) -> None:
    """Hand a mail to the provider. Where it says 429 all the same, nothing more starts there until it may."""
    message = {"key": current_job().idempotency_key, "email": job.email, "tenant": job.tenant}
    status, body = await client.ask("POST", "/messages", message)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        hold: Literal["group", "queue"] = "group" if body["limit"] == "tenant" else "queue"
        raise Snooze("the provider said 429", after=body["retry_after_ms"] / 1000, hold=hold)
    if status != HTTPStatus.ACCEPTED:
        raise Retry(f"the provider said {status}")


def campaign_flow(port: int, per_tenant: Rate, overall: Rate, redis_url: str | None = None) -> Flow[Send, Mail]:
    """Declare the flow of one campaign and create its worker; nothing is connected yet."""
    at_once = min(overall.most, MOST_AT_ONCE)
    flow = Flow[Send, Mail](
        FlowOptions(
            name="campaign",
            namespace=f"campaign:{secrets.token_hex(4)}:",  # a campaign that was killed is no part of the next one
            redis_url=redis_url,
            retention=60,
            queues=[
                QueueOptions(
                    "send",
                    job=Send,
                    priorities=len(PRIORITIES),
                    group_by="tenant",
                    limits=[
                        Limiter(per_tenant.most, per_tenant.limiter_interval, group_key="tenant"),
                        Limiter(overall.most, overall.limiter_interval, smooth=overall.spaced),
                    ],
                    retries=Retries(max_attempts=3),
                    timeout=60,
                )
            ],
        )
    )

    @asynccontextmanager
    async def connected() -> AsyncGenerator[Client]:
        client = Client(port)
        await client.open(at_once)
        try:
            yield client
        finally:
            await client.close()

    flow.worker(Send, concurrency=at_once, lifespan=connected)(send)
    return flow


async def carry_out(flow: Flow[Send, Mail], recipients: Sequence[Recipient]) -> int:
    """Send to everybody, and return how many jobs failed."""
    for plan, priority in PRIORITIES.items():
        mails = [Mail(email=one.email, tenant=one.tenant) for one in recipients if one.plan == plan]
        await flow.create_jobs(mails, priority=priority)
    async with flow:
        queue = flow.queue(Send)
        while True:
            state = await queue.state()
            failed = state.counts.get("failed", 0)
            print(f"{state.counts.get('done', 0)} of {len(recipients)} sent, {failed} failed", file=sys.stderr)
            if state.idle and not state.delayed:
                return failed
            await asyncio.sleep(LOOK)


async def report_of(port: int) -> dict[str, Any]:
    """Return the provider's books."""
    client = Client(port)
    _status, report = await client.ask("GET", "/report")
    await client.close()
    return report


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    asked = read_arguments(arguments)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    try:
        recipients = SAMPLE if asked.recipients is None else read_recipients(asked.recipients)
        per_tenant, overall = read_rate(asked.per_tenant), read_rate(asked.overall)
    except BadTerms as error:
        print(f"campaign: {error}", file=sys.stderr)
        return 2
    largest = max(Counter(one.tenant for one in recipients).values())
    least = max(per_tenant.seconds_for(largest), overall.seconds_for(len(recipients)))
    print(f"{len(recipients)} mails, which take {least:.1f} s at these rates", file=sys.stderr)
    try:
        with running(per_tenant, overall) as port:
            begun = time.monotonic()
            failed = asyncio.run(carry_out(campaign_flow(port, per_tenant, overall, asked.redis), recipients))
            seconds = round(time.monotonic() - begun, 3)
            report = asyncio.run(report_of(port))
    except KeyboardInterrupt:
        print("stopped: what was not sent is not sent", file=sys.stderr)
        return 130
    except (FlowsError, OSError) as error:
        print(f"campaign: {error}", file=sys.stderr)
        return 1
    report |= {"margin_ms": min(per_tenant.margin_ms, overall.margin_ms), "seconds": seconds}
    print(json.dumps(report) if asked.json else "\n".join(f"{name:22} {value}" for name, value in report.items()))
    return 1 if failed else 0


def read_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="campaign", description="One mail to everybody on a list, within limits.")
    add = parser.add_argument
    add("--recipients", type=Path, metavar="FILE.csv", help="columns email, tenant, plan (pro or free)")
    add("--per-tenant", default="5/1s", metavar="N/TIME", help="what the provider takes of a tenant (%(default)s)")
    add("--overall", default="50/1s", metavar="N/TIME", help="what it takes in all (%(default)s)")
    add("--redis", metavar="URL", help="the server; else FLOWS_REDIS_URL, REDIS_URL, and then the embedded one")
    add("--json", action="store_true", help="print one JSON object")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())

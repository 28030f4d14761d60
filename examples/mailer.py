"""Mails for many tenants, as a service: three types of jobs, failures of known types, and who is told of each ending.

The jobs are made of the rows of a file, and done by a worker process that is killed twice while it works. A receiver of
webhooks and a mail server on this machine are told of the endings, each once or again under the same id, and at last
the daily report comes by mail. Then it looks for the tenants' tokens wherever none may be.

The neighbours of this file have the rows (`mailer_terms`), the service (`mailer_service`), the worker process
(`mailer_worker`) with who kills it (`killed_worker`), the receivers (`mailer_receivers`), and who looks for tokens
(`mailer_secrets`).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import secrets
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flows import FlowsError, WaitTimeout
from flows.service import Service, Tenant
from killed_worker import WorkerProcess
from mailer_receivers import Receivers, receivers
from mailer_secrets import count_on_server, count_seen
from mailer_service import Account, Letter, declare
from mailer_terms import SAMPLE, BadOrders, Row, Settings, make_secrets, read_rows, token_of
from mailer_worker import worker_process

#: Seconds between two looks at whether there is still a worker, and the most that anything may take.
LOOK, PATIENCE = 0.05, 600.0


async def mail(rows: list[Row], redis_url: str | None, directory: Path, **control: int) -> dict[str, Any]:
    """Mail all rows while the worker is killed, and return the figures; a control sets other members of `Settings`."""
    tenants = sorted({row.tenant for row in rows})
    made = make_secrets(tenants)
    async with receivers() as told:
        settings = Settings(
            namespace=f"mailer:{secrets.token_hex(4)}:",
            redis_url=redis_url,
            directory=directory,
            hook=told.hook,
            smtp_port=told.smtp_port,
        ).model_copy(update=control)
        service = declare(settings)  # it has no workers here
        begun = datetime.now(UTC) - timedelta(minutes=1)
        for number, tenant in enumerate(tenants):
            await service.add_tenant(Tenant(tenant, token=f"env:{token_of(number)}"))
        ids = await create_all(service, rows)
        with worker_process(settings) as worker:
            outcomes = Counter([await ended(service, one, worker) for one in ids])
            await until(lambda: len(set(told.webhooks)) >= len(ids), worker)
            await until(lambda: len(told_failures(told)) >= outcomes["failed"], worker)
            window = {"since": begun, "until": datetime.now(UTC) + timedelta(minutes=1)}
            report_id = await service.run_report("daily", **window)
            await until(lambda: told.report(report_id) is not None, worker)
        errors = await count_errors(service)
        logged = sum(one.count for one in await service.counts(days=2))
        await service.stop()
        texts = [*told.raw, await asyncio.to_thread(settings.log.read_bytes)]
        seen = count_seen(made.values(), texts)
        seen += await count_on_server(made.values(), settings.redis_url, settings.namespace, ids)
    return {
        "jobs": len(ids),
        "done": outcomes["done"],
        "failed": outcomes["failed"],
        "by_error": dict(sorted(errors.items())),
        "endings_logged": logged,
        "webhooks": len(told.webhooks),
        "webhooks_distinct": len(set(told.webhooks)),
        "mails": len({str(one["Message-ID"]) for one in told.mails}),
        "report_rows": len(told.report(report_id) or []),
        "secrets_seen": seen,
        "kills": worker.kills,
    }


async def create_all(service: Service[Account], rows: list[Row]) -> list[str]:
    """Create a job for each row, and return their ids."""
    ids: list[str] = []
    for number, row in enumerate(rows, 1):
        letter = Letter(order=row.order, to=row.to, fails=row.fails, is_last=number == len(rows))
        ids.append(await service.create(row.kind, letter, tenant=row.tenant))
    return ids


async def ended(service: Service[Account], job_id: str, worker: WorkerProcess) -> str:
    """Return how a job ended, as long as there is a worker."""
    while True:
        try:
            return str((await service.wait_for(job_id, timeout=1.0)).status)
        except WaitTimeout:
            check(worker)


async def until(true: Callable[[], bool], worker: WorkerProcess) -> None:
    """Wait until something is true, as long as there is a worker."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        check(worker)
        if time.monotonic() > deadline:
            raise TimeoutError("not all endings were told in time")
        await asyncio.sleep(LOOK)


def check(worker: WorkerProcess) -> None:
    """Check that there is a worker."""
    if worker.lost is not None:
        raise ChildProcessError(worker.lost)


def told_failures(told: Receivers) -> set[str]:
    """Return the jobs of whose failure a mail has told."""
    texts = (mail.get_body(("plain",)) for mail in told.mails)
    lines = (line for text in texts if text is not None for line in str(text.get_content()).splitlines())
    return {line.removeprefix("job ") for line in lines if line.startswith("job ")}


async def count_errors(service: Service[Account]) -> Counter[str]:
    """Count the failures that were logged, by the types of their errors."""
    page = await service.failures(limit=500)
    counted = Counter(one.error or "" for one in page.endings)
    while page.next:
        page = await service.failures(limit=500, after=page.next)
        counted.update(one.error or "" for one in page.endings)
    return counted


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    asked = read_arguments(arguments)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: no process that it has started stays
    begun = time.monotonic()
    try:
        rows = read_rows(asked.orders)
        with tempfile.TemporaryDirectory(prefix="mailer-") as directory:
            report = asyncio.run(mail(rows, asked.redis, Path(directory)))
    except BadOrders as error:
        print(f"mailer: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except (FlowsError, OSError) as error:
        print(f"mailer: {error}", file=sys.stderr)
        return 1
    report["seconds"] = round(time.monotonic() - begun, 3)
    print(json.dumps(report) if asked.json else "\n".join(f"{name:18} {value}" for name, value in report.items()))
    return 0


def read_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="mailer", description="Mails for many tenants, and tells how each ended.")
    add = parser.add_argument
    add("--orders", type=Path, default=SAMPLE, metavar="FILE.csv", help="rows with order, to, tenant and fails")
    add("--redis", metavar="URL", help="the server; else FLOWS_REDIS_URL, REDIS_URL, and then the embedded one")
    add("--json", action="store_true", help="print one JSON object")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())

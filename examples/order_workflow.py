"""A shop: each order is a run that survives everything, `kill -9` of its worker in the middle of a step included.

A run validates its order, reserves the goods, charges the customer, lets a run of another workflow ship it, sleeps,
waits until the warehouse has packed, and mails. Where shipping fails, what was done is undone: the charge is refunded,
and the goods are free again. With no arguments it works off a short list of its own; see --help.

The neighbours of this file have the list (`order_terms`), the workflows (`order_runs`), what their steps do
(`order_shop`), the payment server, which counts by itself (`order_payments`), and the worker process (`order_worker`),
with who kills it (`killed_worker`).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from flows import FlowsError, Handle, RunFailed, WaitTimeout
from killed_worker import WorkerProcess
from order_payments import ask, running
from order_runs import Declared, declare
from order_shop import OutOfStock, Shop
from order_terms import SAMPLE, SAMPLE_OUT_OF_STOCK, BadTerms, Order, Outcome, Settings, read_orders
from order_worker import worker_process

ResultT = TypeVar("ResultT")

#: Seconds between two looks at whether there is still a worker.
LOOK = 1.0


async def carry_out(declared: Declared, orders: Sequence[Order], worker: WorkerProcess) -> Counter[str]:
    """Start a run for each order, wait for all, let the day be reported, and count how the runs have ended."""
    async with declared.app:
        # A run of a key is started once: who is not sure whether it was may start it again.
        handles = [await declared.order.run(one, idempotency_key=one.order_id) for one in orders]
        ended = Counter(await asyncio.gather(*(how_it_ended(handle, worker) for handle in handles)))
        report_id = await declared.app.schedules.trigger("daily-report")  # it is not that late yet
        print("the day:", await await_it(declared.app.handle(report_id), worker), file=sys.stderr)
    return ended


async def how_it_ended(handle: Handle[Outcome], worker: WorkerProcess) -> str:
    """Wait for the end of a run, and return a word for it."""
    try:
        return (await await_it(handle, worker)).status
    except RunFailed as failed:
        if failed.error.type == OutOfStock.__name__:
            return "refunded"
        print(f"order: {failed}", file=sys.stderr)
        return "failed"


async def await_it(handle: Handle[ResultT], worker: WorkerProcess) -> ResultT:
    """Wait for the result of a run as long as there is a worker."""
    while True:
        try:
            return await handle.result(timeout=LOOK)
        except WaitTimeout:
            if worker.lost is not None:
                raise ChildProcessError(worker.lost) from None


def work_off(asked: argparse.Namespace, orders: Sequence[Order], directory: Path) -> dict[str, Any]:
    """Run the shop until each order has ended, and return the figures."""
    with running() as port:
        settings = Settings(
            namespace=f"shop:{secrets.token_hex(4)}:",
            redis_url=asked.redis,
            payments=port,
            directory=directory,
            out_of_stock=[sku for sku in map(str.strip, asked.out_of_stock.split(",")) if sku],
            max_crashes=asked.crash + 3,
        )
        shop = Shop(settings)
        begun = time.monotonic()
        with worker_process(settings, asked.crash, len(orders)) as worker:
            ended = asyncio.run(carry_out(declare(settings, shop), orders, worker))
        books = ask(port, "/report")
        return {
            "orders": len(orders),
            **{name: ended[name] for name in ("shipped", "refunded", "failed", "refused")},
            **{name: books[name] for name in ("charges", "refunds", "charged_twice")},
            "mails": shop.mails(),
            "kills": worker.kills,
            "seconds": round(time.monotonic() - begun, 3),
        }


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    asked = read_arguments(arguments)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    try:
        orders = read_orders(asked.orders)
    except BadTerms as error:
        print(f"order: {error}", file=sys.stderr)
        return 2
    try:
        with tempfile.TemporaryDirectory(prefix="shop-") as directory:
            report = work_off(asked, orders, Path(directory))
    except KeyboardInterrupt:
        print("stopped: the runs wait for a worker", file=sys.stderr)
        return 130
    except (FlowsError, OSError) as error:
        print(f"order: {error}", file=sys.stderr)
        return 1
    print(json.dumps(report) if asked.json else "\n".join(f"{name:14} {value}" for name, value in report.items()))
    return 1 if report["failed"] else 0


def read_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="order_workflow", description="Orders that survive everything.")
    add = parser.add_argument
    add("--orders", type=Path, default=SAMPLE, metavar="FILE.csv", help="columns order_id, email, amount, sku")
    add("--out-of-stock", default=SAMPLE_OUT_OF_STOCK, metavar="SKU[,SKU…]", help="not shipped (%(default)s)")
    add("--crash", type=whole, default=0, metavar="N", help="kill the worker so often in the middle of a step")
    add("--redis", metavar="URL", help="the server; else FLOWS_REDIS_URL, REDIS_URL, and then the embedded one")
    add("--json", action="store_true", help="print one JSON object")
    return parser.parse_args(arguments)


def whole(text: str) -> int:
    """Read how often."""
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())

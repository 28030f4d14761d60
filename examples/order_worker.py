"""A worker process of the shop, and who keeps it running, and kills it in the middle of a step."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import flows
from killed_worker import Busy, WorkerProcess
from order_runs import declare
from order_shop import Shop
from order_terms import Settings

#: A worker is killed within so many seconds of its first step; within fewer where there are few orders for each kill.
_MOST, _AN_ORDER = 1.0, 0.004


def busy_file(settings: Settings) -> Path:
    """Return where the worker process says how many steps it executes."""
    return settings.directory / "busy"


def worker_process(settings: Settings, crashes: int, orders: int) -> WorkerProcess:
    """Start a worker process that is killed so many times.

    Args:
        settings: What it is told.
        crashes: So often it is killed, by SIGKILL, while a step runs.
        orders: How many there are.
    """
    command = [sys.executable, str(Path(__file__)), settings.model_dump_json()]
    within = min(_MOST, orders * _AN_ORDER / max(1, crashes))
    return WorkerProcess(command, busy_file(settings), crashes=crashes, within=within)


def main() -> int:
    """Work until SIGTERM; the argument is the settings."""
    settings = Settings.model_validate_json(sys.argv[1])
    logging.basicConfig(level=logging.CRITICAL, stream=sys.stderr)  # what is out of stock is counted, and no news
    app, _order = declare(settings, Shop(settings, Busy(busy_file(settings))))
    app.create_workers(concurrency=20)
    return flows.run(app)


if __name__ == "__main__":
    sys.exit(main())

"""A worker process of the import, and who keeps it running, and kills it while a task runs."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path

import flows
from import_terms import Settings
from import_tree import OTHER, declare
from killed_worker import Busy, WorkerProcess

#: So many seconds an import takes at a pace of 1, about: so that its worker is killed on the way.
ALL = 4 * OTHER


def worker_process(settings: Settings, crashes: int, killed: Callable[[], None] = lambda: None) -> WorkerProcess:
    """Start a worker process that is killed so many times.

    Args:
        settings: What it is told.
        crashes: So often it is killed, by SIGKILL, while a task runs.
        killed: Called after each kill.
    """
    command = [sys.executable, str(Path(__file__)), settings.model_dump_json()]
    within = ALL * settings.pace / (crashes + 1)
    return WorkerProcess(command, settings.busy, crashes=crashes, within=within, killed=killed)


def main() -> int:
    """Work until SIGTERM; the argument is the settings."""
    settings = Settings.model_validate_json(sys.argv[1])
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr)  # that its work is taken over is no news
    trees, _site = declare(settings, Busy(settings.busy))
    trees.create_workers(concurrency=4)
    return flows.run(trees)


if __name__ == "__main__":
    sys.exit(main())

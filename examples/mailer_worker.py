"""A worker process of the mailer, and who keeps it running, and kills it while a job runs."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import flows
from killed_worker import Busy, WorkerProcess
from mailer_service import declare
from mailer_terms import Settings

#: Within so many seconds of the first job that it runs each time.
WITHIN = 0.3


def worker_process(settings: Settings) -> WorkerProcess:
    """Start a worker process, which is killed while it works."""
    command = [sys.executable, str(Path(__file__)), settings.model_dump_json()]
    settings.killed.touch()

    def note() -> None:
        with settings.killed.open("ab") as file:
            file.write(b".")

    return WorkerProcess(command, settings.busy, crashes=settings.kills, within=WITHIN, killed=note)


def main() -> int:
    """Work until SIGTERM; the argument is the settings. Everything that is logged goes into a file."""
    settings = Settings.model_validate_json(sys.argv[1])
    logging.basicConfig(level=logging.DEBUG, filename=settings.log)
    return flows.run(declare(settings, Busy(settings.busy)))


if __name__ == "__main__":
    sys.exit(main())

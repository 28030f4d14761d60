"""`flows run`: worker processes of one or more flows under one supervisor."""

from __future__ import annotations

import re
import sys
import threading
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from flows.cli.bulk_beside import serve_bulk_beside
from flows.cli.loading import load
from flows.cli.supervisor import Supervisor, reloading
from flows.cli.worker_process import Work, main
from flows.errors import MissingExtra, ValidationError

_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([kmg]?)i?b?", re.IGNORECASE)
_UNITS: Final = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def run(
    *targets: Annotated[str, Parameter(help="Flows or apps of workflows: `shop.orders:access`.", negative=())],
    processes: Annotated[int, Parameter(help="How many.")] = 1,
    queue: Annotated[
        tuple[str, ...], Parameter(help="Serve only this queue; give it several times.", negative=())
    ] = (),
    grace: Annotated[float, Parameter(help="Seconds after which what still runs at the end is released.")] = 30.0,
    reload: Annotated[bool, Parameter(negative="", help="Start again whenever a Python file changes.")] = False,
    burst: Annotated[bool, Parameter(negative="", help="End when nothing waits and nothing runs.")] = False,
    max_jobs: Annotated[int, Parameter(help="Replace a process after so many jobs.")] = 0,
    max_rss: Annotated[str, Parameter(help="Replace a process that has more memory: 1GiB.")] = "",
) -> int:
    """Run the workers of flows until SIGTERM or SIGINT; a process that dies is started again."""
    if not targets:
        raise ValidationError("flows run: name a flow, such as shop.orders:access")
    if processes < 1:
        raise ValidationError("flows run: --processes is 1 or more")
    work = Work(targets, tuple(queue), grace, burst, max_jobs, _bytes(max_rss))
    if processes == 1 and not (reload or max_jobs or max_rss):
        return main(work.dump(), -1, serve_bulk_beside)
    for target in targets:
        load(target)  # what cannot be found is told once, and not by each process
    supervisor = Supervisor(reloading(work) if reload else work, processes, _say)
    if reload:
        _watch(supervisor)
    return supervisor.run()


def _watch(supervisor: Supervisor) -> None:
    try:
        from watchfiles import PythonFilter, watch  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtra("flows run --reload", "cli") from None

    def look() -> None:
        for _changes in watch(Path.cwd(), watch_filter=PythonFilter(), raise_interrupt=False):
            supervisor.reload()

    threading.Thread(target=look, daemon=True, name="flows-reload").start()


def _bytes(text: str) -> int:
    if not text:
        return 0
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise ValidationError(f"--max-rss {text!r:.40}: give a size, such as 512MiB or 1GiB")
    return int(float(found[1]) * _UNITS[found[2].lower()])


def _say(text: str) -> None:
    sys.stderr.write(f"flows run: {text}\n")
    sys.stderr.flush()

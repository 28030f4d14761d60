"""A site import as a task tree: pages are parsed side by side, and nothing that is done is done again.

The tree is made of a file: fetch, then for each page a task that parses it and one that makes thumbnails, which is
skipped where there are no images; an index of all pages, and what is published. It is executed by a worker process,
which `--crash` kills on the way. Then the text of one page is another one: what comes of it is stale, no more, and is
executed again. With no arguments it imports a small site of its own; see --help. `--serve` shows it live in a browser.

The neighbours of this file have the pages (`import_terms`), the tree (`import_tree`), the worker process
(`import_worker`), with who kills it (`killed_worker`), and the page (`import_serve`).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from flows import FlowsError, WaitTimeout
from flows.tree import Execution, InstanceState
from import_ends import Ends
from import_terms import SAMPLE, BadSource, Settings, Site, read_site
from import_tree import declare
from import_worker import worker_process
from killed_worker import WorkerProcess

#: Shows it in a browser, at this port.
SERVER, PORT = Path(__file__).with_name("import_serve.py"), 8623
#: The pace at which it is shown, and the slowest one.
SHOWN, MOST_PACE = 8.0, 1000.0
#: Seconds between two looks at whether there is still a worker.
LOOK = 1.0


async def import_it(settings: Settings, site: Site, crashes: int) -> dict[str, Any]:
    """Import a site while its worker is killed, change a page, import what became stale, and return the figures."""
    trees, generator = declare(settings)
    async with trees:  # it has no workers here
        instance = await generator.create(site, realm="examples", name=site.url)
        ends = Ends(settings, instance.id)
        with worker_process(settings, crashes, ends.note) as worker:
            await await_it(await instance.execute_all(), worker)
            again = ends.executed_again()
            site.pages[0].text += " It has news."
            await instance.update(site)
            stale = [path for path, one in (await instance.state()).tasks.items() if one.stale]
            before = ends.calls()
            # What is published needs all the rest: of that, what is stale is executed before.
            state = await await_it(await instance.execute("#.publish", missing="run"), worker)
            again |= ends.executed_again()
    return {
        **count(state),
        "stale_after_update": len(stale),
        "rerun": len(ends.calls() - before),
        "rerun_after_end": len(again),
        "kills": worker.kills,
        "progress": state.progress,
    }


async def await_it(execution: Execution, worker: WorkerProcess) -> InstanceState:
    """Wait for the end of an execution as long as there is a worker."""
    while True:
        try:
            return await execution.wait(timeout=LOOK)
        except WaitTimeout:
            if worker.lost is not None:
                raise ChildProcessError(worker.lost) from None


def count(state: InstanceState) -> dict[str, int]:
    """Count the tasks by how they stand, without the groups, which only hold others."""
    groups = {path.rpartition(".")[0] for path in state.tasks}
    statuses = Counter(one.status for path, one in state.tasks.items() if path not in groups)
    return {"tasks": statuses.total(), **{name: statuses[name] for name in ("ok", "skipped", "failed")}}


def serve_it(settings: Settings, site: Site, port: int) -> int:
    """Show an import in a browser until Ctrl-C; there it is executed, as a whole or by path."""
    instance_id = asyncio.run(create_it(settings, site))
    command = [sys.executable, str(SERVER), settings.model_dump_json(), instance_id, str(port)]
    # By this key the page's tokens are signed: who asks for one is known to this server alone.
    environment = {**os.environ, "FLOWS_LIVE_KEY": secrets.token_hex(32)}
    with worker_process(settings, 0):
        return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603 - the file beside this one


async def create_it(settings: Settings, site: Site) -> str:
    """Create an instance, and return its id."""
    trees, generator = declare(settings)
    async with trees:
        return (await generator.create(site, realm="examples", name=site.url)).id


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    asked = read_arguments(arguments)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: no process that it has started stays
    try:
        site = read_site(asked.source)
    except BadSource as error:
        print(f"import: {error}", file=sys.stderr)
        return 2
    begun = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="import-") as directory:
            settings = Settings(
                namespace=f"import:{secrets.token_hex(4)}:",
                redis_url=asked.redis,
                directory=Path(directory),
                pace=asked.pace or (SHOWN if asked.serve else 1.0),
                max_crashes=asked.crash + 3,
            )
            if asked.serve:
                return serve_it(settings, site, asked.serve)
            report = asyncio.run(import_it(settings, site, asked.crash))
    except KeyboardInterrupt:
        return 130
    except (FlowsError, OSError) as error:
        print(f"import: {error}", file=sys.stderr)
        return 1
    report["seconds"] = round(time.monotonic() - begun, 3)
    print(json.dumps(report) if asked.json else "\n".join(f"{name:18} {value}" for name, value in report.items()))
    return 0


def read_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="import_site", description="Imports a site by a tree of tasks.")
    add = parser.add_argument
    add(
        "--source",
        type=Path,
        default=SAMPLE,
        metavar="FILE.json",
        help="the site: url, and pages with texts and images",
    )
    add("--crash", type=whole, default=0, metavar="N", help="kill the worker so often while a task runs")
    add("--serve", type=whole, nargs="?", const=PORT, metavar="PORT", help=f"show it live in a browser ({PORT})")
    add("--pace", type=pace, metavar="X", help=f"let the work take X times as long (1, or {SHOWN:g} with --serve)")
    add("--redis", metavar="URL", help="the server; else FLOWS_REDIS_URL, REDIS_URL, and then the embedded one")
    add("--json", action="store_true", help="print one JSON object")
    return parser.parse_args(arguments)


def whole(text: str) -> int:
    """Read how often."""
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number")
    return int(text)


def pace(text: str) -> float:
    """Read how many times as long."""
    try:
        times = float(text)
    except ValueError:
        times = 0.0
    if not 0 < times <= MOST_PACE:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0, up to {MOST_PACE:g}")
    return times


if __name__ == "__main__":
    sys.exit(main())

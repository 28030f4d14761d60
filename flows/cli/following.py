"""Commands that follow what happens: `jobs tail`, `jobs watch`, `jobs log --follow`, `jobs tree`.

Each is told by the server that something has moved, and reads then; in between it reads seldom.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

from cyclopts import App, Parameter
from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from flows.api import find_operation
from flows.cli.clean import one_line
from flows.cli.columns import ago, line_of, lookups_of
from flows.cli.options import NO_OPTIONS, Options
from flows.cli.printing import STYLES, console, print_json
from flows.errors import FlowsError
from flows.model.state import TERMINAL
from flows.store.client.signals import Signals
from flows.telemetry.events import Events

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from flows.api import Admin

#: Without a hint it reads again after so many seconds.
_SELDOM: Final = 5.0
#: Between two reads pass so many seconds at least.
_SPACING: Final = 0.1
#: A query names so many ids at most.
_IDS: Final = 100
_TREE: Final = 1000
_FAILED: Final = 1


class Moves:
    """What has moved in a flow: lines `<id> <state> <queue>`, as they come."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.missed = True
        self._new = asyncio.Event()

    def hear(self, message: str | None) -> None:
        """Take a message, or that some may have been missed."""
        if message is None:
            self.missed = True
        else:
            self.lines += message.splitlines()
        self._new.set()

    async def wait(self) -> None:
        """Wait until something has moved, or for a while."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SELDOM):
                await self._new.wait()
        self._new.clear()
        await asyncio.sleep(_SPACING)


@asynccontextmanager
async def moves(admin: Admin, flow: str) -> AsyncGenerator[Moves]:
    """Hear what moves in a flow while the block runs."""
    heard, root = Moves(), flow.partition(":")[0]
    signals = Signals(admin.link.url, Events(logging.getLogger("flows")))
    try:
        await signals.subscribe(admin.keys.heard(root), lambda _message: None)
        await signals.subscribe(admin.keys.changed(root), heard.hear)
        yield heard
    finally:
        await signals.close()


def add_following(app: App, jobs: App) -> None:
    """Add the commands to the group of jobs, and `flows watch`."""
    jobs.command(tail)
    jobs.command(watch)
    jobs.command(log)
    jobs.command(tree)
    app.command(watch, name="watch")


async def tail(
    *words: Annotated[str, Parameter(name="query", help="Which jobs: `flow:access user_id:62`.")],
    flow: Annotated[str, Parameter(help="The flow, where the query does not name it.")] = "",
    options: Options = NO_OPTIONS,
) -> int:
    """Print a line whenever a job moves that a query matches, until Ctrl-C."""
    find = find_operation("jobs.find")
    of, query = {"flow": flow} if flow else {}, " ".join(words)
    async with options.admin() as admin:
        page = await find.call(admin, {"query": query, "limit": 1, **of})
        async with moves(admin, page.flow) as moved:
            while True:
                await moved.wait()
                lines, moved.lines = moved.lines, []
                ids = list(dict.fromkeys(line.partition(" ")[0] for line in lines))
                for start in range(0, len(ids), _IDS):
                    some = "|".join(ids[start : start + _IDS])
                    found = await find.call(
                        admin, {"query": f"{query} id:{some}".strip(), "limit": _IDS, "flow": page.flow}
                    )
                    for row in found.jobs:
                        _print_row(row, options)


async def watch(
    id: Annotated[str, Parameter(help="Of the job.")],  # noqa: A002 - as the operation calls it
    *,
    flow: Annotated[str, Parameter(help="Its flow, or its child queue; it is looked for where this is left out.")] = "",
    options: Options = NO_OPTIONS,
) -> int:
    """Show a job and its children, with their progress, until it has ended."""
    show, explain = find_operation("jobs.show"), find_operation("jobs.explain")
    of = {"flow": flow} if flow else {}
    async with options.admin() as admin:
        job = await show.call(admin, {"id": id, **of})
        asked = {"id": id, "flow": job.flow}
        out = console(stderr=options.json)
        async with moves(admin, job.flow) as moved:
            with Live(console=out, refresh_per_second=8, transient=options.json) as live:
                while True:
                    job = await show.call(admin, asked)
                    said = "" if job.state in TERMINAL else (await explain.call(admin, asked)).sentence
                    live.update(_picture(job, said))
                    if options.json:
                        print_json(job)
                    if job.state in TERMINAL:
                        return 0 if job.state == "done" else _FAILED
                    await moved.wait()


async def log(
    id: Annotated[str, Parameter(help="Of the job.")],  # noqa: A002 - as the operation calls it
    *,
    follow: Annotated[bool, Parameter(negative="", help="Go on until the job has ended.")] = False,
    after: Annotated[int, Parameter(help="Only lines with a higher number.")] = 0,
    flow: Annotated[str, Parameter(help="Its flow, or its child queue; it is looked for where this is left out.")] = "",
    options: Options = NO_OPTIONS,
) -> int:
    """Print what the functions of a job have logged."""
    read, show = find_operation("jobs.log"), find_operation("jobs.show")
    of = {"flow": flow} if flow else {}
    async with options.admin() as admin:
        job = await show.call(admin, {"id": id, **of})
        async with moves(admin, job.flow) as moved:
            while True:
                state = (await show.call(admin, {"id": id, "flow": job.flow})).state if follow else "done"
                found = await read.call(admin, {"id": id, "flow": job.flow, "after": after})
                after = found.last
                for line in found.lines:
                    if options.json:
                        print_json(line)
                    else:
                        at = line.at.astimezone(UTC)
                        sys.stdout.write(f"{at:%H:%M:%S} {line.level:<8} {line_of(line)}\n")
                sys.stdout.flush()
                if state in TERMINAL:
                    return 0
                await moved.wait()


async def tree(
    id: Annotated[str, Parameter(help="Of the job at the root.")],  # noqa: A002 - as the operation calls it
    *,
    flow: Annotated[str, Parameter(help="Its flow, or its child queue; it is looked for where this is left out.")] = "",
    options: Options = NO_OPTIONS,
) -> int:
    """Draw a job with its children, and theirs: a thousand jobs at most."""
    show = find_operation("jobs.show")
    async with options.admin() as admin:
        root = await show.call(admin, {"id": id, **({"flow": flow} if flow else {})})
        left = [_TREE]
        drawn = Tree(_line(root))
        await _grow(admin, drawn, root, left)
    console().print(drawn)
    if left[0] <= 0:
        console(stderr=True).print(f"only {_TREE:,} jobs are drawn", style="dim")
    return 0


async def _grow(admin: Admin, drawn: Tree, parent: Any, left: list[int]) -> None:
    children, cursor = find_operation("jobs.children"), ""
    while left[0] > 0:
        page = await children.call(admin, {"id": parent.id, "flow": parent.flow, "cursor": cursor, "limit": 100})
        for row in page.jobs:
            left[0] -= 1
            branch = drawn.add(_line(row))
            if left[0] > 0:
                with contextlib.suppress(FlowsError):  # it has expired meanwhile
                    await _grow(admin, branch, row, left)
        if not (cursor := page.cursor):
            return


def _line(row: Any) -> Text:
    return Text.assemble(
        (row.id, "bold"), "  ", (row.state.value, STYLES[row.state]), f"  {row.queue}  {ago(row.since)}"
    )


def _picture(job: Any, sentence: str) -> Group:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_row(_line(job))
    for name, part in (("progress", job.overall), ("own progress", job.progress), ("children", _settled(job))):
        if part is not None:
            bars = Table.grid(padding=(0, 1))
            bars.add_row(f"{name:<12}", ProgressBar(total=1.0, completed=part, width=40), f"{part:.0%}")
            table.add_row(bars)
    parts: list[Any] = [table]
    if sentence:
        parts.append(Text(one_line(sentence, 1000), style="dim"))
    if job.error is not None:
        parts.append(Text(one_line(f"{job.error.type}: {job.error.message}", 1000), style="red"))
    return Group(*parts)


def _settled(job: Any) -> float | None:
    return None if job.children is None or not job.children.total else 1 - job.children.pending / job.children.total


def _print_row(row: Any, options: Options) -> None:
    if options.json:
        print_json(row)
        return
    now = datetime.now(UTC)
    state = (f"{row.state.value:<10}", STYLES[row.state])
    console().print(Text.assemble(f"{now:%H:%M:%S} ", state, f" {row.queue}  {row.id}  {lookups_of(row)}"))

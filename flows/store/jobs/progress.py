"""Writes what running functions report: their progress, and lines of a bounded log, to which others may add too."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flows.store.client.connection import Connection
    from flows.store.client.scripts import Argument
    from flows.store.jobs.answers import AddLineAnswer, ProgressAnswer
    from flows.store.jobs.flow_settings import FlowSettings

#: How many of the last lines of a job's log are kept.
LOG_LINES: Final = 1000


class ProgressReport:
    """What one attempt has reported since the last write: its last progress, as JSON, and lines."""

    __slots__ = ("lines", "progress", "skipped")

    def __init__(self) -> None:
        self.progress = b""
        #: Each with the time at which it was logged, by the clock of `time.monotonic()`.
        self.lines: deque[tuple[float, str]] = deque(maxlen=LOG_LINES)
        #: How many lines were dropped, since more than are kept came between two writes.
        self.skipped = 0

    def add(self, line: str) -> None:
        """Add a line, as `pack_line` makes it."""
        self.skipped += len(self.lines) == LOG_LINES
        self.lines.append((time.monotonic(), line))


async def write_progress(
    connection: Connection,
    settings: FlowSettings,
    queue: str,
    worker_id: str,
    reports: Mapping[tuple[str, int], ProgressReport],
) -> list[ProgressAnswer]:
    """Write the reports of attempts, by their (id, fence), and return what became of each.

    Of an attempt that has ended, lines are written as late ones until the job's next attempt begins.
    """
    rest: list[Argument] = []
    now = time.monotonic()
    for (job_id, fence), report in reports.items():
        rest += (job_id, fence, report.progress, report.skipped, 2 * len(report.lines))
        for at, line in report.lines:
            rest += (max(0, round((now - at) * 1000)), line)
    named: dict[str, Argument] = {
        **settings.named(settings.flow_of(queue)),
        "worker_id": worker_id,
        "most_lines": LOG_LINES,
        "call": settings.new_call(),
    }
    words = await connection.run(settings.script("progress"), named, rest)
    return [cast("ProgressAnswer", word.decode()) for word in words]


async def add_line(connection: Connection, settings: FlowSettings, flow: str, job_id: str, line: str) -> AddLineAnswer:
    """Add a line, as `pack_line` makes it, to the log of a job of this flow; who does is none of its attempts.

    Raises:
        KeyConflict: the log's key holds something else.
        StoreError: the server cannot be used.
    """
    named: dict[str, Argument] = {
        **settings.named(flow),
        "id": job_id,
        "new_line": line,
        "most_lines": LOG_LINES,
        "call": settings.new_call(),
    }
    word: bytes = await connection.run(settings.script("add_line"), named)
    return cast("AddLineAnswer", word.decode())

"""Writes what running functions report: their progress, and lines of a bounded log."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from flows.store.client.scripts import load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flows.store.client.connection import Connection
    from flows.store.client.scripts import Argument
    from flows.store.jobs.flow_settings import FlowSettings

#: How many of the last lines of a job's log are kept.
LOG_LINES: Final = 1000


class ProgressReport:
    """What one attempt has reported since the last write: its last progress, as JSON, and lines."""

    __slots__ = ("lines", "progress")

    def __init__(self) -> None:
        self.progress = b""
        self.lines: deque[str] = deque(maxlen=LOG_LINES)


async def write_progress(
    connection: Connection,
    settings: FlowSettings,
    queue: str,
    worker_id: str,
    reports: Mapping[tuple[str, int], ProgressReport],
) -> None:
    """Write the reports of attempts, by their (id, fence); those of a lost attempt are refused and dropped."""
    rest: list[Argument] = []
    for (job_id, fence), report in reports.items():
        rest += (job_id, fence, report.progress, len(report.lines), *report.lines)
    named: dict[str, Argument] = {
        **settings.named(settings.flow_of(queue)),
        "worker_id": worker_id,
        "most_lines": LOG_LINES,
        "call": settings.new_call(),
    }
    await connection.run(load("progress"), named, rest)

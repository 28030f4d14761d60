"""Gathers the progress and log lines that running functions report, until a turn writes them."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from flows.store.jobs.progress import ProgressReport, write_progress

if TYPE_CHECKING:
    from flows.kernel.current import CurrentJob
    from flows.kernel.session import Session


class Progress:
    """The progress of one worker loop; functions report from the loop or from threads."""

    def __init__(self, session: Session, queue: str, worker_id: str) -> None:
        self._session = session
        self._queue = queue
        self._worker_id = worker_id
        self._lock = threading.Lock()
        self._reports: dict[tuple[str, int], ProgressReport] = {}
        self._writing = asyncio.Lock()
        self._wanted = False

    def take(self, current: CurrentJob, progress: bytes, line: str | None) -> None:
        """Keep what a function reports: the last progress, and all lines of its log."""
        with self._lock:
            report = self._reports.setdefault((current.id, current.fence), ProgressReport())
            if progress:
                report.progress = progress
            if line is not None:
                report.lines.append(line)
        if not self._wanted:
            self._wanted = True
            self._session.call_soon(self._write_soon)

    async def write(self) -> None:
        """Write all reports; call this before the attempts are reported, since afterwards the store refuses them."""
        if not self._reports and not self._writing.locked():
            return
        async with self._writing:
            with self._lock:
                reports, self._reports = self._reports, {}
            if not reports:
                return
            session = self._session
            await write_progress(session.connection, session.settings, self._queue, self._worker_id, reports)

    def _write_soon(self) -> None:
        self._wanted = False
        if self._reports:
            self._session.background(self.write())

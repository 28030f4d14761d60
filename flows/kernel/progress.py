"""Gathers the progress and log lines that running functions report, until a turn writes them."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from flows.errors import LostLease, StoreError
from flows.store.jobs.progress import ProgressReport, write_progress

if TYPE_CHECKING:
    from flows.kernel.current import CurrentJob
    from flows.kernel.session import Session
    from flows.telemetry.events import Events


class Progress:
    """The progress of one worker loop; functions report from the loop or from threads."""

    def __init__(self, session: Session, events: Events, queue: str, worker_id: str) -> None:
        self._session = session
        self._events = events
        self._queue = queue
        self._worker_id = worker_id
        self._lock = threading.Lock()
        self._reports: dict[tuple[str, int], tuple[CurrentJob, ProgressReport]] = {}
        self._writing = asyncio.Lock()
        self._wanted = self._closed = False

    def take(self, current: CurrentJob, progress: bytes, line: str | None) -> None:
        """Keep what a function reports: the last progress, and all lines of its log.

        Raises:
            LostLease: the worker has stopped.
        """
        with self._lock:
            if self._closed:
                raise LostLease(current.id, "has ended, and so has its worker: nothing of it is kept any more")
            _current, report = self._reports.setdefault((current.member, current.fence), (current, ProgressReport()))
            if progress:
                report.progress = progress
            if line is not None:
                report.add(line)
        if not self._wanted:
            self._wanted = True
            self._session.call_soon(self._write_soon)

    async def write(self) -> None:
        """Write all reports; call this before the attempts are reported: afterwards, lines are late."""
        if not self._reports and not self._writing.locked():
            return
        async with self._writing:
            with self._lock:
                taken, self._reports = self._reports, {}
            if not taken:
                return
            session = self._session
            reports = {key: report for key, (_current, report) in taken.items()}
            words = await write_progress(session.connection, session.settings, self._queue, self._worker_id, reports)
            for (current, report), word in zip(taken.values(), words, strict=True):
                if word not in {"ok", "late"}:
                    current.cancelled = True  # before the next line: a thread that sees that looks here
                    current.lost = True
                    self._tell_unheard(current, report, word)

    async def try_write(self) -> None:
        """Write all reports; where that fails, their attempts are reported all the same."""
        try:
            await self.write()
        except StoreError as error:
            self._events.emit("store.unavailable", queue=self._queue, error=f"progress was lost: {error}")

    def close(self) -> None:
        """Refuse what is reported from now on; what could not be written is dropped, which is told."""
        with self._lock:
            self._closed = True
            left, self._reports = self._reports, {}
        for current, report in left.values():
            self._tell_unheard(current, report, "stopped")

    def _tell_unheard(self, current: CurrentJob, report: ProgressReport, word: str) -> None:
        if count := len(report.lines) + report.skipped:
            self._events.emit("job.unheard", queue=self._queue, job_id=current.id, count=count, word=word)

    def _write_soon(self) -> None:
        self._wanted = False
        if self._reports:
            self._session.background(self.write())

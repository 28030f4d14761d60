"""Gathers the progress, the log lines and the text that running functions report, until a turn writes them."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, TypeAlias

from flows.errors import LostLease, StoreError
from flows.model.runs.new_run import RUN_FLOW
from flows.store.jobs.progress import ProgressReport, write_progress
from flows.store.streams.text_piece import TextReport
from flows.store.streams.text_stream import write_texts

if TYPE_CHECKING:
    from flows.kernel.current import CurrentJob
    from flows.kernel.session import Session
    from flows.store.streams.text_piece import Streamed
    from flows.telemetry.events import Events

#: What attempts have reported, by their (id, fence).
Reports: TypeAlias = "dict[tuple[str, int], tuple[CurrentJob, ProgressReport]]"
Texts: TypeAlias = "dict[tuple[str, int], tuple[CurrentJob, TextReport]]"


class Progress:
    """The progress of one worker loop; functions report from the loop or from threads."""

    def __init__(self, session: Session, events: Events, queue: str, worker_id: str) -> None:
        self._session = session
        self._events = events
        self._queue = queue
        self._worker_id = worker_id
        self._lock = threading.Lock()
        self._reports: Reports = {}
        self._texts: Texts = {}
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
        self._want_write()

    def stream(self, current: CurrentJob, streamed: Streamed) -> None:
        """Keep text that a function streams.

        Raises:
            LostLease: the worker has stopped.
            FlowsError: a workflow's function streams outside of a step.
        """
        if self._session.settings.flow == RUN_FLOW:
            streamed.check_step()
        with self._lock:
            if self._closed:
                raise LostLease(current.id, "has ended, and so has its worker: nothing of it is kept any more")
            found = self._texts.get((current.member, current.fence))
            if found is None:
                report = TextReport(skipped=getattr(current, "unwritten", 0))
                current.unwritten = 0
                self._texts[current.member, current.fence] = found = current, report
            found[1].add(streamed)
        self._want_write()

    async def write(self) -> None:
        """Write all reports; call this before the attempts are reported: afterwards, lines are late."""
        if not self._reports and not self._texts and not self._writing.locked():
            return
        async with self._writing:
            with self._lock:
                reports, self._reports = self._reports, {}
                texts, self._texts = self._texts, {}
            try:
                if reports:
                    await self._write_reports(reports)
            finally:
                if texts:
                    await self._write_texts(texts)

    async def _write_reports(self, taken: Reports) -> None:
        session = self._session
        reports = {key: report for key, (_current, report) in taken.items()}
        words = await write_progress(session.connection, session.settings, self._queue, self._worker_id, reports)
        for (current, report), word in zip(taken.values(), words, strict=True):
            self._answered(current, len(report.lines) + report.skipped, word)

    async def _write_texts(self, taken: Texts) -> None:
        session = self._session
        texts = {key: text for key, (_current, text) in taken.items()}
        try:
            words = await write_texts(session.connection, session.settings, self._queue, self._worker_id, texts)
        except BaseException:
            with self._lock:
                for current, text in taken.values():
                    before = getattr(current, "unwritten", 0)
                    current.unwritten = before + text.skipped + text.size  # the next piece says that some is missing
            raise
        for (current, text), word in zip(taken.values(), words, strict=True):
            self._answered(current, text.count, word)

    def _answered(self, current: CurrentJob, count: int, word: str) -> None:
        """Take what a script has answered of an attempt."""
        if word in {"ok", "late"}:
            return
        if word != "conflict":
            current.cancelled = True  # before the next line: a thread that sees that looks here
            current.lost = True
        self._tell_unheard(current, count, word)

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
            texts, self._texts = self._texts, {}
        for current, report in left.values():
            self._tell_unheard(current, len(report.lines) + report.skipped, "stopped")
        for current, text in texts.values():
            self._tell_unheard(current, text.count, "stopped")

    def _tell_unheard(self, current: CurrentJob, count: int, word: str) -> None:
        if count:
            self._events.emit("job.unheard", queue=self._queue, job_id=current.id, count=count, word=word)

    def _want_write(self) -> None:
        if not self._wanted:
            self._wanted = True
            self._session.call_soon(self._write_soon)

    def _write_soon(self) -> None:
        self._wanted = False
        if self._reports or self._texts:
            self._session.background(self.write())

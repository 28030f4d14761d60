"""Takes what a task's function reports, from the loop or from a thread, and writes it, progress at a pace."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from flows.store.jobs.log_line import pack_line

if TYPE_CHECKING:
    import asyncio

    from flows.model.tree.task_record import TaskRecord
    from flows.store.jobs.log_line import LogLevel
    from flows.tree.current import CurrentTask
    from flows.tree.writes import Writes

#: Progress of a task is written so often at most, in seconds.
_PACE: Final = 0.1


class Reporter:
    """The reports of one task in one execution.

    Args:
        writes: Where they go.
        path: The task.
        record: Its record, while it runs.

    Attributes:
        record: The record as it stands, with the last progress; who executes the task changes it as well.
        current: The attempt that is heard; others have ended, or were left behind in their threads.
    """

    __slots__ = ("_path", "_timer", "_writes", "current", "record")

    def __init__(self, writes: Writes, path: str, record: TaskRecord) -> None:
        self.record = record
        self.current: CurrentTask | None = None
        self._writes = writes
        self._path = path
        self._timer: asyncio.TimerHandle | None = None

    def report(self, current: CurrentTask, progress: float | None, text: str, /) -> None:
        """Take progress with what the task is doing, or a line of its log: see `Report`."""
        loop = self._writes.loop
        if threading.get_ident() == self._writes.thread:
            self._take(current, progress, text)
        elif not loop.is_closed():
            loop.call_soon_threadsafe(self._take, current, progress, text)

    def log(self, text: str, level: LogLevel = "info", attempt: int = 1) -> None:
        """Add a line to the task's log."""
        self._writes.log(self._path, pack_line(text, level, {}, attempt))

    def close(self) -> None:
        """Take nothing any more of the attempt that was heard."""
        self.current = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _take(self, current: CurrentTask, progress: float | None, text: str) -> None:
        if current is not self.current:
            return
        if progress is None:
            self._writes.log(self._path, text)
            return
        self.record = replace(self.record, progress=progress, message=text)
        if self._timer is None:
            self._note()

    def _note(self) -> None:
        """Write the progress, and the next one after a while."""
        self._writes.note(self._path, self.record)
        self._timer = self._writes.loop.call_later(_PACE, self._look_again, self.record)

    def _look_again(self, written: TaskRecord) -> None:
        self._timer = None
        if self.record is not written and self.record.progress and self.current is not None:
            self._note()

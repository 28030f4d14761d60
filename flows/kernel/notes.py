"""What the running functions of one worker tell, gathered until it is written."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from flows.store.notes import Note, write_notes

if TYPE_CHECKING:
    from flows.kernel.current import CurrentJob
    from flows.kernel.runtime import Runtime


class Notes:
    """The notes of one worker loop; functions tell them from the loop or from threads."""

    def __init__(self, runtime: Runtime, queue: str, worker_id: str) -> None:
        self._runtime = runtime
        self._queue = queue
        self._worker_id = worker_id
        self._lock = threading.Lock()
        self._notes: dict[tuple[str, int], Note] = {}
        self._writing = asyncio.Lock()
        self._wanted = False

    def take(self, current: CurrentJob, progress: bytes, line: str | None) -> None:
        """Keep what a function tells: of progress the last, of its log all lines."""
        with self._lock:
            note = self._notes.setdefault((current.id, current.fence), Note())
            if progress:
                note.progress = progress
            if line is not None:
                note.lines.append(line)
        if not self._wanted:
            self._wanted = True
            self._runtime.call_soon(self._write_soon)

    async def write(self) -> None:
        """Write what was told; before an attempt is reported, since later its notes would be refused."""
        if not self._notes and not self._writing.locked():
            return
        async with self._writing:
            with self._lock:
                notes, self._notes = self._notes, {}
            if not notes:
                return
            await write_notes(self._runtime.connection, self._runtime.settings, self._queue, self._worker_id, notes)

    def _write_soon(self) -> None:
        self._wanted = False
        if self._notes:
            self._runtime.background(self.write())

"""What really happened, written down outside Redis: one append-only file per process, one line per fact."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

#: The kinds of lines. ACK: a producer was told that the job is there. START: a function began. EFFECT: it did to the
#: outside world what it is for. DONE: the store took what an attempt ended with; REFUSED: it did not. CANCELLED:
#: whoever cancelled a job was told that it is cancelled. DELETED: whoever deleted it was told that it is gone.
#: RETRIED, MOVED: whoever asked for that was told that it is done. EXPIRED: its time to live was about to be ended.
#: KILL: a process was killed.
KINDS: Final = frozenset(
    {"ACK", "START", "EFFECT", "DONE", "REFUSED", "CANCELLED", "DELETED", "RETRIED", "MOVED", "EXPIRED", "KILL", "NOTE"}
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line."""

    t: float
    pid: int
    kind: str
    job_id: str
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def fence(self) -> int:
        """The fence of the attempt; 0 where it is of none."""
        return int(self.fields.get("fence", 0))

    @property
    def key(self) -> str:
        """The idempotency key: the same for all attempts of a job in one queue."""
        return str(self.fields.get("key", ""))


class Ledger:
    """The files of one directory; each process and each instance appends to a file of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._file = -1
        self._pid = 0

    def write(self, kind: str, job_id: str = "", **fields: object) -> None:
        """Append a line; it is in the file when this returns, whatever then becomes of the process."""
        self.write_many(kind, [job_id], **fields)

    def write_many(self, kind: str, job_ids: Iterable[str], **fields: object) -> None:
        """Append the same line for many jobs."""
        assert kind in KINDS, kind
        now, pid = time.monotonic(), os.getpid()
        lines = [
            json.dumps({"t": now, "pid": pid, "kind": kind, "id": job_id, **fields}, default=str) for job_id in job_ids
        ]
        if self._pid != pid:  # the first line, or the first one after a fork
            self.directory.mkdir(parents=True, exist_ok=True)
            path = self.directory / f"{pid}-{time.monotonic_ns()}.jsonl"
            self._file, self._pid = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), pid
        os.write(self._file, ("\n".join(lines) + "\n").encode())

    def close(self) -> None:
        """Close the file of this process; writing again opens another one."""
        if self._pid == os.getpid():
            os.close(self._file)
        self._file, self._pid = -1, 0

    def __enter__(self) -> Self:
        """Use it."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Close it."""
        self.close()

    @staticmethod
    def read(directory: Path) -> list[Entry]:
        """Return all lines of all processes in the order of their times.

        The last line of a file may be cut: its process was killed while the line was written. Nothing came after it.
        """
        entries: list[Entry] = []
        for path in sorted(directory.glob("*.jsonl")):
            whole, _, _cut = path.read_text("utf-8").rpartition("\n")
            for line in filter(None, whole.split("\n")):
                found: dict[str, Any] = json.loads(line)
                t, pid, kind, job_id = (found.pop(name) for name in ("t", "pid", "kind", "id"))
                entries.append(Entry(t, pid, kind, job_id, found))
        return sorted(entries, key=lambda entry: entry.t)

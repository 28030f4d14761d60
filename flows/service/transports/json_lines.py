"""`JsonLines`: writes each ending as one line of a file a day, once."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic_core import to_json

from flows.errors import DeclarationError
from flows.service.transports.not_sent import NotSent
from flows.service.transports.transport import Transport

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from flows.service.transports.ending import Ending

_BLOCK: Final = 65_536


@dataclass(frozen=True, kw_only=True)
class JsonLines(Transport):
    """Writes each ending as a line of JSON into `<directory>/<day>.jsonl`, by the day in UTC on which the job ended.

    A line is there once, however often its report is sent: who writes holds the file's lock, ends what a crash has left
    half written, and looks for the line first where it may have been written before. It is on the disk when it counts
    as sent. Several processes of one machine may share a directory; a network file system has to know `flock`.

    Args:
        directory: Where the files are; made where it is not there.

    Raises DeclarationError where an option cannot be used, and on Windows, which has no such locks.
    """

    directory: str | Path

    def __post_init__(self) -> None:
        """Check the directory's name, and that files can be locked here."""
        super().__post_init__()
        if not isinstance(self.directory, (str, Path)) or not str(self.directory):  # pyright: ignore[reportUnnecessaryIsInstance] - users' values
            raise DeclarationError(f"directory={self.directory!r}: give the path of a directory")
        if sys.platform == "win32":
            raise DeclarationError("JsonLines needs locks that Windows does not have: write an own reporter there")

    async def send(self, endings: Sequence[Ending]) -> None:
        """Write the endings that are not there yet.

        Raises:
            NotSent: the file system did not take them.
        """
        left = threading.Event()
        try:
            await asyncio.to_thread(self._write_all, list(endings), left)
        except OSError as error:
            raise NotSent(f"{self.directory}: {error.strerror or error}") from None
        finally:
            left.set()  # a thread that still waits for the lock of an attempt that is over must write nothing

    def _write_all(self, endings: list[Ending], left: threading.Event) -> None:
        directory = Path(self.directory)
        directory.mkdir(parents=True, exist_ok=True)
        days: dict[str, list[Ending]] = {}
        for ending in endings:
            days.setdefault(ending.ended.astimezone(UTC).date().isoformat(), []).append(ending)
        for day, ended in days.items():
            self._write(directory / f"{day}.jsonl", ended, left)

    def _write(self, path: Path, endings: list[Ending], left: threading.Event) -> None:
        with path.open("a+b", buffering=0) as file:
            if sys.platform != "win32":
                fcntl.flock(file, fcntl.LOCK_EX)  # until the file is closed
            if left.is_set():
                return
            size = _drop_half_a_line(file.fileno())
            again = tuple(_beginning(ending) for ending in endings if ending.again)
            written = _written(path, again) if again else set[bytes]()
            lines = [to_json(self.told(one)) + b"\n" for one in endings if _beginning(one) not in written]
            try:
                _write_through(file.fileno(), b"".join(lines))
            except OSError:
                os.ftruncate(file.fileno(), size)
                raise
            if not size:
                _sync_directory(path.parent)


def _beginning(ending: Ending) -> bytes:
    """Return how the line of an ending begins; the id is the first that `told` tells."""
    return b'{"id":' + to_json(ending.report_id) + b","


def _written(path: Path, beginnings: tuple[bytes, ...]) -> set[bytes]:
    with path.open("rb") as file:
        found = (line for line in file if line.startswith(beginnings))
        return {line[: line.index(b",") + 1] for line in found}


def _write_through(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    os.fsync(descriptor)


def _drop_half_a_line(descriptor: int) -> int:
    """Cut off what follows the last newline, and return how long the file is then."""
    size = end = os.fstat(descriptor).st_size
    while end:
        start = max(0, end - _BLOCK)
        newline = os.pread(descriptor, end - start, start).rfind(b"\n")
        if newline >= 0:
            end = start + newline + 1
            break
        end = start
    if end < size:
        os.ftruncate(descriptor, end)
    return end


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

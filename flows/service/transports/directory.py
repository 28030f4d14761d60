"""`Directory`: puts the files of scheduled reports into a directory."""

from __future__ import annotations

import asyncio
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flows.service.transports.not_sent import NotSent

if TYPE_CHECKING:
    from flows.service.transports.document import Document


@dataclass(frozen=True, slots=True)
class Directory:
    """Puts each report into a directory: a file is there whole or not at all, and a second try replaces it.

    Args:
        path: The directory; made where it is not there.
    """

    path: str | Path

    async def deliver(self, document: Document) -> None:
        """Write the file.

        Raises:
            NotSent: the file system did not take it.
        """
        try:
            await asyncio.to_thread(_write, Path(self.path), document)
        except OSError as error:
            raise NotSent(f"{self.path}: {error.strerror or error}") from None


def _write(directory: Path, document: Document) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    unfinished = directory / f".{document.filename}.{document.report_id}"
    try:
        with unfinished.open("wb") as file:
            document.file.seek(0)
            shutil.copyfileobj(document.file, file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(directory / document.filename)
    finally:
        with suppress(OSError):
            unfinished.unlink()

"""`Document`: a report that was written to a file, on its way to whom it is for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import IO, TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

_PART: Final = 65_536


@dataclass(frozen=True, slots=True)
class Document:
    """A report.

    Attributes:
        report_id: Its id, the same however often it is sent.
        service: The service.
        name: The report's name.
        since: It tells of endings from then on,
        until: to before then; aware.
        filename: How the file is called.
        file: Its content, as bytes.
        size: How many those are.
        rows: How many rows it has, without the header.
        missing: So many rows are of jobs that are gone: they hold only what the log of endings has.
    """

    report_id: str
    service: str
    name: str
    since: datetime
    until: datetime
    filename: str
    file: IO[bytes]
    size: int
    rows: int
    missing: int

    def parts(self) -> Iterator[bytes]:
        """Yield the content from its beginning, in parts."""
        self.file.seek(0)
        while part := self.file.read(_PART):
            yield part

    @property
    def summary(self) -> str:
        """One sentence for people."""
        gone = f"; of {self.missing:,} the job is gone, and only the log of endings is told" if self.missing else ""
        return f"{self.rows:,} jobs of {self.service} that ended from {self.since} to {self.until}{gone}."


class Delivers(Protocol):
    """What a report can be sent by."""

    async def deliver(self, document: Document) -> None:
        """Send a report.

        Raises:
            NotSent: it did not arrive, or nobody knows.
        """
        ...

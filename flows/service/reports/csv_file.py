"""Writes CSV (RFC 4180) that a spreadsheet takes for what it is: no text in it becomes a formula."""

from __future__ import annotations

import csv
from io import StringIO
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Final

from pydantic_core import to_json

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import IO, Self

#: A text that begins so is a formula to spreadsheets.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
#: What is larger goes to the disk, in bytes.
_IN_MEMORY: Final = 1 << 20


class CsvFile:
    """A file of rows: in memory while it is small, else on the disk, and gone when it is closed.

    Args:
        titles: The first row.
    """

    def __init__(self, titles: Iterable[str]) -> None:
        self._file = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed by close()
        self._text = StringIO(newline="")
        self._writer = csv.writer(self._text)
        self.rows = -1
        self.add([titles])

    @property
    def file(self) -> IO[bytes]:
        """Its content."""
        return self._file

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return self._file.tell()

    def add(self, rows: Iterable[Iterable[object]]) -> None:
        """Add rows at its end; as many at once as are at hand."""
        before = self.rows
        for row in rows:
            self._writer.writerow([cell_text(cell) for cell in row])
            self.rows += 1
        if self.rows > before:
            self._file.write(self._text.getvalue().encode("utf-8", "replace"))
            self._text.seek(0)
            self._text.truncate()

    def close(self) -> None:
        """Give up the file; closing twice changes nothing."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def cell_text(value: object) -> str:
    """Return the text of a cell: of a text itself, of None nothing, of anything else its JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    text = to_json(value, fallback=str).decode()
    # An instant or a UUID is a text in JSON; of numbers a minus is no formula.
    return cell_text(text[1:-1]) if text.startswith('"') and "\\" not in text else text

"""Files of reports in a directory: whole or not at all."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path

import pytest

from flows.service.transports.directory import Directory
from flows.service.transports.document import Document
from flows.service.transports.not_sent import NotSent
from tests.service.receivers import an_ending


def document(content: bytes) -> Document:
    """Return a report of some content."""
    ended = an_ending().ended
    return Document("r-1", "mailer", "daily", ended, ended, "daily.csv", BytesIO(content), len(content), 1, 0)


class Broken(BytesIO):
    """A file that breaks off."""

    def read(self, _size: int | None = -1, /) -> bytes:
        """Break off."""
        raise OSError(5, "Input/output error")


async def test_a_second_try_replaces_the_file(tmp_path: Path) -> None:
    """And nothing else stays in the directory."""
    to = Directory(tmp_path / "reports")
    await to.deliver(document(b"Order\r\n"))
    await to.deliver(document(b"Order\r\n7\r\n"))
    assert os.listdir(tmp_path / "reports") == ["daily.csv"]  # noqa: PTH208 - a short list
    assert (tmp_path / "reports" / "daily.csv").read_bytes() == b"Order\r\n7\r\n"


async def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    """One that breaks off leaves the one before it, and nothing half written."""
    to = Directory(tmp_path)
    await to.deliver(document(b"before"))
    broken = Document("r-2", "m", "d", an_ending().ended, an_ending().ended, "daily.csv", Broken(), 1, 1, 0)
    with pytest.raises(NotSent, match="Input/output error") as refused:
        await to.deliver(broken)
    assert not refused.value.for_good
    assert os.listdir(tmp_path) == ["daily.csv"]  # noqa: PTH208 - a short list
    assert (tmp_path / "daily.csv").read_bytes() == b"before"

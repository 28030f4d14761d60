"""CSV that other programs read: what a cell says, and that none is a formula."""

from __future__ import annotations

import csv
import time
import tracemalloc
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.service.reports.columns import Columns, Errors
from flows.service.reports.csv_file import CsvFile, cell_text
from flows.service.reports.told_job import ToldJob
from tests.scale import scaled


def content(file: CsvFile) -> str:
    """Return what a file holds."""
    file.file.seek(0)
    return file.file.read().decode()


def test_rows_as_the_rfc_has_them() -> None:
    """Lines end in CRLF, and what has commas, quotes or lines of its own is quoted."""
    with CsvFile(["Order", "Why"]) as file:
        file.add([[7, 'no "such" order'], [None, "a\nb,c"]])
        file.add([])
        assert content(file) == 'Order,Why\r\n7,"no ""such"" order"\r\n,"a\nb,c"\r\n'
        assert file.rows == 2


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("", ""),
        ("plain", "plain"),
        ("=1+1", "'=1+1"),
        ("+49 30", "'+49 30"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        (-1, "-1"),
        (-1.5, "-1.5"),
        (Decimal("1.50"), "1.50"),
        (True, "true"),
        ({"a": [1, "b"]}, '{"a":[1,"b"]}'),
        ([], "[]"),
        (datetime(2026, 11, 26, 8, tzinfo=UTC), "2026-11-26T08:00:00Z"),
        (date(2026, 11, 26), "2026-11-26"),
        (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        (object, "<class 'object'>"),
    ],
)
def test_what_a_cell_says(value: object, text: str) -> None:
    """A text itself unless it would be a formula, and of other values their JSON."""
    assert cell_text(value) == text


def test_a_title_is_no_formula_either() -> None:
    """It may come from a file of settings."""
    with CsvFile(["=x"]) as file:
        assert content(file) == "'=x\r\n"


@settings(max_examples=scaled(15, full=300))
@given(st.lists(st.lists(st.text(max_size=20), min_size=2, max_size=2), max_size=5))
def test_every_text_is_read_back(rows: list[list[str]]) -> None:
    """By Python's own reader, but for the quote before what would be a formula."""
    with CsvFile(["a", "b"]) as file:
        file.add(rows)
        read = list(csv.reader(StringIO(content(file), newline="")))
    told = [[cell.encode("utf-8", "replace").decode() for cell in row] for row in rows]
    assert [[cell.removeprefix("'") for cell in row] for row in read[1:]] == [
        [cell.removeprefix("'") for cell in row] for row in told
    ]


@pytest.mark.scale
def test_a_large_report_does_not_stay_in_memory() -> None:
    """A million rows take less than 64 MiB of it, and less than 60 s of this process's time."""
    rows, columns = scaled(10_000, full=1_000_000), Columns({"Order": "/payload/order", "Status": Errors({})})
    job = ToldJob("j", "email", "acme", "done", None, datetime(2026, 11, 26, tzinfo=UTC), payload={"order": "7" * 40})
    began = time.process_time()
    tracemalloc.start()
    with CsvFile(columns.titles) as file:
        for _ in range(0, rows, 500):
            file.add(columns.cells(job) for _ in range(500))
        peak = tracemalloc.get_traced_memory()[1]
        assert file.rows == rows
        assert file.size > 40 * rows
    tracemalloc.stop()
    assert peak < 64 << 20
    assert time.process_time() - began < 60

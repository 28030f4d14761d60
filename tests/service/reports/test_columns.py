"""Columns: where they point, and what they say of how a job ended."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from flows.errors import DeclarationError
from flows.service.reports.columns import Columns, Errors
from flows.service.reports.told_job import ToldJob

ENDED = datetime(2026, 11, 26, 8, 30, tzinfo=UTC)
DONE = ToldJob("j-1", "email", "acme", "done", None, ENDED, ENDED, {"order": 7}, {"id": "m"})
FAILED = ToldJob("j-2", "email", "acme", "failed", "unknown-order", ENDED, payload={"order": 8}, message="no such")
GONE = ToldJob("j-3", "email", "acme", "failed", "Timeout", ENDED, is_gone=True)
CANCELLED = ToldJob("j-4", "email", "acme", "cancelled", None, ENDED)


def test_a_column_points_into_the_job() -> None:
    """Into all that is known of it; of a job that is gone the log's own columns are left."""
    columns = Columns(
        {
            "Job": "/id",
            "Order": "/payload/order",
            "Sent": "/result/id",
            "Why": "/error/message",
            "Error": "/error/type",
            "How": "/outcome",
            "When": "/ended",
        }
    )
    assert columns.titles == ["Job", "Order", "Sent", "Why", "Error", "How", "When"]
    when = "2026-11-26T08:30:00+00:00"
    assert columns.cells(DONE) == ["j-1", 7, "m", None, None, "done", when]
    assert columns.cells(FAILED) == ["j-2", 8, None, "no such", "unknown-order", "failed", when]
    assert columns.cells(GONE) == ["j-3", None, None, "", "Timeout", "failed", when]


def test_a_column_says_in_words_how_a_job_ended() -> None:
    """With words for types of errors, and one for all others."""
    words = Errors({"unknown-order": "Order is unknown"})
    assert [words(job) for job in (DONE, FAILED, GONE, CANCELLED)] == [
        "Success",
        "Order is unknown",
        "Other error",
        "Cancelled",
    ]
    assert Columns({"Status": words}).cells(FAILED) == ["Order is unknown"]


def test_a_column_is_made_by_a_function() -> None:
    """Of the job, and what it returns is the cell."""
    assert Columns({"Late": lambda job: job.ended.hour >= 8}).cells(DONE) == [True]


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({}, "at least one"),
        (["/id"], "at least one"),
        ({"Id": "id"}, "is no JSON pointer"),
        ({"Id": 5}, "'Id' is 5: give a JSON pointer"),
        ({5: "/id"}, "a column's title is a text"),
    ],
)
def test_what_is_no_column_is_refused(columns: Any, why: str) -> None:
    """When it is declared."""
    with pytest.raises(DeclarationError, match=why):
        Columns(columns)


@pytest.mark.parametrize("given", [({"a": 5},), (["a"],), ({5: "a"},)])
def test_words_are_texts(given: Any) -> None:
    """Anything else is refused when it is declared."""
    with pytest.raises(DeclarationError, match="Errors"):
        Errors(*given)
    with pytest.raises(DeclarationError, match="is no text"):
        Errors({}, other=None)  # type: ignore[arg-type]

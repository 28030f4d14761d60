"""A line of a log: what it may say, what is cut of it, and how it is read again, whatever stands there."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows import LogLine, ValidationError
from flows.store.jobs.log_line import pack_line, pack_update, read_line


def written(text: str, **meta: object) -> LogLine:
    """Return a line as the script writes it, read again."""
    return read_line(b'{"n":7,"at":1000,' + pack_line(text, "info", meta, 2)[1:].encode())


def test_a_line_is_read_as_it_was_logged() -> None:
    """With its number, time, attempt and what else it says."""
    line = written("read", rows=5, path=["a", None])
    at = datetime.fromtimestamp(1, UTC)
    assert line == LogLine(7, at, "info", "read", {"rows": 5, "path": ["a", None]}, attempt=2)
    assert str(line) == "read rows=5 path=['a', None]"


@pytest.mark.parametrize(
    ("meta", "text", "named"),
    [
        (None, "", {}),
        ("looking", "looking", {}),
        ("", "", {}),
        ({"status": "sent", "n": 1}, "", {"status": "sent", "n": 1}),
        ([1, None], "", {"value": [1, None]}),
        (0, "", {"value": 0}),
    ],
)
def test_an_update_says_a_word_and_any_json(meta: Any, text: str, named: dict[str, Any]) -> None:
    """A text is that of the line, an object its meta, whatever its names; what is neither has a name of its own."""
    line = read_line(b'{"n":7,"at":1000,' + pack_update("started", "trace", meta, 2)[1:].encode())
    at = datetime.fromtimestamp(1, UTC)
    assert line == LogLine(7, at, "trace", text, named, attempt=2, status="started")
    assert str(line).startswith("started")


@pytest.mark.parametrize("status", ["", " ", "x" * 65, 5, None])
def test_a_status_is_a_word(status: Any) -> None:
    """What is none is refused where it is said."""
    with pytest.raises(ValidationError, match="status="):
        pack_update(status, "info", None, 1)


def test_what_is_cut_is_told() -> None:
    """Of a long text the beginning is kept, of much meta what fits; the line says that something is missing."""
    assert not written("x" * 4096).cut
    line = written("x" * 4097, small=1, large="y" * 5000, last=2)
    assert (len(line.text), line.meta, line.cut) == (4096, {"small": 1, "last": 2}, True)


@pytest.mark.parametrize(
    ("text", "level", "meta", "said"),
    [
        (5, "info", {}, r"log\(5\): give a text"),
        (b"x", "info", {}, "give a text"),
        (None, "info", {}, "give a text"),
        ("x", "warn", {}, "level='warn': give one of trace, debug, info, warning, error"),
        ("x", 30, {}, "level=30"),
        ("x", "info", {"rows": object()}, "rows"),
        ("x", "info", {"rows": float("nan")}, "rows"),
        ("x", "info", {"status": "sent", "n": 1}, r"log\(n, status=…\): a line has that of its own"),
    ],
)
def test_what_cannot_be_logged_is_refused(text: Any, level: Any, meta: dict[str, Any], said: str) -> None:
    """Where it is logged, with what to give instead."""
    with pytest.raises(ValidationError, match=said):
        pack_line(text, level, meta, 1)


@given(st.binary() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps).map(str.encode))
def test_whatever_stands_there_is_a_line(raw: bytes) -> None:
    """What others have pushed reads as text."""
    line = read_line(raw)
    assert (line.n, line.text) == (0, raw.decode("utf-8", "replace"))


@given(
    st.text(st.characters(exclude_categories=())), st.dictionaries(st.sampled_from("abc"), st.text() | st.integers())
)
def test_any_text_comes_back(text: str, meta: dict[str, Any]) -> None:
    """Also surrogates, which UTF-8 cannot hold: they become question marks."""
    line = written(text, **meta)
    assert line.text == text.encode("utf-8", "replace").decode()[:4096]

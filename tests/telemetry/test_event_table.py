"""The table of events: whatever is emitted has a row, with its fields, and every row is emitted."""

from __future__ import annotations

import ast
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import flows
from flows.model.outcome import ALL_OUTCOMES
from flows.store.jobs.answers import RescueAnswer
from flows.telemetry.event_table import EVENTS

ROOT = Path(flows.__file__).parent
DOCUMENT = ROOT.parent / "docs" / "logging.md"
HOWTO = ROOT.parent / "docs" / "howto" / "when-something-is-wrong.md"


def emitted() -> Iterator[tuple[str, str, set[str]]]:
    """Yield where each event is emitted, its name and the keywords that are written out."""
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            name = node.args[0]
            if called in {"emit", "_emit"} and isinstance(name, ast.Constant) and isinstance(name.value, str):
                yield f"{path}:{node.lineno}", name.value, {word.arg for word in node.keywords if word.arg}


def test_what_is_emitted_has_a_row() -> None:
    """Each event that the source emits by its name stands in the table, with these fields."""
    found = list(emitted())
    assert len(found) > 20
    strange = [(where, name, keywords) for where, name, keywords in found if name not in EVENTS]
    assert strange == []
    assert [(where, keywords) for where, name, keywords in found if not keywords <= EVENTS[name].fields] == []


def test_each_row_is_emitted() -> None:
    """A row that nobody emits is one that somebody would wait for in vain."""
    text = "".join(path.read_text(encoding="utf-8") for path in ROOT.rglob("*.py") if path.name != "event_table.py")
    by_word = {f"job.{word}" for word in RescueAnswer.__args__}
    assert [name for name in EVENTS if f'"{name}"' not in text and name not in by_word] == []
    assert by_word <= EVENTS.keys() | {"job.skipped"}


def test_an_outcome_is_told() -> None:
    """Each way in which an attempt ends is told by `telemetry/outcome_events.py`: a checker holds its match whole."""
    text = (ROOT / "telemetry" / "outcome_events.py").read_text(encoding="utf-8")
    assert [outcome.__name__ for outcome in ALL_OUTCOMES if f"case {outcome.__name__}(" not in text] == []


@pytest.mark.skipif(not DOCUMENT.exists(), reason="docs/logging.md is not there")
def test_the_document_has_each_row() -> None:
    """docs/logging.md lists all events, each with its level and its fields."""
    rows = re.findall(r"^\| `([a-z_.]+)` \| ([A-Z]+) \| ([^|]*) \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    written = {name: (level, {field.strip(" []") for field in fields.split(",")}) for name, level, fields in rows}
    assert written == {name: (logging.getLevelName(row.level), set(row.fields)) for name, row in EVENTS.items()}


@pytest.mark.skipif(not HOWTO.exists(), reason="the page is not there")
def test_the_page_says_what_to_do_about_each() -> None:
    """docs/howto/when-something-is-wrong.md has a row for each warning and each error, and no others."""
    text = HOWTO.read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[a-z_.`, ]+`) \|", text, re.MULTILINE)
    names = {name for row in rows for name in re.findall(r"`([^`]+)`", row)}
    assert {name for name in names if "." in name} == {n for n, row in EVENTS.items() if row.level >= logging.WARNING}

"""The table of outcomes: it knows each outcome, and whatever lists them takes its list from it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from pydantic_core import to_json

import flows
from flows.model import verdict as verdicts
from flows.model.history import history_of
from flows.model.outcome import (
    ALL_OUTCOMES,
    ENDING_VERBS,
    OUTCOMES,
    RUN_OUTCOMES,
    RUN_VERBS,
    VERBS,
    HistoryLine,
    Outcome,
)
from flows.model.state import TERMINAL, TRANSITIONS, JobState
from flows.model.verdict import AnyVerdict, Verdict
from tests.outcomes import EXAMPLES, VERDICTS, ended, outcome_of

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def test_every_outcome_has_its_row() -> None:
    """And a verb that is its own name, which no other has."""
    assert set(ALL_OUTCOMES) == set(get_args(Outcome))
    assert list(ALL_OUTCOMES) == [*OUTCOMES, *RUN_OUTCOMES]
    assert [re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.__name__).lower() for kind in ALL_OUTCOMES] == list(RUN_VERBS)
    assert RUN_VERBS[: len(VERBS)] == VERBS
    assert len(set(RUN_VERBS)) == len(RUN_VERBS)


def test_every_outcome_has_an_example() -> None:
    """From which the tests of scripts, of the store and of faults take their lists."""
    assert set(EXAMPLES) == set(OUTCOMES)
    assert all(isinstance(example, kind) for kind, example in EXAMPLES.items())
    assert all(ended(verb, "1", 7)[:3] == [verb, "1", 7] for verb in VERBS)


def test_every_outcome_is_a_move_of_a_job_that_runs() -> None:
    """Its state can be reached from processing; a job that comes back to its queue has not ended."""
    for row in ALL_OUTCOMES.values():
        assert row.state in TRANSITIONS[JobState.PROCESSING]
        assert not (row.ends and row.again)
        assert row.again or not row.gives_back
        assert row.ends == (row.verb in ENDING_VERBS)
    assert {row.state for row in OUTCOMES.values() if row.ends} == TERMINAL


def test_the_history_tells_each_outcome_by_its_own_verb() -> None:
    """What is tried again has a line, and so has an ending that the job's last state alone does not tell."""
    assert all(row.line is HistoryLine.ALWAYS for row in OUTCOMES.values() if row.again)
    told_by_state = [row.state for row in OUTCOMES.values() if row.ends and row.line is HistoryLine.NONE]
    assert len(told_by_state) == len(set(told_by_state))
    for row in OUTCOMES.values():
        if row.ends:
            line = {"queue": "q", "attempt": 1, "worker": "w", "at": 5, "verb": row.verb}
            lines = [to_json(line)] if row.line is HistoryLine.ALWAYS else []
            job = {"_status": row.state.encode(), "_queue": b"q", "_attempt": b"1 w 1 0 0", "_ended": b"5"}
            assert [past.verb for past in history_of(job | {"_history": b"\n".join(lines)}, None)] == [row.verb]


def test_the_documents_list_the_outcomes() -> None:
    """docs/states.md has the table, row by row, and says what each verb does."""
    text = (DOCS / "states.md").read_text("utf-8")
    table = text.split("## How an attempt ends")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (\w+) \| (.*?) \| (.*?) \|$", table, re.MULTILINE)
    counts = {row.verb: "no" if row.gives_back else "yes" for row in ALL_OUTCOMES.values()}
    assert [tuple(row) for row in rows] == [
        (kind.__name__, row.verb, str(row.state), counts[row.verb], str(row.line)) for kind, row in ALL_OUTCOMES.items()
    ]
    verbs = text.split("## Verbs")[1].split("\n## ")[0]
    assert [verb for verb in RUN_VERBS if not re.search(rf"^\|[^|]*\b{verb}\b[^|]*\|", verbs, re.MULTILINE)] == []


def test_the_page_on_attempts_lists_the_verbs_of_the_history() -> None:
    """Those of all outcomes that have a line of their own or end the job, and the one of an attempt that had none."""
    table = (DOCS / "attempts.md").read_text("utf-8").split("## History")[1].split("\n## ")[0]
    listed = {row.verb for row in OUTCOMES.values() if row.ends or row.line is not HistoryLine.NONE}
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) - {"verb"} == listed | {"rescue"}


def test_the_drawing_has_the_outcomes() -> None:
    """Each verb stands at an arrow of docs/states.md from processing to the state that it leads to."""
    drawing = (DOCS / "states.md").read_text("utf-8").split("```mermaid")[1].split("```")[0]
    arrows = re.findall(r"^ *processing --> (\w+): (.*)$", drawing, re.MULTILINE)
    drawn = {(verb, state) for state, label in arrows for verb in re.findall(r"\w+", label)}
    assert {(row.verb, str(row.state)) for row in ALL_OUTCOMES.values()} - drawn == set()


def test_every_verdict_is_known() -> None:
    """Who looks at each of them looks at all there are; users can import each and read of it."""
    declared = {kind for kind in Verdict.__subclasses__() if kind.__module__ == Verdict.__module__}
    assert set(get_args(AnyVerdict)) == declared
    public = {name for name in flows.__all__ if getattr(flows, name) in get_args(AnyVerdict)}
    assert public == {kind.__name__ for kind in get_args(AnyVerdict)}
    assert set(VERDICTS) == set(get_args(AnyVerdict))
    assert [outcome_of(verdict)[0].__name__ for verdict in VERDICTS.values()] == [kind.__name__ for kind in VERDICTS]
    for document in (DOCS / "attempts.md", ROOT / "CHANGELOG.md"):
        text = document.read_text("utf-8")
        assert [kind.__name__ for kind in VERDICTS if f"`{kind.__name__}" not in text] == [], document.name


def test_a_verdict_of_ones_own_is_refused() -> None:
    """The kernel would not know what it means; a subclass of one that it knows means the same."""
    with pytest.raises(flows.DeclarationError, match="make it a subclass of one of Retry, "):
        type("Own", (Verdict,), {"__module__": __name__})
    assert issubclass(type("Busy", (verdicts.Retry,), {}), Verdict)

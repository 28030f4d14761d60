"""Outcomes go from one process to another as JSON, and come back as they were."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from flows.errors import MalformedJob
from flows.model.job import JobError
from flows.store.jobs.log_line import pack_line
from flows.tree.backend.messages import read_outcome, write_outcome
from flows.tree.backend.protocol import Outcome
from flows.tree.backend.run_orders import explained

ERROR = JobError(type="ValueError", message="no", traceback="…", queue="#.a", attempt=2)


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(b'{"a":[1,null,"\\u00fc"]}'.replace(b"\\u00fc", "ü".encode())),
        Outcome(b"null"),
        Outcome(error=ERROR, classes=("builtins.ValueError",), wish="never"),
        Outcome(error=ERROR, wish="again", after=timedelta(seconds=1.5)),
        Outcome(b"1", lines=(pack_line("x", "warning", {"pages": 2}, 3),)),
    ],
)
def test_comes_back(outcome: Outcome) -> None:
    """Through a text of JSON."""
    assert read_outcome(json.loads(json.dumps(write_outcome(outcome)))) == outcome


@pytest.mark.parametrize(
    "found",
    [
        {},
        {"error": 3},
        {"error": ERROR.model_dump(), "wish": "whatever"},
        {"error": ERROR.model_dump(), "after": "soon"},
        {"result": 1, "log": [{"level": "info"}]},
        {"result": 1, "log": [3]},
        {"result": 1, "log": [{"text": "x", "level": "shout"}]},
    ],
)
def test_what_is_none_is_refused(found: dict[str, Any]) -> None:
    """By an error of ours."""
    with pytest.raises(MalformedJob):
        read_outcome(found)


def test_what_has_killed_its_workers_says_what_to_do() -> None:
    """Its own words are the kernel's, of a job; other errors stay as they are."""
    poison = JobError(type="Poison", message="its worker died 3 times while it ran nothing but this job")
    said = explained(poison, "task")
    assert said.type == "Poison"
    assert said.message.startswith("its worker died 3 times while it ran nothing but this task: find what ends")
    assert explained(ERROR, "task") is ERROR

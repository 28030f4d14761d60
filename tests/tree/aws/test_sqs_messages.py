"""The messages of SQS: what workers in any language read and write, and what is refused."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from flows.errors import MalformedJob
from flows.model.job import JobError
from flows.store.jobs.log_line import pack_line
from flows.tree.annotations import TaskInput
from flows.tree.aws.sqs_messages import MOST_BYTES, read_answer, read_order, write_answer, write_order, write_progress
from flows.tree.backend.protocol import Order, Outcome, Progress
from flows.tree.current import CurrentTask
from flows.tree.declare import Task


class Url(TaskInput):
    """Reads the address."""

    url: str


def fetch(view: Url) -> str:
    """Return it."""
    return view.url


def order(view: bytes = b'{"url":"u"}', timeout: float | None = None) -> Order:
    """Return an order as the walk of an execution makes one."""
    current = CurrentTask("i", "e", "#.a.b", 2, None, lambda *_: None)
    return Order("i", "site", "e", "#.a.b", 2, view, timeout, Task("b", fetch), current)


def test_an_order_is_plain_json() -> None:
    """With the members that docs/trees.md names."""
    told = json.loads(write_order(order(timeout=5), 5))
    assert 4 < told.pop("deadline") / 1000 - time.time() < 6
    assert told == {
        "v": 1,
        "instance": "i",
        "generator": "site",
        "execution": "e",
        "path": "#.a.b",
        "attempt": 2,
        "view": {"url": "u"},
        "timeout": 5,
    }


def test_an_order_is_read_as_it_was_written() -> None:
    """Its view too, but one that is too large for a message is left out."""
    found = read_order(write_order(order(timeout=5), 5))
    assert found[:8] == ("i", "site", "e", "#.a.b", 2, 1, b'{"url":"u"}', 5.0)
    assert 4 < found.seconds_left < 6
    large = read_order(write_order(order(b'{"url":"%b"}' % (b"x" * MOST_BYTES)), 3600))
    assert (large.view, large.timeout) == (None, None)


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(b'{"a":[1,null]}'),
        Outcome(b"null", lines=(pack_line("one", "info", {}, 2),)),
        Outcome(error=JobError(type="E", message="m", traceback="t", queue="#.a.b", attempt=2), classes=("x.E",)),
        Outcome(
            error=JobError(type="E", message="m", queue="#.a.b", attempt=2), wish="later", after=timedelta(seconds=3)
        ),
    ],
)
def test_an_outcome_is_read_as_it_was_written(outcome: Outcome) -> None:
    """Results, errors, wishes and lines of the log."""
    ordered = read_order(write_order(order(), 5))
    found = read_answer(write_answer(ordered, outcome))
    assert found == ("i", "e", "#.a.b", 2, 1, outcome)


def test_a_further_call_of_an_attempt_has_its_turn() -> None:
    """In the order, and in its outcome."""
    ordered = read_order(write_order(replace(order(), turn=3), 5))
    assert ordered.turn == 3
    assert read_answer(write_answer(ordered, Outcome(b"1"))).turn == 3


def test_a_worker_of_another_language_says_little() -> None:
    """The type and the message of an error are enough."""
    place = {"v": 1, "instance": "i", "execution": "e", "path": "#.a", "attempt": 1}
    found = read_answer(json.dumps({**place, "error": {"type": "Oops", "message": "no"}, "result": None, "more": 1}))
    assert found.outcome == Outcome(error=JobError(type="Oops", message="no", queue="#.a", attempt=1))
    assert read_answer(json.dumps({**place, "result": None})).outcome == Outcome(b"null")


def test_progress_is_read_as_it_was_written() -> None:
    """The message may be left out; what is no share is refused."""
    ordered = read_order(write_order(order(), 5))
    found = read_answer(write_progress(ordered, Progress(0.5, "half")))
    assert found == ("i", "e", "#.a.b", 2, 1, Progress(0.5, "half"))
    place = {"v": 1, "instance": "i", "execution": "e", "path": "#.a", "attempt": 1}
    assert read_answer(json.dumps({**place, "progress": 1})).outcome == Progress(1.0)
    for wrong in (-0.1, 1.1, "x", None, float("nan")):
        with pytest.raises(MalformedJob):
            read_answer(json.dumps({**place, "progress": wrong}))


def test_an_outcome_that_is_too_large_is_an_error() -> None:
    """It says what to do, and that another attempt would not better it."""
    ordered = read_order(write_order(order(), 5))
    found = read_answer(write_answer(ordered, Outcome(b'"%b"' % (b"x" * MOST_BYTES)))).outcome
    assert found.error is not None
    assert (found.error.type, found.wish) == ("PayloadTooLarge", "never")
    assert "keep what it returns elsewhere" in found.error.message


@pytest.mark.parametrize("change", ["v", "instance", "execution", "path", "attempt", "view", "deadline"])
def test_what_is_no_order_is_refused(change: str) -> None:
    """Whatever it lacks, or has of another type."""
    told: dict[str, Any] = json.loads(write_order(order(), 5))
    for wrong in ({}, {change: [1]}, {change: "x" if change not in {"instance", "execution", "path"} else 7}):
        body = json.dumps({**{name: value for name, value in told.items() if name != change}, **wrong})
        with pytest.raises(MalformedJob):
            read_order(body)


@pytest.mark.parametrize("body", ["", "x", "[]", "null", '{"v":2}', '{"v":1}', '{"v":1,"instance":1}', "\ud800"])
def test_what_is_no_outcome_is_refused(body: str) -> None:
    """Anybody may send to a queue."""
    with pytest.raises(MalformedJob):
        read_answer(body)

"""A job's history: what its hash tells of attempts, and what it does not."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.model.history import PastAttempt, history_of
from flows.model.job import JobError
from flows.model.outcome import OUTCOMES

WHEN = datetime(2026, 1, 2, 3, 4, 5, 678_000, UTC)
#: The outcomes after which a job is tried again.
AGAIN = [row for row in OUTCOMES.values() if row.again]
AT = int(WHEN.timestamp() * 1000)


def line(verb: str, attempt: Any = 1, queue: str = "work", **more: Any) -> str:
    """Return a line as the scripts write it."""
    return json.dumps({"queue": queue, "attempt": attempt, "worker": "w1", "at": AT, "verb": verb} | more)


def fields(*lines: str, **ended: object) -> dict[str, bytes]:
    """Return a hash with these lines, and with the kernel's fields that are named."""
    told = {"_history": "\n".join(lines)} if lines else {}
    attempt = f"1 w2 {ended.pop('attempts', 0)} 0 0"
    kernel = {"_queue": "work", "_attempt": attempt, **{f"_{name}": str(value) for name, value in ended.items()}}
    return {name: value.encode() for name, value in {**told, **kernel}.items()}


def verbs(found: list[PastAttempt]) -> list[tuple[str, int]]:
    """Return how each ended, and which it was."""
    return [(past.verb, past.attempt) for past in found]


def test_a_job_without_attempts_has_no_history() -> None:
    """One that waits, also one that was cancelled before any worker had it."""
    assert history_of({}, None) == []
    assert history_of(fields(), None) == []
    assert history_of({"_status": b"cancelled", "_ended": b"5"}, None) == []
    assert history_of(fields(status="cancelled", attempts=0, ended=AT), None) == []


def test_each_line_is_an_attempt() -> None:
    """With its worker, time, verb, error or reason; the oldest comes first."""
    retried = line("retry", error={"type": "OSError", "message": "no route"})
    found = history_of(fields(retried, line("snooze", 2, reason="later"), status="delayed", attempts=1), None)
    assert found == [
        PastAttempt("work", 1, "w1", WHEN, "retry", ("OSError", "no route")),
        PastAttempt("work", 2, "w1", WHEN, "snooze", None, "later"),
    ]


@pytest.mark.parametrize(
    ("status", "verb", "error", "reason"),
    [
        ("done", "finish", None, ""),
        ("failed", "fail", ("OSError", "x" * 200), ""),
        ("cancelled", "cancel", None, "unwanted"),
    ],
)
def test_the_last_attempt_stands_in_the_hash_itself(status: str, verb: str, error: Any, reason: str) -> None:
    """It has no line; its error is cut as those of lines are."""
    kept = JobError(type="OSError", message="x" * 300)
    ended = fields(line("retry"), status=status, attempts=2, ended=AT, reason=reason)
    last = history_of(ended, kept)[-1]
    assert last == PastAttempt("work", 2, "w2", WHEN, verb, error, reason)
    assert verbs(history_of(ended, kept)) == [("retry", 1), (verb, 2)]


@pytest.mark.parametrize(
    ("told", "attempts", "ran"),
    [
        (line("rescue", 2), 2, False),
        (line("rescue", 2), 3, True),
        *[(line(row.verb, 2), 2 - row.gives_back, False) for row in AGAIN],
        *[(line(row.verb, 2), 3 - row.gives_back, True) for row in AGAIN],
        (line("snooze", 1), 0, False),
        (line("advance", 1), 1, True),
        (line("advance", 2, "before"), 2, True),
        (line("retry", 1, "before"), 1, True),
    ],
)
def test_a_cancelled_job_had_an_attempt_to_end_or_not(told: str, attempts: int, ran: bool) -> None:  # noqa: FBT001
    """One that was cancelled while it waited to be tried again ended no attempt; one that ran did.

    A snooze and a release give the attempt's number back, so that the next one has it again.
    """
    found = history_of(fields(told, status="cancelled", attempts=attempts, ended=AT), None)
    assert [past.verb for past in found[1:]] == ["cancel"] * ran


def test_an_ending_with_a_line_of_its_own_is_told_once() -> None:
    """Its line has the time at which the job ended; a line of an earlier visit has another one."""
    ended = fields(line("rescue"), status="done", attempts=1, ended=AT)
    assert verbs(history_of(ended, None)) == [("rescue", 1), ("finish", 1)]
    ended = fields(line("fail"), status="done", attempts=1, ended=AT)
    assert verbs(history_of(ended, None)) == [("fail", 1)]
    ended = fields(line("fail"), status="done", attempts=1, ended=AT + 1)
    assert verbs(history_of(ended, None)) == [("fail", 1), ("finish", 1)]


def test_more_than_twenty() -> None:
    """The scripts keep 20 lines; what is there is told, and the last attempt comes behind it."""
    lines = [line("snooze", 1, reason=str(number)) for number in range(20)]
    found = history_of(fields(*lines, status="done", attempts=1, ended=AT), None)
    assert [past.reason for past in found] == [*map(str, range(20)), ""]
    assert found[-1].verb == "finish"


NONSENSE = [
    "",
    "{",
    "null",
    "[]",
    "7",
    '"text"',
    "{}",
    line("retry")[:-5],
    line("retry", error="text"),
    line("retry", error=[]),
    line("retry", attempt="many"),
    line("retry", attempt=None),
    line("retry", at="soon"),
    line("retry", at=None),
    line("retry", at=10**30),
    line("retry", at=-(10**30)),
    line("retry", at=10**400),
    line("retry", at=float("nan")),
    line("retry", at=float("inf")),
    line("retry", at={}),
    "[" * 100_000,
]


@pytest.mark.parametrize("nonsense", NONSENSE, ids=range(len(NONSENSE)))
def test_lines_edited_into_nonsense_are_left_out(nonsense: str) -> None:
    """The others are still told."""
    found = history_of(fields(line("retry", 1), nonsense, line("retry", 2)), None)
    assert verbs(found) == [("retry", 1), ("retry", 2)]


values = st.none() | st.booleans() | st.integers() | st.floats() | st.lists(st.integers(), max_size=2) | st.just("1")
names = st.sampled_from(["queue", "attempt", "worker", "at", "verb", "error", "reason"])
lines = st.dictionaries(names, values).map(lambda wrong: json.dumps(json.loads(line("retry")) | wrong))


@given(st.binary() | lines.map(str.encode), st.binary())
def test_no_hash_is_too_strange(history: bytes, value: bytes) -> None:
    """Whatever stands in the fields that it reads, there is a history."""
    kernel = dict.fromkeys(("_queue", "_reason"), value)
    for strange in ("_history", "_attempt", "_ended"):
        good = {"_history": b"", "_attempt": b"1 w1 1 0 0", "_ended": b"5"}
        found = history_of({**kernel, **good, strange: history, "_status": b"failed"}, None)
        assert all(isinstance(past, PastAttempt) for past in found)


@pytest.mark.parametrize("name", ["attempts", "ended"])
def test_an_end_edited_into_nonsense_is_left_out(name: str) -> None:
    """The lines are still told."""
    ended = {"status": "done", "attempts": 2, "ended": AT, name: "many"}
    assert verbs(history_of(fields(line("retry"), **ended), None)) == [("retry", 1)]

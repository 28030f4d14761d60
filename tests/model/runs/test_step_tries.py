"""The tries of steps and the visits of runs, as records tell them."""

from __future__ import annotations

from flows.model.job import JobError
from flows.model.runs.past_visits import read_past
from flows.model.runs.step_record import StepRecord, read_record
from flows.model.runs.step_tries import MOST_TRIES, StepTry, tried_member, tries_of

TRIES = [StepTry(at, 5, "OSError") for at in range(1, 30)]


def test_the_newest_tries_come_back() -> None:
    """Of a step that was tried once, its record says it; nonsense is left out."""
    record = StepRecord("done", "run", at=1, tries=29, more=tried_member(TRIES), result=b"1")
    assert tries_of(read_record("a", record.write())) == TRIES[-MOST_TRIES:]
    once = StepRecord("failed", "run", at=7, ms=2, tries=1, error=JobError(type="E", message="", queue="q", attempt=1))
    assert tries_of(once) == [StepTry(7, 2, "E")]
    assert tries_of(StepRecord("waiting", "event", at=7)) == []
    assert tries_of(StepRecord("done", "run", at=7, tries=2, more={"tried": [[1, 2], [1, 2, "E"], "x"]})) == [
        (1, 2, "E")
    ]


def test_visits_come_oldest_first_and_nonsense_is_left_out() -> None:
    """They stand newest first."""
    lines = [
        b'{"ended":30,"next":40,"as":"cancelled","error":null,"steps":{}}',
        b"{}",
        b'{"ended":1,"next":2,"as":"failed","error":"E","steps":{"a":{"status":"x"}}}',
        b'{"ended":10,"next":20,"as":"failed","error":"E","steps":{"a":{"status":"done","order":1,"kind":"run","at":5}}}',
    ]
    first, second = read_past(b"\n".join(lines))
    assert (first.ended, first.next, first.how, first.error, first.steps["a"].at) == (10, 20, "failed", "E", 5)
    assert (second.how, second.error, second.steps) == ("cancelled", "", {})

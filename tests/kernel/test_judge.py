"""The judge: what a function returned, raised or did not finish in time, turned into an outcome, without a server."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from flows import Cancel, Fail, FlowOptions, Job, JobResult, QueueOptions, Retries, Retry, Snooze, Verdict
from flows.kernel.judge import Judge
from flows.model import outcome
from flows.model.plan import plans
from flows.store.jobs.claimed import ClaimedJob
from tests.outcomes import VERDICTS, outcome_of

SECOND = timedelta(seconds=1)
MS = timedelta(milliseconds=1)


class Params(BaseModel):
    """What a job is created with."""


class Work(Job):
    """What the function sees."""


class Answer(JobResult):
    """What the function returns."""

    answer: int


class Wordless(Exception):
    """An error that raises when it is told."""

    def __str__(self) -> str:
        """Fail."""
        raise OSError("no words")


class Unfinished(Snooze):
    """A verdict whose author forgot to call the class above."""

    def __init__(self) -> None:
        """Forget it."""


class Own(Fail):
    """A verdict of the user's, which means what its class means."""


def judge(**options: Any) -> Judge:
    """Return the judge of the queue `work` with these options, without jitter."""
    if "retries" in options:
        options["retries"] = Retries(**{"jitter": False, **options["retries"]})
    queues = [QueueOptions("work", Work, **options)]
    return Judge(plans(FlowOptions("numbers", queues), Params)["work"])


def claimed(attempt: int = 1, rescues: int = 0) -> ClaimedJob:
    """Return a job in its n-th attempt."""
    return ClaimedJob([b"1", attempt, attempt, 0, rescues, 0, None])


def raised(error: BaseException, attempt: int = 1, rescues: int = 0, **options: Any) -> Any:
    """Return what becomes of an attempt that raises."""
    try:
        _function(error)
    except BaseException as caught:  # noqa: BLE001 - it has a traceback now
        return judge(**options).raised(claimed(attempt, rescues), caught)


def _function(error: BaseException) -> None:
    raise error


def test_without_retries_an_error_fails_the_job() -> None:
    """The error is kept with its type, message, traceback, queue and attempt."""
    fail = raised(ValueError("no number"))
    assert isinstance(fail, outcome.Fail)
    error = fail.error
    assert (error.type, error.message, error.queue, error.attempt) == ("ValueError", "no number", "work", 1)
    assert error.traceback.startswith("Traceback")
    assert error.traceback.endswith("ValueError: no number\n")


def test_with_retries_it_is_made_again_until_the_attempts_are_used_up() -> None:
    """With the delays of the backoff, rounded up to milliseconds; the last attempt's error fails the job."""
    options: Any = {"retries": {"max_attempts": 4, "backoff": timedelta(microseconds=1500)}}
    outcomes = [raised(OSError("down"), attempt, **options) for attempt in (1, 2, 3, 4, 5)]
    assert [type(one) for one in outcomes] == [outcome.Retry] * 3 + [outcome.Fail] * 2
    assert [one.delay_ms for one in outcomes[:3]] == [2, 3, 6]
    assert [one.error.attempt for one in outcomes] == [1, 2, 3, 4, 5]


def test_attempts_whose_worker_died_do_not_count() -> None:
    """Neither against max_attempts nor for the backoff; a hash whose counts were edited does no harm."""
    options: Any = {"retries": {"max_attempts": 2, "backoff": [SECOND, 5 * SECOND]}}
    assert raised(OSError(), 4, 3, **options).delay_ms == 1000
    assert isinstance(raised(OSError(), 5, 3, **options), outcome.Fail)
    assert raised(OSError(), 1, 7, **options).delay_ms == 1000


def test_some_errors_are_not_tried_again() -> None:
    """Those outside retry_on, and those of give_up_on; neither is a job that cannot be read."""
    options: Any = {"retries": {"retry_on": (OSError,), "give_up_on": (ConnectionError,)}}
    assert isinstance(raised(FileNotFoundError(), **options), outcome.Retry)
    assert isinstance(raised(ConnectionResetError(), **options), outcome.Fail)
    assert isinstance(raised(ValueError(), **options), outcome.Fail)
    assert isinstance(judge(retries={}).malformed(claimed(), "no hash"), outcome.Fail)


@pytest.mark.parametrize("way", ["returned", "raised"])
@pytest.mark.parametrize("verdict", VERDICTS.values(), ids=repr)
def test_each_verdict_becomes_the_outcome_of_its_name(way: str, verdict: Verdict) -> None:
    """With its reason, which is the message where the outcome has an error."""
    found = getattr(judge(), way)(claimed(), verdict)
    assert type(found) is outcome_of(verdict)[0]
    assert (found.error.message if hasattr(found, "error") else found.reason) == verdict.reason


@pytest.mark.parametrize("way", ["returned", "raised"])
@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (Snooze("later", after=SECOND), outcome.Snooze(1000, None, "later")),
        (Snooze(after=MS / 2), outcome.Snooze(1)),
        (Snooze(after=timedelta(0)), outcome.Snooze(0)),
        (Snooze("x" * 300, after=SECOND), outcome.Snooze(1000, None, "x" * 200)),
        (Snooze("later", until=datetime(1970, 1, 1, 0, 0, 1, 1, UTC)), outcome.Snooze(0, 1001, "later")),
        (Snooze("429", after=SECOND, hold="queue"), outcome.Snooze(1000, None, "429", hold="queue")),
        (Cancel("unwanted"), outcome.Cancel("unwanted")),
        (Cancel("caf\udce9"), outcome.Cancel("caf?")),
    ],
)
def test_verdicts_without_an_error(way: str, verdict: Verdict, expected: object) -> None:
    """Returned or raised, a verdict is the same; what UTF-8 cannot hold and what is too long is mended."""
    assert getattr(judge(), way)(claimed(), verdict) == expected


@pytest.mark.parametrize("way", ["returned", "raised"])
@pytest.mark.parametrize(("verdict", "kind"), [(Fail("no\udce9"), "Fail"), (Own("no\udce9"), "Fail")])
def test_verdicts_that_fail_the_job(way: str, verdict: Verdict, kind: str) -> None:
    """Whatever the queue's retries; the reason is the error's message."""
    fail = getattr(judge(retries={"retry_on": (BaseException,)}), way)(claimed(), verdict)
    assert isinstance(fail, outcome.Fail)
    assert (fail.error.type, fail.error.message, fail.error.traceback) == (kind, "no?", "")


def test_a_verdict_that_was_raised_has_a_traceback() -> None:
    """It says where it was raised."""
    assert "raise error" in raised(Fail("no")).error.traceback
    assert "raise error" in raised(Retry("busy")).error.traceback


@pytest.mark.parametrize("way", ["returned", "raised"])
def test_a_retry_that_is_asked_for(way: str) -> None:
    """`after` wins over the backoff; without it the backoff says when; and max_attempts holds all the same."""
    ask = getattr(judge(retries={"max_attempts": 3, "backoff": SECOND, "retry_on": ()}), way)
    assert ask(claimed(1), Retry("busy", after=7 * SECOND)).delay_ms == 7000
    assert ask(claimed(2), Retry("busy", after=timedelta(0))).delay_ms == 0
    assert ask(claimed(2), Retry("busy")).delay_ms == 2000
    last = ask(claimed(3), Retry("busy", after=SECOND))
    assert isinstance(last, outcome.Fail)
    assert (last.error.type, last.error.message) == ("Retry", "busy")
    assert ask(claimed(4, rescues=2), Retry("busy")).delay_ms == 2000


def test_a_retry_that_is_asked_for_where_none_are_declared() -> None:
    """The usual Retries() hold: five attempts, up to a second before the first retry."""
    ask = judge().returned
    first: Any = ask(claimed(1), Retry("busy"))
    assert 0 <= first.delay_ms <= 1000
    assert [type(ask(claimed(n), Retry())) for n in (4, 5)] == [outcome.Retry, outcome.Fail]


def test_a_timeout_is_a_timeout_error() -> None:
    """Its type is `Timeout`; it is tried again like a TimeoutError."""
    options: Any = {"timeout": timedelta(seconds=1.5)}
    fail: Any = judge(**options).timed_out(claimed())
    assert (fail.error.type, fail.error.message) == ("Timeout", "it ran longer than its timeout of 1.5 s")
    for how, kind in (
        ({}, outcome.Retry),
        ({"retry_on": (OSError,)}, outcome.Retry),  # a TimeoutError is one
        ({"retry_on": (ValueError,)}, outcome.Fail),
        ({"give_up_on": (TimeoutError,)}, outcome.Fail),
    ):
        assert isinstance(judge(**options, retries=how).timed_out(claimed()), kind)


@pytest.mark.parametrize("error", [Wordless(), ExceptionGroup("many", [Wordless()]), Unfinished()])
def test_no_error_is_too_strange(error: BaseException) -> None:
    """One that cannot be told still ends its attempt, in an error of its type: else its lane would hold it for ever."""
    fail = raised(error)
    assert isinstance(fail, outcome.Fail)
    assert fail.error.type == type(error).__name__


def test_long_errors_are_cut() -> None:
    """A message keeps its beginning, a traceback its end."""
    fail = raised(ValueError("x" * 50_000 + "end"))
    assert fail.error.message == "x" * 8_000
    assert len(fail.error.traceback) == 32_000
    assert fail.error.traceback.endswith("end\n")


@pytest.mark.parametrize("wrong", [Retry, 7, ValueError("returned")])
def test_what_is_neither_result_nor_verdict(wrong: Any) -> None:
    """A verdict's class, a number or an error that is returned is refused, and the message says what came."""
    with pytest.raises(ValueError, match=re.escape(f"returned {type(wrong).__name__}")):
        judge().returned(claimed(), wrong)


def test_a_result() -> None:
    """Its fields are saved; None saves nothing."""
    assert judge().returned(claimed(), Answer(answer=7)) == outcome.Finish({"answer": b"7"})
    assert judge().returned(claimed(), None) == outcome.Finish({}, returned=False)

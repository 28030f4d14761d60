"""Keys of jobs: what is refused before anything is sent, what it says, and what is left of the rest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flows import Debounce, Retention, Unique, ValidationError
from flows.model.creation.job_options import check_options
from flows.model.creation.keys import Condition, check_kept

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("options", "condition"),
    [
        ({"idempotency_key": None, "unique": None, "debounce": None}, None),
        ({"idempotency_key": "k"}, Condition("key", "k")),
        ({"idempotency_key": "é" * 100}, Condition("key", "é" * 100)),
        ({"unique": Unique("k")}, Condition("unique", "k", until="ended")),
        ({"unique": Unique("k", until="ended")}, Condition("unique", "k", until="ended")),
        ({"unique": Unique("k", until="started")}, Condition("unique", "k", until="started")),
        ({"unique": Unique("k", within=1.5)}, Condition("unique", "k", within_ms=1500)),
        ({"unique": Unique("k", within=timedelta(microseconds=1))}, Condition("unique", "k", within_ms=1)),
        ({"debounce": Debounce("k", 5)}, Condition("debounce", "k", wait_ms=5000)),
        (
            {"debounce": Debounce("k", timedelta(seconds=5), longest=5)},
            Condition("debounce", "k", wait_ms=5000, longest_ms=5000),
        ),
    ],
)
def test_what_a_key_asks_for(options: dict[str, Any], condition: Condition | None) -> None:
    """Each in whole milliseconds, rounded up; None is nothing."""
    checked = check_options("create_job", options)
    assert checked.condition == condition
    assert checked.conditional == (condition is not None)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Unique(""), "Unique: key is empty: give a text"),
        (lambda: Unique("é" * 101), "Unique: key takes 202 bytes, over 200: give a shorter one"),
        (lambda: Unique(5), "Unique: key=5: give a str"),  # type: ignore[arg-type]
        (lambda: Unique("k", until="over"), 'until=\'over\': give "started" or "ended"'),  # type: ignore[arg-type]
        (lambda: Unique("k", until="ended", within=5), "until= and within= both say how long"),
        (lambda: Unique("k", until="started", within=5), "until= and within= both say how long"),
        (lambda: Unique("k", within=0), "within=0 s is not positive"),
        (lambda: Unique("k", within=99_999 * DAY), "is too long: give at most"),
        (lambda: Debounce("", 5), "Debounce: key is empty"),
        (lambda: Debounce("k", 0), "wait=0 s is not positive"),
        (lambda: Debounce("k", -1), "wait=-1 s is not positive"),
        (lambda: Debounce("k", "5"), "wait='5': give a datetime.timedelta, or seconds"),  # type: ignore[arg-type]
        (lambda: Debounce("k", 5, longest=4.999), "longest= is shorter than wait="),
        (lambda: Debounce("k", 5, longest=True), "longest=True: give"),
    ],
)
def test_what_is_refused_where_it_is_made(make: Any, says: str) -> None:
    """Each says what is wrong and what to give."""
    with pytest.raises(ValidationError) as raised:
        make()
    assert says in str(raised.value)


AT = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"idempotency_key": ""}, "idempotency_key is empty"),
        ({"idempotency_key": "x" * 201}, "idempotency_key takes 201 bytes"),
        ({"idempotency_key": 7}, "idempotency_key=7: give a str"),
        ({"unique": "k"}, "unique='k': give a flows.Unique, such as Unique("),
        ({"debounce": ("k", 5)}, "give a flows.Debounce, such as Debounce("),
        ({"idempotency_key": "k", "unique": Unique("k")}, "idempotency_key= and unique= are both keys"),
        ({"unique": Unique("k"), "debounce": Debounce("k", 5)}, "unique= and debounce= are both keys"),
        ({"debounce": Debounce("k", 5), "delay": 5}, "debounce= and delay= both say when"),
        ({"debounce": Debounce("k", 5), "run_at": AT}, "debounce= and run_at= both say when"),
    ],
)
def test_what_is_refused_where_it_is_given(options: dict[str, Any], says: str) -> None:
    """A job has one key, of one of three kinds."""
    with pytest.raises(ValidationError) as raised:
        check_options("create_job", options)
    assert says in str(raised.value)


@pytest.mark.parametrize(
    "options", [{"idempotency_key": "k"}, {"unique": Unique("k")}, {"debounce": Debounce("k", 5)}, {"unique": 5}]
)
def test_many_jobs_have_no_key(options: dict[str, Any]) -> None:
    """A key is of one job."""
    with pytest.raises(ValidationError, match=f"create_jobs takes no {next(iter(options))}=: a key is of one job"):
        check_options("create_jobs", options)


def test_a_key_goes_with_a_time() -> None:
    """But for a debounce, which is one."""
    for options in ({"idempotency_key": "k", "delay": 5}, {"unique": Unique("k"), "run_at": AT}):
        checked = check_options("create_job", options)
        assert checked.due is not None
        assert checked.condition is not None


KEY = Condition("key", "k")
WITHIN = Condition("unique", "k", within_ms=3_600_000)


@pytest.mark.parametrize(
    ("condition", "job_ttl", "retained"),
    [
        (KEY, None, Retention(20, 20, 20)),
        (KEY, DAY, Retention(3600, 3600, 3600)),
        (WITHIN, None, Retention(3600, 3600, 3600)),
        (WITHIN, timedelta(hours=1), Retention(3600, 3600, 3600)),
    ],
)
def test_what_is_kept_for_long_enough(condition: Condition, job_ttl: timedelta | None, retained: Retention) -> None:
    """As long as a call may be sent again, and as `within` asks."""
    check_kept(condition, job_ttl, retained)


@pytest.mark.parametrize(
    ("condition", "job_ttl", "retained", "says"),
    [
        (KEY, DAY, Retention(19.999, 30, 30), "retention=19.999 s may forget it before"),
        (KEY, DAY, Retention(30, 30, 5), "retention=5 s may forget it before"),
        (WITHIN, DAY, Retention(3599, 9999, 9999), "within=3600 s is longer than the flow keeps a job, 3599 s"),
        (WITHIN, timedelta(minutes=59), Retention(), "within=3600 s is longer than the flow keeps a job, 3540 s"),
    ],
)
def test_what_would_be_forgotten(
    condition: Condition, job_ttl: timedelta | None, retained: Retention, says: str
) -> None:
    """A key knows of a job as long as that is there."""
    with pytest.raises(ValidationError, match=says):
        check_kept(condition, job_ttl, retained)

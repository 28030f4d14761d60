"""Times as they are declared: a timedelta or seconds as a number, held as a timedelta."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows import DeclarationError, FlowOptions, Job, QueueOptions, Retention, Retries, Retry, Snooze
from flows.model.duration import LONGEST, Duration, as_timedelta, check_duration


@dataclass(frozen=True)
class Timed:
    """Something with a time."""

    time: Duration = Duration(timedelta(seconds=30))  # noqa: RUF009 - a descriptor, which holds each one's own


@given(st.floats(1e-6, 3e9) | st.integers(1, 3_000_000_000))
def test_a_number_means_as_many_seconds(seconds: float) -> None:
    """Wherever a time is declared."""
    time = timedelta(seconds=seconds)
    assert Timed(seconds).time == Timed(time).time == time  # type: ignore[arg-type]
    assert as_timedelta([seconds, time]) == [time, time]
    check_duration("it", Timed(seconds).time)  # type: ignore[arg-type]


def test_every_option_that_is_a_time_takes_seconds() -> None:
    """And holds a timedelta, as if one had been given."""
    retries = Retries(backoff=1.5, max_delay=60)
    queue = QueueOptions("only", Job, retries=retries, timeout=20)
    options = FlowOptions("flow", [queue], job_ttl=3600, retention=60.5, lease=5, hang_limit=30)
    assert (retries.backoff, retries.max_delay) == (timedelta(seconds=1.5), timedelta(minutes=1))
    assert Retries(backoff=(1, timedelta(seconds=2))).backoff == (timedelta(seconds=1), timedelta(seconds=2))
    assert queue.timeout == timedelta(seconds=20)
    assert (options.job_ttl, options.retention) == (timedelta(hours=1), timedelta(seconds=60.5))
    assert (options.lease, options.hang_limit) == (timedelta(seconds=5), timedelta(seconds=30))
    assert Retention(60, failed=2.5) == Retention(timedelta(minutes=1), timedelta(seconds=2.5))
    assert Retry(after=5).after == Snooze(after=5.0).after == timedelta(seconds=5)
    assert Retry(after=0).after == timedelta(0)


def test_each_object_holds_its_own_time() -> None:
    """They compare, hash, print and are replaced as dataclasses do."""
    one, two = Timed(1), Timed(2)  # type: ignore[arg-type]
    assert (one.time, two.time, Timed().time, Timed.time) == (
        *map(timedelta, (0, 0), (1, 2)),
        *[timedelta(seconds=30)] * 2,
    )
    assert replace(one, time=2) == two
    assert hash(Timed(timedelta(seconds=2))) == hash(two)  # type: ignore[arg-type]
    assert repr(one) == "Timed(time=datetime.timedelta(seconds=1))"


@pytest.mark.parametrize("value", [True, False, "30", b"30", None, float("nan"), float("inf"), 10**400, Fraction(1, 2)])
def test_what_is_no_time_is_refused_with_its_name(value: Any) -> None:
    """The message shows what was given, and says what to give."""
    with pytest.raises(DeclarationError, match=r"^it=.*: give a datetime\.timedelta, or seconds as a number$"):
        check_duration("it", as_timedelta(value))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0, "it=0 s is not positive: give a longer time"),
        (-1.5, "it=-1.5 s is not positive: give a longer time"),
        (timedelta(seconds=-1), "it=-1 s is not positive: give a longer time"),
        (LONGEST + timedelta(seconds=1), "it=3155760001 s is too long: give at most 3155760000 s"),
        (1e12, "it=1000000000000 s is too long: give at most 3155760000 s"),
    ],
)
def test_a_time_is_positive_and_can_be_counted(value: Any, message: str) -> None:
    """A hundred years are more than any job lives, and less than any server fails at."""
    with pytest.raises(DeclarationError) as caught:
        check_duration("it", as_timedelta(value))
    assert str(caught.value) == message

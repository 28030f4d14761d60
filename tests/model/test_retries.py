"""When an attempt is made again: the backoff's bounds by property tests, and after which errors."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows import DeclarationError, Retries
from flows.model.retries import class_names
from flows.model.verdict import LONGEST_DELAY

SECOND = timedelta(seconds=1)

delays = st.timedeltas(timedelta(0), LONGEST_DELAY)
backoffs = delays | st.lists(delays, min_size=1, max_size=5)
#: What is told apart near the start, and what would overflow if it were reckoned with.
attempts = st.integers(1, 80) | st.integers(1, 10**6)
draws = st.floats(0, 1)


class Broken(Exception):
    """An error of the user's."""


class BrokenPipe(Broken):
    """A kind of it."""


class Outside(BaseException):
    """An error that is no Exception."""


def fixed(**options: Any) -> Retries:
    """Return retries whose delays are not drawn."""
    return Retries(**options, jitter=False)


@given(backoff=backoffs, longest=delays, attempt=attempts, draw=draws)
def test_a_delay_is_drawn_between_nothing_and_the_cap(
    backoff: Any, longest: timedelta, attempt: int, draw: float
) -> None:
    """With jitter, a delay is the drawn share of what it would be without: never negative, never over max_delay."""
    cap = fixed(backoff=backoff, max_delay=longest).delay(attempt)
    assert timedelta(0) <= cap <= longest
    jittered = Retries(backoff=backoff, max_delay=longest)
    assert jittered.delay(attempt, lambda: 0.0) == timedelta(0)
    assert jittered.delay(attempt, lambda: 1.0) == cap
    assert timedelta(0) <= jittered.delay(attempt, lambda: draw) <= cap
    assert timedelta(0) <= jittered.delay(attempt) <= cap


@given(backoff=delays, longest=delays, attempt=attempts)
def test_a_backoff_doubles_until_its_cap(backoff: timedelta, longest: timedelta, attempt: int) -> None:
    """Without jitter no delay is shorter than the one before, and each is twice that until it is max_delay."""
    retries = fixed(backoff=backoff, max_delay=longest)
    delay, following = retries.delay(attempt), retries.delay(attempt + 1)
    assert retries.delay(1) == min(backoff, longest)
    assert following == min(delay * 2, longest)


@given(backoff=st.lists(delays, min_size=1, max_size=5), longest=delays, attempt=attempts)
def test_given_delays_are_taken_one_after_another(backoff: list[timedelta], longest: timedelta, attempt: int) -> None:
    """A sequence is taken as it is, within max_delay; its last delay repeats."""
    repeated = [*backoff, *backoff[-1:] * 5]
    assert fixed(backoff=backoff, max_delay=longest).delay(attempt) == min(repeated[min(attempt, 6) - 1], longest)


def test_a_millionth_attempt() -> None:
    """Nothing overflows, whatever the backoff."""
    for backoff in (timedelta(microseconds=1), SECOND, LONGEST_DELAY):
        assert fixed(backoff=backoff, max_delay=LONGEST_DELAY).delay(10**6) == LONGEST_DELAY
    assert fixed(backoff=timedelta(0)).delay(10**6) == timedelta(0)


def test_the_usual_backoff() -> None:
    """A second, two, four, … up to ten minutes; five attempts."""
    retries = fixed()
    assert [retries.delay(attempt).total_seconds() for attempt in (1, 2, 3, 10, 11)] == [1, 2, 4, 512, 600]
    assert [retries.again(["builtins.Exception"], attempt) for attempt in (1, 4, 5, 6)] == [True, True, False, False]


@pytest.mark.parametrize(
    ("options", "again", "not_again"),
    [
        ({}, [Broken(), BrokenPipe(), OSError()], [Outside(), SystemExit(), GeneratorExit()]),
        ({"retry_on": (Broken,)}, [Broken(), BrokenPipe()], [OSError(), Outside()]),
        ({"retry_on": (BrokenPipe, OSError)}, [BrokenPipe(), ConnectionError(), TimeoutError()], [Broken()]),
        ({"give_up_on": (BrokenPipe,)}, [Broken(), OSError()], [BrokenPipe()]),
        ({"retry_on": (Broken,), "give_up_on": (Exception,)}, [], [Broken(), BrokenPipe()]),
        ({"retry_on": (BaseException,), "give_up_on": (SystemExit,)}, [Outside(), Broken()], [SystemExit()]),
        ({"give_up_on": (TimeoutError,)}, [OSError()], [TimeoutError()]),
        ({"retry_on": ()}, [], [Broken(), OSError()]),
    ],
)
def test_which_errors_are_tried_again(options: Any, again: list[BaseException], not_again: list[BaseException]) -> None:
    """The classes of retry_on and what descends from them, but not those of give_up_on and their descendants."""
    retries = Retries(**options)
    assert [error for error in again if not retries.again(class_names(error), 1)] == []
    assert [error for error in not_again if retries.again(class_names(error), 1)] == []


def test_errors_go_by_their_names() -> None:
    """A class of the same name elsewhere is another; the script that a process imports under another name is not."""
    here, elsewhere = Retries(retry_on=(Broken,)), type("Broken", (Exception,), {"__module__": "elsewhere"})
    assert not here.again(class_names(elsewhere()), 1)
    script: Any = type("Mine", (Exception,), {"__module__": "__main__"})
    there: Any = type("Mine", (Exception,), {"__module__": "__mp_main__"})
    assert Retries(retry_on=(script,)).again(class_names(there()), 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_attempts": 0}, "max_attempts=0: give a positive whole number"),
        ({"max_attempts": -1}, "max_attempts=-1: give"),
        ({"max_attempts": 2.0}, "max_attempts=2.0: give"),
        ({"max_attempts": True}, "max_attempts=True: give"),
        ({"max_attempts": None}, "max_attempts=None: give"),
        ({"backoff": []}, "backoff=[] has no delays"),
        ({"backoff": True}, "backoff=True: give a datetime.timedelta from 0 to 366 days"),
        ({"backoff": "1s"}, "backoff='1': give a datetime.timedelta"),
        ({"backoff": [SECOND, "2"]}, "backoff='2': give a datetime.timedelta"),
        ({"backoff": -SECOND}, "give a datetime.timedelta from 0"),
        ({"backoff": [SECOND, LONGEST_DELAY * 2]}, "give a datetime.timedelta from 0 to 366 days"),
        ({"max_delay": float("nan")}, "max_delay=nan: give a datetime.timedelta"),
        ({"max_delay": timedelta.max}, "from 0 to 366 days"),
        ({"retry_on": OSError}, "retry_on=<class 'OSError'>: give a tuple of exception classes"),
        ({"retry_on": [OSError]}, "retry_on=[<class 'OSError'>]: give a tuple"),
        ({"retry_on": (int,)}, "retry_on=(<class 'int'>,): give a tuple"),
        ({"give_up_on": ("OSError",)}, "give_up_on=('OSError',): give a tuple"),
        ({"give_up_on": (OSError(),)}, "give_up_on=(OSError(),): give a tuple"),
    ],
)
def test_what_is_refused(options: Any, message: str) -> None:
    """Each is a DeclarationError that names the option, shows the value and says what to give."""
    with pytest.raises(DeclarationError) as caught:
        Retries(**options)
    assert message in str(caught.value)

"""Verdicts: what they refuse, and that they arrive in another process as they were."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

import pytest

from flows import Cancel, Fail, Retry, Snooze, ValidationError, Verdict
from flows.model.verdict import LONGEST_DELAY
from tests.outcomes import VERDICTS as EXAMPLES

SECOND = timedelta(seconds=1)
TOMORROW = datetime.now(UTC) + timedelta(days=1)

VERDICTS: list[Verdict] = [
    *EXAMPLES.values(),
    Retry(),
    Retry("busy"),
    Retry("busy", after=SECOND),
    Snooze(after=SECOND),
    Snooze("later", after=timedelta(0)),
    Snooze("later", until=TOMORROW),
    Snooze("later", after=SECOND, hold="group"),
    Fail("no such order", type="unknown-order"),
]


class Nowhere(tzinfo):
    """A time zone that does not know its offset: datetimes in it are naive all the same."""

    def utcoffset(self, _when: datetime | None) -> timedelta | None:
        """Not know it."""
        return None


@pytest.mark.parametrize("verdict", VERDICTS, ids=repr)
@pytest.mark.parametrize("way", [lambda one: pickle.loads(pickle.dumps(one)), copy.copy, copy.deepcopy])  # noqa: S301
def test_they_travel(verdict: Verdict, way: Any) -> None:
    """A verdict is the same after pickling and copying: its class, reason, times and text."""
    arrived = way(verdict)
    assert type(arrived) is type(verdict)
    assert vars(arrived) == vars(verdict)
    assert str(arrived) == str(verdict) == verdict.reason


@pytest.mark.parametrize("kind", [Retry, Fail, Cancel, lambda reason: Snooze(reason, after=SECOND)])
def test_the_reason_is_a_text(kind: Any) -> None:
    """An error that is given as the reason stands for its text; no reason is the empty text."""
    assert kind(OSError("no route")).reason == "no route"
    assert kind("").reason == ""
    assert Retry().reason == Fail().reason == Cancel().reason == ""


@pytest.mark.parametrize("verdict", [Retry, Snooze])
@pytest.mark.parametrize("after", ["5s", True, float("nan"), float("inf"), 10**400, TOMORROW])
def test_a_delay_is_a_time(verdict: Any, after: Any) -> None:
    """A timedelta, or seconds as a number: a text has no unit, and what is no number counts nothing."""
    with pytest.raises(ValidationError, match=r"after=.*: give a datetime\.timedelta"):
        verdict("", after=after)


@pytest.mark.parametrize("verdict", [Retry, Snooze])
@pytest.mark.parametrize("after", [-SECOND, -1, -0.5, 40_000_000, LONGEST_DELAY + SECOND, timedelta.max, timedelta.min])
def test_a_delay_has_bounds(verdict: Any, after: Any) -> None:
    """A delay is not negative and not longer than a year; both ends are allowed."""
    with pytest.raises(ValidationError, match="is not between 0 and 366 days"):
        verdict("", after=after)
    for end in (timedelta(0), LONGEST_DELAY):
        assert verdict("", after=end).after == end


@pytest.mark.parametrize("until", [datetime(2030, 1, 1), datetime(2030, 1, 1, tzinfo=Nowhere()), 5, SECOND, "now"])  # noqa: DTZ001
def test_a_time_has_a_zone(until: Any) -> None:
    """A naive datetime could be anybody's time: it is refused, also where its zone does not know its offset."""
    with pytest.raises(ValidationError, match="give a datetime with a time zone"):
        Snooze("", until=until)


@pytest.mark.parametrize("hours", [-14, 0, 14])
def test_a_time_is_not_too_far_away(hours: int) -> None:
    """In whatever zone, a time in more than a year is refused; one in the past is at once, however long ago."""
    zone = timezone(timedelta(hours=hours))
    for far in (datetime.now(zone) + LONGEST_DELAY + timedelta(hours=1), datetime.max.replace(tzinfo=zone)):
        with pytest.raises(ValidationError, match="is more than 366 days away"):
            Snooze(until=far)
    for near in (datetime.now(zone) + LONGEST_DELAY - SECOND, datetime.min.replace(tzinfo=zone)):
        assert Snooze(until=near).until == near


@pytest.mark.parametrize("times", [{}, {"after": SECOND, "until": TOMORROW}])
def test_a_snooze_takes_one_time(times: dict[str, Any]) -> None:
    """Neither none nor both; `raise Snooze`, without calling it, is none."""
    with pytest.raises(ValidationError, match="Snooze takes one of after= and until="):
        Snooze(**times)

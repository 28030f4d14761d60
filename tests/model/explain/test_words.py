"""Durations, instants and counts in words."""

from __future__ import annotations

import pytest

from flows.model.explain.words import at_time, counted, instant, lasting


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (-5, "0 ms"),
        (999, "999 ms"),
        (1000, "1.0 s"),
        (9999, "10.0 s"),
        (10_000, "10 s"),
        (119_999, "119 s"),
        (120_000, "2 min"),
        (3_599_999, "59 min"),
        (3_600_000, "1 h"),
        (7_860_000, "2 h 11 min"),
        (86_400_000, "1 d"),
        (90_000_000, "1 d 1 h"),
        (float("inf"), "2932896 d 23 h"),
    ],
)
def test_a_duration_has_the_two_units_that_matter(ms: float, text: str) -> None:
    """From milliseconds to days; nonsense is no error."""
    assert lasting(ms) == text


def test_an_instant_of_another_day_has_its_date() -> None:
    """One within half a day has its time alone."""
    assert at_time(1_800_000_000_000, 1_800_000_100_000) == "08:00:00 UTC"
    assert at_time(1_800_000_000_000, 1_700_000_000_000) == "2027-01-15 08:00 UTC"
    assert instant(1e300).year == 9999
    assert instant(-1).year == 1970


def test_a_count_has_its_plural() -> None:
    """Which may be irregular."""
    assert [counted(1, "child", "children"), counted(1204, "other"), counted(0, "other")] == [
        "1 child",
        "1,204 others",
        "0 others",
    ]

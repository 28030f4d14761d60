"""The history of a queue: how many of its jobs begin a minute."""

from __future__ import annotations

from flows.model.fleet.histogram import BUCKETS, base36
from flows.model.fleet.statistics import starts_a_minute


def minute(count: int) -> str:
    """Return a minute in which so many jobs began."""
    return f"||0:{base36(count)}|"


def test_the_last_full_minutes_count_but_for_the_one_in_which_the_workers_may_have_started() -> None:
    """That one counts only where there is no other."""
    assert starts_a_minute({ago: minute(300 + ago) for ago in range(1, 7)}) == 303
    assert starts_a_minute({1: minute(310), 2: minute(12)}) == 310
    assert starts_a_minute({1: minute(12)}) == 12
    assert starts_a_minute({1: minute(0), 2: minute(9)}) == 0


def test_nothing_is_known_without_the_last_minute() -> None:
    """Then no worker was there; what was before a minute without workers does not count."""
    assert starts_a_minute({}) is None
    assert starts_a_minute({2: minute(310), 3: minute(310)}) is None
    assert starts_a_minute({1: minute(10), 2: minute(9), 4: minute(500)}) == 10


def test_what_was_edited_counts_nothing() -> None:
    """Whatever stands in a field is a minute."""
    assert starts_a_minute({1: "nonsense", 2: f"||{BUCKETS}:zz|"}) == 0

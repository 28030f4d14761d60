"""The plain models of windows and slots, by examples that can be counted by hand, and by each other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.faults.rules.exact import fullest, most_held, soonest


def test_a_window_is_half_open() -> None:
    """What starts an interval later is in the next window."""
    assert fullest([(0, 2), (999, 1), (1_000, 2)], 1_000) == 3
    assert fullest([], 1_000) == 0


def test_a_window_may_begin_anywhere() -> None:
    """The fullest one begins between two whole intervals."""
    assert fullest([(0, 1), (900, 5), (1_100, 5), (2_000, 1)], 1_000) == 10


def test_starts_come_back_one_by_one() -> None:
    """Each token is there again after an interval, and a cost over all of them is all of them."""
    assert soonest([1, 1, 1, 1], 2, 100) == [0, 0, 100, 100]
    assert soonest([1, 9, 1], 2, 100) == [0, 100, 200]


@given(st.lists(st.integers(1, 9), min_size=1), st.integers(1, 9), st.integers(1, 500))
def test_what_is_soonest_is_never_over(costs: list[int], reservoir: int, interval: int) -> None:
    """One model against the other, and no start could be a millisecond earlier."""
    times = soonest(costs, reservoir, interval)
    starts = [(at, min(cost, reservoir)) for at, cost in zip(times, costs, strict=True)]
    assert fullest(starts, interval) <= reservoir
    for number, (at, cost) in enumerate(starts):
        before = starts[:number]
        if at > max((other for other, _ in before), default=0):
            assert fullest([*before, (at - 1, cost)], interval) > reservoir


def test_what_ends_makes_room_first() -> None:
    """A slot that is freed and taken at one time is held once."""
    assert most_held([(0, 10, 2), (10, 20, 2), (5, 15, 1)]) == 3
    assert most_held([]) == 0

"""The sliding window: never over its limit in a window of any phase, and used nearly in full where there is work."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.model.limits.window import AHEAD_MS, Window
from tests.scale import scaled

NOW = 1_800_000_000_000


@dataclass
class Start:
    """A start that a window has allowed: when, until when at the latest it may have been, and its cost."""

    at: int
    latest: int
    cost: int


def start(window: Window, now: int, cost: int = 1) -> Start | None:
    """Start a job now, or ahead of its time, where the window allows that."""
    at = window.ready_at(now, cost)
    if at - now > AHEAD_MS:
        return None
    window.take(at, now, cost)
    return Start(at, now + 1 if at <= now else at, min(cost, window.reservoir))


def fullest(starts: list[Start], interval: int) -> int:
    """Return the most tokens of any window: a start at its earliest, those before it as late as they may have been."""
    most = held = first = 0
    for last in starts:
        held += last.cost
        while starts[first].latest + interval <= last.at:
            held -= starts[first].cost
            first += 1
        most = max(most, held)
    return most


WINDOWS = st.builds(
    Window,
    reservoir=st.one_of(st.integers(1, 12), st.integers(1, 400)),
    interval=st.one_of(st.integers(10, 200), st.integers(10, 60_000)),
)
#: So many milliseconds later so many jobs of such a cost are tried.
LOADS = st.lists(
    st.tuples(st.one_of(st.integers(0, 60), st.integers(0, 5_000)), st.integers(1, 30), st.integers(1, 9)), max_size=60
)


@settings(max_examples=scaled(130, full=1_300))
@given(window=WINDOWS, loads=LOADS, smooth=st.booleans())
def test_no_window_of_any_phase_is_over(window: Window, loads: list[tuple[int, int, int]], *, smooth: bool) -> None:
    """Whatever comes when: with tokens ahead, merging, costs, and starts that are late by part of a millisecond."""
    window.smooth = smooth and window.interval >= window.reservoir
    now, starts = NOW, list[Start]()
    for later, jobs, cost in loads:
        now += later
        starts += [one for _job in range(jobs) if (one := start(window, now, cost)) is not None]
    assert [one.at for one in starts] == sorted(one.at for one in starts)
    assert fullest(starts, window.interval) <= window.reservoir


@settings(max_examples=scaled(60, full=600))
@given(loads=LOADS, windows=st.tuples(WINDOWS, WINDOWS))
def test_a_job_of_several_limiters_takes_all_its_tokens_at_once(
    loads: list[tuple[int, int, int]], windows: tuple[Window, Window]
) -> None:
    """At the latest of their times; so none of them is over."""
    now, starts = NOW, dict[int, list[Start]]({0: [], 1: []})
    for later, jobs, cost in loads:
        now += later
        for _job in range(jobs):
            at = max(window.ready_at(now, cost) for window in windows)
            if at - now > AHEAD_MS:
                break
            for number, window in enumerate(windows):
                window.take(at, now, cost)
                starts[number].append(Start(at, now + 1 if at <= now else at, min(cost, window.reservoir)))
    for number, window in enumerate(windows):
        assert fullest(starts[number], window.interval) <= window.reservoir


@settings(max_examples=scaled(50, full=500))
@given(
    reservoir=st.one_of(st.integers(1, 12), st.integers(1, 200)),
    interval=st.one_of(st.integers(100, 1_000), st.integers(1_000, 60_000)),
    smooth=st.booleans(),
    late=st.lists(st.integers(0, 20), min_size=1, max_size=10),
)
def test_where_there_is_always_work_nearly_all_is_used(
    reservoir: int, interval: int, late: list[int], *, smooth: bool
) -> None:
    """By workers who ask again when something can be given out, and come some milliseconds late."""
    window = Window(reservoir, interval, smooth=smooth and interval >= reservoir)
    now, starts, asked = NOW, list[Start](), 0
    while now < NOW + 20 * interval:
        while (one := start(window, now)) is not None:
            starts.append(one)
        asked += 1
        now = max(now + 1, math.ceil(window.ready_at(now)) - AHEAD_MS) + late[asked % len(late)]
    used = sum(one.cost for one in starts if one.at < NOW + 20 * interval) / (20 * reservoir)
    assert used >= (0.98 if interval >= 1_000 else 0.95)
    assert fullest(starts, interval) <= reservoir


@settings(max_examples=scaled(30, full=300))
@given(window=WINDOWS, loads=LOADS)
def test_a_window_is_a_short_list(window: Window, loads: list[tuple[int, int, int]]) -> None:
    """However many jobs there are: it is read and written by each claim."""
    now = NOW
    for later, jobs, _cost in loads:
        for millisecond in range(min(later, 300)):
            start(window, now + millisecond)
        now += later
        for _job in range(jobs):
            start(window, now)
        assert len(window.taken) <= 120


def test_a_whole_reservoir_starts_at_once() -> None:
    """The next start is an interval after the millisecond in which the last one may have been."""
    window = Window(3, 1_000)
    assert [window.ready_at(NOW) for _job in range(3) if start(window, NOW)] == [NOW, NOW, NOW + 1_001]
    assert window.ready_at(NOW + 1_000) == NOW + 1_001
    assert window.ready_at(NOW + 1_001) == NOW + 1_001
    assert window.held == 0


def test_a_token_that_is_given_out_ahead_counts_from_its_own_time() -> None:
    """A lane that sleeps until then is not late again, so the next token is an interval after it."""
    window = Window(1, 1_000)
    start(window, NOW)
    given_out = start(window, NOW + 960)
    assert given_out is not None
    assert given_out.at == NOW + 1_001
    assert window.ready_at(NOW + 1_500) == NOW + 2_001


def test_none_is_given_out_more_than_fifty_milliseconds_ahead() -> None:
    """Who slept longer could lose its lease, or the limit could be changed meanwhile."""
    window = Window(1, 1_000)
    start(window, NOW)
    assert start(window, NOW + 950) is None
    assert start(window, NOW + 951) is not None


def test_no_start_is_before_one_that_was_given_out() -> None:
    """A job of two limiters may start later than this one alone would let it: who comes next is behind it."""
    window = Window(5, 1_000)
    window.take(NOW + 40, NOW)
    assert window.ready_at(NOW) == NOW + 40
    assert window.ready_at(NOW + 39) == NOW + 39


def test_what_came_back_by_a_future_time_is_kept_until_then() -> None:
    """Else a token that is given out ahead would let those go that still count now."""
    window = Window(2, 40)
    start(window, NOW)
    start(window, NOW + 20)
    ahead = start(window, NOW + 21)
    assert ahead is not None
    assert ahead.at == NOW + 41
    assert window.held == 3
    assert window.ready_at(NOW + 21) == NOW + 61


def test_a_smooth_limiter_spaces_starts_evenly() -> None:
    """By the interval divided by the reservoir, at whole milliseconds; what is rounded up is not lost."""
    window = Window(3, 1_000, smooth=True)
    at = [one.at - NOW for later in range(0, 1_500, 50) if (one := start(window, NOW + later)) is not None]
    assert at == [0, 335, 668, 1_002, 1_335]


def test_a_cost_is_spaced_too() -> None:
    """A job of three tokens is followed by the next after the time of three."""
    window = Window(10, 1_000, smooth=True)
    start(window, NOW, 3)
    assert window.ready_at(NOW) == NOW + 301


@pytest.mark.parametrize("smooth", [False, True])
def test_a_cost_over_a_lowered_reservoir_counts_as_a_whole_one(*, smooth: bool) -> None:
    """It was allowed when the job was created."""
    window = Window(5, 1_000, smooth=smooth)
    assert start(window, NOW, 50) == Start(NOW, NOW + 1, 5)
    assert window.ready_at(NOW, 50) == NOW + 1_001


def test_a_limit_that_was_lowered_waits_for_what_is_out() -> None:
    """Nothing starts until it fits."""
    window = Window(5, 1_000)
    for later in range(0, 500, 100):
        start(window, NOW + later)
    window.reservoir = 2
    assert window.ready_at(NOW + 500) == NOW + 301 + 1_000


@pytest.mark.parametrize("smooth", [False, True])
def test_a_clock_that_was_set_back_stops_nobody_for_long(*, smooth: bool) -> None:
    """Tokens of a time that is far ahead come back as if they were taken now."""
    window = Window(5, 1_000, smooth=smooth)
    for _job in range(5):
        start(window, NOW + 3_600_000)
    assert window.ready_at(NOW) <= NOW + 1_000 + AHEAD_MS + 1

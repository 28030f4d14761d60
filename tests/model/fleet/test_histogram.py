"""Histograms: their texts come back, percentiles are bounds, and nonsense counts nothing."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.model.fleet.histogram import BOUNDS_MS, BUCKETS, Histogram, read_histogram, write_histogram
from flows.model.fleet.statistics import TOTALS, read_sample

COUNTS = st.lists(st.integers(0, 10**9) | st.just(0), min_size=BUCKETS, max_size=BUCKETS)


def of(*ms: float) -> Histogram:
    """Return the histogram of some times."""
    counts = [0] * BUCKETS
    for one in ms:
        counts[bisect_left(BOUNDS_MS, one)] += 1
    return Histogram(tuple(counts))


def test_the_bounds() -> None:
    """33 from 1 ms to an hour, in steps of 1.3 to 2."""
    assert (len(BOUNDS_MS), BOUNDS_MS[0], BOUNDS_MS[-1]) == (33, 1, 3_600_000)
    steps = [after / before for before, after in itertools.pairwise(BOUNDS_MS)]
    assert min(steps) > 1.3
    assert max(steps) <= 2


@given(COUNTS)
def test_a_text_comes_back(counts: list[int]) -> None:
    """Whatever was counted."""
    assert read_histogram(write_histogram(counts)).counts == tuple(counts)


def test_a_text_is_short() -> None:
    """It has what was used, and nothing around it."""
    assert write_histogram([0] * BUCKETS) == ""
    assert write_histogram(of(6, 6, 12).counts) == "4:2,,1"
    assert write_histogram(of(10**9).counts) == "33:1"


def test_percentiles_are_bounds() -> None:
    """The one that so many of the times do not exceed."""
    found = of(*[1] * 90, *[45] * 9, 5_000_000)
    assert [found.percentile(percent) for percent in (0, 50, 90, 95, 99)] == [
        timedelta(milliseconds=ms) for ms in (1, 1, 1, 50, 50)
    ]
    assert found.percentile(100) == timedelta(hours=1)
    assert Histogram().percentile(50) is None


def test_they_are_added_up() -> None:
    """Of several processes, or minutes."""
    assert sum([of(1), of(1, 20)], Histogram()) == of(1, 1, 20)
    assert of(1, 20) - of(1) == of(20)
    assert of(1, 20).count == 2


@pytest.mark.parametrize(
    "text",
    [
        "x",
        ":",
        "4",
        "4:",
        "99:1",
        "-1:1",
        "4:z z",
        "4:-5",
        "4:" + "1" * 99,
        "\u0664:1",
        "4:\u0661",
        "4:1:1",
        "0:" + "1," * 99,
    ],
)
def test_nonsense_counts_nothing_or_little(text: str) -> None:
    """And raises nothing."""
    found = read_histogram(text)
    assert len(found.counts) == BUCKETS
    assert 0 <= found.count <= BUCKETS


@given(st.text())
def test_any_text_is_a_sample(text: str) -> None:
    """Fields of the history may be edited into anything."""
    sample = read_sample(text, "hour", 1)
    assert sample.waiting >= 0
    assert set(sample.totals) <= set(TOTALS)

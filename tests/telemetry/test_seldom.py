"""Tests of what is told once a minute."""

from __future__ import annotations

import pytest

from flows.telemetry.seldom import Seldom


def test_one_of_a_kind_in_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """The minute begins when it was told, not when it was last asked for."""
    times = [100.0, 130.0, 159.9, 160.0, 161.0]
    left = iter([*times, times[-1]])
    monkeypatch.setattr("flows.telemetry.seldom.time.monotonic", lambda: next(left))
    seldom = Seldom()
    assert [seldom.is_due("work", "no room") for _time in times] == [True, False, False, True, False]
    assert seldom.is_due("other", "no room")


def test_what_was_told_when_is_bounded() -> None:
    """However many kinds there are, few of them are remembered."""
    seldom = Seldom()
    assert all(seldom.is_due(number) for number in range(3000))
    assert len(seldom._told) <= 1000

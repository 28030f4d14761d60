"""The grace of a rescuer: by the server's clock alone, whatever becomes of that."""

from __future__ import annotations

import pytest

from flows.kernel.rescuer import Grace

LEASE, NOW = 6000, 1_000_000
#: What may be under way for how long.
MAY = LEASE // 4


def looks(*after: int) -> list[int]:
    """Return for how long each look may take back; each comes so many milliseconds after the one before."""
    grace, now, found = Grace(LEASE), NOW, []
    for pause in (0, *after):
        now += pause
        until = grace.until(now)
        found.append(until - now if until else 0)
    return found


@pytest.mark.parametrize(
    ("after", "may"),
    [
        ((), [MAY]),
        ((1000, 1250, 4200), [MAY] * 4),
        ((4201, 1000, 1000, 1000), [MAY, 0, 0, 0, MAY]),
        ((20_000, 2000, 999, 1), [MAY, 0, 0, 0, MAY]),
        ((20_000, 4201, 1000, 1000, 1000), [MAY, 0, 0, 0, 0, MAY]),
    ],
    ids=["just begun", "as usual", "too late", "an outage", "two outages"],
)
def test_who_was_silent_for_long_waits_half_a_lease(after: tuple[int, ...], may: list[int]) -> None:
    """So long that workers which live may have lost a lease; who has just begun does not wait."""
    assert looks(*after) == may


def test_a_clock_that_is_set_back_stops_nobody() -> None:
    """An hour back while it waits: the wait would last an hour longer."""
    assert looks(20_000, -3_600_000, 1000) == [MAY, 0, MAY, MAY]

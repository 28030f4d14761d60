"""How many jobs come and leave in a minute, from the history of a queue."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from flows.api.queues.board import rates
from flows.model.explain.queue_state import QueueState
from flows.model.fleet.histogram import Histogram
from flows.model.fleet.statistics import QueueSample

_MINUTE = timedelta(minutes=1)
_START = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "wanted"),
    [
        (8, None),  # of a few seconds no rate is made
        (20, (90.0, 60.0, 15.0)),
        (120, (15.0, 10.0, 2.5)),
    ],
)
@pytest.mark.parametrize("passed", [5, 56])
def test_a_rate_is_that_of_the_time_since_the_first_sample(
    seconds: int, wanted: tuple[float, float, float] | None, passed: int
) -> None:
    """Wherever in its minute that was taken: of a queue whose limit lets nothing start, at its beginning."""
    none, taken = Histogram(), _START + timedelta(seconds=passed)
    sample = QueueSample(_START, _MINUTE, {"done": 100}, 5, 0, 0, 0, none, none, taken)
    state = QueueState("work", taken + timedelta(seconds=seconds), waiting=15, counts={"done": 115, "failed": 5})
    assert rates([sample], state) == (wanted or (None, None, None))
    assert rates([], state) == (None, None, None)

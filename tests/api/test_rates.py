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
        (20, None),  # the sample is that of the last heartbeat: of a few seconds no rate is made
        (64, None),
        (56 + 20, (90.0, 60.0, 15.0)),
        (56 + 120, (15.0, 10.0, 2.5)),
    ],
)
def test_a_rate_is_that_of_the_time_since_the_first_sample(
    seconds: int, wanted: tuple[float, float, float] | None
) -> None:
    """Its minute was nearly over when it was taken; and in the first one nothing wrong is told."""
    none = Histogram()
    sample = QueueSample(_START, _MINUTE, {"done": 100}, 5, 0, 0, 0, none, none)
    state = QueueState("work", _START + timedelta(seconds=seconds), waiting=15, counts={"done": 115, "failed": 5})
    assert rates([sample], state) == (wanted or (None, None, None))
    assert rates([], state) == (None, None, None)

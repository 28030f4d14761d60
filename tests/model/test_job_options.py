"""The options of new jobs: what is refused, and what it says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from flows import ValidationError
from flows.model.creation.job_options import CheckedOptions, Due, check_options

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("options", "due"),
    [
        ({}, None),
        ({"delay": None, "run_at": None}, None),
        ({"delay": 0}, None),
        ({"delay": 1.5}, Due(1500)),
        ({"delay": timedelta(days=2)}, Due(172_800_000)),
        ({"delay": timedelta(microseconds=1)}, Due(1)),
        ({"run_at": AT}, Due(-1, 1_777_636_800_000)),
        ({"run_at": AT.astimezone(timezone(timedelta(hours=2)))}, Due(-1, 1_777_636_800_000)),
    ],
)
def test_when_a_job_is_to_start(options: dict[str, Any], due: Due | None) -> None:
    """A delay as a timedelta or in seconds, or a time in whatever zone."""
    assert check_options("create_job", options).due == due


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"delay": 1, "run_at": AT}, "delay= and run_at= both say"),
        ({"run_at": datetime(2026, 5, 1)}, "run_at=2026-05-01T00:00:00 is naive"),  # noqa: DTZ001
        ({"run_at": "tomorrow"}, "run_at='tomorrow': give an aware datetime"),
        ({"run_at": 5}, "run_at=5: give an aware datetime"),
        ({"delay": -1}, "delay=-1 s is negative"),
        ({"delay": timedelta(days=-1)}, "is negative"),
        ({"delay": float("nan")}, "delay=nan: give a datetime.timedelta, or seconds"),
        ({"delay": True}, "delay=True: give"),
        ({"delay": "1"}, "delay='1': give"),
        ({"delay": timedelta(days=99_999)}, "is too long"),
        ({"correlation_id": 5}, "correlation_id=5: give a str"),
        ({"dely": 5}, r"create_job has no option dely=: did you mean delay=\?"),
        ({"x": 5}, "create_job has no option x=: it takes correlation_id, cost, debounce, delay, idempotency_key, "),
        ({"priority": 9}, "priority=9: give a whole number, 1 to 8; 1 goes first"),
        ({"priority": True}, "priority=True: give a whole number"),
        ({"cost": 0}, "cost=0: give a whole number, 1 to 1,000,000"),
    ],
)
def test_what_is_refused(options: dict[str, Any], says: str) -> None:
    """Each says what is wrong and what to give."""
    with pytest.raises(ValidationError, match=says):
        check_options("create_job", options)


def test_a_priority_and_a_cost() -> None:
    """1 each, where nothing is said."""
    assert check_options("create_job", {"priority": 3, "cost": 500}) == CheckedOptions(priority=3, cost=500)
    assert check_options("create_job", {"priority": None, "cost": None}) == CheckedOptions()


def test_no_options_cost_nothing() -> None:
    """Most jobs have none: they share one value."""
    assert check_options("create_job", {}) is check_options("create_jobs", {}) == CheckedOptions()

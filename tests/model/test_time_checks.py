"""Times that are right alone and wrong beside another: refused, or warned of where they are declared."""

from __future__ import annotations

import warnings
from datetime import timedelta
from typing import Any

import pytest

from flows import DeclarationError, DeclarationWarning, FlowOptions, Job, QueueOptions, Retention

DAY = timedelta(days=1)


def declare(timeout: Any = None, **options: Any) -> None:
    """Declare a flow with these times."""
    child = QueueOptions("child", Job, timeout=timeout)
    queues = [QueueOptions("first", Job, "parent"), QueueOptions("parent", Job, children=[child])]
    FlowOptions("times", queues, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lease": 86_401}, "lease=86401 s is too long: give at most 86400 s"),
        ({"lease": 0.05}, "lease=0.05 s is too short to be renewed: give at least 0.1 s"),
        ({"job_ttl": timedelta.max}, "job_ttl=86400000000000 s is too long"),
        ({"retention": 1e11}, "retention=100000000000 s is too long"),
        ({"hang_limit": 1e11}, "hang_limit=100000000000 s is too long"),
        ({"timeout": 1e11}, "queue 'child': timeout=100000000000 s is too long"),
    ],
)
def test_times_that_cannot_work_are_refused(options: Any, message: str) -> None:
    """Too long to be counted, too short to be renewed, or so long that a dead worker's jobs would wait for days."""
    with pytest.raises(DeclarationError) as caught:
        declare(**options)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"job_ttl": 29, "retention": DAY}, "job_ttl=29 s is shorter than lease=30 s"),
        ({"hang_limit": 29}, "hang_limit=29 s is shorter than lease=30 s"),
        ({"job_ttl": 60, "timeout": 61}, "timeout=61 s of queue 'parent:child' is longer than job_ttl=60 s"),
        ({"retention": 19.5}, "a retention of 19.5 s for done jobs is under 20 s"),
        ({"retention": Retention(cancelled=0.001)}, "a retention of 0.001 s for cancelled jobs is under 20 s"),
    ],
)
def test_times_that_break_together_are_warned_of(options: Any, message: str) -> None:
    """Once for each, at the line that declares them."""
    with pytest.warns(DeclarationWarning) as caught:
        declare(**options)
    assert [(one.filename, str(one.message).startswith(f"flow 'times': {message}")) for one in caught] == [
        (__file__, True)
    ]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"job_ttl": None, "timeout": DAY},
        {"job_ttl": 30, "timeout": 30, "retention": 20},
        {"lease": 0.1, "job_ttl": 0.1, "hang_limit": 0.1, "retention": 20},
        {"lease": DAY, "job_ttl": DAY, "hang_limit": DAY},
        {"retention": Retention(done=20)},
        {"job_ttl": timedelta(days=36_525), "retention": timedelta(days=36_525)},
    ],
)
def test_nothing_is_said_of_times_that_go_together(options: Any) -> None:
    """However short or long."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        declare(**options)

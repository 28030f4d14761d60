"""Options: defaults, and the names that a declaration claims; what they refuse is in `tests/typing`."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from datetime import timedelta
from typing import Any

import pytest

from flows import FlowOptions, Job, QueueOptions, Retention
from flows.model.flow_options import claimed_names

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)


class Work(Job):
    """A job class."""


def tree() -> FlowOptions[Job, str]:
    """Return options with children of children."""
    grandchild = QueueOptions("grandchild", Work)
    parent = QueueOptions("parent", Work, children=[QueueOptions("child", Work, children=[grandchild])])
    return FlowOptions(
        "flow", [QueueOptions("first", Work, "parent"), parent], lookup_attributes=["user_id", "role_ids"]
    )


def test_the_defaults_keep_what_waits_for_a_month() -> None:
    """And what is done for a day, what failed for a week; a lease is half a minute."""
    options = FlowOptions("flow", [QueueOptions("only", Work)])
    assert options.job_ttl == timedelta(days=30)
    assert options.retained == Retention(done=DAY, failed=WEEK, cancelled=WEEK)
    assert (options.lease, options.hang_limit) == (timedelta(seconds=30), timedelta(minutes=10))
    assert (options.max_payload, options.max_crashes, options.namespace) == (1 << 20, 3, "")
    assert (options.logger, options.redis_url, options.lookup_attributes) == (None, None, ())


@pytest.mark.parametrize(
    ("job_ttl", "retention", "retained"),
    [
        (HOUR, None, Retention(DAY, WEEK, WEEK)),
        (None, None, Retention(DAY, WEEK, WEEK)),
        (HOUR, WEEK, Retention(WEEK, WEEK, WEEK)),
        (None, WEEK, Retention(WEEK, WEEK, WEEK)),
        (HOUR, Retention(failed=WEEK), Retention(DAY, WEEK, WEEK)),
    ],
)
def test_retention_does_not_follow_the_ttl(job_ttl: Any, retention: Any, retained: Retention) -> None:
    """One time for every ending, or one for each."""
    options = FlowOptions("flow", [QueueOptions("only", Work)], job_ttl=job_ttl, retention=retention)
    assert options.retained == retained


def test_walk_goes_through_all_queues_by_their_full_names() -> None:
    """A child's full name begins with its parent's."""
    names = [name for name, _queue in tree().walk()]
    assert names == ["first", "parent", "parent:child", "parent:child:grandchild"]


def test_a_flow_claims_the_names_that_its_keys_are_made_of() -> None:
    """Plain queues are not among them: their keys begin with `queue:` and are owned by themselves."""
    assert dict(claimed_names(tree())) == {
        "flow": "flow",
        "flow:user_id": "lookup",
        "flow:role_ids": "lookup",
        "parent": "parent queue",
        "parent:child": "parent queue",
        "parent:child:grandchild": "child queue",
    }


@pytest.mark.parametrize("options", [tree(), tree().queues[0], Retention()])
def test_options_cannot_be_changed(options: Any) -> None:
    """They were checked when they were made."""
    with pytest.raises(FrozenInstanceError):
        options.name = "other"


def test_options_are_given_by_name() -> None:
    """But for the first few, so that two numbers are never mixed up."""
    options: Any = FlowOptions
    with pytest.raises(TypeError):
        options("flow", [QueueOptions("only", Work)], [], None, "namespace")

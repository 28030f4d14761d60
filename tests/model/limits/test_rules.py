"""The rules of one queue: what its options mean, and the line by which scripts know them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from flows import FlowOptions, Job, Limiter, QueueOptions, Slots
from flows.model.limits.rules import PLAIN_LAYOUT, Rules, next_priority
from flows.store.jobs.flow_settings import FlowSettings
from flows.store.keys.jobs import JobKeys

SECOND = timedelta(seconds=1)


class Work(Job):
    """A job class."""

    guild_id: int


def rules_of(**given: Any) -> Rules | None:
    """Return the rules of a queue that is declared so."""
    return QueueOptions("role", Work, **given).rules


LINES = [
    ({"priorities": 3}, "role 3 - - 0 0 - 0"),
    ({"priorities": (8, 3, 0.5)}, "role 3 8,3,0.5 - 0 0 - 0"),
    ({"priorities": 3, "next_queue_priority_diff": -1}, "role 3 - - 0 0 - -1"),
    ({"group_by": "guild_id"}, "role 1 - guild_id 0 0 - 0"),
    ({"max_concurrency": 100}, "role 1 - - 100 0 - 0"),
    ({"max_concurrency": Slots(100, id="gpu")}, "role 1 - - 100 0 gpu 0"),
    ({"group_by": "guild_id", "max_concurrency_per_group": 2}, "role 1 - guild_id 0 2 - 0"),
    ({"limits": [Limiter(50, SECOND)]}, "role 1 - - 0 0 - 0 role:1=50/1000/q/0"),
    ({"limits": [Limiter(50, SECOND, id="api", smooth=True)]}, "role 1 - - 0 0 - 0 api=50/1000/q/1"),
    (
        {"limits": [Limiter(5, 5, group_key="guild_id"), Limiter(50, 1, id="api"), Limiter(9, 0.0105)]},
        "role 1 - guild_id 0 0 - 0 role:1=5/5000/g/0 api=50/1000/q/0 role:2=9/11/q/0",
    ),
]


@pytest.mark.parametrize(("given", "line"), LINES)
def test_the_line_of_a_queue(given: dict[str, Any], line: str) -> None:
    """What is not there is `-` or 0; own limiters are numbered; parts of a millisecond make an interval longer."""
    rules = rules_of(**given)
    assert rules is not None
    assert rules.line("role") == line
    queue, read = Rules.parse(line)
    assert (queue, read.line(queue)) == ("role", line)


def test_a_line_of_a_child_queue_is_read_too() -> None:
    """Its name has a colon, as the ids of its own limiters have."""
    rules = rules_of(limits=[Limiter(5, 5), Limiter(5, 5, id="api")])
    assert rules is not None
    assert Rules.parse(rules.line("whole:part")) == ("whole:part", rules)


@pytest.mark.parametrize("given", [{}, {"priorities": 1}, {"priorities": (5,)}, {"limits": ()}, {"retries": None}])
def test_a_queue_without_rules_has_none(given: dict[str, Any]) -> None:
    """One priority is none."""
    assert rules_of(**given) is None


def settings_of(**given: Any) -> FlowSettings:
    """Return the settings of a flow of two queues, of which the second is declared so."""
    queues = [QueueOptions("check", Work, "role"), QueueOptions("role", Work, **given)]
    return FlowSettings.of(FlowOptions("access", queues))


def test_a_flow_without_rules_sends_what_it_always_sent() -> None:
    """Byte for byte: seven numbers, and the plain scripts."""
    settings = settings_of()
    assert settings.packed == "2592000000 86400000 604800000 604800000 30000 3 2"
    assert (settings.overlays(), settings.overlays("role")) == ((), ())


def test_each_ruled_queue_has_a_line_in_the_settings() -> None:
    """A queue without rules has none, and its turns take what moves jobs between the queues."""
    settings = settings_of(priorities=2)
    assert settings.packed == "2592000000 86400000 604800000 604800000 30000 3 2\nrole 2 - - 0 0 - 0"
    assert settings.overlays() == settings.overlays("check") == ("rules",)
    assert settings.overlays("role") == ("ruled", "rules")


def test_a_difference_alone_changes_no_script() -> None:
    """The worker adds it; where a job of that queue waits, and which is next, it does not decide."""
    check = QueueOptions("check", Work, "role", next_queue_priority_diff=1)
    settings = FlowSettings.of(FlowOptions("access", [check, QueueOptions("role", Work, priorities=2)]))
    assert list(settings.rules) == ["role"]
    assert settings.overlays("check") == ("rules",)


@pytest.mark.parametrize(
    ("given", "cost"),
    [
        ({"priorities": 3}, None),
        ({"max_concurrency": 8}, (8, "8 slots")),
        ({"limits": [Limiter(50, 1), Limiter(5, 1)]}, (5, "the 5 tokens of a limiter")),
        ({"limits": [Limiter(50, 1)], "group_by": "guild_id", "max_concurrency_per_group": 2}, (2, "2 slots")),
    ],
)
def test_the_most_that_a_job_may_cost(given: dict[str, Any], cost: object) -> None:
    """The least of what it takes from: more could never start."""
    rules = rules_of(**given)
    assert rules is not None
    assert rules.most_cost == cost


@pytest.mark.parametrize(
    ("priority", "diff", "priorities", "after"),
    [(2, -1, 3, 1), (1, -1, 3, 1), (3, 1, 3, 3), (2, 5, 3, 3), (8, 1, 1, 8), (2, 3, 1, 5), (5, 0, 3, 5), (5, -1, 3, 3)],
)
def test_the_priority_in_the_next_queue(priority: int, diff: int, priorities: int, after: int) -> None:
    """It keeps to the priorities of that queue; without a difference it stays, whatever they are."""
    assert next_priority(priority, Rules(diff=diff), Rules(priorities)) == after


def test_a_priority_is_placed_within_those_of_its_queue() -> None:
    """A job of a lower one is one of the last."""
    assert [Rules(3).clamped(priority) for priority in (0, 1, 3, 8)] == [1, 1, 3, 3]


def test_a_layout_says_in_which_lists_jobs_wait() -> None:
    """One list where there is neither a second priority nor a group; limits need no other."""
    assert Rules(slots=3, limiters=(Limiter(1, timedelta(seconds=1)),)).layout == PLAIN_LAYOUT
    assert Rules(priorities=3, group="user").layout == "3 user"


def test_rules_grow_by_the_lists_of_an_earlier_release() -> None:
    """Priorities that are added have the share of the last one; a group that is declared stays."""
    rules = Rules(priorities=2, shares=(3.0, 2.0), slots=5)
    assert rules.grown(4, "user") == Rules(priorities=4, shares=(3.0, 2.0, 2.0, 2.0), slots=5, group="user")
    assert rules.grown(1, None) == rules
    assert Rules(group="account").grown(2, "user") == Rules(priorities=2, group="account")


def test_settings_know_the_layouts_that_the_server_has() -> None:
    """A queue that has none any more, and is not declared, stays plain; what they say goes back to the server."""
    settings = FlowSettings(
        "shop", "pick", JobKeys(), 0, (0, 0, 0), 1, 1, 1, rules={"pick": Rules(slots=2), "pack": Rules(priorities=2)}
    )
    assert settings.layouts == "pack 2 -"
    known = settings.with_layouts("pick 3 user\nold 1 user\nship 1 -")
    assert known.rules == {
        "pick": Rules(slots=2, priorities=3, group="user"),
        "pack": Rules(priorities=2),
        "old": Rules(group="user"),
    }
    assert known.overlays("old") == ("ruled", "rules")
    assert settings.with_layouts("") == settings

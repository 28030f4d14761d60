"""Rules that cannot work: each is refused when it is declared, and the message says what to do."""

from __future__ import annotations

from datetime import timedelta
from enum import IntEnum, StrEnum
from typing import Any, Literal, NewType

import pytest
from pydantic import BaseModel

from flows import DeclarationError, Flow, FlowOptions, Job, Limiter, QueueOptions, Slots

GROUPED = Limiter(5, 1, group_key="guild_id")


class Params(BaseModel):
    """What a job is created with."""

    guild_id: int
    user: str | None = None
    tags: list[str] = []


class Work(Job):
    """A job class."""

    result: int = 0


class Part(Job):
    """A child."""

    user: str


CONTRADICTIONS = [
    ({"limits": [GROUPED, Limiter(5, 1, group_key="user")]}, "group_keys guild_id, user: a queue has one group"),
    ({"group_by": "user", "limits": [GROUPED]}, "group_by='user', and a limit has group_key='guild_id'"),
    ({"max_concurrency_per_group": 2}, "the queue has no groups: give group_by"),
    (
        {"group_by": "user", "max_concurrency": 2, "max_concurrency_per_group": 3},
        "max_concurrency_per_group=3 is over max_concurrency, 2",
    ),
    ({"limits": [Limiter(5, 1, id="x"), Limiter(6, 1, id="x")]}, "two of its limits have the id 'x'"),
    ({"limits": [Limiter(5, 1)] * 9}, "9 limits: give 8 at most"),
    ({"priorities": (1, 0)}, "has the share 0: give numbers from 0.001 to 1,000"),
    ({"priorities": [1] * 9}, "has 9 shares: give 1 to 8"),
    ({"next_queue_priority_diff": 8}, "give a whole number, -7 to 7"),
    ({"shared": True, "formerly": ["old"]}, "shared=True and formerly="),
    ({"shared": 1}, "shared=1: give True or False"),
]


@pytest.mark.parametrize(("given", "says"), CONTRADICTIONS)
def test_what_one_queue_cannot_have(given: dict[str, Any], says: str) -> None:
    """The queue is named."""
    with pytest.raises(DeclarationError, match=f"queue 'role': .*{says}"):
        QueueOptions("role", Work, **given)


@pytest.mark.parametrize(
    ("reservoir", "interval", "says"),
    [
        (0, 1, "reservoir=0: give a whole number, 1 to 1,000,000"),
        (5, timedelta(milliseconds=9), "interval=0.009 s: give 0.01 s to 31 days"),
        (5, timedelta(days=32), "interval=2764800 s: give 0.01 s to 31 days"),
    ],
)
def test_a_limiter_keeps_to_its_bounds(reservoir: int, interval: Any, says: str) -> None:
    """A window of less than 10 ms is over before its jobs run, and one of more than 31 days outlives what is kept."""
    with pytest.raises(DeclarationError, match=says):
        Limiter(reservoir, interval)


def test_a_smooth_limiter_leaves_a_millisecond_between_two_starts() -> None:
    """The server's clock has no finer one."""
    assert Limiter(1000, 1, smooth=True).smooth
    with pytest.raises(DeclarationError, match=r"leaves 0\.000999 s between two starts"):
        Limiter(1001, 1, smooth=True)


def two(first: QueueOptions[Any], second: QueueOptions[Any]) -> FlowOptions[Any, str]:
    """Return a flow of two queues."""
    return FlowOptions("access", [first, second])


@pytest.mark.parametrize(
    ("one", "other", "says"),
    [
        ({"limits": [Limiter(5, 1, id="api")]}, {"limits": [Limiter(6, 1, id="api")]}, "limiter 'api'"),
        ({"limits": [Limiter(5, 1, id="api")]}, {"limits": [Limiter(5, 2, id="api")]}, "limiter 'api'"),
        (
            {"limits": [Limiter(5, 1, id="api")]},
            {"limits": [Limiter(5, 1, id="api", group_key="guild_id")]},
            "limiter 'api'",
        ),
        ({"max_concurrency": Slots(5, id="gpu")}, {"max_concurrency": Slots(6, id="gpu")}, "slots 'gpu'"),
    ],
)
def test_what_queues_share_they_declare_alike(one: Any, other: Any, says: str) -> None:
    """Else each would count by its own values."""
    with pytest.raises(DeclarationError, match=f"'check' and 'role' declare the {says} with different values"):
        two(QueueOptions("check", Work, "role", **one), QueueOptions("role", Work, **other))
    two(QueueOptions("check", Work, "role", **one), QueueOptions("role", Work, **one))


def test_a_difference_needs_priorities() -> None:
    """Those of any queue of the flow: jobs keep theirs on the way."""
    with pytest.raises(DeclarationError, match="next_queue_priority_diff=1, and no queue of flow 'access' has prio"):
        two(QueueOptions("check", Work, "role", next_queue_priority_diff=1), QueueOptions("role", Work))
    two(QueueOptions("check", Work, "role", next_queue_priority_diff=1), QueueOptions("role", Work, priorities=2))


def test_a_child_queue_has_no_difference() -> None:
    """Its jobs go to no other queue."""
    child = QueueOptions("part", Part, priorities=2, next_queue_priority_diff=1)
    with pytest.raises(DeclarationError, match="child queue 'part' of 'role' has a next_queue_priority_diff"):
        QueueOptions("role", Work, children=[child])


Guild = NewType("Guild", int)


class Plan(StrEnum):
    """A text that is one of few."""

    PRO = "pro"


class Size(IntEnum):
    """A number that is one of few."""

    SMALL = 1


def declare(annotation: Any) -> Flow[Any, Any]:
    """Return a flow of a queue that is grouped by a field of this type."""
    params = type("Grouped", (BaseModel,), {"__annotations__": {"key": annotation}})
    options = FlowOptions("access", [QueueOptions("role", Work, group_by="key")])
    return Flow[Work, params](options)  # type: ignore[valid-type]


@pytest.mark.parametrize(
    "annotation", [int, str, str | None, int | str, Guild, Plan, Size, Literal["a", "b"], Literal[1, 2] | None]
)
def test_what_a_queue_can_be_grouped_by(annotation: Any) -> None:
    """Texts and numbers, and whatever stands for one of them."""
    assert declare(annotation).name == "access"


@pytest.mark.parametrize("annotation", [bool, float, list[str], None, dict[str, int], Any, Literal[True], int | float])
def test_what_a_queue_cannot_be_grouped_by(annotation: Any) -> None:
    """A number with a point has several texts, and a list is not one group."""
    with pytest.raises(DeclarationError, match=r"grouped by Grouped\.key: declare that a str or an int"):
        declare(annotation)


def test_a_group_is_a_field_that_jobs_are_created_with() -> None:
    """A result of an earlier queue may change while the job waits; of a child its own class counts."""
    with pytest.raises(
        DeclarationError, match=r"'role' is grouped by 'result', which is no field of Params; .*guild_id"
    ):
        Flow[Work, Params](FlowOptions("access", [QueueOptions("role", Work, group_by="result")]))
    children = [QueueOptions("part", Part, group_by="guild_id")]
    with pytest.raises(DeclarationError, match="'role:part' is grouped by 'guild_id', which is no field of Part"):
        Flow[Work, Params](FlowOptions("access", [QueueOptions("role", Work, children=children)]))
    children = [QueueOptions("part", Part, limits=[Limiter(1, 1, group_key="user")])]
    Flow[Work, Params](FlowOptions("access", [QueueOptions("role", Work, children=children)]))

"""Priorities and costs that calls are given, on the way: into hashes, to children and to the next queue."""

from __future__ import annotations

import json

import pytest
from pydantic import BaseModel

from flows import ChildJob, FlowOptions, Job, JobResult, Limiter, QueueOptions, ValidationError
from flows.model.creation.children import child_specs, new_children
from flows.model.ids import new_job_id
from flows.model.limits.given import inherited, refuse_without_rules, rule_fields, rule_number
from flows.model.outcome import Advance, AwaitChildren, Finish
from flows.model.plan import plans


class Params(BaseModel):
    """What a job is created with."""

    user_id: int = 0


class Work(Job):
    """A job."""


class Part(Job):
    """A child."""

    number: int = 0


PARTS = [QueueOptions("part", Part, limits=[Limiter(5, 1)], children=[QueueOptions("bit", Part)])]
OPTIONS = FlowOptions(
    "shop",
    [
        QueueOptions("first", Work, "rest", priorities=3, next_queue_priority_diff=1),
        QueueOptions("rest", Work, "whole", priorities=2),
        QueueOptions("whole", Work, "last", children=PARTS, next_queue_priority_diff=-2),
        QueueOptions("last", Work, priorities=8),
    ],
)
PLANS = plans(OPTIONS, Params)


def test_a_hash_says_only_what_is_not_one() -> None:
    """Most jobs have neither."""
    assert rule_fields(1, 1) == {}
    assert rule_fields(3, 500) == {"_priority": b"3", "_cost": b"500"}


@pytest.mark.parametrize(
    ("raw", "number"), [(None, 1), (b"3", 3), (b"0", 1), (b"", 1), (b"x", 1), (b"-3", 1), (b"2.5", 1)]
)
def test_what_was_edited_into_nonsense_counts_as_one(raw: bytes | None, number: int) -> None:
    """So it does where scripts place a job."""
    assert rule_number(raw) == number


def test_a_job_that_leaves_takes_the_difference_along() -> None:
    """To a queue, and to the children's end; the job that is done has no next queue."""
    first, whole = PLANS["first"], PLANS["whole"]
    assert first.passed_on(first.outcome(None), b"1") == Advance("rest", {"_priority": b"2"})
    assert first.passed_on(first.outcome(None), b"2") == Advance("rest", {})
    assert first.passed_on(first.outcome(JobResult(next_queue="last")), b"2") == Advance("last", {"_priority": b"3"})
    waits = whole.passed_on(AwaitChildren([], "last", {}), b"4")
    assert waits == AwaitChildren([], "last", {"_priority": b"2"})
    assert whole.passed_on(AwaitChildren([], None, {}), b"4") == AwaitChildren([], None, {})
    assert whole.passed_on(Finish({}), b"4") == Finish({})


def test_a_queue_without_a_difference_writes_none() -> None:
    """Nothing is added to what a function has returned."""
    assert PLANS["rest"].passed_on(Advance("whole", {"x": b"1"}), b"2") == Advance("whole", {"x": b"1"})


def made(*children: ChildJob) -> list[dict[str, bytes]]:
    """Return the fields of children as they are created by a parent, of whose priority nothing is known yet."""
    specs = json.loads(child_specs(children, PLANS["whole"].options))
    return [child.fields for child in new_children("whole", specs, new_job_id())]


def test_a_child_may_have_a_priority_and_a_cost_of_its_own() -> None:
    """Nested ones too: what is to become of them stands in their parent's hash."""
    bit = ChildJob("bit", {}, priority=4)
    [fields] = made(ChildJob("part", {"number": 1}, children=[bit], priority=2, cost=5))
    nested = json.loads(fields.pop("children:whole:part:params"))
    assert fields == {"number": b"1", "_priority": b"2", "_cost": b"5"}
    assert nested == [{"child": "bit", "params": {}, "priority": 4}]
    assert PLANS["whole"].fan_out(new_job_id(), child_specs([ChildJob("part", {}, cost=2)], PLANS["whole"].options))


@pytest.mark.parametrize("value", ['"x"', "0", "9", "true", "1.5", "[]"])
def test_a_priority_that_was_edited_into_nonsense_is_refused(value: str) -> None:
    """The parent fails with that reason, as by params which are none."""
    specs = f'[{{"child": "part", "params": {{}}, "priority": {value}}}]'.encode()
    with pytest.raises(ValidationError, match="priority="):
        PLANS["whole"].fan_out(new_job_id(), specs)


@pytest.mark.parametrize(
    ("own", "parents", "field"),
    [
        (None, None, None),
        (None, b"1", None),
        (None, b"3", b"3"),
        (2, b"3", b"2"),
        (1, b"3", None),
        (1, None, None),
        (2, None, b"2"),
    ],
)
def test_a_child_inherits_its_parents_priority(own: int | None, parents: bytes | None, field: bytes | None) -> None:
    """Unless it was given one, which may be the first."""
    [fields] = made(ChildJob("part", {}, priority=own))
    inherited(fields, parents)
    assert fields.get("_priority") == field


def test_what_would_change_nothing_is_refused() -> None:
    """A flow in which no queue has priorities, or none has limits."""
    part, rest = {"part": PLANS["whole:part"].options.rules}, {"rest": PLANS["rest"].options.rules}
    refuse_without_rules("shop", 1, 1, {"plain": None})
    refuse_without_rules("shop", 2, 5, part | rest)
    with pytest.raises(ValidationError, match="priority=2: no queue of flow 'shop' has priorities: declare"):
        refuse_without_rules("shop", 2, 1, part)
    with pytest.raises(ValidationError, match="cost=2: no queue of flow 'shop' has limits or slots: declare"):
        refuse_without_rules("shop", 1, 2, rest | {"whole:part": part["part"]})


def test_a_cost_that_could_never_be_given_is_refused() -> None:
    """Of a job where it is created, and of a child where its parent names it."""
    says = "=6 is over the 5 tokens of a limiter of queue '.*part': give 5 at most"
    with pytest.raises(ValidationError, match=f"cost{says}"):
        refuse_without_rules("shop", 1, 6, {"part": PLANS["whole:part"].options.rules})
    with pytest.raises(ValidationError, match=f"ChildJob: cost{says}"):
        made(ChildJob("part", {}, cost=6))

"""Where jobs go: what a worker function returned, and what becomes of the job."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, PlainSerializer, SecretStr

from flows import ChildJob, FlowOptions, Job, JobResult, PayloadTooLarge, QueueOptions, ValidationError
from flows.model.creation.children import CHILDREN_LIMIT, child_specs, new_children
from flows.model.ids import new_job_id
from flows.model.outcome import Advance, AwaitChildren, Finish
from flows.model.plan import QueuePlan, plans


class Params(BaseModel):
    """What a job is created with."""

    user_id: int


class Work(Job):
    """The job class of every plain queue."""


class Leaf(Job):
    """A child without children."""

    address: str
    weight: float = 1.0


class Branch(Job):
    """A child that has children of its own."""

    name: str


class LeafParams(BaseModel):
    """Params of a leaf as a model of the user's own."""

    address: str


class Result(JobResult):
    """What functions return."""

    checks: int = 0


class Renames(JobResult):
    """A result that would change what the job was created with."""

    user_id: int


class Labelled(JobResult):
    """A child's result with a field that the child was created with."""

    address: str


class Large(JobResult):
    """A result of any size."""

    text: str


#: start → middle → fan (leaf, branch (leaf)) → rest → last, and `aside`, which nothing leads to and which ends.
PLANS = plans(
    FlowOptions(
        "flow",
        [
            QueueOptions("start", Work, "middle"),
            QueueOptions("middle", Work, "fan"),
            QueueOptions(
                "fan",
                Work,
                "rest",
                children=[
                    QueueOptions("leaf", Leaf),
                    QueueOptions("branch", Branch, children=[QueueOptions("twig", Leaf)], on_child_failure="fail"),
                ],
                on_child_failure="fail",
            ),
            QueueOptions("rest", Work, "last"),
            QueueOptions("last", Work),
            QueueOptions("aside", Work),
            QueueOptions("end", Work, children=[QueueOptions("leaf", Leaf)]),
        ],
        max_payload=10_000,
    ),
    Params,
)
LEAF = ChildJob(Leaf, {"address": "x"})


def outcome(queue: str, result: Any) -> Any:
    """Return what becomes of a job in `queue`."""
    return PLANS[queue].outcome(result)


def refused(what: str) -> Any:
    """Expect a ValidationError that says `what`."""
    return pytest.raises(ValidationError, match=what)


# The way of a job.


def test_a_job_goes_to_the_next_queue_with_its_result() -> None:
    """The fields of the result are saved, each as JSON."""
    assert outcome("start", Result(checks=3)) == Advance("middle", {"checks": b"3"})


def test_a_job_is_done_after_its_last_queue() -> None:
    """With its result all the same."""
    assert outcome("last", Result(checks=3)) == Finish({"checks": b"3"})


@pytest.mark.parametrize("nothing", [None, JobResult()])
def test_a_function_may_return_nothing(nothing: JobResult | None) -> None:
    """None and an empty result say the same."""
    assert outcome("start", nothing) == Advance("middle", {})
    assert outcome("last", nothing) == Finish({}, returned=False)


@pytest.mark.parametrize("queue", ["rest", "start", "fan", "aside"])
def test_a_result_may_name_another_queue(queue: str) -> None:
    """Any of the flow's own, ahead or behind or the same; and it makes a last queue go on."""
    assert outcome("start", Result(next_queue=queue)) == Advance(queue, {"checks": b"0"})
    assert outcome("last", Result(next_queue=queue)) == Advance(queue, {"checks": b"0"})


@pytest.mark.parametrize("queue", ["nowhere", "fan:leaf", "leaf", "START"])
def test_a_queue_that_the_flow_does_not_have_is_refused(queue: str) -> None:
    """The message lists those that it has; a child queue is none that jobs can be sent to."""
    with refused(f"next_queue='{queue}' is no queue of the flow: those are start, middle, fan, rest"):
        outcome("start", Result(next_queue=queue))


def test_a_child_cannot_be_sent_anywhere() -> None:
    """It is done after its queue, because its parent waits for it."""
    with refused("next_queue='last' is no queue of the flow: a child goes to no other queue"):
        outcome("fan:leaf", Result(next_queue="last"))
    assert outcome("fan:leaf", Result(checks=1)) == Finish({"checks": b"1"})


@pytest.mark.parametrize("returned", [1, "text", {"checks": 1}, Params(user_id=1), Result, [Result()], True])
def test_anything_but_a_result_is_refused(returned: Any) -> None:
    """The message says what it was, and what to return."""
    with refused(f"returned {type(returned).__name__}: return a JobResult or None"):
        outcome("start", returned)


def test_a_result_that_names_a_field_of_params_is_refused() -> None:
    """Params never change; a child's params are its own."""
    with refused(r"Renames names fields of Params \(user_id\)"):
        outcome("start", Renames(user_id=1))
    with refused(r"Labelled names fields of Params \(address\)"):
        outcome("fan:leaf", Labelled(address="x"))
    assert outcome("fan:leaf", Renames(user_id=1)) == Finish({"user_id": b"1"})
    assert outcome("start", Labelled(address="x")) == Advance("middle", {"address": b'"x"'})


def test_a_result_over_the_limit_is_refused() -> None:
    """The limit is of the bytes of JSON, quotes included; the message says what to do."""
    assert outcome("last", Large(text="x" * 9_998)) == Finish({"text": b'"%s"' % (b"x" * 9_998)})
    for text in ("x" * 9_999, "é" * 5_000):
        with pytest.raises(
            PayloadTooLarge, match=r"10,00\d bytes, over max_payload=10,000: store large data elsewhere"
        ):
            outcome("last", Large(text=text))


def test_a_result_that_is_not_json_is_refused() -> None:
    """Before anything of it is written."""

    class Unwritable(JobResult):
        number: float

    with refused("JSON has no such number"):
        outcome("start", Unwritable(number=math.nan))


# Naming children.


def named(advance: Any) -> dict[str, Any]:
    """Return the children that an outcome leaves for parent queues, by field."""
    return {name: json.loads(value) for name, value in advance.fields.items() if name.startswith("children:")}


@pytest.mark.parametrize(("queue", "to"), [("start", "middle"), ("middle", "fan")])
def test_children_are_left_for_the_next_parent_queue(queue: str, to: str) -> None:
    """However many queues on it is."""
    advance = outcome(queue, Result(children=[LEAF]))
    assert advance.queue == to
    assert named(advance) == {"children:fan:params": [{"child": "leaf", "params": {"address": "x"}}]}


def test_children_follow_the_queue_that_the_result_names() -> None:
    """The next parent is looked for from where the job goes, not from where it would have gone."""
    assert list(named(outcome("start", Result(next_queue="end", children=[LEAF])))) == ["children:end:params"]
    assert list(named(outcome("aside", Result(next_queue="start", children=[LEAF])))) == ["children:fan:params"]
    with refused("the result names 1 children, but no parent queue comes after 'start'"):
        outcome("start", Result(next_queue="rest", children=[LEAF]))


@pytest.mark.parametrize("queue", ["rest", "last", "aside", "fan:leaf"])
def test_children_without_a_parent_queue_ahead_are_refused(queue: str) -> None:
    """They would never be created."""
    with refused(f"no parent queue comes after '{queue}'"):
        outcome(queue, Result(children=[LEAF]))


def test_a_search_for_a_parent_queue_ends_in_a_cycle() -> None:
    """Queues that lead to each other and to no parent are no reason to hang."""
    with pytest.warns(UserWarning, match="has no end"):
        options = FlowOptions("cycle", [QueueOptions("a", Work, "b"), QueueOptions("b", Work, "a")])
    with refused("no parent queue comes after"):
        plans(options, Params)["a"].outcome(Result(children=[LEAF]))


@pytest.mark.parametrize("child", ["leaf", Leaf])
@pytest.mark.parametrize("params", [{"address": "x"}, LeafParams(address="x")])
def test_a_child_is_named_by_class_or_name_with_a_mapping_or_a_model(child: Any, params: Any) -> None:
    """All ways to name it come to the same; defaults are not written."""
    advance = outcome("middle", Result(children=[ChildJob(child, params)]))
    assert named(advance)["children:fan:params"] == [{"child": "leaf", "params": {"address": "x"}}]


def test_children_keep_the_order_in_which_they_were_named() -> None:
    """Of whatever queue they are."""
    children = [ChildJob(Leaf, {"address": "1"}), ChildJob(Branch, {"name": "2"}), ChildJob(Leaf, {"address": "3"})]
    specs = named(outcome("middle", Result(children=children)))["children:fan:params"]
    assert [(spec["child"], *spec["params"].values()) for spec in specs] == [
        ("leaf", "1"),
        ("branch", "2"),
        ("leaf", "3"),
    ]


@pytest.mark.parametrize("child", ["stranger", "twig", Work, "fan:leaf"])
def test_a_child_that_the_parent_queue_does_not_have_is_refused(child: Any) -> None:
    """The message names those that it has, with their classes."""
    with refused(r"queue 'fan' has no child queue .*; it has leaf \(Leaf\), branch \(Branch\)"):
        outcome("middle", Result(children=[ChildJob(child, {})]))


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({}, "address"),
        ({"address": 1}, "address"),
        ({"address": "x", "weight": "heavy"}, "weight"),
        ({"address": None}, "address"),
    ],
)
def test_params_that_do_not_fit_the_childs_class_are_refused(params: dict[str, object], why: str) -> None:
    """In the parent's worker, before anything is sent: the error names the child and the field, and shows no value."""
    with refused(f"child 'leaf' is not a Leaf: .*{why}") as raised:
        outcome("middle", Result(children=[ChildJob(Leaf, params)]))
    assert "heavy" not in str(raised.value)


@pytest.mark.parametrize("name", ["adress", "id", "attempt", "_status", "next_queue"])
def test_params_that_the_childs_class_does_not_declare_are_refused(name: str) -> None:
    """A slip of the pen is not dropped, and the kernel's fields are its own: at once, where the class is known."""
    params = {"address": "x", name: 1}
    with refused(f"ChildJob: Leaf declares no {name}; its fields are address, weight"):
        ChildJob(Leaf, params)
    with refused(f"child 'leaf': Leaf declares no {name}"):
        outcome("middle", Result(children=[ChildJob("leaf", params)]))


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ((None, {}), r"ChildJob\(None\): give the job class of a child queue, or the queue's name"),
        ((int, {}), "give the job class"),
        (("leaf", None), "params are a NoneType: give a model, or a mapping"),
        ((Leaf, ["address"]), "params are a list"),
        ((Leaf, {"address": "x"}, None), "children are a NoneType: give a list of ChildJob"),
        ((Leaf, {"address": "x"}, "leaf"), "children are a str"),
    ],
)
def test_what_is_no_child_is_refused_where_it_is_written(given: Any, why: str) -> None:
    """And not where the result is read, when the line that wrote it is gone."""
    with refused(why):
        ChildJob(*given)


class Strange(BaseModel):
    """A model that is not the child's."""

    address: str
    colour: str


def test_a_model_with_other_fields_is_no_params_of_a_child() -> None:
    """Whether the class was meant for another child or has changed."""
    with refused("ChildJob: Leaf declares no colour; its fields are address, weight"):
        ChildJob(Leaf, Strange(address="x", colour="red"))


def test_params_of_a_child_that_are_not_json_are_refused() -> None:
    """As those of a job are."""
    with refused("JSON has no such number"):
        outcome("middle", Result(children=[ChildJob(Leaf, {"address": "x", "weight": math.inf})]))
    with refused("child 'leaf' is not a Leaf"):
        outcome("middle", Result(children=[ChildJob(Leaf, {"address": object()})]))


class Rich(Job):
    """A child with what JSON has no word for."""

    at: datetime
    tags: frozenset[str] = frozenset()
    token: Annotated[SecretStr, PlainSerializer(SecretStr.get_secret_value)] = SecretStr("")


@pytest.mark.parametrize(
    ("params", "written"),
    [
        ({"at": "2026-01-02T00:00:00Z"}, {"at": b'"2026-01-02T00:00:00Z"'}),
        ({"at": datetime(2026, 1, 2, tzinfo=UTC)}, {"at": b'"2026-01-02T00:00:00Z"'}),
        (
            {"at": datetime(2026, 1, 2, tzinfo=UTC), "tags": {"a"}, "token": SecretStr("s")},
            {"at": b'"2026-01-02T00:00:00Z"', "tags": b'["a"]', "token": b'"s"'},
        ),
    ],
)
def test_params_of_a_child_are_written_by_its_class(params: dict[str, object], written: dict[str, bytes]) -> None:
    """What is plain JSON stands as it was given, and the rest as the child's class writes and reads it."""
    parent = QueueOptions("fan", Work, children=[QueueOptions("rich", Rich)])
    [child] = new_children("fan", json.loads(child_specs([ChildJob(Rich, params)], parent)), new_job_id())
    assert child.fields == written


def test_params_of_a_child_that_would_arrive_as_others_are_refused() -> None:
    """The secret has no serializer here."""

    class Bare(Job):
        token: SecretStr

    parent = QueueOptions("fan", Work, children=[QueueOptions("bare", Bare)])
    with refused(r"Bare\.token would come back as another value"):
        child_specs([ChildJob(Bare, {"token": SecretStr("s")})], parent)


def test_children_count_towards_the_limit_of_bytes() -> None:
    """They stand in the parent's hash until they are created."""
    with pytest.raises(PayloadTooLarge, match="over max_payload"):
        outcome("middle", Result(children=[ChildJob(Leaf, {"address": "x" * 10_000})]))


# Children of children.


NESTED = ChildJob(Branch, {"name": "b"}, children=[ChildJob("twig", {"address": "t"})])


def test_children_of_children_go_along_with_their_parent() -> None:
    """Validated at once, and written when their parent is created."""
    specs = named(outcome("middle", Result(children=[NESTED])))["children:fan:params"]
    twig = {"child": "twig", "params": {"address": "t"}}
    assert specs == [{"child": "branch", "params": {"name": "b"}, "children": [twig]}]
    [child] = new_children("fan", specs, new_job_id())
    assert json.loads(child.fields["children:fan:branch:params"]) == [twig]


def test_children_of_a_child_without_child_queues_are_refused() -> None:
    """So are those that its queue does not have, or that do not fit."""
    for child, why in (
        (ChildJob(Leaf, {"address": "x"}, children=[LEAF]), "queue 'leaf' has no child queue 'Leaf'; it has none"),
        (ChildJob(Leaf, {"address": "\ud800"}), "'address' is not JSON"),
        (ChildJob(Branch, {"name": "b"}, children=[ChildJob("leaf", {"address": "x"})]), "has no child queue 'leaf'"),
        (ChildJob(Branch, {"name": "b"}, children=[ChildJob("twig", {})]), "child 'twig' is not a Leaf"),
    ):
        with refused(why):
            outcome("middle", Result(children=[child]))


def test_a_child_queues_function_may_name_children_of_its_own() -> None:
    """Then the child waits for them with its result, by its own queue's policy."""
    branch = PLANS["fan:branch"]
    parent = new_job_id()
    waits = branch.own_children(Result(checks=2, children=[ChildJob("twig", {"address": "t"})]), parent)
    assert isinstance(waits, AwaitChildren)
    assert (waits.next_queue, waits.fields, waits.on_child_failure) == (None, {"checks": b"2"}, "fail")
    assert [(child.child, child.fields) for child in waits.children] == [("twig", {"address": b'"t"'})]
    assert branch.own_children(Result(), parent) is None
    with refused("has no child queue"):
        branch.own_children(Result(children=[ChildJob("leaf", {"address": "x"})]), parent)


# Fan-out.


def packed(*children: ChildJob) -> bytes:
    """Return what an earlier queue's result leaves on the hash."""
    return child_specs(children, PLANS["fan"].options)


def test_a_parent_waits_for_the_children_that_its_hash_names() -> None:
    """Each has a new id in its parent's shard, and the fields that it was named with."""
    parent = new_job_id()
    waits = PLANS["fan"].fan_out(parent, packed(LEAF, NESTED))
    assert isinstance(waits, AwaitChildren)
    assert (waits.next_queue, waits.fields, waits.on_child_failure) == ("rest", {}, "fail")
    assert [child.child for child in waits.children] == ["leaf", "branch"]
    assert waits.children[0].fields == {"address": b'"x"'}
    assert len({child.id for child in waits.children}) == 2
    assert {int(child.id[-4:], 16) & 0x3FFF for child in waits.children} == {int(parent[-4:], 16) & 0x3FFF}


@pytest.mark.parametrize("specs", [None, b"[]"])
def test_a_parent_without_children_goes_straight_on(specs: bytes | None) -> None:
    """The next queue's job class finds an empty list for each child queue; after the last queue it is done."""
    nothing = {"children:fan:results": b'{"leaf":[],"branch":[]}'}
    assert PLANS["fan"].fan_out(new_job_id(), specs) == Advance("rest", nothing)
    assert PLANS["end"].fan_out(new_job_id(), specs) == Finish({"children:end:results": b'{"leaf":[]}'}, returned=False)


@pytest.mark.parametrize(
    "specs", [b"{}", b"1", b"[1]", b"[{}]", b'[{"child": "leaf"}]', b'[{"child": "leaf", "params": []}]', b'["leaf"]']
)
def test_a_field_that_does_not_hold_children_is_refused(specs: bytes) -> None:
    """It is what the kernel wrote, or the job fails with a reason."""
    with refused("children:fan:params"):
        PLANS["fan"].fan_out(new_job_id(), specs)


def test_a_parent_has_ten_thousand_children_at_most() -> None:
    """One more is refused, with both numbers."""
    spec = {"child": "leaf", "params": {"address": "x"}}
    parent = new_job_id()
    assert len(new_children("fan", [spec] * CHILDREN_LIMIT, parent)) == CHILDREN_LIMIT == 10_000
    with pytest.raises(PayloadTooLarge, match="10,001 children are over the limit of 10,000"):
        new_children("fan", [spec] * (CHILDREN_LIMIT + 1), parent)


def test_too_many_children_are_refused_where_they_are_named() -> None:
    """The function that names them fails, and not the parent queue that finds them later."""
    roomy = plans(
        FlowOptions(
            "roomy",
            [QueueOptions("start", Work, "fan"), QueueOptions("fan", Work, children=[QueueOptions("leaf", Leaf)])],
            max_payload=1 << 24,
        ),
        Params,
    )
    result = Result(children=[LEAF] * (CHILDREN_LIMIT + 1))
    with pytest.raises(PayloadTooLarge, match="10,001 children are over the limit of 10,000"):
        roomy["start"].outcome(result)


def test_every_queue_has_its_plan() -> None:
    """By its full name; only the flow's own queues can be sent to one another."""
    names = "start middle fan fan:leaf fan:branch fan:branch:twig rest last aside end end:leaf"
    assert list(PLANS) == names.split()
    assert all(isinstance(plan, QueuePlan) and plan.queue == name for name, plan in PLANS.items())
    assert all(bool(plan.queues) == (":" not in name) for name, plan in PLANS.items())

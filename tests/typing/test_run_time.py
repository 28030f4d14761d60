"""What is refused at run time, for those who do not type-check: all of it before any server is touched."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, Any, Literal, Never, cast

import pytest
from pydantic import BaseModel, ConfigDict, Field, create_model

from flows import (
    ChildrenOf,
    ChildResult,
    DeclarationError,
    DeclarationWarning,
    Flow,
    FlowOptions,
    Job,
    JobResult,
    QueueOptions,
    Retention,
    Retries,
    Retry,
    Snooze,
)

#: `create_model` with fields that only a test would give it.
make_model: Any = create_model

#: Nobody listens there: whatever connects in these tests fails.
NOWHERE = "redis://127.0.0.1:1"
UUID = "01900000-0000-7000-8000-000000000000"

#: What is no name, by why.
NO_NAMES = {
    "empty": "",
    "65 characters": "a" * 65,
    "colon": "a:b",
    "star": "a*",
    "space": "a b",
    "newline": "a\n",
    "newline alone": "\n",
    "letters of others": "é",
    "digits of others": "١",  # noqa: RUF001 - that it looks like another is the point
    "brace": "{a}",
    "slash": "a/b",
    "bytes": b"a",
    "none": None,
}
PLACES = ["waiting", "processing", "delayed", "children", "meta"]

each_bad_name = pytest.mark.parametrize("name", NO_NAMES.values(), ids=NO_NAMES.keys())


class Params(BaseModel):
    """What a job is created with."""

    user_id: int
    role_ids: list[int] = []


class First(Job):
    """The first queue's job."""

    user_id: int


class Second(Job):
    """The second queue's job."""

    role_ids: list[int]


class Parent(Job):
    """The parent queue's job."""


class Child(Job):
    """The child queue's job."""

    address: str


class Outside(Job):
    """A job class of no flow."""


class Result(JobResult):
    """A result that fits everywhere."""

    checks: int


async def first(job: First) -> Result:
    """Work for the first queue."""
    return Result(checks=job.user_id)


def second(job: Second) -> Result:
    """Work for the second queue, in a process if need be."""
    return Result(checks=len(job.role_ids))


def options(*queues: Any, **given: Any) -> Any:
    """Return options with one queue, unless others are given, and with no server behind them."""
    defaults = {"name": "refused", "queues": queues or (QueueOptions("only", First),), "redis_url": NOWHERE}
    all_of_it: dict[str, Any] = {**defaults, **given}
    return FlowOptions(**all_of_it)


def declared() -> Any:
    """Return a flow of three queues, one of them a parent, one of whose classes stands for two queues."""
    flow: Any = Flow[First | Second | Parent, Params, Never]
    return flow(
        options(
            QueueOptions("first", First, "second"),
            QueueOptions("second", Second, "parent"),
            QueueOptions("parent", Parent, "again", children=[QueueOptions("child", Child)]),
            QueueOptions("again", Second),
        )
    )


def refused(what: str) -> Any:
    """Expect a DeclarationError that says `what`."""
    return pytest.raises(DeclarationError, match=what)


# The type arguments.


def test_a_flow_without_type_arguments_says_how_to_write_it() -> None:
    """`Flow(options)` would not know its Params, so that nothing could be validated."""
    with refused(r"write Flow\[Job, Params, LookupKeys\]\(options\)"):
        Flow(options())


@pytest.mark.parametrize("params", [int, dict[str, int], "Params", None, Params | None])
def test_params_have_to_be_a_model(params: Any) -> None:
    """Only a pydantic model can be validated."""
    flow: Any = Flow[First, params]
    with refused("not a pydantic model"):
        flow(options())


@pytest.mark.parametrize("params", [First, Result])
def test_params_are_neither_a_job_nor_a_result(params: Any) -> None:
    """Those have fields of the kernel's, which nobody hands to `create_job`."""
    flow: Any = Flow[First, params]
    with refused("Params is a plain pydantic model"):
        flow(options())


def test_a_queue_of_a_class_outside_the_union_is_refused() -> None:
    """The message names the queue, its class and the classes that the flow was declared with."""
    flow: Any = Flow[First | Second, Params]
    with refused(r"'last' has the job class Outside, which is not among the flow's \(First, Second\)"):
        flow(options(QueueOptions("only", First, "last"), QueueOptions("last", Outside)))


def test_a_lookup_attribute_is_a_field_of_params() -> None:
    """No job would ever be found by anything else; the message lists the fields."""
    flow: Any = Flow[First, Params, Literal["email"]]
    with refused("'email' is no field of Params; its fields are user_id, role_ids"):
        flow(options(lookup_attributes=["email"]))


def test_a_lookup_attribute_has_a_type_that_can_be_listed() -> None:
    """Nothing would ever be found by the others, and nobody would say so."""

    class Flagged(Params):
        ready: bool
        either: bool | str = True

    def made(attribute: Any) -> Any:
        return Flow[First, Flagged, Any](options(lookup_attributes=[attribute]))

    with refused(r"lookup attribute 'ready': no value of Flagged\.ready is ever listed; declare a str"):
        made("ready")


@pytest.mark.parametrize(
    ("keys", "attributes", "wrong"),
    [
        (Literal["user_id"], ["user_id", "role_ids"], "role_ids"),
        (Literal["user_id", "role_ids"], ["user_id"], "role_ids"),
        (Literal["user_id"], [], "user_id"),
        (Literal["user_id"] | Literal["role_ids"], ["role_ids"], "user_id"),  # noqa: PYI030 - as users may write it
        (Never, ["user_id"], "user_id"),
    ],
)
def test_lookup_keys_and_lookup_attributes_are_the_same(keys: Any, attributes: list[str], wrong: str) -> None:
    """Where they differ, checkers would allow a key that is not there or refuse one that is."""
    flow: Any = Flow[First, Params, keys]
    with refused(f"LookupKeys and lookup_attributes differ in {wrong}"):
        flow(options(lookup_attributes=attributes))


def test_two_type_arguments_are_for_flows_without_lookups() -> None:
    """With lookup attributes, the third argument has to name them."""
    flow: Any = Flow[First, Params]
    flow(options())
    with refused("LookupKeys and lookup_attributes differ in user_id"):
        flow(options(lookup_attributes=["user_id"]))


def test_type_arguments_are_known_through_aliases_subclasses_and_text_keys() -> None:
    """An alias, a subclass, one of an alias and `str` for any key are declarations like others."""
    alias: Any = Flow[First, Params, Literal["user_id"]]
    subclass: Any = type("Subclass", (alias,), {})
    any_key: Any = Flow[First, Params, str]
    for flow in (alias, subclass, type("Further", (subclass,), {}), any_key):
        assert flow(options(lookup_attributes=["user_id"])).name == "refused"
        with refused("'email' is no field"):
            flow(options(lookup_attributes=["email"]))


# Names.


@each_bad_name
def test_flow_names_keep_to_the_grammar(name: Any) -> None:
    """A flow's name is part of keys: whatever could break or match others is refused."""
    with refused("flow name"):
        options(name=name)


@each_bad_name
def test_queue_names_keep_to_the_grammar(name: Any) -> None:
    """So is a queue's."""
    with refused("queue name"):
        QueueOptions(name, First)


@each_bad_name
def test_child_names_keep_to_the_grammar(name: Any) -> None:
    """And a child's, which has no colon of its own either."""
    with refused("queue name"):
        QueueOptions("parent", Parent, children=[QueueOptions(name, Child)])


@each_bad_name
def test_lookup_attributes_keep_to_the_grammar(name: Any) -> None:
    """And a lookup attribute's."""
    with refused("lookup attribute"):
        options(lookup_attributes=[name])


@pytest.mark.parametrize("name", ["_user_id", "1st", "user-id", "user.id"])
def test_a_lookup_attribute_is_a_field_name(name: str) -> None:
    """The grammar of fields is narrower: they are names in Python, and the kernel's begin with `_`."""
    with refused("no field name"):
        options(lookup_attributes=[name])


@pytest.mark.parametrize("name", ["a", "a" * 64, "Access.check_1-b", "0", "-", "."])
def test_names_within_the_grammar_are_taken(name: str) -> None:
    """All of it can be used."""
    assert options(QueueOptions(name, First), name=name).name == name


@pytest.mark.parametrize("name", [*PLACES, UUID, UUID.upper().replace("7", "F")])
def test_a_child_is_called_neither_like_a_place_nor_like_a_job(name: str) -> None:
    """`queue:<parent>:waiting` and `job:<parent>:<uuid>` would be keys of two things."""
    with refused("choose another"):
        QueueOptions("parent", Parent, children=[QueueOptions(name, Child)])


# Queues.


@pytest.mark.parametrize("job", [Params, Result, int, "First", None, First(user_id=1)])
def test_a_queue_needs_a_job_class(job: Any) -> None:
    """A model, a result class, a name or an instance is none."""
    with refused("is not a subclass of flows.Job"):
        QueueOptions("only", job)


def test_a_flow_needs_a_queue() -> None:
    """There would be nowhere to create a job."""
    with refused("has no queues"):
        options(queues=[])


def test_a_queue_is_declared_once() -> None:
    """Two queues of one name would be one queue."""
    with refused("declares the queue 'a' twice"):
        options(QueueOptions("a", First), QueueOptions("a", Second))
    with refused("declares the child queue 'c' twice"):
        QueueOptions("p", Parent, children=[QueueOptions("c", Child), QueueOptions("c", Child)])


def test_next_queue_is_a_queue_of_the_flow() -> None:
    """The message lists those that there are."""
    with refused("next_queue='nowhere' is no queue of the flow; they are a, b"):
        options(QueueOptions("a", First, "b"), QueueOptions("b", Second, "nowhere"))


def test_next_queue_is_no_child_queue() -> None:
    """Jobs enter a child queue by their parent alone."""
    with refused("next_queue='p:c' is no queue of the flow"):
        options(QueueOptions("a", First, "p:c"), QueueOptions("p", Parent, children=[QueueOptions("c", Child)]))


@pytest.mark.parametrize(
    ("queues", "cycle"),
    [
        ([QueueOptions("a", First, "a")], "a → a"),
        ([QueueOptions("a", First, "b"), QueueOptions("b", Second, "a")], "a → b → a"),
        (
            [QueueOptions("a", First, "b"), QueueOptions("b", Second, "c"), QueueOptions("c", Second, "b")],
            "b → c → b",
        ),
    ],
)
def test_a_cycle_without_an_end_is_warned_of(queues: list[Any], cycle: str) -> None:
    """It can be meant, where a function returns `next_queue`; the warning points at the declaration."""
    with pytest.warns(DeclarationWarning, match=f"{cycle} has no end") as caught:
        options(*queues)
    assert [warning.filename for warning in caught] == [__file__]


def test_a_child_has_no_next_queue() -> None:
    """A child is done after its queue: its parent waits for it."""
    with refused("a child is done after its queue"):
        QueueOptions("p", Parent, children=[QueueOptions("c", Child, "d"), QueueOptions("d", Child)])


def nested(depth: int) -> QueueOptions[Job]:
    """Return a queue with children of children, `depth` levels in all."""
    queue: QueueOptions[Job] = QueueOptions("q", Parent)
    for _ in range(depth - 1):
        queue = QueueOptions("q", Parent, children=[queue])
    return queue


def test_children_nest_eight_levels_deep() -> None:
    """The eighth level is the last: the names of keys grow with each."""
    assert [name for name, _ in options(nested(8)).walk()][-1] == ":".join("q" * 8)
    with refused("nested too deeply: 8 levels at most"):
        options(nested(9))


def test_the_policy_for_failed_children_is_one_of_two() -> None:
    """Anything else would be found out when the first child fails."""
    wrong: Any = "stop"
    with refused("on_child_failure is 'continue' or 'fail'"):
        QueueOptions("p", Parent, children=[QueueOptions("c", Child)], on_child_failure=wrong)


@pytest.mark.parametrize(
    ("queue", "child"), [("parent", "stranger"), ("stranger", "child"), ("first", "child"), ("parent:child", "child")]
)
def test_results_are_of_children_that_are_declared(queue: str, child: str) -> None:
    """A field that is marked as the results of no such children would never be filled."""
    field = (Annotated[list[ChildResult[Result]], ChildrenOf(queue, child)], ...)
    last = make_model("Last", __base__=Job, found=field)
    with refused(f"Last.found of queue 'last' wants the results of the child '{child}' of '{queue}'"):
        options(
            QueueOptions("first", First, "parent"),
            QueueOptions("parent", Parent, "last", children=[QueueOptions("child", Child)]),
            QueueOptions("last", last),
        )


@pytest.mark.parametrize(
    ("name", "queues", "attributes"),
    [
        ("p", [QueueOptions("p", Parent, children=[QueueOptions("c", Child)])], []),
        ("x", [QueueOptions("x", Parent, children=[QueueOptions("role_ids", Child)])], ["role_ids"]),
    ],
)
def test_names_that_would_share_keys_are_refused(name: str, queues: list[Any], attributes: list[str]) -> None:
    """`job:<flow>:…` and `job:<parent>:<child>:…` may not be the same key."""
    with refused("would share keys"):
        options(*queues, name=name, lookup_attributes=attributes)


@pytest.mark.parametrize("formerly", ["scale", 7, None, {"scale": 1}])
def test_former_names_are_a_list(formerly: Any) -> None:
    """A text is a list of letters, too."""
    with refused("formerly=.*: give a list of names"):
        QueueOptions("q", First, formerly=formerly)


@each_bad_name
def test_former_names_keep_to_the_grammar(name: Any) -> None:
    """No queue was ever called otherwise."""
    with refused("queue name"):
        QueueOptions("q", First, formerly=[name])


@pytest.mark.parametrize(
    ("former", "other"), [(["q"], []), (["r"], []), (["old", "old"], []), (["old"], ["old"])], ids=repr
)
def test_a_former_name_belongs_to_one_queue(former: list[str], other: list[str]) -> None:
    """And to none that there still is: its jobs could go to either."""
    with refused("formerly='(q|r|old)' is a queue that it still has, or is named twice"):
        options(QueueOptions("q", First, "r", formerly=former), QueueOptions("r", Second, formerly=other))


def test_parents_and_children_have_no_former_names() -> None:
    """Their jobs bear the names of their queues, in keys and fields."""
    with refused("'p' is a parent queue, whose jobs and children bear its name"):
        options(QueueOptions("p", Parent, children=[QueueOptions("c", Child)], formerly=["old"]))
    with refused("child queue 'c' of 'p': formerly= is for queues of the flow alone"):
        QueueOptions("p", Parent, children=[QueueOptions("c", Child, formerly=["old"])])


def test_a_lookup_attribute_is_named_once() -> None:
    """Twice would list each job twice."""
    with refused("named twice"):
        options(lookup_attributes=["user_id", "user_id"])


# Models.


@pytest.mark.parametrize("base", [Job, JobResult, BaseModel])
def test_extra_allow_is_refused(base: Any) -> None:
    """Unknown fields cannot be checked against anything, whether of a job, a result or Params."""
    model: Any = type("Loose", (base,), {"model_config": ConfigDict(extra="allow"), "__module__": __name__})

    async def loose(job: First) -> Any: ...

    loose.__annotations__["return"] = model
    with refused("Loose has extra='allow'"):
        if issubclass(model, Job):
            QueueOptions("only", model)
        elif issubclass(model, JobResult):
            declared().create_workers(First, loose)
        else:
            Flow[First, model](options())


RESERVED = [
    "id",
    "flow_name",
    "priority",
    "correlation_id",
    "attempt",
    "next_queue",
    "children",
    "created_at",
    "results",
]


@pytest.mark.parametrize("name", RESERVED)
def test_params_have_no_field_of_the_kernels(name: str) -> None:
    """The hash has one field of each name."""
    params: Any = make_model("Reserved", **{name: (str, "x")})
    with refused(f"field '{name}' of Reserved cannot be used"):
        Flow[First, params](options())


@pytest.mark.parametrize("name", ["next_queue", "children", "results"])
def test_jobs_have_no_field_that_results_have(name: str) -> None:
    """What a result says to the kernel is not a field of the job."""
    job: Any = make_model("Reserved", __base__=Job, **{name: (str, "x")})
    with refused(f"field '{name}' of Reserved cannot be used"):
        QueueOptions("only", job)


@pytest.mark.parametrize("name", ["id", "flow_name", "priority", "correlation_id", "attempt"])
def test_jobs_do_not_change_what_every_job_has(name: str) -> None:
    """A job class that gives one of the kernel's fields another type could not be filled."""
    job: Any = make_model("Reserved", __base__=Job, **{name: (dict[str, int], ...)})
    with refused(f"field '{name}' of Reserved cannot be used"):
        QueueOptions("only", job)


@pytest.mark.parametrize("name", ["größe", "naïve"])
def test_fields_keep_to_the_grammar(name: str) -> None:
    """A field's name is a field of a hash, of ASCII letters, digits and `_`."""
    params: Any = make_model("Foreign", **{name: (str, "x")})
    with refused(f"field '{name}' of Foreign cannot be used"):
        Flow[First, params](options())


def returning(model: Any, *, wrap: Any = None) -> Callable[[First], Awaitable[Any]]:
    """Return a worker function that says that it returns `model`."""

    async def worker(job: First) -> Any: ...

    worker.__annotations__["return"] = model if wrap is None else wrap[model]
    return worker


class Renames(JobResult):
    """A result that would change what a job was created with."""

    user_id: int


@pytest.mark.parametrize("returned", [Renames, Renames | None, Result | Renames, Awaitable[Renames], Renames | Retry])
def test_a_result_names_no_field_of_params(returned: Any) -> None:
    """Params never change: lookups and retries count on them."""
    with refused(r"Renames, a result of queue 'first', names fields of Params \(user_id\)"):
        declared().create_workers(First, returning(returned))


# Limits.

TIMES = ["job_ttl", "retention", "lease", "hang_limit"]


@pytest.mark.parametrize("name", TIMES)
@pytest.mark.parametrize("time", [timedelta(0), timedelta(seconds=-1), 0, -0.5])
def test_times_are_positive(name: str, time: timedelta) -> None:
    """What lives for no time would be gone before it is read."""
    with refused(f"{name}=.* is not positive"):
        options(**{name: time})


@pytest.mark.parametrize("name", TIMES)
@pytest.mark.parametrize("time", ["1h", True, float("nan"), float("inf"), 10**400, b"1"])
def test_times_are_timedeltas_or_seconds(name: str, time: Any) -> None:
    """A text has no unit, and what is no number counts nothing."""
    with refused(f"{name}=.*give a datetime.timedelta"):
        options(**{name: time})


@pytest.mark.parametrize("time", [timedelta(0), timedelta(seconds=-1), 0, -20, "20s", True])
def test_a_timeout_is_a_positive_time(time: Any) -> None:
    """An attempt that may take no time could never succeed."""
    with refused("queue 'q': timeout=.*(is not positive|give a datetime.timedelta)"):
        QueueOptions("q", First, timeout=time)


@pytest.mark.parametrize("retries", [3, Retries, timedelta(seconds=1), {"max_attempts": 3}, True])
def test_retries_are_retries(retries: Any) -> None:
    """A number of attempts says nothing of the delays between them."""
    with refused("queue 'q': retries=.*: give a flows.Retries"):
        QueueOptions("q", First, retries=retries)


@pytest.mark.parametrize("given", [{"retries": Retries()}, {"timeout": timedelta(seconds=1)}])
def test_a_parent_queue_has_neither_retries_nor_a_timeout(given: Any) -> None:
    """It runs no function of the user's; its child queues may have both, also one with children of its own."""
    child = QueueOptions("c", Child, children=[QueueOptions("d", Child, **given)], **given)
    with refused("'p' is a parent queue, which runs no function: give retries and timeout to others"):
        options(QueueOptions("first", First, "p"), QueueOptions("p", Parent, children=[child], **given))
    made = options(QueueOptions("first", First, "p", **given), QueueOptions("p", Parent, children=[child]))
    assert [name for name, queue in made.walk() if queue.retries or queue.timeout] == ["first", "p:c", "p:c:d"]


@pytest.mark.parametrize("name", ["done", "failed", "cancelled"])
@pytest.mark.parametrize("time", [timedelta(0), timedelta(days=-1), "1h", None])
def test_each_retention_is_a_positive_time(name: str, time: Any) -> None:
    """So it is for each way to end."""
    with refused(f"retention of {name} jobs"):
        Retention(**{name: time})


def test_a_lease_is_long_enough_to_be_renewed() -> None:
    """Under a tenth of a second, a worker would lose every job to its own latency."""
    with refused("too short to be renewed"):
        options(lease=timedelta(milliseconds=99))
    assert options(lease=timedelta(milliseconds=100)).lease == timedelta(milliseconds=100)


@pytest.mark.parametrize("name", ["max_payload", "max_crashes"])
@pytest.mark.parametrize("number", [0, -1, 1.5, "10", None, True])
def test_limits_are_positive_whole_numbers(name: str, number: Any) -> None:
    """A limit of nothing, or of half a thing, is a slip."""
    with refused(f"{name}=.*positive whole number"):
        options(**{name: number})


@pytest.mark.parametrize("url", ["localhost:6379", "http://localhost", "redis:/localhost"])
def test_a_server_has_a_url_of_redis(url: str) -> None:
    """The scheme is looked at when the flow is declared, long before something connects."""
    flow: Any = Flow[First, Params]
    with refused("must begin with redis://"):
        flow(options(redis_url=url))


# Workers.


def test_workers_of_an_unknown_queue_are_refused() -> None:
    """By name or by class; the message lists the queues, or says where to declare one."""
    with refused("has no queue 'nowhere'; it has first, second, parent, parent:child, again"):
        declared().create_workers("nowhere", first)
    with refused("has no queue for Outside"):
        declared().create_workers(Outside, first)
    with refused("Child is the job class of .* a child queue of"):
        declared().create_workers(Child, first)


def test_a_class_of_several_queues_does_not_say_which() -> None:
    """There the queue has to be named."""
    with refused(r"Second is the job class of several queues \(second, again\): name the queue"):
        declared().create_workers(Second, second)
    assert [worker.queue for worker in declared().create_workers("again", second)] == ["again"]


def test_a_parent_queue_takes_no_function_and_others_take_one() -> None:
    """Each way to create workers refuses the queues of the other, and names it."""
    both: list[Any] = [Parent, "parent"]
    none: list[Any] = [First, "first", "parent:child"]
    for queue in both:
        with refused("'parent' is a parent queue: use create_parent_workers"):
            declared().create_workers(queue, first)
    for queue in none:
        with refused("is no parent queue: give it children, or use create_workers"):
            declared().create_parent_workers(queue)


@pytest.mark.parametrize(
    ("parent", "child"),
    [
        (Parent, First),
        (Parent, "first"),
        (Parent, "parent:child"),
        (Parent, Parent),
        (First, Child),
        ("second", "child"),
    ],
)
def test_child_workers_are_of_a_child_of_that_parent(parent: Any, child: Any) -> None:
    """No checker sees which child belongs to which parent."""
    with refused("has no queue for"):
        declared().create_child_workers(parent, child, second)


async def two_jobs(job: Any, more: Any) -> None:
    """Take too much."""


async def no_job() -> None:
    """Take too little."""


async def job_by_name(*, job: Any) -> None:
    """Take it in another way than it is given."""


@pytest.mark.parametrize("function", [two_jobs, no_job, job_by_name, lambda: None])
def test_a_worker_function_takes_the_job_alone(function: Any) -> None:
    """Else every job would fail by it."""
    with refused("must take one argument, the job"):
        declared().create_workers(First, function)


@pytest.mark.parametrize("function", [None, "first", Result(checks=1)])
def test_a_worker_function_can_be_called(function: Any) -> None:
    """A name of one or a result is none."""
    with refused("cannot be called"):
        declared().create_workers(First, function)


async def coroutine_function(job: First) -> None:
    """Do nothing."""


def test_a_call_in_the_place_of_a_function_is_named_and_ended() -> None:
    """It says what to pass, and no warning of a coroutine that nobody has awaited comes after it."""
    called = coroutine_function(First.model_construct())
    with refused("pass coroutine_function itself, not what it returns"):
        declared().create_workers(First, cast("Any", called))
    assert inspect.getcoroutinestate(called) == inspect.CORO_CLOSED


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (First, r"Flow\[First\]: Params is missing; write Flow\[Job, Params, LookupKeys\]"),
        ((First, Params, Never, Never), r"Flow\[First, Params, Never, Never\]: Too many .*; write Flow\[Job, Params"),
    ],
)
def test_too_few_or_too_many_type_arguments_are_refused_with_what_to_write(arguments: Any, message: str) -> None:
    """And not by Python's own words alone."""
    with refused(message):
        Flow[arguments]  # type: ignore[type-arg,misc]


def test_a_process_runs_only_what_it_can_import() -> None:
    """Neither a coroutine function nor what has no name at the top of a module."""

    def local(job: First) -> None:
        """Have no name at the top of a module."""

    flow = declared()
    with refused("first is async: executor='process' is for plain functions"):
        flow.create_workers(First, first, executor="process")
    nameless: Callable[[First], None] = lambda job: None  # noqa: ARG005, E731 - what it does is not the point
    for function in (local, nameless):
        with refused("define it at the top level of a module"):
            flow.create_workers(First, function, executor="process")
    with refused("executor='threads': leave it out, or give 'process'"):
        flow.create_workers(First, second, executor="threads")
    assert len(flow.create_workers("second", second, executor="process")) == 1


@pytest.mark.parametrize("name", ["count", "concurrency"])
@pytest.mark.parametrize("number", [0, -1, 1.5, "2", None, True])
def test_counts_are_positive_whole_numbers(name: str, number: Any) -> None:
    """For every kind of workers."""
    flow = declared()
    with refused(f"{name}=.*positive whole number"):
        flow.create_workers(First, first, **{name: number})
    with refused(f"{name}=.*positive whole number"):
        flow.create_parent_workers(Parent, **{name: number})
    with refused(f"{name}=.*positive whole number"):
        flow.create_child_workers(Parent, Child, second, **{name: number})
    assert flow.workers == []


def test_functions_may_say_that_they_return_verdicts() -> None:
    """Alone, beside a result, and as what an awaitable brings."""
    for returned in (Retry, Result | Retry, Result | Retry | Snooze | None, Awaitable[Result | Snooze]):
        declared().create_workers(First, returning(returned))


def test_what_is_declared_well_is_taken() -> None:
    """A declaration that uses all of it is refused nowhere, and connects to nothing."""

    class Last(Job):
        user_id: int
        found: Annotated[list[ChildResult[Result]], ChildrenOf("parent", "child")] = Field(alias="renamed")

    flow: Any = Flow[First | Parent | Last, Params, Literal["user_id", "role_ids"]]
    made = flow(
        options(
            QueueOptions("first", First, "parent"),
            QueueOptions("parent", Parent, "last", children=[QueueOptions("child", Child)]),
            QueueOptions("last", Last),
            lookup_attributes=["role_ids", "user_id"],
            job_ttl=None,
            retention=Retention(),
            namespace="{tag}",
        )
    )
    made.create_workers(First, first, count=2)
    made.create_parent_workers(Parent)
    made.create_child_workers(Parent, Child, lambda _job: None)
    assert [worker.queue for worker in made.workers] == ["first", "first", "parent", "parent:child"]
    assert {worker.status for worker in made.workers} == {"stopped"}


def test_the_first_queue_needs_what_jobs_are_created_with() -> None:
    """A field that nothing could have written before the first queue is seen at once."""

    class Needs(Job):
        missing: int

    flow: Any = Flow[Needs, Params]
    with refused("Needs.missing of the first queue 'first' is no field of Params"):
        flow(options(QueueOptions("first", Needs)))


def test_a_worker_function_of_another_queue() -> None:
    """What it says that it takes is compared with the queue's job class."""
    with refused("takes a Second, but the jobs of queue 'first' are First"):
        declared().create_workers("first", second)

"""Each argument of each public call: what is of another type is refused by an error of ours, before anything is sent.

Nobody listens where these flows would connect: whatever is not refused at once fails with another error.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from pydantic import BaseModel

import flows
from flows import (
    BulkJob,
    ChildJob,
    CurrentJob,
    Debounce,
    DeclarationError,
    Endings,
    Fail,
    Flow,
    FlowOptions,
    Job,
    JobOptions,
    JobRecord,
    JobState,
    Limiter,
    Query,
    QueueOptions,
    Retention,
    Retries,
    Retry,
    Slots,
    Snooze,
    Unique,
    ValidationError,
    Worker,
)
from flows.pipeline.ending_log import EndingLog
from flows.telemetry.events import Events
from tests.typing.test_run_time import NOWHERE

ID = "01900000-0000-7000-8000-000000000000"


class Params(BaseModel):
    """What a job is created with."""

    n: int = 0


class Step(Job):
    """What its function sees."""

    n: int


class Part(Job):
    """A child."""


async def step(job: Step) -> None:
    """Do nothing."""


def step_flow() -> Flow[Step, Params]:
    """Return a flow that cannot connect."""
    whole = QueueOptions("whole", job=Step, children=[QueueOptions("part", job=Part)])
    first = QueueOptions("step", job=Step, next_queue="whole")
    options = FlowOptions("typed", [first, whole], redis_url=NOWHERE)
    return Flow[Step, Params](options)


def served_flow() -> Flow[Step, Params]:
    """Return a flow with a worker that does not run."""
    flow = step_flow()
    flow.create_workers(Step, step)
    return flow


def looked_up() -> Flow[Step, Params, Any]:
    """Return a flow with a lookup attribute."""
    options = FlowOptions("typed", [QueueOptions("step", job=Step)], ["n"], redis_url=NOWHERE)
    return Flow[Step, Params](options)


def log_flow() -> Flow[Step, Params]:
    """Return a flow that logs its endings."""
    options = FlowOptions("typed", [QueueOptions("step", job=Step)], redis_url=NOWHERE, endings=Endings())
    return Flow[Step, Params](options)


def record() -> JobRecord[Params]:
    """Return the record of a job."""
    return JobRecord(
        job_id=ID, flow_name="typed", status=JobState.DONE, queue="step", attempts=1, error=None, worker="", history=[],
        progress=None, children=[], fields={}, params_class=Params,
    )  # fmt: skip


def bulk_job() -> BulkJob:
    """Return a bulk action that was begun."""
    return BulkJob(step_flow()._runtime, ID)


def current() -> CurrentJob:
    """Return an attempt, as its function sees it."""
    return CurrentJob(ID, "step", 1, 1, 0, lambda *_report: None)


NO_ID = (None, 5, b"x", "", "x", [ID])
NO_CURSOR = ("", "x", 5, b"1", "-1", "1" * 16)
NO_TEXT = (None, 5, b"x", ["x"])
NO_FLAG = (None, 0, 1, "yes", "False")
NO_SECONDS = ("5", float("nan"), True, [5], b"5")
NO_COUNT = (None, 0, -1, True, "5", 1.5)
NO_NUMBER = (0, -1, True, "5", 1.5, 1_000_001)
NO_PRIORITY = (0, 9, -1, True, "1", 1.5)
NO_LIST = (5, "abc", b"abc", object())
NO_NAME = (None, 5, "", b"x", "a b")
NO_QUEUE = (None, 5, "other", Params, ["step"], step)
NO_TIME = ("1 s", True, -1, 0, float("nan"), b"5")
NO_LIFESPAN = (5, "step", step)
NO_FUNCTION = (None, 5, "step", step_flow, lambda: None)
#: To linger takes a batch, whatever the time.
NO_BATCH = {"batch": (0, -1, True, "5", 1.5), "linger": (*NO_TIME, 0.1)}
NO_DELAY = ("1 s", True, -1, float("nan"), b"5", [5])
NO_OPTIONS = {
    "correlation_id": (5, b"x", ["x"]),
    "delay": NO_DELAY,
    "run_at": ("1 s", 5, datetime(2026, 1, 1), date(2026, 1, 1)),  # noqa: DTZ001
    "priority": NO_PRIORITY,
    "cost": NO_NUMBER,
    "idempotency_key": (5, b"x", ["x"], "", "x" * 201),
    "unique": (5, "key", Unique, ["key"]),
    "debounce": (5, "key", Debounce, ("key", 5)),
}

#: Of each call: how it is made, what is given where nothing is wrong, and what is refused of each argument.
CALLS: dict[str, tuple[Callable[[], Callable[..., Any]], dict[str, Any], dict[str, tuple[Any, ...]]]] = {
    "Flow.create_job": (
        lambda: step_flow().create_job,
        {"params": Params()},
        {"params": (None, 5, {"n": 1}, Params, Step), **NO_OPTIONS},
    ),
    "Flow.create_jobs": (
        lambda: step_flow().create_jobs,
        {"many": []},
        {"many": (None, 5, "ab", {"n": 1}, Params(), Params), **NO_OPTIONS},
    ),
    "Flow.get_job": (lambda: step_flow().get_job, {"job_id": ID}, {"job_id": NO_ID, "resolve_children": NO_FLAG}),
    "Flow.get_jobs": (
        lambda: step_flow().get_jobs,
        {"ids": [ID]},
        {
            "ids": (None, 5, ID, b"x", {ID: 1}, [None], [5], ["x"]),
            "resolve_children": NO_FLAG,
            "keys_to_get": (5, "name", b"x", [5], [None]),
        },
    ),
    "Flow.get_jobs_by_key": (
        lambda: looked_up().get_jobs_by_key,
        {"key_name": "n", "value": 1},
        {
            "key_name": (None, 5, "other", ["n"]),
            "value": (None, b"x", [1], object()),
            "resolve_children": NO_FLAG,
            "limit": NO_COUNT,
            "offset": (None, -1, True, "5", 1.5),
            "newest_first": NO_FLAG,
        },
    ),
    "Flow.wait_for": (
        lambda: step_flow().wait_for,
        {"job_id": ID, "timeout": 1},
        {"job_id": NO_ID, "timeout": (None, *NO_SECONDS)},
    ),
    "Flow.cancel_job": (lambda: step_flow().cancel_job, {"job_id": ID}, {"job_id": NO_ID, "reason": NO_TEXT}),
    "Flow.retry_job": (lambda: step_flow().retry_job, {"job_id": ID}, {"job_id": NO_ID}),
    "Flow.set_priority": (
        lambda: step_flow().set_priority,
        {"job_id": ID, "priority": 1},
        {"job_id": NO_ID, "priority": (None, *NO_PRIORITY, 2)},
    ),
    "Flow.delete_job": (lambda: step_flow().delete_job, {"job_id": ID}, {"job_id": NO_ID}),
    "Flow.get_log": (lambda: step_flow().get_log, {"job_id": ID}, {"job_id": NO_ID}),
    "Flow.stream": (lambda: step_flow().stream, {"job_id": ID}, {"job_id": NO_ID, "after": NO_CURSOR}),
    "Flow.queue": (lambda: step_flow().queue, {"queue": "step"}, {"queue": NO_QUEUE}),
    "Flow.processes": (lambda: step_flow().processes, {}, {}),
    "Flow.states": (lambda: step_flow().states, {}, {}),
    "Flow.explain": (lambda: step_flow().explain, {"job_id": ID}, {"job_id": NO_ID}),
    "Flow.bulk_job": (lambda: step_flow().bulk_job, {"job_id": ID}, {"job_id": NO_ID}),
    "Flow.position": (lambda: step_flow().position, {"job_id": ID}, {"job_id": NO_ID}),
    "Query.where": (
        lambda: looked_up().jobs.where,
        {"key": "n", "value": 1},
        {"key": (None, 5, "other", ["n"]), "value": (None, b"x", [1], object())},
    ),
    "Query.status": (
        lambda: lambda states: step_flow().jobs.status(*states),
        {"states": ["failed"]},
        {"states": ([], [None], [5], ["over"], [["failed"]])},
    ),
    "Query.queue": (
        lambda: lambda queues: step_flow().jobs.queue(*queues),
        {"queues": ["step"]},
        {"queues": ([], *([queue] for queue in NO_QUEUE))},
    ),
    "Query.created": (
        lambda: step_flow().jobs.created,
        {"since": datetime(2026, 1, 1, tzinfo=UTC), "until": datetime(2026, 1, 2, tzinfo=UTC)},
        {name: (5, "today", datetime(2026, 1, 1), date(2026, 1, 1)) for name in ("since", "until")},  # noqa: DTZ001
    ),
    "Query.with_conditions": (
        lambda: step_flow().jobs.with_conditions,
        {"plain": {"any": []}},
        {"plain": (None, 5, "x", [], {}, {"any": [5]})},
    ),
    "Query.parse": (lambda: step_flow().jobs.parse, {"text": "state:failed"}, {"text": (*NO_TEXT, "n:1", "state:x")}),
    "Query.page": (
        lambda: step_flow().jobs.page,
        {},
        {"cursor": NO_TEXT, "limit": (*NO_COUNT, 1001), "newest_first": (0, 1, "yes")},
    ),
    "Query.count": (lambda: step_flow().jobs.count, {}, {}),
    "Flow.move_job": (
        lambda: step_flow().move_job,
        {"job_id": ID, "to": "step"},
        {"job_id": NO_ID, "to": (*NO_QUEUE, "whole:part")},
    ),
    "Query.move": (lambda: step_flow().jobs.move, {"to": "step"}, {"to": NO_QUEUE, "undo": NO_DELAY}),
    "Query.retry": (lambda: step_flow().jobs.retry, {}, {"undo": NO_DELAY}),
    "Query.cancel": (lambda: step_flow().jobs.cancel, {}, {"reason": NO_TEXT, "undo": NO_DELAY}),
    "Query.delete": (lambda: step_flow().jobs.delete, {}, {"undo": NO_DELAY}),
    "BulkJob.progress": (lambda: bulk_job().progress, {}, {}),
    "BulkJob.wait": (lambda: bulk_job().wait, {"timeout": 1}, {"timeout": (None, *NO_SECONDS)}),
    "BulkJob.cancel": (lambda: bulk_job().cancel, {}, {}),
    "BulkJob.log": (lambda: bulk_job().log, {}, {}),
    "Query.to_dict": (lambda: step_flow().jobs.to_dict, {}, {}),
    "Flow.create_workers": (
        lambda: step_flow().create_workers,
        {"queue": "step", "worker_function": step},
        {
            "queue": NO_QUEUE,
            "worker_function": NO_FUNCTION,
            "count": NO_COUNT,
            "concurrency": NO_COUNT,
            "executor": (5, "thread", True),
            **NO_BATCH,
        },
    ),
    "Flow.worker": (
        lambda: lambda **given: step_flow().worker(**given)(step),
        {"queue": "step"},
        {
            "queue": NO_QUEUE,
            "lifespan": NO_LIFESPAN,
            "count": NO_COUNT,
            "concurrency": NO_COUNT,
            "executor": (5, "thread", True),
            **NO_BATCH,
        },
    ),
    "Flow.create_parent_workers": (
        lambda: step_flow().create_parent_workers,
        {"queue": "whole"},
        {"queue": NO_QUEUE, "count": NO_COUNT, "concurrency": NO_COUNT},
    ),
    "Flow.create_child_workers": (
        lambda: step_flow().create_child_workers,
        {"parent_queue": "whole", "child": Part, "worker_function": step},
        {
            "parent_queue": NO_QUEUE,
            "child": NO_QUEUE,
            "worker_function": NO_FUNCTION,
            "count": NO_COUNT,
            "concurrency": NO_COUNT,
            "executor": (5, "thread", True),
            **NO_BATCH,
        },
    ),
    "Flow.child_worker": (
        lambda: lambda **given: step_flow().child_worker(**given)(step),
        {"parent_queue": "whole", "child": "part"},
        {
            "parent_queue": NO_QUEUE,
            "child": NO_QUEUE,
            "lifespan": NO_LIFESPAN,
            "count": NO_COUNT,
            "concurrency": NO_COUNT,
            "executor": (5, "thread", True),
            **NO_BATCH,
        },
    ),
    "Flow.start_all": (lambda: step_flow().start_all, {}, {}),
    "Flow.stop_all": (lambda: step_flow().stop_all, {}, {"grace": NO_SECONDS}),
    "Flow.serve_only": (
        lambda: lambda queues: served_flow().serve_only(*queues),
        {"queues": ["step"]},
        {"queues": ([5], [Flow], ["nothing"], [None], [], ["step", ["step"]])},
    ),
    "Flow.run": (
        lambda: step_flow().run,
        {},
        {"grace": NO_SECONDS, "signals": NO_FLAG, "wait_for_server": NO_SECONDS},
    ),
    "flows.run": (
        lambda: lambda flows=(), **given: partial(flows_run, *flows)(**given),
        {"flows": [step_flow()]},
        {"flows": ([5], [Flow], ["typed"], [None]), "grace": NO_SECONDS, "wait_for_server": NO_SECONDS},
    ),
    "Worker.start": (lambda: step_flow().create_workers(Step, step)[0].start, {}, {}),
    "Worker.stop": (lambda: step_flow().create_workers(Step, step)[0].stop, {}, {"grace": NO_SECONDS}),
    "Events.subscribe": (
        lambda: step_flow().events.subscribe,
        {},
        {"listener": (None, 5, "print", step, lambda: None, Step), "names": ()},
    ),
    "Events.wait_for": (
        lambda: step_flow().events.wait_for,
        {"name": "job.done"},
        {"name": (None, 5, "job.over"), "fields": ({"job": 1},)},
    ),
    "CurrentJob.stream": (lambda: current().stream, {"text": "x"}, {"text": NO_TEXT}),
    "CurrentJob.progress": (
        lambda: current().progress,
        {"value": 0.5},
        {"value": (None, "0.5", True, 2, -1, float("nan"), [0.5]), "message": NO_TEXT},
    ),
    "CurrentJob.log": (
        lambda: current().log,
        {"text": "x"},
        {"text": NO_TEXT, "level": (None, 30, "warn", True, ["info"]), "meta": ({"n": 1}, {"x": object()})},
    ),
    "JobRecord.to_dict": (lambda: record().to_dict, {}, {}),
    "JobRecord.to_json": (lambda: record().to_json, {}, {}),
    "JobRecord.view": (lambda: record().view, {}, {"model": (None, 5, "Step", Step(id=ID, flow_name="x", n=1), dict)}),
    "Flow": (lambda: Flow[Step, Params], {}, {"options": (None, 5, "typed", {}, QueueOptions("step", job=Step))}),
    "FlowOptions": (
        lambda: FlowOptions,
        {"name": "typed", "queues": [QueueOptions("step", job=Step)]},
        {
            "name": NO_NAME,
            "queues": (None, 5, "step", [], [5], [None], [Step], QueueOptions("step", job=Step)),
            "lookup_attributes": (None, 5, "n", [5], [None]),
            "logger": (5, "typed", print),
            "namespace": (None, 5, b"x", "a b"),
            "redis_url": (5, b"redis://x", "x", ["redis://x"]),
            "job_ttl": NO_TIME,
            "retention": NO_TIME,
            "max_payload": NO_COUNT,
            "lease": (None, *NO_TIME),
            "hang_limit": (None, *NO_TIME),
            "max_crashes": NO_COUNT,
            "allow_eviction": NO_FLAG,
            "describe": NO_FLAG,
            "endings": (5, True, "x", {"days": 5}),
            "middleware": (None, 5, "x", [5], [None]),
        },
    ),
    "QueueOptions": (
        lambda: QueueOptions,
        {"name": "step", "job": Step},
        {
            "name": NO_NAME,
            "job": (None, 5, "Step", Params, dict),
            "next_queue": (5, b"x", True, Step),
            "children": (None, 5, "x", [5], [None], QueueOptions("part", job=Part)),
            "on_child_failure": (None, 5, "stop", True),
            "retries": (3, True, "3", {}),
            "formerly": (None, 5, "scale", [5], [None], ["not a name"]),
            "timeout": NO_TIME,
            "priorities": (None, 0, 9, -1, 1.5, True, "3", [], [0], [1] * 9, ["8", 1], [True, 1], [float("nan"), 1]),
            "next_queue_priority_diff": (None, 8, -8, 0.5, "1", True),
            "group_by": (5, "", "_n", "no field", b"n", True),
            "limits": (None, 5, "5/1s", [5], [None], Limiter(5, 1)),
            "max_concurrency": NO_NUMBER,
            "max_concurrency_per_group": NO_NUMBER,
            "shared": NO_FLAG,
        },
    ),
    "Limiter": (
        lambda: Limiter,
        {"reservoir": 5, "interval": 1},
        {
            "reservoir": (None, *NO_NUMBER),
            "interval": (None, 0, -1, 0.009, timedelta(days=32), "1s", True, float("nan")),
            "group_key": (5, "", "_n", "no field", b"n"),
            "id": (5, "", "a b", "q:1", b"x", "x" * 65),
            "smooth": NO_FLAG,
        },
    ),
    "Slots": (lambda: Slots, {"most": 5, "id": "gpu"}, {"most": (None, *NO_NUMBER), "id": (None, 5, "", "a b", b"x")}),
    "ChildJob": (
        lambda: ChildJob,
        {"child": "part", "params": {}},
        {
            "child": (None, 5, b"part", [], Params, dict),
            "params": (None, 5, "x", ["n"], Params),
            "children": (None, 5, "x", {}, ChildJob("part", {})),
            "priority": NO_PRIORITY,
            "cost": NO_NUMBER,
        },
    ),
    "Unique": (
        lambda: Unique,
        {"key": "k"},
        {"key": (None, 5, b"x", "", "x" * 201), "until": (5, "over", True), "within": NO_TIME},
    ),
    "Debounce": (
        lambda: Debounce,
        {"key": "k", "wait": 5},
        {"key": (None, 5, b"x", "", "x" * 201), "wait": (None, *NO_TIME), "longest": (*NO_TIME, 4)},
    ),
    "Retries": (
        lambda: Retries,
        {},
        {
            "max_attempts": NO_COUNT,
            "backoff": (None, "1", -1, [], [None], float("nan"), True),
            "jitter": NO_FLAG,
            "max_delay": (None, "1", -1, float("nan"), True),
            "retry_on": (None, ValueError, [ValueError], (5,), "ValueError"),
            "give_up_on": (None, ValueError, [ValueError], (5,), "ValueError"),
        },
    ),
    "Retention": (
        lambda: Retention,
        {},
        {"done": (None, *NO_TIME), "failed": (None, *NO_TIME), "cancelled": (None, *NO_TIME)},
    ),
    "Endings": (
        lambda: Endings,
        {},
        {
            "days": (*NO_COUNT, 40_000),
            "most": NO_COUNT,
            "fields": ({"fields": one} for one in (None, "a", 5, [5], ["id"])),
        },
    ),
    "EndingLog.page": (
        lambda: log_flow().endings.page,
        {"outcome": "failed"},
        {
            "outcome": (None, 5, "finished", ["done"]),
            "day": (5, "2026-01-01", datetime.now(UTC)),
            "timezone": (),  # with a day, as `count` has it
            "error": (5, b"x", ["x"]),
            "fields": tuple({"fields": one} for one in (5, "a", ["a"], {"a": 1}, {5: 1})),
            "limit": (*NO_COUNT, 10_001),
            "after": (None, 5, "x", b"1-0"),
            "newest_first": NO_FLAG,
        },
    ),
    "EndingLog.count": (
        lambda: log_flow().endings.count,
        {"outcome": "failed", "day": date(2026, 1, 1)},
        {
            "outcome": (None, 5, "finished", ["done"]),
            "day": (None, 5, "2026-01-01", datetime.now(UTC)),
            "timezone": (None, 5, "Mars", "../x", b"UTC"),
            "days": (*NO_COUNT, 367),
            "by": (None, 5, b"x", "a"),
        },
    ),
    "Fail": (lambda: Fail, {}, {"type": (5, b"x", "", "a b", "x" * 65, ["x"])}),
    "Retry": (lambda: Retry, {}, {"after": ("1", -1, float("nan"), True, [1])}),
    "Snooze": (
        lambda: Snooze,
        {},
        {"after": ("1", -1, float("nan"), True, [1]), "until": ("1", 5, True), "hold": (5, "", "all", True, ["queue"])},
    ),
}
#: What takes anything: a reason becomes its text.
TAKES_ANYTHING = {("Fail", "reason"), ("Retry", "reason"), ("Snooze", "reason")}


def flows_run(*given: Any, **more: Any) -> Any:
    """Call `flows.run`, which has a loop of its own, as if there were none here."""
    return flows.run(*given, **more)


def cases() -> Iterator[object]:
    """Yield each value that is refused, with the call and the argument."""
    for call, (make, given, refused) in CALLS.items():
        for argument, values in refused.items():
            for value in values:
                name = getattr(value, "__name__", None) or re.sub(r" at 0x\w+|flows\.|'", "", repr(value))[:40]
                yield pytest.param(make, given, argument, value, id=f"{call}-{argument}-{name}")


@pytest.mark.parametrize(("make", "given", "argument", "value"), list(cases()))
async def test_an_argument_of_another_type_is_refused(
    make: Callable[[], Callable[..., Any]], given: dict[str, Any], argument: str, value: Any
) -> None:
    """By a typed error that shows what was given, or names it; nothing was sent."""
    arguments = {**given, **(value if argument in {"meta", "fields"} else {argument: value})}

    async def call() -> None:
        answer = make()(**arguments)
        if inspect.isawaitable(answer):
            await answer

    with pytest.raises((ValidationError, DeclarationError)) as raised:
        await call()
    assert len(str(raised.value)) < 600


def public_calls() -> Iterator[tuple[str, set[str]]]:
    """Yield the public methods and classes that users call, with the names of their arguments."""
    for owner in (Flow, Query, BulkJob, Worker, Events, CurrentJob, JobRecord, EndingLog):
        for name, method in inspect.getmembers(owner, inspect.isfunction):
            if not name.startswith("_") and f"{owner.__name__}.{name}" not in OURS:
                names = set(inspect.signature(method).parameters) - {"self"}
                options = {*JobOptions.__annotations__} if "options" in names else set[str]()
                yield f"{owner.__name__}.{name}", names - {"options"} | options
    for called in (
        FlowOptions,
        QueueOptions,
        ChildJob,
        Retries,
        Retention,
        Endings,
        Fail,
        Retry,
        Snooze,
        Limiter,
        Slots,
        Unique,
        Debounce,
    ):
        yield called.__name__, set(inspect.signature(called).parameters)
    yield "flows.run", set(inspect.signature(flows.run).parameters)


#: What only the kernel calls.
OURS = {
    "Worker.ask_to_stop", "Events.emit", "Events.emit_now", "Events.emit_seldom", "Events.wants",
    "CurrentJob.pass_on", "JobRecord.job_lists", "JobRecord.raw",
}  # fmt: skip


def test_each_argument_of_each_call_stands_here() -> None:
    """Whatever is added to a public signature has to be added to the table above."""
    known = {call: {*given, *refused} for call, (_make, given, refused) in CALLS.items()}
    for call, argument in TAKES_ANYTHING:
        known[call].add(argument)
    missing = {call: arguments - known.get(call, set()) for call, arguments in public_calls()}
    assert {call: arguments for call, arguments in missing.items() if arguments or call not in known} == {}
    untried = {(call, name) for call, (_make, given, refused) in CALLS.items() for name in given if name not in refused}
    assert untried == set()

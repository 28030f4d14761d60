"""Traces: one from whoever creates a job over all its queues to its grandchildren, read from a real exporter."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from redis import Redis

from flows import (
    Cancel,
    DuplicateJob,
    Fail,
    JobResult,
    MissingExtra,
    Retries,
    Retry,
    Snooze,
    Unique,
    Verdict,
    current_job,
)
from flows.monitor import OpenTelemetry
from tests.kernel.parts import Function, Given, MakeFlow, Work, in_process, number_flow
from tests.pipeline.parts import LONG, Added, Numbers, One, Value, list_flow, split, total, within


@pytest.fixture
def spans() -> InMemorySpanExporter:
    """Keep the spans that have ended."""
    return InMemorySpanExporter()


@pytest.fixture
def provider(spans: InMemorySpanExporter) -> Iterator[TracerProvider]:
    """Make a provider whose spans are kept."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    yield provider
    provider.shutdown()


@pytest.fixture
def make_flow(redis_url: str, namespace: str) -> MakeFlow:
    """Make flows of one queue in the test's namespace: see `number_flow`."""
    return partial(number_flow, redis_url, namespace)


def named(spans: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    """Return the spans of a name, in the order in which they have ended."""
    return [span for span in spans.get_finished_spans() if span.name == name]


def traces(spans: InMemorySpanExporter) -> set[int]:
    """Return the ids of all traces."""
    return {span.get_span_context().trace_id for span in spans.get_finished_spans()}


async def test_one_trace_from_the_producer_to_a_grandchild(
    redis_url: str, namespace: str, spans: InMemorySpanExporter, provider: TracerProvider
) -> None:
    """Each queue's attempt, and those of children and theirs, belong to the span in which the job was created."""
    lists = list_flow(redis_url, namespace, middleware=[OpenTelemetry(provider)])
    seen: list[int] = []

    async def one(job: One) -> Value:
        seen.append(trace.get_current_span().get_span_context().span_id)
        return Value(value=job.number)

    lists.create_workers("split", split)
    lists.create_child_workers("add", One, one)
    lists.create_parent_workers("add:many")
    lists.create_child_workers("add:many", One, one)  # type: ignore[type-var]
    lists.create_workers("total", total)
    async with lists:
        with provider.get_tracer("mine").start_as_current_span("request"):
            job_id = await lists.create_job(Numbers(numbers=[1], nested=[[2, 3]]), correlation_id="order 62")
        record = await within(lists.wait_for(job_id, LONG))
    assert record.view(Added).endings == ["done"]
    (request,), (create,) = named(spans, "request"), named(spans, "create split")
    processed = [span for span in spans.get_finished_spans() if span.kind == SpanKind.CONSUMER]
    assert sorted(span.name for span in processed) == [
        *("process add:many:one", "process add:many:one", "process add:one", "process split", "process total")
    ]
    assert len(traces(spans)) == 1
    assert create.parent is not None
    assert create.parent.span_id == request.get_span_context().span_id
    assert {span.parent.span_id for span in processed if span.parent} == {create.get_span_context().span_id}
    assert all(span.parent is not None and span.parent.is_remote for span in processed)
    ones = [span.get_span_context().span_id for span in processed if span.name.endswith(":one")]
    assert sorted(seen) == sorted(ones)


async def test_spans_say_what_the_conventions_ask_for(
    make_flow: MakeFlow, spans: InMemorySpanExporter, provider: TracerProvider
) -> None:
    """Of a creation and of an attempt."""
    async with make_flow(in_process, executor="process", middleware=[OpenTelemetry(provider)]) as flow:
        job_id = await flow.create_job(Given(), correlation_id="c 7")
        await within(flow.wait_for(job_id, LONG))
    (create,), (process,) = named(spans, "create work"), named(spans, "process work")
    common = {
        "messaging.system": "flows",
        "messaging.destination.name": "work",
        "messaging.message.id": job_id,
        "messaging.message.conversation_id": "c 7",
        "flows.flow": "numbers",
    }
    operation = {"messaging.operation.name": "create", "messaging.operation.type": "create"}
    assert (create.kind, dict(create.attributes or {})) == (SpanKind.PRODUCER, common | operation)
    operation = {"messaging.operation.name": "process", "messaging.operation.type": "process"}
    assert dict(process.attributes or {}) == common | operation | {"flows.attempt": 1}
    assert (process.kind, process.status.status_code) == (SpanKind.CONSUMER, StatusCode.UNSET)


def test_plain_callers_and_many_jobs(
    make_flow: MakeFlow, spans: InMemorySpanExporter, provider: TracerProvider, redis: Redis, namespace: str
) -> None:
    """`flow.sync` creates in the span of its caller, and each job of many carries a span of its own."""
    flow = make_flow(middleware=[OpenTelemetry(provider)])
    with provider.get_tracer("mine").start_as_current_span("view"):
        ids = flow.sync.create_jobs([Given(), Given()])
    flow.sync.close()
    (view,), created = named(spans, "view"), named(spans, "create work")
    assert [span.parent.span_id for span in created if span.parent] == [view.get_span_context().span_id] * 2
    carried = [redis.hget(f"{namespace}job:numbers:{job_id}", "_carried") for job_id in ids]
    contexts = [span.get_span_context() for span in created]
    parents = [json.loads(text or "")["traceparent"].rsplit("-", 1)[0] for text in carried]
    assert parents == [f"00-{one.trace_id:032x}-{one.span_id:016x}" for one in contexts]


async def test_each_attempt_is_a_span(
    make_flow: MakeFlow, spans: InMemorySpanExporter, provider: TracerProvider
) -> None:
    """A retry is one of its own, with its number, and the one that failed says by what."""

    async def failing(_job: Work) -> None:
        if current_job().attempt == 1:
            raise ValueError("not yet")

    options = {"retries": Retries(2, timedelta(milliseconds=1)), "middleware": [OpenTelemetry(provider)]}
    async with make_flow(failing, **options) as flow:
        await within(flow.wait_for(await flow.create_job(Given()), LONG))
    first, second = named(spans, "process work")
    assert [(span.attributes or {})["flows.attempt"] for span in (first, second)] == [1, 2]
    assert (first.attributes or {})["error.type"] == "ValueError"
    assert (first.status.status_code, first.status.description) == (StatusCode.ERROR, "not yet")
    (event,) = first.events
    told = dict(event.attributes or {})
    assert (event.name, told["exception.type"], told["exception.message"]) == ("exception", "ValueError", "not yet")
    assert "failing" in str(told["exception.stacktrace"])
    assert (second.status.status_code, len(traces(spans))) == (StatusCode.UNSET, 1)


def returning(said: JobResult | Verdict | None) -> Function:
    """Return a function that returns what is said in its first attempt."""

    async def function(_job: Work) -> JobResult | Verdict | None:
        return said if current_job().visit == 0 and not seen.pop() else None

    seen = [True, False]
    return function


def raising(error: BaseException) -> Function:
    """Return a function that raises in its first attempt."""

    async def function(_job: Work) -> None:
        if not seen.pop():
            raise error

    seen = [True, False]
    return function


class Unspeakable(Exception):
    """An error without a text."""

    def __str__(self) -> str:
        raise ValueError("no text")


@pytest.mark.parametrize(
    ("function", "error"),
    [
        (returning(Retry("busy", after=0)), ("Retry", "busy")),
        (raising(Retry("busy", after=0)), ("Retry", "busy")),
        (raising(Fail("no such user")), ("Fail", "no such user")),
        (returning(Snooze("later", after=0)), (None, None)),
        (raising(Snooze("later", after=0)), (None, None)),
        (raising(Cancel("enough")), (None, None)),
        (raising(Unspeakable()), ("Unspeakable", "its text could not be made")),
        (raising(ValueError("half \ud800")), ("ValueError", "half ?")),
    ],
)
async def test_what_verdicts_and_errors_say(
    make_flow: MakeFlow,
    spans: InMemorySpanExporter,
    provider: TracerProvider,
    function: Function,
    error: tuple[str | None, str | None],
) -> None:
    """A retry and a failure are errors of the span, a snooze and a cancel are none, however they were said."""
    async with make_flow(function, middleware=[OpenTelemetry(provider)]) as flow:
        await within(flow.wait_for(await flow.create_job(Given()), LONG))
    first = named(spans, "process work")[0]
    assert first.status.status_code == (StatusCode.UNSET if error[0] is None else StatusCode.ERROR)
    assert ((first.attributes or {}).get("error.type"), first.status.description) == error


@pytest.mark.parametrize("timeout", [timedelta(milliseconds=50), None])
async def test_an_attempt_that_is_stopped(
    make_flow: MakeFlow, spans: InMemorySpanExporter, provider: TracerProvider, timeout: timedelta | None
) -> None:
    """Over its timeout it is an error; cancelled by hand it says so and is none."""
    begun = asyncio.Event()

    async def waiting(_job: Work) -> None:
        begun.set()
        await asyncio.Event().wait()

    async with make_flow(waiting, timeout=timeout, middleware=[OpenTelemetry(provider)]) as flow:
        job_id = await flow.create_job(Given())
        await within(begun.wait())
        if timeout is None:
            await flow.cancel_job(job_id)
        await within(flow.wait_for(job_id, LONG))
    (span,) = named(spans, "process work")
    expected = ("CancelledError", StatusCode.UNSET) if timeout is None else ("Timeout", StatusCode.ERROR)
    assert ((span.attributes or {})["error.type"], span.status.status_code) == expected


async def test_a_creation_that_fails_says_so(
    make_flow: MakeFlow, spans: InMemorySpanExporter, provider: TracerProvider
) -> None:
    """And raises what it would have raised."""
    async with make_flow(middleware=[OpenTelemetry(provider)], max_payload=100) as flow:
        await flow.create_job(Given())
        with pytest.raises(ValueError, match="take"):
            await flow.create_job(Given(), correlation_id="x" * 200)
    good, bad = named(spans, "create work")
    assert (good.status.status_code, bad.status.status_code) == (StatusCode.UNSET, StatusCode.ERROR)
    assert (bad.attributes or {})["error.type"] == "PayloadTooLarge"


async def test_calls_with_a_key_name_the_job_that_is_there(
    make_flow: MakeFlow, spans: InMemorySpanExporter, provider: TracerProvider
) -> None:
    """Each call is a span: of the job that it has created, or found by its key; what was refused says so."""
    async with make_flow(in_process, middleware=[OpenTelemetry(provider)]) as flow:
        first = await flow.create_job(Given(), idempotency_key="k", delay=60)
        assert await flow.create_job(Given(), idempotency_key="k") == first
        unique = await flow.create_job(Given(), unique=Unique("k"), delay=60)
        with pytest.raises(DuplicateJob):
            await flow.create_job(Given(), unique=Unique("k"))
    made = [dict(span.attributes or {}) for span in named(spans, "create work")]
    assert [attributes.get("messaging.message.id") for attributes in made] == [first, first, unique, None]
    assert made[-1]["error.type"] == "DuplicateJob"


async def test_where_nothing_is_traced_nothing_is_carried(make_flow: MakeFlow, redis: Redis, namespace: str) -> None:
    """A program without an SDK has no spans, and its jobs no field."""
    async with make_flow(middleware=[OpenTelemetry(trace.NoOpTracerProvider())]) as flow:
        job_id = await flow.create_job(Given())
    assert redis.hexists(f"{namespace}job:numbers:{job_id}", "_carried") is False


def test_without_its_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """`flows.monitor` can be imported all the same."""
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", None)
    with pytest.raises(MissingExtra, match=r"OpenTelemetry needs the extra `otel`"):
        OpenTelemetry()

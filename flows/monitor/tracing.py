"""Traces jobs by OpenTelemetry, from whoever creates them through every queue to the children of their children."""

from __future__ import annotations

import asyncio
import importlib
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from flows.errors import MissingExtra
from flows.kernel.around.middleware import Middleware
from flows.kernel.process.messages import FailedInProcess
from flows.model.texts import text_of, trace_of, writable
from flows.model.verdict import Fail, Retry, Verdict

if TYPE_CHECKING:
    from collections.abc import Generator

    from flows.kernel.around.middleware import AttemptNext, CreateNext, Creation
    from flows.kernel.current import CurrentJob
    from flows.model.job import Job, JobResult

#: What a span's description holds at most, in characters.
_LONGEST: Final = 1_000


class OpenTelemetry(Middleware):
    """Middleware that makes a span of each creation and of each attempt: `FlowOptions(middleware=[OpenTelemetry()])`.

    `create <queue>` is a producer's span, and `process <queue>` a consumer's, for each attempt one; all of a job's
    attempts, in whatever queue, and those of its children are children of the span that has created the job. Names and
    attributes are those of OpenTelemetry's conventions for messaging. What exports the spans is the program's own. It
    needs the extra `otel`.

    Args:
        tracer_provider: An `opentelemetry.trace.TracerProvider`; None: the program's, as OpenTelemetry knows it.

    Raises:
        MissingExtra: opentelemetry-api is not installed.
    """

    def __init__(self, tracer_provider: object = None) -> None:
        try:
            self._trace: Any = importlib.import_module("opentelemetry.trace")
            propagation: Any = importlib.import_module("opentelemetry.trace.propagation.tracecontext")
        except ImportError as error:
            raise MissingExtra("OpenTelemetry", "otel") from error
        # Its two texts are short. Others, such as baggage, may be longer than what a job can carry.
        self._propagator: Any = propagation.TraceContextTextMapPropagator()
        self._tracer: Any = self._trace.get_tracer("flows", tracer_provider=tracer_provider)

    async def create(self, creation: Creation, call_next: CreateNext) -> str:
        """Create a job in a span, and let it carry whose it is."""
        attributes = _attributes("create", creation.flow, creation.queue, creation.correlation_id)
        with self._span(f"create {creation.queue}", self._trace.SpanKind.PRODUCER, attributes, None) as span:
            self._propagator.inject(creation.carried)
            try:
                job_id = await call_next(creation)
            except Exception as error:
                self._fail(span, error)
                raise
            span.set_attribute("messaging.message.id", job_id)
            return job_id

    async def attempt(self, job: Job, current: CurrentJob, call_next: AttemptNext) -> JobResult | Verdict | None:
        """Make an attempt in a span of the trace that its job belongs to."""
        attributes = _attributes("process", job.flow_name, current.queue, current.correlation_id)
        attributes |= {"messaging.message.id": current.id, "flows.attempt": current.attempt}
        context = self._propagator.extract(current.carried)
        with self._span(f"process {current.queue}", self._trace.SpanKind.CONSUMER, attributes, context) as span:
            try:
                result = await call_next(job)
            except asyncio.CancelledError as error:
                # It was asked to stop: over its timeout, or else by no fault of its own.
                if current.deadline is not None and time.monotonic() >= current.deadline:
                    self._failed(span, "Timeout", "it ran longer than its timeout")
                else:
                    span.set_attribute("error.type", type(error).__name__)
                raise
            except Verdict as verdict:
                self._judge(span, verdict)
                raise
            except Exception as error:
                self._fail(span, error)
                raise
            self._judge(span, result)
            return result

    @contextmanager
    def _span(self, name: str, kind: Any, attributes: dict[str, str | int], context: Any) -> Generator[Any]:
        # What is raised is told by ourselves: verdicts are no errors, and a text of the user's may be none.
        told: dict[str, Any] = {"record_exception": False, "set_status_on_exception": False}
        with self._tracer.start_as_current_span(
            name, context=context, kind=kind, attributes=attributes, **told
        ) as span:
            yield span

    def _judge(self, span: Any, said: JobResult | Verdict | None) -> None:
        """Mark a span whose function asks for a retry, or fails the job; a snooze and a cancel are no failures."""
        if isinstance(said, (Retry, Fail)):
            self._failed(span, type(said).__name__, said.reason)

    def _fail(self, span: Any, error: Exception) -> None:
        kind, text = type(error).__name__, text_of(error)
        trace = trace_of(error)
        if isinstance(error, FailedInProcess):
            kind, text, trace = error.kind, error.message, error.trace
        told = {"exception.type": kind, "exception.message": text, "exception.stacktrace": trace}
        span.add_event("exception", {name: writable(value) for name, value in told.items()})
        self._failed(span, kind, text)

    def _failed(self, span: Any, kind: str, text: str) -> None:
        span.set_attribute("error.type", kind)
        span.set_status(self._trace.StatusCode.ERROR, writable(text[:_LONGEST]))


def _attributes(operation: str, flow: str, queue: str, correlation_id: str | None) -> dict[str, str | int]:
    attributes: dict[str, str | int] = {
        "messaging.system": "flows",
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.name": queue,
        "flows.flow": flow,
    }
    return attributes if correlation_id is None else {**attributes, "messaging.message.conversation_id": correlation_id}

"""Leaving a tracer's span: with stand-ins for the two modules of OpenTelemetry's, so that no test needs the package."""

from __future__ import annotations

import asyncio
import sys
from contextvars import ContextVar, copy_context
from types import SimpleNamespace

import pytest

from flows.kernel.lanes import Lanes
from flows.telemetry.trace import leave_span
from tests.kernel.test_lanes import Job

current: ContextVar[dict[str, object]] = ContextVar("current")
NO_SPAN = object()


@pytest.fixture
def _tracer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in for the tracer: its context is a dict in a context variable, and the span one key of it."""
    trace = SimpleNamespace(
        INVALID_SPAN=NO_SPAN,
        get_current_span=lambda: current.get({}).get("span", NO_SPAN),
        set_span_in_context=lambda span: {**current.get({}), "span": span},
    )
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", trace)  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "opentelemetry.context", SimpleNamespace(attach=current.set))  # type: ignore[arg-type]


@pytest.mark.usefixtures("_tracer")
async def test_jobs_are_no_part_of_the_span_in_which_workers_start() -> None:
    """Lanes begin in the starter's context, with its baggage, and without its span."""
    seen: list[dict[str, object]] = []
    ended = asyncio.Event()

    async def looking(_job: object) -> None:
        seen.append(current.get())
        ended.set()

    current.set({"span": "start-up", "baggage": "kept"})
    lanes = Lanes(1, looking)  # type: ignore[arg-type]
    lanes.offer([Job()])  # type: ignore[list-item]
    await ended.wait()
    assert seen == [{"span": NO_SPAN, "baggage": "kept"}]
    assert current.get() == {"span": "start-up", "baggage": "kept"}


def test_nothing_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody has imported the tracer, nothing happens."""
    monkeypatch.delitem(sys.modules, "opentelemetry.trace", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)  # type: ignore[arg-type]
    before = set(sys.modules)
    context = copy_context()
    context.run(leave_span)
    assert set(sys.modules) == before
    assert context == copy_context()


def test_a_tracer_that_fails_stops_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some other version, or some other package of that name."""
    for name in ("opentelemetry.trace", "opentelemetry.context"):
        monkeypatch.setitem(sys.modules, name, SimpleNamespace())  # type: ignore[arg-type]
    leave_span()

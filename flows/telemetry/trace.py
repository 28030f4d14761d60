"""Leaves the span of a tracer that is current, without needing the tracer."""

from __future__ import annotations

import sys


def leave_span() -> None:
    """Let no OpenTelemetry span be current in this context; what else stands there (baggage, say) stays.

    Whoever starts a worker inside of a span means the start: the jobs of weeks are no part of it. Where the program
    has not imported OpenTelemetry there is no span, and nothing is imported.
    """
    trace, context = sys.modules.get("opentelemetry.trace"), sys.modules.get("opentelemetry.context")
    if trace is None or context is None:
        return
    try:
        if trace.get_current_span() is not trace.INVALID_SPAN:
            context.attach(trace.set_span_in_context(trace.INVALID_SPAN))
    except Exception:  # noqa: BLE001 - another package's, of whichever version: it is no reason to start no worker
        return

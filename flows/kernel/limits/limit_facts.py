"""What the limits of a queue add to what was found of a job that waits there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flows.model.explain.situation import Situation
    from flows.model.limits.limit_state import LimitState
    from flows.store.rules.read_limits import JobLimits


def with_limits(found: Situation, limits: JobLimits) -> Situation:
    """Return a situation that says what of the limits keeps the job."""
    facts: dict[str, Any] = {"group": limits.group}
    holds = {"queue": limits.held_ms, "group": limits.group_held_ms}
    ends, held = max((until or 0, what) for what, until in holds.items())
    if ends > found.now_ms:
        facts.update(held=held, held_ms=ends)
    for state in limits.states:
        prefix = "group_" if state.per_group else ""
        if state.kind == "limiter":
            _add_limiter(facts, f"{prefix}limiter", state)
        elif state.used is not None and state.used + min(limits.cost, state.live) > state.live:
            facts[f"{prefix}slots"] = (state.used, state.live)
    return replace(found, **facts)


def _add_limiter(facts: dict[str, Any], name: str, state: LimitState) -> None:
    """Keep the limiter which lets the job start last."""
    if state.ready_at is None:
        return
    ready_ms = state.ready_at.timestamp() * 1000
    if ready_ms > facts.get(f"{name}_ms", 0):
        facts.update({name: (state.id, state.used or 0, state.live), f"{name}_ms": ready_ms})

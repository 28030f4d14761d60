"""How far a plain job or a run is, from 0 to 1: the stages behind it, and how far it is in its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.model.state import JobState

if TYPE_CHECKING:
    from collections.abc import Mapping


def job_progress(
    status: str, own: float | None, settled: float | None = None, *, stage: int = 0, stages: int = 1
) -> float:
    """Return how far a job is.

    Args:
        status: Its state; what is done is all of the way.
        own: What it has told last of its own, from 0 to 1; None: nothing.
        settled: Which part of its children have settled; None: it has none.
        stage: How many queues of its way lie behind it.
        stages: How many its way has.
    """
    if status == JobState.DONE:
        return 1.0
    part = own if settled is None else settled
    return (stage + min(1.0, max(0.0, part or 0.0))) / stages


def stage_of(queue: str, following: Mapping[str, str | None]) -> tuple[int, int]:
    """Return how many queues stand before one on its way, and how many the way has.

    Args:
        queue: The queue.
        following: By queue, which one jobs go to next; None: none.
    """
    before = {after: one for one, after in following.items() if after is not None}
    behind, stages = _steps(queue, before), _steps(queue, following)
    return behind, behind + 1 + stages


def _steps(queue: str, way: Mapping[str, str | None]) -> int:
    """Return how many queues there are on a way from one on; a way that comes back to one ends there."""
    seen = {queue}
    at = way.get(queue)
    while at is not None and at not in seen:
        seen.add(at)
        at = way.get(at)
    return len(seen) - 1

"""How far a tree of tasks is: Σ weight·p / Σ weight over all tasks, where p is how far one is.

`clients/react/src/rollup.ts` does the same; both are held to the vectors beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class HasProgress(Protocol):
    """What is known of a task: its record."""

    @property
    def status(self) -> str:
        """Its status."""
        ...

    @property
    def progress(self) -> float:
        """What it told last, from 0 to 1."""
        ...


class Weight(NamedTuple):
    """How much a task counts; a group, which does nothing itself, has the weight 0."""

    path: str
    parent: str
    """The path of the task above it; what is no task of the list: none."""
    weight: float


def roll_up(tasks: Sequence[Weight], records: Mapping[str, HasProgress]) -> dict[str, float]:
    """Return how far each task with all below it is, from 0 to 1, by path; what weighs nothing is at 0.

    Args:
        tasks: Each task after the one above it.
        records: What is known of them, by path.
    """
    mass = {one.path: one.weight for one in tasks}
    done = {one.path: one.weight * how_far(records.get(one.path)) for one in tasks}
    for one in reversed(tasks):
        if one.parent in mass:
            mass[one.parent] += mass[one.path]
            done[one.parent] += done[one.path]
    return {one.path: done[one.path] / mass[one.path] if mass[one.path] > 0 else 0.0 for one in tasks}


def roll_up_all(tasks: Sequence[Weight], records: Mapping[str, HasProgress]) -> float:
    """Return how far all tasks together are, from 0 to 1.

    Args:
        tasks: All of a tree.
        records: What is known of them, by path.
    """
    mass = done = 0.0
    for path, _parent, weight in tasks:
        if weight:
            mass += weight
            done += weight * how_far(records.get(path))
    return done / mass if mass > 0 else 0.0


def how_far(record: HasProgress | None) -> float:
    """Return how far one task is by itself, from 0 to 1."""
    if record is None:
        return 0.0
    if record.status in {"ok", "skipped"}:
        return 1.0
    if record.status in {"running", "failed", "cancelled"}:
        return min(1.0, max(0.0, record.progress))
    return 0.0

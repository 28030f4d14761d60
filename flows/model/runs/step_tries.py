"""The tries of a step that was tried more than once, as its record tells them: in the member `tried`.

A step that was tried once has none of this: `at`, `ms` and the error of its record say all of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.model.runs.step_record import StepRecord

#: So many tries are kept of a step, the newest.
MOST_TRIES: Final = 20


class StepTry(NamedTuple):
    """One try of a step's function."""

    at: int
    """When it began, by the server's clock, in milliseconds."""
    ms: int
    """How long it took, in milliseconds."""
    error: str
    """The type of what it raised; empty: it returned."""


def tried_member(tries: Sequence[StepTry]) -> dict[str, Any]:
    """Return the member of a record in which these stand."""
    return {"tried": [list(one) for one in tries[-MOST_TRIES:]]}


def tries_of(record: StepRecord) -> list[StepTry]:
    """Return the tries that a record tells, oldest first; what was edited into nonsense is left out."""
    listed: Any = record.more.get("tried")
    if isinstance(listed, list):
        found: list[Any] = listed  # pyright: ignore[reportUnknownVariableType]
        return [StepTry(*one) for one in found if _is_try(one)]
    if not record.tries or not record.at:
        return []
    return [StepTry(record.at, record.ms, "" if record.error is None else record.error.type)]


def _is_try(one: Any) -> bool:
    return isinstance(one, list) and list(map(type, one)) == [int, int, str]  # pyright: ignore[reportUnknownArgumentType]

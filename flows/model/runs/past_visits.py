"""The visits of a run that are over, each ended by a failure or cancelling after which it was retried: `_past`.

A line of JSON each, the newest first; scripts write them::

    {"ended":1764172800000,"next":1764172860000,"as":"failed","error":"OSError","steps":{"charge":{…},"undo:charge":{…}}}

`steps` are those that the retry has forgotten, since they run again: their records without results and errors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from pydantic_core import from_json, to_json

from flows.errors import MalformedJob
from flows.model.runs.step_record import StepRecord, read_record

#: The field of a run's hash.
PAST_FIELD: Final = "_past"


@dataclass(frozen=True, slots=True)
class PastVisit:
    """A visit that is over; times are in milliseconds, by the server's clock."""

    ended: int
    next: int
    """When the run was retried."""
    how: str
    """`failed` or `cancelled`."""
    error: str
    """The type of its error; empty: it has none."""
    steps: dict[str, StepRecord]


def read_past(raw: bytes) -> list[PastVisit]:
    """Return the visits that are over, oldest first; lines edited into nonsense are left out."""
    found = [_visit(line) for line in raw.splitlines()]
    return [one for one in reversed(found) if one is not None]


def _visit(line: bytes) -> PastVisit | None:
    try:
        told: dict[str, Any] = from_json(line)
        steps = {name: read_record(name, to_json(record)) for name, record in told["steps"].items()}
        how = str(told["as"])
        return PastVisit(int(told["ended"]), int(told["next"]), how, str(told["error"] or ""), steps)
    except (MalformedJob, ValueError, KeyError, TypeError, AttributeError):
        return None

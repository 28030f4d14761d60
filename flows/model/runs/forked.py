"""Says what a run that is forked from another one has of that: of its fields, and of the records of its steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flows.errors import MalformedJob
from flows.model.runs.run_record import STEP
from flows.model.runs.step_record import ON_FAILURE, OWN, PARENTS, UNDO, StepRecord, read_record

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Of the library's own fields, those that say how a run is to be worked on.
_KEPT: Final = frozenset({"_priority", "_correlation_id", "_version", "_undo", "_kept"})
_DONE: Final = frozenset({"done", "withdrawn"})


@dataclass(frozen=True, slots=True)
class Forked:
    """What the new run begins with."""

    fields: dict[str, bytes]
    """Fields of its hash, but for the input and what says where it is found."""
    records: dict[str, bytes]
    """The records of steps that it has, by the fields in which they stand."""
    parents: tuple[str, ...]
    """Its steps that have waited for runs, and whose results may stand beside the hash."""


def forked(hash_of_source: Mapping[str, bytes], before: str) -> Forked | None:
    """Return what a run has that goes on from a step of another one; of no step: that begins anew.

    Args:
        hash_of_source: The other run's fields.
        before: The step; what was done before it stays done, unless it was undone. Empty: nothing does.

    Returns:
        None where nothing is recorded of the step.
    """
    records = _read(hash_of_source) if before else {}
    if before and before not in records:
        return None
    limit = records[before].place if before else None
    kept, come, parents = dict[str, bytes](), 0, list[str]()
    for name, record in records.items():
        place = record.place
        if place is None or not _stays(name, record, records) or (limit is not None and place >= limit):
            continue
        kept[STEP + name] = hash_of_source[STEP + name]
        come = max(come, place.come)
        if record.kind in PARENTS and record.children is None:
            parents.append(name)
    fields = {name: value for name, value in hash_of_source.items() if _is_taken_along(name)}
    if kept:
        fields["_come"] = b"%d" % come
    return Forked(fields, kept, tuple(parents))


def _read(hash_of_source: Mapping[str, bytes]) -> dict[str, StepRecord]:
    """Return the records of all steps; those that were edited into nonsense are left out."""
    records = dict[str, StepRecord]()
    for field, raw in hash_of_source.items():
        if field.startswith(STEP):
            name = field.removeprefix(STEP)
            try:
                records[name] = read_record(name, raw)
            except MalformedJob:
                continue
    return records


def _stays(name: str, record: StepRecord, records: Mapping[str, StepRecord]) -> bool:
    """Return whether what a step has done is still so, and whether it is one that code asks for."""
    if name.startswith((UNDO, OWN)) or name == ON_FAILURE or UNDO + name in records:
        return False
    return record.status in _DONE


def _is_taken_along(field: str) -> bool:
    if field.startswith("_"):
        return field in _KEPT
    return not field.startswith(STEP) and field not in {"input", "output"}

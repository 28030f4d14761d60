"""Tells how the steps that a workflow's code takes now differ from those that are recorded of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flows.model.runs.step_record import ON_FAILURE, OWN, UNDO, read_record

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

#: So many names are told.
_TOLD: Final = 5


def difference_of(records: Mapping[str, bytes], asked: Collection[str], life: str) -> str | None:
    """Return what is recorded and was not asked for, as a text; None where there is nothing.

    What an earlier life of the run has recorded need not be asked for: its code may have gone another way.

    Args:
        records: Of all steps, by their names.
        asked: The names for which the code has asked.
        life: The run's life, as records have it.

    Raises:
        MalformedJob: a record cannot be read.
    """
    left = [name for name in records if name not in asked and not _is_own(name)]
    if life or not left:
        return None
    missing = [name for name in left if read_record(name, records[name]).status != "withdrawn"]
    if not missing:
        return None
    more = f" and {len(missing) - _TOLD} more" if len(missing) > _TOLD else ""
    new = [name for name in asked if name not in records]
    names = ", ".join(repr(name) for name in missing[:_TOLD])
    instead = f"; it asks for {', '.join(repr(name) for name in new[:_TOLD])} instead" if new else ""
    return f"it does not ask for {names}{more}, which is recorded{instead}"


def _is_own(name: str) -> bool:
    return name == ON_FAILURE or name.startswith((UNDO, OWN))

"""How a step waits for a person: for an event of its own, which the answer is."""

from __future__ import annotations

from typing import Final

from flows.model.outcome import EventWait

#: The event by which a step gets the input that it waits for.
INPUT: Final = "@input"


def input_key(run_id: str, step: str) -> str:
    """Return the key of the event by which a step of a run gets its input."""
    return f"{run_id}:{step}"


def input_wait(run_id: str, step: str) -> EventWait:
    """Return for what a step of a run waits: each answer is looked at once."""
    return EventWait(step, INPUT, input_key(run_id, step))

"""How an attempt at a run leaves it: put aside until something comes, or begun anew with other input."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class EventWait:
    """A step that waits for an event, or for an answer to it."""

    step: str
    event: str
    """The event's name."""
    key: str
    """Of which key; what is sent to the run alone has the run's id."""
    after: str = ""
    """The entry of the event that the run has taken last, `<milliseconds>-<number>`; empty: none yet."""
    since_ms: int = 0
    """Where it has taken none: so long before the run's creation an event may have come."""


@dataclass(frozen=True, slots=True)
class Suspend:
    """The run waits: it is put aside until it is due, or something comes for a step of it."""

    due_ms: int | None
    """When it goes on by itself, by the server's clock; None: it does not."""
    come: int
    """How many things had come from outside when the attempt last knew: where more have, it goes on at once."""
    records: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    """What is still to be written, by the names of steps."""
    waits: Sequence[EventWait] = ()
    """The events for which it waits, all of them, those of earlier attempts too."""


@dataclass(frozen=True, slots=True)
class ContinueAsNew:
    """The run goes on with other input and without steps."""

    input: bytes
    """JSON."""

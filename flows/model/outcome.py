"""How an attempt ends: a value, which the store alone turns into a transition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from flows.model.job import JobError

#: Fields to write to the job's hash: names, and values as JSON.
Fields: TypeAlias = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class NewChild:
    """A child that is ready to be written: which child queue, its id and the fields of its hash."""

    child: str
    id: str
    fields: Fields


@dataclass(frozen=True, slots=True)
class Done:
    """The job has come to its end."""

    fields: Fields
    returned: bool = True
    """Whether a function returned these; where none did, the parent of a child sees `null` for its result."""


@dataclass(frozen=True, slots=True)
class Advance:
    """The job goes to another queue."""

    queue: str
    fields: Fields


@dataclass(frozen=True, slots=True)
class AwaitChildren:
    """The job waits until these children have settled, then goes to `next_queue` or is done."""

    children: list[NewChild]
    next_queue: str | None
    fields: Fields
    on_child_failure: str = "continue"


@dataclass(frozen=True, slots=True)
class Retry:
    """The attempt failed and is made again after a delay."""

    delay_ms: int
    error: JobError


@dataclass(frozen=True, slots=True)
class Snooze:
    """The job comes back after a delay, or at `until_ms` of the server's clock; the attempt does not count."""

    delay_ms: int = 0
    until_ms: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Fail:
    """The job has failed."""

    error: JobError


@dataclass(frozen=True, slots=True)
class Cancel:
    """The job is cancelled."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Release:
    """The worker stops: the job goes back to the head of its queue and the attempt does not count."""


Outcome: TypeAlias = Done | Advance | AwaitChildren | Retry | Snooze | Fail | Cancel | Release

"""What a queue holds at one moment, and what has become of jobs in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class QueueState:
    """One queue at one moment, by the server's clock; instants are in UTC."""

    queue: str
    """Its full name: a child queue's begins with its parent's."""
    at: datetime
    """When this was read."""
    waiting: int = 0
    """How many jobs wait; ids that were left in the list by jobs that are gone from it are not counted."""
    delayed: int = 0
    """How many come back later: retries, snoozes, jobs that were created with a delay."""
    processing: int = 0
    """How many workers have."""
    children: int = 0
    """How many parents wait for their children."""
    failed: int = 0
    """How many have failed here, are kept, and were not retried."""
    cancelled: int = 0
    """How many were cancelled here, are kept, and were not retried."""
    oldest_age: timedelta | None = None
    """For how long the job waits that is next; None where none waits, or where that is not known."""
    next_due: datetime | None = None
    """When the next delayed job is due."""
    paused: bool = False
    paused_until: datetime | None = None
    """When the pause ends; None where it has no end, or there is none."""
    paused_at: datetime | None = None
    note: str = ""
    """What `pause` was given."""
    held_until: datetime | None = None
    """Until when nothing of it starts, as `hold` was told; None where it is not held."""
    by_priority: tuple[int, ...] = ()
    """How many ids wait with each priority, 1 first; empty where the queue has no rules."""
    groups: int = 0
    """How many groups have jobs that wait, or had some a moment ago; one counts for each priority of its jobs."""
    parked: int = 0
    """How many of those may start nothing now: they are at a limit, or held."""
    workers: int = 0
    """How many live processes have workers of it."""
    counts: Mapping[str, int] = field(default_factory=dict[str, int])
    """How often each verb has moved a job on its way, and how often one ended in each state, since the queue began:
    `advance`, `retry`, `done`, `failed`, …"""
    unreadable: tuple[str, ...] = ()
    """Which fields are not known, and stand as nothing: their keys hold something that is not ours."""

    @property
    def idle(self) -> bool:
        """Whether nothing waits, runs or awaits children; delayed jobs come later, and do not count."""
        return not (self.waiting or self.processing or self.children)

"""What was seen of one random run: the judge reads nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from tests.faults.rules.plan import Load, Planned

#: What may happen to a job: it waits, it is claimed and starts a little later, its lease ends, it is done.
What: TypeAlias = Literal["waits", "claims", "starts", "leaves", "ends"]


@dataclass(frozen=True, order=True)
class Event:
    """One job at one time, in milliseconds; those of one time stand in the order in which they happened."""

    at: int
    number: int
    what: What
    queue: str
    job_id: str


@dataclass
class Record:
    """All that was seen."""

    load: Load
    begin: int
    jobs: dict[str, Planned] = field(default_factory=dict)
    queue_of: dict[str, str] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    done: dict[str, int] = field(default_factory=dict)
    """How often each job was reported as done, and taken."""
    excused: list[tuple[int, int]] = field(default_factory=list)
    """Spans in which nothing has to start: who was to wake has died."""
    turns: int = 0
    idle_turns: int = 0
    """Turns that have reported nothing and brought nothing."""
    kills: int = 0
    lost: int = 0
    rescued: int = 0

    def add(self, at: int, what: What, queue: str, job_id: str) -> None:
        """Note one event."""
        self.events.append(Event(at, len(self.events), what, queue, job_id))

    def starts(self, queue: str = "", group: str | None = None) -> list[tuple[int, int]]:
        """Return all starts of a queue, or of one group of it, as pairs of time and cost; "" for all queues."""
        return [
            (event.at, self.jobs[event.job_id].cost)
            for event in self.events
            if event.what == "starts"
            and (not queue or event.queue == queue)
            and (group is None or self.jobs[event.job_id].group == group)
        ]

    def order(self, queue: str) -> list[str]:
        """Return the ids of a queue's jobs in the order in which they were claimed."""
        return [event.job_id for event in self.events if event.what == "starts" and event.queue == queue]

"""What was found of a job, its queue, its workers, its children and its parent, all at one moment."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final, Literal

from flows.model.explain.words import instant

if TYPE_CHECKING:
    from flows.model.explain.explanation import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A job, and what it depends on. Times are server milliseconds; None or empty is what is not there or not known."""

    job_id: str
    flow: str
    """The flow name of the job; of a child, that is its queue."""
    now_ms: int
    kind: str = "hash"
    """The type of the job's key; `none` where it is gone."""
    status: str = "waiting"
    """As it stands in the hash, whatever that is."""
    queue: str = ""
    attempt_text: str | None = None
    """The field `_attempt` where it cannot be read."""
    worker: str = ""
    """Who claimed it last, as `<host>.<process id>.<random>`."""
    attempts: int = 0
    rescues: int = 0
    since_ms: int | None = None
    """Since when it is where it is."""
    placed_ms: float | None = None
    """Its score in its place: the end of its lease, when it is due, or since when it waits for its children."""
    ahead: int | None = None
    exact: bool = True
    listed: bool | None = None
    """Whether it stands in the list of its queue; None where that is not known, or it does not have to."""
    left_in: str = ""
    """Of a job that is gone: the place in which its id still stands."""
    paused_ms: float | None = None
    """Until when its queue is paused; infinity where that has no end."""
    paused_at_ms: int | None = None
    note: str = ""
    declared: tuple[str, ...] = ()
    """The queues that its flow declares, by full name."""
    serving: int = 0
    """How many live processes have workers of its queue."""
    heard_ms: float | None = None
    """When the process was heard of last that had workers of its queue, or until when that counted."""
    asked: int = 0
    """How many of those processes were asked how busy they are: all but in a large fleet."""
    worker_slots: int = 0
    """How many jobs of its queue the processes that were asked run at once."""
    busy: int | None = None
    """How many of these slots were taken, when each was heard of last; None where not all of them say so."""
    oldest: tuple[str, str] | None = None
    """The job of its queue that has run longest, and the process that has it."""
    oldest_ms: float | None = None
    """Since when that job runs."""
    needs: tuple[str, ...] = ()
    """The fields that the job class of its queue needs and the job lacks."""
    needed_by: str = ""
    """What that class is called."""
    error: tuple[str, str] | None = None
    """Type and message of its last error."""
    reason: str = ""
    """Why it was cancelled, snoozed or handed back."""
    put_off_by: str = ""
    """The verb by which its last attempt ended, where the job was put off by it."""
    cancel: str | None = None
    """Why it is to be cancelled."""
    ended_ms: int | None = None
    parent: str = ""
    parent_status: str = ""
    parent_cancelled: bool = False
    """Whether its parent was cancelled, and some of the children are still to be."""
    pending: int = 0
    children: int = 0
    child: tuple[str, str, str] | None = None
    """Id, queue and state of one child that it waits for: one that runs, if any does."""
    policy: str = ""
    held: Literal["", "queue", "group"] = ""
    """What is held longest of its queue and its group."""
    held_ms: float | None = None
    """Until when that is held."""
    group: str = ""
    """The text of its group."""
    limiter: tuple[str, int, int] | None = None
    """The limiter that lets it start last, how many tokens are taken and how many there are; None: all let it now."""
    limiter_ms: float | None = None
    """When that lets a job start which costs as much."""
    group_limiter: tuple[str, int, int] | None = None
    """The same of those that its group has for itself."""
    group_limiter_ms: float | None = None
    slots: tuple[int, int] | None = None
    """How many slots are taken and how many there are, where there are not enough for it."""
    group_slots: tuple[int, int] | None = None
    """The same of its group."""
    rate: float | None = None
    """How many jobs of its queue began a minute, in the last full minutes."""
    isolated_from: int = 2
    lease_ms: int = 30_000
    ttl_ms: int = 0

    @property
    def due(self) -> bool:
        """Whether nothing but its turn keeps it: it waits, or was delayed until now."""
        waits = self.status == "waiting"
        return waits or (self.status == "delayed" and self.placed_ms is not None and self.placed_ms <= self.now_ms)

    @property
    def host(self) -> str:
        """The process that has it, as `<host>.<process id>`."""
        return host_of(self.worker)

    def facts(self) -> dict[str, Fact]:
        """Return what is known, as plain JSON: `<name>_ms` becomes the instant `<name>` in ISO 8601."""
        found: dict[str, Fact] = {}
        for field in fields(self):
            value: Any = getattr(self, field.name)
            if field.name in _UNSAID or value is None or value in {"", ()}:
                continue
            name = _INSTANTS.get(field.name)
            if name is None:
                found[field.name] = [*value] if isinstance(value, tuple) else value
            elif math.isfinite(value):
                found[name] = instant(value).isoformat()
        if self.placed_ms is not None and self.status in _PLACED and math.isfinite(self.placed_ms):
            found[_PLACED[self.status]] = instant(self.placed_ms).isoformat()
        return found


def host_of(name: str) -> str:
    """Return `<host>.<process id>` of a process or a worker."""
    return name.rpartition(".")[0] or name


#: What facts call an instant.
_INSTANTS: Final = {
    "now_ms": "now",
    "since_ms": "since",
    "paused_ms": "paused_until",
    "paused_at_ms": "paused_at",
    "heard_ms": "last_heard",
    "ended_ms": "ended_at",
    "oldest_ms": "oldest_since",
    "held_ms": "held_until",
    "limiter_ms": "limited_until",
    "group_limiter_ms": "group_limited_until",
}
#: What the score of its place says, by its state.
_PLACED: Final[dict[str, Literal["lease_until", "delayed_until", "waits_since"]]] = {
    "processing": "lease_until",
    "delayed": "delayed_until",
    "children": "waits_since",
}
#: What is no fact of the job, or stands in its facts by another name.
_UNSAID: Final = frozenset({"kind", "placed_ms", "isolated_from", "lease_ms", "ttl_ms", "declared"})

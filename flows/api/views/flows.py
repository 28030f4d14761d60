"""What is answered of flows and their queues."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flows.api.views.jobs import JobRow
from flows.api.views.view import View


class FlowRow(View):
    """A flow in a list."""

    name: str
    own: bool
    """Whether it is the library's own: bulk actions, runs."""
    queues: int
    """How many queues and child queues it has."""
    lookups: list[str]
    """By which attributes its jobs are found."""
    seen: datetime | None
    """When a process of its newest release was heard of last; None where it left no declaration."""
    releases: int
    """How many of its releases have left a declaration, five at most."""


class FlowSummary(View):
    """What all queues of a flow hold now, its child queues included: numbers of jobs, ages in seconds."""

    name: str
    own: bool
    queues: int
    waiting: int
    processing: int
    delayed: int
    children: int
    """How many parents wait for their children."""
    failed: int
    """How many have failed, are kept, and were not retried."""
    cancelled: int
    oldest: float | None
    """For how long the job has waited that waits longest among those that are next."""
    oldest_in: str | None
    """In which queue."""
    paused: list[str]
    """Its queues that are paused."""
    unserved: list[str]
    """Its queues that have jobs, and that no live process serves."""
    workers: int
    """How many live processes it has."""
    limits: int
    """How many limiters and numbers of slots it declares."""


class Overview(View):
    """What there is, in numbers."""

    flows: list[FlowSummary]
    runs: int
    """How many wait, run or sleep."""
    trees: int
    """How many instances of task trees there are."""
    schedules: int
    workers: int
    """How many live processes there are, of whatever flows."""
    limits: int


class ClassView(View):
    """A class that a flow declares."""

    title: str
    json_schema: dict[str, Any] | None
    """None where the flow leaves schemas out."""


class DeclaredQueueView(View):
    """A queue as it is declared."""

    name: str
    job: ClassView
    parent: str | None
    next: str | None
    timeout: float | None
    max_attempts: int
    priorities: int
    grouped_by: str | None
    results: list[ClassView]
    """What its functions say that they return, where they have said so."""


class ReleaseView(View):
    """A release of a flow."""

    digest: str
    seen: datetime | None
    processes: int
    """How many live processes it has."""


class FlowView(FlowRow):
    """A flow, as its newest release declares it."""

    params: ClassView | None
    declared: list[DeclaredQueueView]
    undeclared: list[str]
    """Queues that it had before."""
    versions: list[ReleaseView]
    kept: dict[str, float | None]
    """For how many seconds jobs are kept: `ttl`, `done`, `failed`, `cancelled`; None: for ever."""


class LimitView(View):
    """A limiter, or the slots, of a queue."""

    id: str
    kind: str
    declared: int
    live: int
    """How many there are now: what was set while workers run, or what is declared."""
    interval: float | None
    used: int | None
    free: int | None
    ready: datetime | None
    """When a job may start that takes one; None where it may now."""
    per_group: bool
    smooth: bool


class QueueView(View):
    """A queue now: numbers of jobs, rates per minute, ages in seconds, latencies in milliseconds."""

    name: str
    flow: str
    job: str
    """What its job class is called; empty where it is declared no more."""
    parent: str | None
    next: str | None
    paused: bool
    paused_until: datetime | None
    paused_at: datetime | None
    note: str
    """What `pause` was given."""
    held_until: datetime | None
    waiting: int
    processing: int
    delayed: int
    children: int
    """How many parents wait for their children."""
    failed: int
    """How many have failed here, are kept, and were not retried."""
    cancelled: int
    oldest: float | None
    """For how long the job has waited that is next."""
    due: datetime | None
    """When the next delayed job is due."""
    came: float | None
    """How many jobs came in a minute lately; None where no history tells."""
    left: float | None
    """How many left it."""
    failing: float | None
    """How many failed here."""
    start_p50: float | None
    """Within so many milliseconds half of the jobs began lately."""
    start_p95: float | None
    run_p95: float | None
    workers: int
    """How many live processes serve it."""
    slots: int
    busy: int
    unserved: bool
    """It has jobs, and no live process serves it."""
    groups: int
    """How many groups have jobs that wait; one counts for each priority of its jobs."""
    parked: int
    """How many of those may start nothing now."""
    limits: list[LimitView]
    counts: dict[str, int]
    """How often each verb has moved a job on, and how often one ended in each state."""
    unreadable: list[str]
    """Which of these numbers are not known, since a key holds something that is not ours."""


class Queues(View):
    """Queues at one moment."""

    at: datetime
    queues: list[QueueView]


class QueueLanes(View):
    """The first jobs of a queue."""

    name: str
    running: list[JobRow]
    """Those that were created first."""
    next: list[JobRow]
    ended: list[JobRow]
    """The last one first."""


class LanesView(View):
    """The first jobs of each queue of a flow."""

    queues: list[QueueLanes]


class LimitsView(View):
    """The limits of a queue."""

    word: str
    """`shown` or `set`."""
    flow: str
    queue: str
    limits: list[LimitView]
    before: list[LimitView] | None
    """As they were before they were set."""

    @property
    def changed(self) -> list[dict[str, object]]:
        """What has become of each limit that is another one than before: the log of actions tells it."""
        was = {one.id: one for one in self.before or ()}
        return [
            {
                "name": one.id,
                "was": was[one.id].live,
                "now": one.live,
                "interval_was": was[one.id].interval,
                "interval": one.interval,
            }
            for one in self.limits
            if one.id in was and (one.live, one.interval) != (was[one.id].live, was[one.id].interval)
        ]


class GroupView(View):
    """One group of a queue that is grouped."""

    group: str | int | None
    """The value that its jobs have in the field; None where it is too long to be kept, or hidden."""
    share: float
    """Against 1, the share of a group for which none was set."""
    waiting: int
    in_flight: int | None
    """How many slots its jobs take; None where the queue counts none of groups."""
    parked: bool
    """Whether some of its jobs may not start now."""
    until: datetime | None
    """When those may; None where they wait for a slot."""
    held: bool
    """Whether they were held by an operator or a job, and are kept by no limit."""
    oldest: float | None
    """For how many seconds its next job has waited."""
    limits: list[LimitView]
    """What it has used of its own tokens and slots."""


class GroupsPage(View):
    """Some groups of a queue."""

    flow: str
    queue: str
    by: str
    """The field by whose values the queue is grouped."""
    groups: list[GroupView]
    cursor: str
    """Where the next page begins; empty on the last."""

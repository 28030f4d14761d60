"""What is answered of processes: what they do, where their tasks are, and how their releases differ."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from flows.api.views.view import View


class ServedView(View):
    """A queue that a process serves."""

    queue: str
    workers: int
    slots: int
    busy: int
    asked: datetime | None
    """When one of its workers asked for work last."""


class RunningView(View):
    """A job that ran in a process when that was heard of last."""

    queue: str
    id: str
    started: datetime


class BlockedView(View):
    """What keeps an event loop from running."""

    seconds: float
    """For how long it stood still when its process was heard of last."""
    where: str | None
    """`<function> in <file>:<line>`, for operators alone."""
    until: datetime | None
    """Its leases are renewed until then; later its jobs run again elsewhere."""


class WorkerView(View):
    """A process with workers."""

    name: str
    flow: str
    alive: bool
    """Whether its last heartbeat counts still; one that was killed is listed for an hour."""
    state: Literal["works", "leaving", "blocked", "silent", "died"]
    """`silent`: it was not heard of when it should have been; `leaving`: it takes no more jobs."""
    back: datetime | None
    """Of one that is silent or has died: by when its leases end, and its jobs come back."""
    blocked: BlockedView | None
    heard: datetime
    host: str
    pid: int | None
    flows_version: str
    python_version: str
    digest: str
    """Which declaration its release has."""
    started: datetime | None
    rss: int | None
    """The memory that it has, in bytes."""
    lag: float | None
    """For how many milliseconds its event loop has let anything wait at most, since the heartbeat before."""
    lags: list[int]
    """The same of its last 80 heartbeats, the oldest first."""
    lease: float | None
    """For how many seconds its leases last; it is heard of four times as often."""
    queues: list[ServedView]
    running: list[RunningView]
    """The 20 jobs that run longest."""


class ReleaseFigures(View):
    """What the live processes of one release of a flow have done within the last minute or so."""

    digest: str
    seen: datetime | None
    """When a process of it was heard of last."""
    since: datetime | None
    """When the first of its live processes began; None where none lives."""
    processes: int
    leaving: int
    """How many of them take no more jobs."""
    slots: int
    busy: int
    per_minute: float | None
    """How many attempts ended in a minute; None where no process tells."""
    failed: float | None
    """Which share of those has failed, from 0 to 1; None where none ended."""
    start_p95: float | None
    """Milliseconds; so are the next two."""
    run_p95: float | None
    lag: float | None
    """The most that any of their event loops has let wait."""
    rss: float | None
    """Bytes, the mean of its processes."""


class DifferenceView(View):
    """One thing that two releases declare otherwise; times are in seconds."""

    what: str
    """`queue`, `timeout`, `max_attempts`, `slots`, `limit`, `field`, `lookups`, …"""
    queue: str | None
    name: str | None
    """Of a field or a limit, what it is called."""
    was: Any
    now: Any
    """None: it is there no more."""
    fits: bool | None
    """Of a field, whether jobs that were created before fit still, as far as the schema says."""


class ReleasesView(View):
    """The releases of a flow side by side."""

    flow: str
    new: str | None
    """The release that is compared, by default the one with the youngest process."""
    old: str | None
    """With which one; None where there is no other."""
    releases: list[ReleaseFigures]
    """Those with live processes or a declaration, the newest first."""
    differences: list[DifferenceView]
    """What the new one declares otherwise, 200 at most."""


class StackView(View):
    """Where some tasks or threads of a process are; those that are in the same place are told once."""

    kind: Literal["task", "thread", "main thread"]
    count: int
    frames: list[str]
    """`<file>:<line> <function>`, the outermost first, 20 at most."""


class DumpView(View):
    """The stacks of a process."""

    process: str
    flow: str
    at: datetime
    """By the server's clock."""
    tasks: int
    """How many tasks its loop has."""
    cut: bool
    """Whether it has more stacks than are told."""
    stacks: list[StackView]

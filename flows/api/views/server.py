"""What is answered of processes, the history of queues, the server, and the log of actions."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

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


class WorkerView(View):
    """A process with workers."""

    name: str
    flow: str
    alive: bool
    """Whether its last heartbeat counts still; one that was killed is listed for an hour."""
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
    queues: list[ServedView]
    running: list[RunningView]
    """The 20 jobs that run longest."""


class SeriesPoint(View):
    """One step of a queue's history."""

    at: datetime
    step: float
    """Its length in seconds."""
    waiting: int
    delayed: int
    processing: int
    children: int
    totals: dict[str, int]
    """How often each verb had moved or ended a job by then."""
    began: int
    """How many jobs began in it."""
    start_p50: float | None
    """Milliseconds."""
    start_p95: float | None
    run_p50: float | None
    run_p95: float | None


class SeriesView(View):
    """A queue's history, oldest first; steps in which nothing was there and nothing happened are left out."""

    queue: str
    flow: str
    points: list[SeriesPoint]


class LatencyView(View):
    """How long jobs of a queue waited and ran, in milliseconds: bounds that so many percent do not exceed."""

    queue: str
    flow: str
    since: datetime
    began: int
    """How many jobs began since then."""
    ended: int
    start: dict[str, float]
    """`p50`, `p90`, `p95` and `p99` of the time to start; empty where none began."""
    run: dict[str, float]


class QueueHistory(View):
    """Of one queue, a value for each step."""

    name: str
    waiting: list[int]
    start_p95: list[float | None]
    """Milliseconds."""


class Mark(View):
    """Processes that came."""

    at: datetime
    digest: str
    """Which declaration their release has."""
    processes: int


class Before(View):
    """What a flow did in the window before: numbers of jobs, milliseconds."""

    came: int
    done: int
    failed: int
    start_p95: float | None


class FlowHistory(View):
    """The history of a flow: each list has a value for each step, oldest first; the present step is the last."""

    flow: str
    step: float
    """Seconds."""
    first: datetime
    """When the first step began."""
    known: datetime | None
    """When the first one began, of these or of the window before, of which anything is known."""
    came: list[int]
    """How many jobs came into the first queue."""
    done: list[int]
    """How many jobs of the flow ended so; children are not counted."""
    failed: list[int]
    cancelled: list[int]
    retried: list[int]
    """How many attempts failed that are tried again, those of children too."""
    processing: list[int]
    """How many ran in all its queues when that was looked at last."""
    start_p50: list[float | None]
    """Within how many milliseconds half of the jobs began that began in the first queue."""
    start_p95: list[float | None]
    start_p99: list[float | None]
    start_all: float | None
    """Within how many milliseconds 95 % of all of them began there."""
    queues: list[QueueHistory]
    before: Before | None
    """None where nothing is known of it, and of the windows `24h` and `7d`."""
    marks: list[Mark]
    """When processes of a release came, of those that live or were killed within the last hour."""


class ActionView(View):
    """An entry of the log of actions."""

    id: str
    at: datetime
    request: str
    """The same of what was asked and of what came of it."""
    caller: str
    role: str
    via: str
    operation: str
    flow: str
    given: dict[str, Any]
    """With what it was asked; of jobs' params the names alone."""
    word: str
    """`asked`, and then what came of it."""
    count: int | None


class ActionsPage(View):
    """Some of the log, newest first."""

    actions: list[ActionView]
    cursor: str
    """Give it to the next call; empty at the end."""


class ServerView(View):
    """The server, as it says it is; what its account may not ask is 0 or empty."""

    version: str
    mode: str
    role: str
    uptime: int
    """Seconds."""
    memory: int
    """Bytes."""
    memory_peak: int
    memory_max: int
    """0: as much as there is."""
    policy: str
    """What it does where memory runs out: `noeviction` refuses writes and loses nothing."""
    persistent: bool
    """Whether it writes an append-only file, or snapshots."""
    clients: int
    commands: int
    """How many it runs a second."""
    latency: float
    """Of one round trip, in milliseconds."""
    clock: float
    """How far its clock is ahead of this machine's, in milliseconds."""
    flows: int
    """How many flows the caller sees."""
    flows_version: str


class Finding(View):
    """Something that `server.check` has found."""

    level: Literal["fine", "warning", "wrong"]
    what: str
    """One word: `policy`, `persistence`, `clock`, `unserved`, `orphans`, `paused`, `repairs`, `declared`, …"""
    sentence: str
    flow: str | None = None
    queue: str | None = None
    facts: dict[str, Any] = Field(default_factory=dict[str, Any])
    """What the sentence tells, by name: numbers of jobs, rates a minute, seconds, instants, names."""


class CheckView(View):
    """How all is."""

    healthy: bool
    """Whether nothing is wrong; warnings may stand."""
    findings: list[Finding]


class RepairView(View):
    """What the reconcilers have repaired just now."""

    word: str
    """`repaired`, or `nothing to repair`; `not finished` where time was over: ask again."""
    count: int
    by_flow: dict[str, dict[str, int]]


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

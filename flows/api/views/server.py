"""What is answered of the history of queues, the server, and the log of actions."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from flows.api.views.view import View


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


class ChangeView(View):
    """What an action has made of a limit."""

    name: str
    was: int
    now: int
    interval_was: float | None
    """Seconds, after which a token comes back; None: slots, which come back when a job ends."""
    interval: float | None


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
    about: str
    """The id of what it was asked about, or of what came of it: of a job, a run, an action on many jobs; or empty."""
    given: dict[str, Any]
    """With what it was asked; of jobs' params the names alone."""
    changed: list[ChangeView]
    """Of limits that it has set, what they were and what they are."""
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
    saving: Literal["none", "file", "snapshots", "both"]
    """`file`: the append-only file."""
    saved: datetime | None
    """When it has written its last snapshot."""
    save_failed: bool
    """Whether the last snapshot, or the last write to its file, has failed."""
    clients: int
    clients_max: int
    clients_blocked: int
    """How many wait for something: idle workers do."""
    replicas: int
    evicted: int
    """How many keys it has dropped since it began, as its memory ran out."""
    fragmentation: float | None
    """How much memory the system has given it for each byte in use."""
    commands: int
    """How many it runs a second."""
    latency: float
    """Of one round trip, in milliseconds."""
    clock: float
    """How far its clock is ahead of this machine's, in milliseconds."""
    flows: int
    """How many flows the caller sees."""
    flows_version: str


class MemoryView(View):
    """Whose the memory is, by a sample."""

    keys: int
    """How many keys the server holds."""
    looked: int
    """How many of them were drawn; 0 where its account may not ask."""
    share: float | None
    """Of what keys take, the part that this namespace of flows has, from 0 to 1."""
    bytes: dict[str, int]
    """By kind: `jobs`, `logs`, `queues`, `history`, and `others`, which are not of this namespace."""
    counts: dict[str, int]
    """How many keys each kind has."""


class SlowCommandView(View):
    """A script, or another command, that was slow."""

    name: str
    script: bool
    """Whether it is a script of flows; else the first word of a command."""
    count: int
    worst: float
    """Milliseconds."""
    last: datetime


class SlowView(View):
    """What the server has found slow, of the last 128 such commands."""

    told: bool
    """Whether its account may ask."""
    commands: list[SlowCommandView]
    """The worst first."""


class Finding(View):
    """Something that `server.check` has found."""

    level: Literal["fine", "warning", "wrong"]
    what: str
    """One word: `policy`, `persistence`, `clock`, `unserved`, `orphans`, `paused`, `repairs`, `declared`, …"""
    sentence: str
    flow: str | None = None
    queue: str | None = None
    facts: dict[str, Any]
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

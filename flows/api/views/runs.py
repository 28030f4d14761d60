"""What is answered of runs, workflows and schedules."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flows.api.views.jobs import AttemptView, ErrorView, VisitView
from flows.api.views.view import View
from flows.model.runs.run_record import Awaited, RunStatus


class RunRow(View):
    """A run in a list."""

    id: str
    workflow: str
    status: RunStatus
    """As a job's; `suspended` where it has begun, and waits for a time, an event or another run."""
    awaits: Awaited | None
    """Of a suspended one, what it waits for: of several things the first of answer, event, runs and time."""
    queue: str
    """Its workflow's, or that of an override or a version."""
    created: datetime
    since: datetime
    """Since when it is in its status; of one that is delayed or suspended, when it is due."""
    attempts: int
    tags: list[str]
    lookups: dict[str, str]
    """Its lookup attributes as texts, without those that are hidden; of several values the last one."""
    error_type: str | None
    progress: float | None
    message: str
    schedule: str | None
    version: str | None
    cut: bool = False
    """Whether some of its texts or values are shown in part; `runs.show` with `whole` shows all."""


class StepTryView(View):
    """One try of a step."""

    began: datetime
    took: float
    """Seconds."""
    error_type: str
    """Empty: it returned."""


class StepView(View):
    """A step of a run."""

    name: str
    kind: str
    status: str
    began: datetime | None
    took: float
    """Seconds of its last try; of what it waited for, how long until that came."""
    tries: int
    tried: list[StepTryView]
    """Its tries, the newest 20; of a step that was tried again after a retry of the run, those before it too."""
    undo: bool
    """Whether it is undone when the run fails."""
    until: datetime | None
    """When its waiting is over by time."""
    result: Any
    error_type: str | None
    error_message: str | None
    prompt: str
    """What a person is asked, where it waits for an answer."""
    refused: str
    """Why the last answer was not taken."""
    answer_schema: dict[str, Any] | None
    """The JSON schema of the answer for which it waits."""
    event: str | None
    """For which event it waits, or has waited; `key` is whom that is about."""
    key: str | None
    workflow: str | None
    """Of which workflow the runs are that it has started."""
    total: int | None
    """How many runs it has started; `runs.children` lists them."""
    ended: int | None
    """How many of these have ended."""
    cut: bool = False
    """Whether it is shown in part."""


class PastVisitView(View):
    """A visit of a run that is over: it failed or was cancelled, and was retried."""

    ended: datetime
    next: datetime
    """When it was retried: the next visit begins."""
    status: str
    """`failed` or `cancelled`."""
    error_type: str | None
    steps: list[StepView]
    """Those that the retry has forgotten, as they were: what was undone, and what undid it; without results."""


class RunView(RunRow):
    """A run, with all that is recorded of it."""

    overall: float
    """How far it is, from 0 to 1, with the runs that it waits for."""
    input: Any
    output: Any
    """None as long as it is not done."""
    error: ErrorView | None
    reason: str
    steps: list[StepView]
    """In the order in which they were settled, then those that wait; the last 1,000: `runs.steps` has all."""
    steps_before: int
    """How many steps are left out before these."""
    past: list[PastVisitView]
    """Its earlier visits, oldest first, the last nine."""
    deadline: datetime | None
    """When its timeout ends it."""
    path: list[VisitView]
    history: list[AttemptView]
    slot: datetime | None
    """For which slot of its schedule."""
    forked_from: str | None
    correlation_id: str | None


class RunPageView(View):
    """Some runs, newest first."""

    runs: list[RunRow]
    cursor: str
    """Give it to the next call; empty where no more are left. A page may be short, or empty, and still have one."""


class StepsView(View):
    """Some steps of a run."""

    steps: list[StepView]
    total: int
    """How many it has."""


class StepChildView(View):
    """One of the runs that a step has started."""

    index: int
    """Its place among them, from 0."""
    id: str
    """Empty: it is lost."""
    status: str
    """That of the run, or how it ended where its record is gone: `expired` and `deleted` too."""
    error_type: str | None
    since: datetime | None
    attempts: int


class StepChildrenView(View):
    """Some of the runs that a step has started, in their order."""

    children: list[StepChildView]
    total: int
    ended: int


class WorkflowView(View):
    """What the runs of a workflow do now."""

    workflow: str
    apps: list[str]
    """The apps whose newest code defines it."""
    live: bool
    """Whether a process that knows it was heard of within 30 s; else its runs wait."""
    seen: datetime | None
    waiting: int
    processing: int
    delayed: int
    """How many come later: suspended ones, retries, runs with a delay."""
    failed: int
    cancelled: int
    counts: dict[str, int]
    by_queue: dict[str, int]
    input_schema: dict[str, Any] | None
    """The JSON schema of its input, where an app says so."""


class RunStarted(View):
    """A run that was started."""

    word: str
    """`started`, or `forked`, `restarted`, `triggered`."""
    id: str
    flow: str = "run"

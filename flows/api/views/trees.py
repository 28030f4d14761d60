"""What is answered of task trees."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flows.api.views.jobs import ErrorView
from flows.api.views.view import View
from flows.model.tree.node import Order
from flows.model.tree.task_record import InstanceStatus, TaskStatus


class TreeAppView(View):
    """An app of task trees."""

    app: str
    generators: list[str]
    """Those whose code is in the process that answers, and those that have made the last 100 instances."""


class TreeRow(View):
    """An instance in a list."""

    id: str
    app: str
    generator: str
    realm: str
    name: str
    labels: dict[str, str]
    """Without those that are hidden."""
    ephemeral: bool
    status: InstanceStatus
    """That of its last execution; `idle` before the first."""
    progress: float
    """How far its last execution came that has ended, from 0 to 1; `trees.show` has that of one under way."""
    created: datetime
    updated: datetime
    cut: bool = False
    """Whether some of its texts are shown in part."""


class TreePageView(View):
    """Some instances, newest first."""

    trees: list[TreeRow]
    cursor: str
    """Give it to the next call; empty where no more are left. A page may be short, or empty, and still have one."""


class TreeTaskView(View):
    """A task as it was declared, with those below it."""

    path: str
    name: str
    description: str
    weight: float
    """How much it counts for progress; 0 of a task without a function."""
    order: Order
    """Whether what is below it runs side by side or one after another."""
    queue: str
    """Workers of this queue run it; empty: those of its execution."""
    reads: list[str]
    """What it is given: names of the context."""
    sources: dict[str, str]
    """By the names that it or its condition reads, the task that writes it; empty: the data."""
    gate: str
    """The nearest task above it with which it may be skipped; empty: there is none."""
    writes: list[str]
    """Under which names its result stands in the context."""
    tasks: list[TreeTaskView]


class TaskStateView(View):
    """How a task stands; a group as follows from what is below it."""

    status: TaskStatus
    stale: bool
    """Whether it would be given something else now than it was."""
    progress: float
    """How far it is with all below it, from 0 to 1."""
    message: str
    """What it has told last that it is doing."""
    queued: datetime | None
    """When it was to begin; of one that never was None, as its other times."""
    started: datetime | None
    ended: datetime | None
    attempt: int
    error: ErrorView | None
    """Why it has failed, or why its last attempt did."""
    because: str
    """What has brought its status about, where that is not its own doing."""
    bytes: int | None
    """The size of its result, which may be an earlier one; None: there is none."""
    order: int
    """The revision of the instance at which it was written; 0: never."""
    inputs: dict[str, int]
    """By path, the revisions at which those had ended whose results it was given."""


class TreeView(TreeRow):
    """An instance with all its tasks."""

    revision: int
    execution: str
    """Its last execution; empty: there was none."""
    path: str
    """The task that has failed, with `error`."""
    error: ErrorView | None
    because: str
    """Why its last execution was cancelled."""
    data: Any
    json_schema: dict[str, Any] | None
    """That of the data, by which it can be changed; None where its code is not here, or some of it is hidden."""
    tasks: list[TreeTaskView]
    """The first level, which runs one after another; the others below."""
    states: dict[str, TaskStateView]
    """By path, groups too."""


class TreeResultView(View):
    """The result of a task; of a group, those of what is directly below it, by name."""

    path: str
    stale: bool
    result: Any
    cut: bool = False
    """Whether it is shown in part; with `whole` all of it is."""


class TreeExecutionView(View):
    """An execution of an instance."""

    id: str
    """Of its run, too."""
    path: str
    """What was asked for: a task, or `#` for all; empty where that is not known."""
    status: InstanceStatus
    """`idle`: it is to begin later."""
    began: datetime
    """When it was asked for; of one that is to begin later, when it is due."""
    ended: datetime | None
    schedule: str | None
    """By which schedule it was started; None: by somebody."""


class TreeExecutionsView(View):
    """The last executions of an instance, newest first."""

    executions: list[TreeExecutionView]
    more: bool
    """Whether there may be older ones: they were not looked for any further."""


class TreeStarted(View):
    """An execution that has begun."""

    word: str
    """`begun`."""
    id: str
    """The instance's."""
    execution: str

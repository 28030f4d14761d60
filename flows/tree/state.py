"""How an instance stands, as its users see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Final

from flows.model.tree.freshness import Digests, Standing
from flows.model.tree.paths import ROOT
from flows.model.tree.roll_up import roll_up
from flows.model.tree.task_record import TaskRecord
from flows.tree.context import fields_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flows.model.job import JobError
    from flows.model.tree.plan import TreePlan
    from flows.model.tree.task_record import InstanceStatus, TaskStatus
    from flows.tree.storage.protocol import Snapshot

#: Of a group, what is so below it decides, the first of these before the others.
_GROUP: Final[tuple[TaskStatus, ...]] = ("running", "failed", "cancelled", "queued", "inactive", "ok", "skipped")

#: What is known of a task that was never executed.
NOTHING: Final = TaskRecord("inactive")


@dataclass(frozen=True, slots=True)
class TaskState:
    """How one task stands.

    Attributes:
        status: `inactive`, `queued`, `running`, `ok`, `skipped`, `failed` or `cancelled`; of a group, what follows from
            what is below it.
        stale: Whether it would be given something else now than it was.
        progress: How far it is with all below it, from 0 to 1.
        message: What it has told last that it is doing.
        queued: When it was to begin; None: it never was, as of the other times.
        attempt: Which attempt it is, or was, from 1.
        error: Why it has failed, or why its last attempt did.
        because: What has brought its status about, where that is not its own doing.
        bytes: The size of its result, which may be an earlier one; None: there is none.
    """

    status: TaskStatus
    stale: bool = False
    progress: float = 0.0
    message: str = ""
    queued: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None
    attempt: int = 0
    error: JobError | None = None
    because: str = ""
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class InstanceState:
    """How an instance stands at one revision.

    Attributes:
        status: `idle`, `working`, `done`, `failed` or `cancelled`.
        progress: How far the whole tree is, from 0 to 1.
        execution: The last execution; empty: there was none.
        path: The task that has failed, with `error`.
        because: Why it was cancelled.
        tasks: How each task stands, by path, groups too.
    """

    id: str
    revision: int
    status: InstanceStatus
    progress: float
    execution: str
    path: str
    error: JobError | None
    because: str
    tasks: Mapping[str, TaskState]


def state_of(snapshot: Snapshot, plan: TreePlan) -> InstanceState:
    """Return how an instance stands."""
    progress = roll_up(plan.weights, snapshot.tasks)
    tasks = _TaskStates(snapshot, plan, progress)
    last = snapshot.record
    return InstanceState(
        snapshot.row.id,
        snapshot.revision,
        last.status,
        progress[ROOT],
        last.run,
        last.path,
        last.error,
        last.because,
        tasks,
    )


class _TaskStates(Mapping[str, TaskState]):
    """The states of all tasks, each made when it is asked for: of 10,000 most callers look at few."""

    def __init__(self, snapshot: Snapshot, plan: TreePlan, progress: Mapping[str, float]) -> None:
        self._snapshot = snapshot
        self._plan = plan
        self._progress = progress

    def __repr__(self) -> str:
        return repr(dict(self))

    def __len__(self) -> int:
        return len(self._plan.nodes)

    def __iter__(self) -> Iterator[str]:
        return iter(self._plan.nodes)

    def __getitem__(self, path: str) -> TaskState:
        record = self._snapshot.tasks.get(path, NOTHING)
        return TaskState(
            self._statuses[path],
            path in self._standing.stale,
            self._progress[path],
            record.message,
            _time(record.queued),
            _time(record.started),
            _time(record.ended),
            record.attempt,
            record.error,
            record.because,
            record.bytes,
        )

    @cached_property
    def _standing(self) -> Standing:
        snapshot = self._snapshot
        return Standing(self._plan, snapshot.tasks, Digests(fields_of(snapshot.data)))

    @cached_property
    def _statuses(self) -> dict[str, TaskStatus]:
        return statuses_of(self._plan, self._snapshot.tasks)


def statuses_of(plan: TreePlan, records: Mapping[str, TaskRecord]) -> dict[str, TaskStatus]:
    """Return the status of each task; a group's is that of what is below, unless its condition has not let it begin."""
    found: dict[str, TaskStatus] = {}
    below: dict[str, set[TaskStatus]] = {}
    for weight in reversed(plan.weights[1:]):
        path, node = weight.path, plan.nodes[weight.path]
        status: TaskStatus = records.get(path, NOTHING).status
        if not node.works and (status == "ok" or not node.acts):
            inner = below.get(path, set())
            status = next(one for one in _GROUP if one in inner)
        found[path] = status
        below.setdefault(weight.parent, set()).add(status)
    return found


def _time(ms: int) -> datetime | None:
    return datetime.fromtimestamp(ms / 1000, UTC) if ms else None

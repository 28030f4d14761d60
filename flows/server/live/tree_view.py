"""`TreeView`: an instance of a tree at one revision, as messages tell of it: all of it, or what has changed since.

What has changed follows from the state alone: each task has changed at the highest revision among its own and those of
what makes it stale. So a watcher that was away for a thousand records is sent as much as one that was away for one.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flows.model.tree.freshness import Digests, Standing
from flows.model.tree.paths import ROOT, joined
from flows.model.tree.roll_up import roll_up
from flows.server.live.protocol import text_of
from flows.tree.context import fields_of
from flows.tree.plans import plan_of
from flows.tree.state import NOTHING, statuses_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flows.model.job import JobError
    from flows.model.tree.node import Node
    from flows.model.tree.task_record import TaskRecord, TaskStatus
    from flows.server.live.room import Sight
    from flows.tree.storage.protocol import Snapshot


class TreeView:
    """An instance at one revision.

    Args:
        snapshot: How it stands.
        records: Those of its tasks, by path.
        renamed: The revision from which on it has its name.
    """

    def __init__(self, snapshot: Snapshot, records: Mapping[str, TaskRecord], renamed: int) -> None:
        self.snapshot = snapshot
        self._records = records
        self._renamed = renamed
        self._plan = plan = plan_of(snapshot.tree)
        standing = Standing(plan, records, Digests(fields_of(snapshot.data)))
        self._stale = standing.stale
        self._statuses = statuses_of(plan, records)
        self._changed = self._changes(standing)
        self._progress = roll_up(plan.weights, records)[ROOT]

    def since(self, seen: int, cursor: str, sight: Sight) -> list[str]:
        """Return the messages for who has seen a revision; 0: nothing.

        A tree or data that are others than were seen are told with the whole state.

        Args:
            seen: The revision.
            cursor: What is to be brought back by who has seen these messages.
            sight: What is told besides how tasks stand.
        """
        snapshot = self.snapshot
        seen = 0 if seen < snapshot.changed else seen
        texts = [] if seen else [_description(snapshot.row.id, snapshot.tree)]
        if seen < max(snapshot.record.order, self._renamed) or not seen:
            texts.append(text_of(self._workflow(cursor, sight)))
        statuses = {path: self._task(path, sight) for path in self._plan.nodes if self._changed[path] > seen}
        if not seen:  # what is missing from a whole is inactive
            statuses = {path: told for path, told in statuses.items() if told != {"status": "inactive"}}
        told = {
            "type": "setTasksStatuses",
            "id": snapshot.row.id,
            "from": seen,
            "rev": snapshot.revision,
            "cursor": cursor,
            "statuses": statuses,
            "progress": self._progress,
        }
        return [*texts, text_of(told)]

    def _changes(self, standing: Standing) -> dict[str, int]:
        """Return the revision at which each task has changed; a group does with what is below it."""
        found = standing.changed_at(self.snapshot.changed)
        for weight in reversed(self._plan.weights[1:]):
            own = found.setdefault(weight.path, self.snapshot.changed)
            above = self._plan.nodes.get(weight.parent)
            if above is not None and not above.works:
                found[weight.parent] = max(own, found.get(weight.parent, self.snapshot.changed))
        return found

    def _workflow(self, cursor: str, sight: Sight) -> dict[str, Any]:
        row, record = self.snapshot.row, self.snapshot.record
        told: dict[str, Any] = {
            "type": "setWorkflowStatus",
            "id": row.id,
            "status": record.status,
            "execution": record.run,
            "path": record.path,
            "error": _error(record.error, sight),
            "because": record.because,
            "started": record.started,
            "ended": record.ended,
            "name": row.name,
            "realm": row.realm,
            "generator": row.generator,
        }
        kept = {name: value for name, value in told.items() if value}
        return {**kept, "progress": self._progress, "rev": self.snapshot.revision, "cursor": cursor}

    def _task(self, path: str, sight: Sight) -> dict[str, Any]:
        record = self._records.get(path, NOTHING)
        status: TaskStatus = self._statuses[path]
        told: dict[str, Any] = {
            "progress": record.progress,
            "message": "" if sight == "statuses" else record.message,
            "queued": record.queued,
            "started": record.started,
            "ended": record.ended,
            "attempt": record.attempt,
            "stale": path in self._stale,
            "error": _error(record.error, sight),
            "because": record.because,
        }
        kept = {"status": status, **{name: value for name, value in told.items() if value}}
        return kept if record.bytes is None else {**kept, "bytes": record.bytes}


@lru_cache(maxsize=64)
def _description(instance_id: str, tree: bytes) -> str:
    """Return the message that tells what tasks there are."""
    tasks = [_described(ROOT, node) for node in plan_of(tree).declared.tasks]
    return text_of({"type": "workflowDescription", "id": instance_id, "tasks": tasks})


def _described(parent: str, node: Node) -> dict[str, Any]:
    path = joined(parent, node.name)
    told: dict[str, Any] = {
        "name": node.name,
        "path": path,
        "description": node.description,
        "order": node.order if node.tasks else "",
        "queue": node.queue,
    }
    below: Sequence[dict[str, Any]] = [_described(path, one) for one in node.tasks]
    kept = {name: value for name, value in told.items() if value}
    return {**kept, "weight": node.weight if node.works else 0, "tasks": below}


def _error(error: JobError | None, sight: Sight) -> dict[str, str] | None:
    """Return an error without its traceback; its message is for those who may see it."""
    if error is None:
        return None
    return {"type": error.type, "message": error.message if sight == "errors" else ""}

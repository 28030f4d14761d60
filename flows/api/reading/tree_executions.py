"""Finds the executions of an instance: among the runs of its app, the newest first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, cast

from flows.api.reading.run_host import ROW_FIELDS, run_host
from flows.api.reading.tree_host import WORKFLOW
from flows.api.views.trees import TreeExecutionsView, TreeExecutionView
from flows.model.runs.errors import UnknownWorkflow
from flows.workflow.reading.run_lists import RunLists
from flows.workflow.reading.run_reader import RunReader

if TYPE_CHECKING:
    from flows.api.admin import Admin
    from flows.model.runs.run_record import RunRecord
    from flows.model.tree.task_record import InstanceStatus
    from flows.tree.storage.protocol import Snapshot

#: So many runs are looked at by one read, and by all: a busy app may have many instances.
_LOOKED: Final = 100
_MOST_LOOKED: Final = 500


async def executions_of(admin: Admin, snapshot: Snapshot, limit: int) -> TreeExecutionsView:
    """Return the last executions of an instance.

    Args:
        admin: Who asks, and where.
        snapshot: The instance.
        limit: So many at most.

    Raises:
        StoreError: the server cannot be used.
    """
    host = await run_host(admin)
    lists = RunLists(host, RunReader[Any](host, None, (*ROW_FIELDS, "input", "output")))
    row, workflow = snapshot.row, f"{WORKFLOW}{snapshot.row.app}"
    since = datetime.fromtimestamp(row.created / 1000, UTC)
    found: list[TreeExecutionView] = []
    cursor, looked = "", 0
    while looked < _MOST_LOOKED:
        try:
            page = await lists.page(workflow, None, None, {}, since, None, _LOOKED, cursor)
        except UnknownWorkflow:  # the app has executed nothing by runs
            break
        looked += _LOOKED
        for run in page.runs:
            if _members(run.input).get("instance") != row.id:
                continue
            if len(found) == limit:
                return TreeExecutionsView(executions=found, more=True)
            found.append(_view(run, snapshot))
        cursor = page.cursor
        if not cursor:
            return TreeExecutionsView(executions=found, more=False)
    return TreeExecutionsView(executions=found, more=bool(cursor))


def _view(run: RunRecord[Any], snapshot: Snapshot) -> TreeExecutionView:
    last = snapshot.execution
    is_last = last is not None and last.id == run.id
    output = _members(run.output if run.status == "done" else None)
    asked = _members(_members(run.input).get("later"))
    path = last.path if last is not None and is_last else output.get("path") or asked.get("path", "")
    status: InstanceStatus = snapshot.record.status if is_last else _status(run, output, begun=not asked)
    ended = run.since if run.status in {"done", "failed", "cancelled"} else None
    return TreeExecutionView(
        id=run.id,
        path=str(path),
        status=status,
        began=run.since if status == "idle" else run.created_at,
        ended=ended if status != "working" else None,
        schedule=run.schedule,
    )


def _status(run: RunRecord[Any], output: dict[str, Any], *, begun: bool) -> InstanceStatus:
    match run.status:
        case "failed":
            return "failed"
        case "cancelled":
            return "cancelled"
        case "done":
            status = output.get("status")
            return status if status in {"failed", "cancelled"} else "done"
        case "waiting" | "delayed" if not begun:
            return "idle"
        case _:
            return "working"


def _members(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}

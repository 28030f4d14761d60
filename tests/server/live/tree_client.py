"""What a client of an instance keeps, by the protocol's rule; `clients/react/src/workflow.ts` does the same."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from flows.model.tree.roll_up import Weight, roll_up
from flows.tree.state import InstanceState


class TreeClient:
    """What is held of one instance."""

    def __init__(self) -> None:
        self.rev = 0
        self.cursor: str | None = None
        self.tasks: list[dict[str, Any]] = []
        self.statuses: dict[str, dict[str, Any]] = {}
        self.progress = 0.0
        self.workflow: dict[str, Any] = {}
        self.tellings = 0
        self.lines: list[list[Any]] = []
        self._tasks: list[dict[str, Any]] | None = None
        self._workflow: dict[str, Any] | None = None

    def connect(self) -> None:
        """Forget what has come over an earlier connection without its statuses."""
        self._tasks = self._workflow = None

    def take(self, texts: Iterable[str]) -> bool:
        """Take the messages of a telling, or of several; False: one cannot follow, and the server has to be asked."""
        follows = True
        for text in texts:
            follows = self.take_message(json.loads(text)) and follows
        return follows

    def take_message(self, message: Mapping[str, Any]) -> bool:
        """Take one message; what stands before the statuses counts with them."""
        match message["type"]:
            case "workflowDescription":
                self._tasks = message["tasks"]
            case "setWorkflowStatus":
                self._workflow = dict(message)
            case "setTasksStatuses":
                return self._take_statuses(message)
            case "taskLog":
                self.lines += message["lines"]
            case _:
                pass
        return True

    def _take_statuses(self, message: Mapping[str, Any]) -> bool:
        tasks, self._tasks = self._tasks, None
        workflow, self._workflow = self._workflow, None
        is_same = _epoch(self.cursor) == _epoch(message["cursor"])
        if is_same and message["rev"] <= self.rev:
            return True
        if message["from"] and (not is_same or message["from"] > self.rev):
            return False
        whole = message["from"] == 0
        self.statuses = {**({} if whole else self.statuses), **message["statuses"]}
        self.tasks = self.tasks if tasks is None else tasks
        self.workflow = self.workflow if workflow is None else workflow
        self.rev, self.cursor, self.progress = message["rev"], message["cursor"], message["progress"]
        self.tellings += 1
        return True

    def differs(self, state: InstanceState, *, sees_errors: bool = True) -> list[str]:
        """Return in what the client's view is another than how the instance stands."""
        held: dict[str, Any] = {
            "revision": self.rev,
            "status": self.workflow.get("status"),
            "execution": self.workflow.get("execution", ""),
            "path": self.workflow.get("path", ""),
            "because": self.workflow.get("because", ""),
            "progress": self.progress,
        }
        found = [f"{name}: {held[name]!r}, not {getattr(state, name)!r}" for name in held if _other(held, name, state)]
        weights = list(_weights(self.tasks, "#"))
        if [one.path for one in weights] != list(state.tasks):
            found.append(f"tasks: {[one.path for one in weights]}, not {list(state.tasks)}")
        records = {path: _Told(told) for path, told in self.statuses.items()}
        progress = roll_up(weights, records)
        for path, task in state.tasks.items():
            told = self.statuses.get(path, {"status": "inactive"})
            wanted = {
                "status": task.status,
                "stale": task.stale,
                "message": task.message,
                "attempt": task.attempt,
                "because": task.because,
                "bytes": task.bytes,
                "error": None if task.error is None else task.error.type,
            }
            has = {name: told.get(name, _EMPTY[name]) for name in wanted}
            has["error"] = has["error"] and has["error"]["type"]
            if has != wanted or abs(progress.get(path, 0.0) - task.progress) > _NEAR:
                found.append(f"{path}: {has} {progress.get(path)}, not {wanted} {task.progress}")
            if sees_errors and task.error is not None and told.get("error", {}).get("message") != task.error.message:
                found.append(f"{path}: {told.get('error')}, not {task.error.message}")
        return found


class _Told:
    def __init__(self, told: Mapping[str, Any]) -> None:
        self.status: str = told["status"]
        self.progress: float = told.get("progress", 0.0)


_NEAR = 1e-9
_EMPTY: dict[str, Any] = {
    "status": "inactive",
    "stale": False,
    "message": "",
    "attempt": 0,
    "because": "",
    "bytes": None,
    "error": None,
}


def _other(held: Mapping[str, Any], name: str, state: InstanceState) -> bool:
    wanted = getattr(state, name)
    if name == "progress":
        return abs(held[name] - wanted) > _NEAR
    return bool(held[name] != wanted)


def _weights(tasks: Iterable[Mapping[str, Any]], parent: str) -> Iterable[Weight]:
    for task in tasks:
        yield Weight(task["path"], parent, task["weight"])
        yield from _weights(task["tasks"], task["path"])


def _epoch(cursor: str | None) -> str | None:
    return None if cursor is None else cursor.rpartition(".")[0]

"""The room of a plain job or of a run, told as an instance of a tree is: the steps of a run are its tasks.

Neither has revisions that a cursor could name: the room numbers what it reads, and a cursor is good while it is open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flows.server.live.protocol import text_of
from flows.server.live.topic_room import TopicRoom

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: What stands before the name of what is watched: the topics of these words.
KINDS: Final = ("run/", "job/")
_ENDED: Final = frozenset({"done", "failed", "cancelled"})
_STEPS: Final[Mapping[str, str]] = {"waiting": "running", "done": "ok", "failed": "failed", "withdrawn": "cancelled"}


class JobRoom(TopicRoom):
    """One job or run that at least one watcher watches."""

    def _shape(self, read: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is told of it."""
        found: Mapping[str, Any] = read["run"] if "run" in read else read["job"]
        status = found["status"] if "run" in read else found["state"]
        error = found["error"]
        told = {
            "status": status if status in _ENDED else "working",
            "execution": found["id"],
            "error": error and {"type": error["type"], "message": error["message"]},
            "because": found["reason"],
        }
        steps: Sequence[Mapping[str, Any]] = found.get("steps", ())
        return {
            "workflow": {name: value for name, value in told.items() if value},
            "tasks": [{"name": one["name"], "path": f"#.{one['name']}", "weight": 1, "tasks": []} for one in steps],
            "statuses": {f"#.{one['name']}": _status(one) for one in steps},
            "progress": found["overall"],
        }

    def _write(self, seen: int, before: dict[str, Any] | None, state: dict[str, Any]) -> Sequence[str]:
        """Return a telling: see `TreeView.since`."""
        if before is None or before["tasks"] != state["tasks"]:
            seen, before = 0, None
        common = {"id": self.topic, "rev": self._revision, "cursor": self.cursor, "progress": state["progress"]}
        texts: list[str] = []
        if before is None:
            texts.append(text_of({"type": "workflowDescription", "id": self.topic, "tasks": state["tasks"]}))
        if before is None or before["workflow"] != state["workflow"]:
            texts.append(text_of({"type": "setWorkflowStatus", **common, **state["workflow"]}))
        known: dict[str, Any] = {} if before is None else before["statuses"]
        statuses = {path: told for path, told in state["statuses"].items() if known.get(path) != told}
        return [*texts, text_of({"type": "setTasksStatuses", **common, "from": seen, "statuses": statuses})]


def _status(step: Mapping[str, Any]) -> dict[str, Any]:
    told = {
        "status": _STEPS.get(step["status"], "running"),
        "attempt": step["tries"],
        "error": step["error_type"] and {"type": step["error_type"], "message": step["error_message"] or ""},
    }
    if step["total"]:
        told["progress"] = (step["ended"] or 0) / step["total"]
    return {name: value for name, value in told.items() if value}

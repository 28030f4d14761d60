"""Draws an instance of a task tree: its tasks, each with how it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.console import Group
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from flows.cli.clean import one_line
from flows.cli.columns import ago, lasting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.api.views.trees import TaskStateView, TreeTaskView, TreeView

#: Each status's colour in a terminal; it has its word as well.
_STYLES: Final = {
    "inactive": "dim",
    "queued": "yellow",
    "running": "cyan",
    "ok": "green",
    "skipped": "blue",
    "failed": "red",
    "cancelled": "dim",
    "idle": "dim",
    "working": "cyan",
    "done": "green",
}
#: So many tasks are drawn at most.
MOST: Final = 1000


def tree_picture(view: TreeView, most: int = MOST) -> Group:
    """Return the picture of an instance, with so many of its tasks at most."""
    head = Table(box=None, pad_edge=False, show_header=False)
    name = " ".join(filter(None, (view.realm, view.name)))
    head.add_row(Text(view.id, "bold"), Text(f"{view.app}.{view.generator}"), Text(one_line(name, 80)))
    bars = Table.grid(padding=(0, 1))
    bars.add_row(
        Text(f"{view.status:<10}", _STYLES[view.status]),
        ProgressBar(total=1.0, completed=view.progress, width=40),
        f"{view.progress:.0%}",
    )
    drawn, left = Tree(bars), [most]
    _grow(drawn, view, view.tasks, left)
    parts: list[Table | Tree | Text] = [head, drawn]
    if left[0] < 0:
        parts.append(Text(f"{len(view.states) - most:,} more tasks", "dim"))
    if view.error is not None:
        parts.append(Text(one_line(f"{view.path}: {view.error.type}: {view.error.message}", 1000), "red"))
    elif view.because:
        parts.append(Text(one_line(view.because, 1000), "dim"))
    return Group(*parts)


def _grow(above: Tree, view: TreeView, tasks: Sequence[TreeTaskView], left: list[int]) -> None:
    for task in tasks:
        left[0] -= 1
        if left[0] >= 0:
            branch = above.add(_line(task, view.states[task.path]))
            _grow(branch, view, task.tasks, left)


def _line(task: TreeTaskView, state: TaskStateView) -> Text:
    told = [
        f"{state.progress:.0%}" if state.status == "running" and state.progress else "",
        _took(state),
        f"attempt {state.attempt}" if state.attempt > 1 else "",
        one_line(state.message, 80) if state.status == "running" else "",
        one_line(f"{state.error.type}: {state.error.message}", 100) if state.error is not None else "",
        one_line(state.because, 80),
    ]
    return Text.assemble(
        (task.name, "bold"),
        "  ",
        (state.status, _STYLES[state.status]),
        *([("  stale", "yellow")] if state.stale else []),
        *(f"  {one}" for one in told if one),
    )


def _took(state: TaskStateView) -> str:
    if state.started is None:
        return ""
    if state.ended is None or state.ended < state.started:
        return f"since {ago(state.started)}"
    seconds = (state.ended - state.started).total_seconds()
    return f"{seconds:.3f} s" if seconds < 10 else lasting(seconds)  # noqa: PLR2004 - below, its digits are of use

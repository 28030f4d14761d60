"""Prints answers: as JSON, as a table of a list, or as the lines of one thing."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeGuard

from pydantic import BaseModel
from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows.api.views.jobs import ErrorView, ExplanationView
from flows.api.views.trees import TreeResultView, TreeView
from flows.cli.clean import clean, one_line
from flows.cli.columns import COLUMNS, Column
from flows.cli.remedies import command_for
from flows.cli.tree_picture import tree_picture
from flows.model.state import JobState

#: Of an answer that is a page, the member that lists what it is about.
LISTS: Final = {
    "ActionsPage": "actions",
    "ChildrenPage": "jobs",
    "EndedPage": "endings",
    "GroupsPage": "groups",
    "JobPage": "jobs",
    "LogView": "lines",
    "Queues": "queues",
    "RunPageView": "runs",
    "SeriesView": "points",
    "TreePageView": "trees",
}
#: Each state's colour in a terminal; it has its word as well.
STYLES: Final = {
    JobState.WAITING: "yellow",
    JobState.PROCESSING: "cyan",
    JobState.DELAYED: "blue",
    JobState.CHILDREN: "magenta",
    JobState.DONE: "green",
    JobState.FAILED: "red",
    JobState.CANCELLED: "dim",
}
_WIDE: Final = 220
#: What stands for a member whose unit its name does not say.
_UNITS: Final = {("LatencyView", "start"): "time to start, ms", ("LatencyView", "run"): "run time, ms"}
#: Of a mapping so many members at most stand on one line.
_ON_ONE_LINE: Final = 3


def console(*, stderr: bool = False) -> Console:
    """Return where to print: with colours in a terminal only, and never cut where nobody's terminal is that narrow."""
    file = sys.stderr if stderr else sys.stdout
    wide = None if file.isatty() or "COLUMNS" in os.environ else _WIDE
    return Console(file=file, highlight=False, markup=False, emoji=False, soft_wrap=False, width=wide)


def print_json(answer: Any) -> None:
    """Print an answer as JSON: a list one object a line."""
    rows = rows_of(answer)
    for one in [answer] if rows is None else rows:
        text = one.model_dump_json() if isinstance(one, BaseModel) else json.dumps(one)
        sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def print_answer(answer: Any) -> None:
    """Print an answer for people."""
    rows = rows_of(answer)
    if rows is not None:
        print_table(rows)
    elif isinstance(answer, TreeView):
        console().print(tree_picture(answer))
    elif isinstance(answer, TreeResultView):
        console().print(Text(clean(json.dumps(answer.result, indent=2, ensure_ascii=False))))
    elif isinstance(answer, BaseModel):
        _print_one(answer)
    else:
        console().print(Text(clean(str(answer))))


def cursor_of(answer: Any) -> str:
    """Return where the next page begins, or nothing."""
    return str(getattr(answer, "cursor", "") or "")


def rows_of(answer: Any) -> list[Any] | None:
    """Return what an answer lists, or None where it is about one thing."""
    if _is_list(answer):
        return answer
    member = LISTS.get(type(answer).__name__)
    return None if member is None else list(getattr(answer, member))


def print_table(rows: list[Any]) -> None:
    """Print rows as a table; nothing is a line that says so."""
    out = console()
    if not rows:
        console(stderr=True).print("nothing", style="dim")
        return
    columns = COLUMNS.get(type(rows[0]).__name__) or _scalars(rows[0])
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for column in columns:
        right = column.right
        table.add_column(column.title, justify="right" if right else "left", no_wrap=column.fixed, overflow="fold")
    for row in rows:
        table.add_row(*(cell(column.of(row)) for column in columns))
    out.print(table)


def _print_one(answer: BaseModel) -> None:
    """Print the members of one thing, and its lists below."""
    out = console()
    table = Table(box=None, pad_edge=False, show_header=False, show_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    lists: list[tuple[str, list[Any]]] = []
    command = command_for(answer) if isinstance(answer, ExplanationView) else ""
    for name in type(answer).model_fields:
        value = getattr(answer, name)
        if name == "facts" and command:
            table.add_row("command", command)
        if _is_list(value) and value and isinstance(value[0], BaseModel):
            lists.append((name, value))
        elif _is_mapping(value) and len(value) > _ON_ONE_LINE:
            table.add_row(_UNITS.get((type(answer).__name__, name), name.replace("_", " ")), "")
            for member, of_it in value.items():
                table.add_row(f"  {one_line(str(member))}", cell(of_it))
        elif value not in (None, "", [], {}):
            table.add_row(name.replace("_", " "), cell(value))
    out.print(table)
    for name, rows in lists:
        out.print(Text(f"\n{name.replace('_', ' ')}", style="bold"))
        print_table(rows)


def _scalars(row: Any) -> list[Column]:
    names = type(row).model_fields if isinstance(row, BaseModel) else ["value"]
    return [Column(name.replace("_", " "), name) for name in names]


def cell(value: Any) -> Text:
    """Return a value as a cell of a table."""
    if isinstance(value, JobState):
        return Text(value.value, style=STYLES[value])
    return Text(shown(value))


def _is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(value, Mapping)


def _is_several(value: object) -> TypeGuard[Iterable[Any]]:
    return isinstance(value, Iterable)


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def shown(value: Any) -> str:  # noqa: PLR0911 - a case each
    """Return a value as people read it: an instant as its age too, a float with three digits, an object as JSON."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"  # noqa: PLR2004 - four digits and more
        case datetime():
            return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"
        case ErrorView():
            return clean("\n".join(filter(None, (f"{value.type}: {value.message}", value.traceback.strip()))))
        case BaseModel():
            return one_line(value.model_dump_json(exclude_none=True))
        case _ if _is_mapping(value):
            return one_line(", ".join(f"{name} {shown(member)}" for name, member in value.items()))
        case str():
            return clean(value)
        case _ if _is_several(value):
            return one_line(", ".join(shown(member) for member in value))
        case _:
            return clean(str(value))

"""Which columns a list has in a terminal: what one looks for first stands first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from flows.cli.clean import one_line

_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86_400


@dataclass(frozen=True)
class Column:
    """One column.

    Args:
        title: Above it.
        source: The member that it shows, or what makes its text of a row.
        right: Whether it holds numbers.
        fixed: Whether it is never broken over two lines.
    """

    title: str
    source: str | Callable[[Any], object]
    right: bool = False
    fixed: bool = False

    def of(self, row: Any) -> object:
        """Return what it shows of a row."""
        return getattr(row, self.source) if isinstance(self.source, str) else self.source(row)


def ago(instant: datetime | None) -> str:
    """Return how long ago an instant was, or in how long it is: `5s`, `12m`, `3h`, `2d`."""
    if instant is None:
        return "-"
    seconds = (datetime.now(UTC) - instant).total_seconds()
    return lasting(seconds) if seconds >= 0 else f"in {lasting(-seconds)}"


def _until(instant: datetime) -> str:
    return ago(instant).removeprefix("in ")


def lasting(seconds: float | None) -> str:
    """Return a time in its largest whole unit."""
    if seconds is None:
        return "-"
    for unit, length in (("d", _DAY), ("h", _HOUR), ("m", _MINUTE)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f}{unit}"
    return f"{seconds:.0f}s"


def _milliseconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} ms" if value < 10_000 else lasting(value / 1000)  # noqa: PLR2004


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f} s"


def _note(queue: Any) -> str:
    words = [
        *(["NO WORKERS"] if queue.unserved else []),
        *(["paused" + (f": {one_line(queue.note, 60)}" if queue.note else "")] if queue.paused else []),
        *([f"held for {_until(queue.held_until)}"] if queue.held_until else []),
        *(_full(limit) for limit in queue.limits if limit.free == 0),
        *(["all workers are busy"] if queue.waiting and queue.slots and queue.busy >= queue.slots else []),
    ]
    return ", ".join(words)


def _full(limit: Any) -> str:
    return f"{limit.kind} {limit.id}: full" + (f" for {_until(limit.ready)}" if limit.ready else "")


def _why_parked(group: Any) -> str:
    if not group.parked:
        return ""
    why = "held" if group.held else "at its limit"
    return why if group.until is None else f"{why} for {_until(group.until)}"


def lookups_of(row: Any) -> str:
    """Return what a job can be looked up by, on one line."""
    return one_line(" ".join(f"{name}:{value}" for name, value in row.lookups.items()), 80)


def line_of(row: Any) -> str:
    """Return the text of a log's line, and what else it says."""
    words = filter(None, (row.status, row.text))
    return one_line(" ".join([*words, *(f"{name}={value}" for name, value in row.meta.items())]), 10_000)


def _came_to(step: Any) -> str:
    if step.error_type:
        return one_line(f"{step.error_type}: {step.error_message or ''}", 100)
    return one_line(step.refused or step.prompt or ("" if step.result is None else str(step.result)), 100)


def _error(row: Any) -> str:
    return row.error_type or one_line(row.message, 60) or ("" if row.progress is None else f"{row.progress:.0%}")


#: By the name of the model of a row; of others all members are shown.
COLUMNS: Final[dict[str, list[Column]]] = {
    "QueueView": [
        Column("queue", "name", fixed=True),
        Column("waiting", "waiting", right=True),
        Column("running", "processing", right=True),
        Column("delayed", "delayed", right=True),
        Column("children", "children", right=True),
        Column("failed", "failed", right=True),
        Column("oldest", lambda row: lasting(row.oldest), right=True, fixed=True),
        Column("in/min", "came", right=True),
        Column("out/min", "left", right=True),
        Column("start p95", lambda row: _milliseconds(row.start_p95), right=True, fixed=True),
        Column("busy", lambda row: f"{row.busy}/{row.slots}", right=True, fixed=True),
        Column("note", _note),
    ],
    "JobRow": [
        Column("id", "id", fixed=True),
        Column("state", "state", fixed=True),
        Column("queue", "queue", fixed=True),
        Column("since", lambda row: ago(row.since), right=True, fixed=True),
        Column("attempt", "attempt", right=True),
        Column("note", _error),
        Column("lookups", lookups_of),
    ],
    "GroupView": [
        Column("group", "group", fixed=True),
        Column("waiting", "waiting", right=True),
        Column("in flight", "in_flight", right=True),
        Column("share", "share", right=True),
        Column("", _why_parked),
    ],
    "StackView": [
        Column("", "kind", fixed=True),
        Column("", "count", right=True),
        Column("", lambda row: "\n".join([*row.frames, ""])),
    ],
    "WorkerView": [
        Column("process", "name", fixed=True),
        Column("flow", "flow"),
        Column("state", "state", fixed=True),
        Column("host", "host"),
        Column("pid", "pid", right=True),
        Column("heard", lambda row: ago(row.heard), right=True, fixed=True),
        Column("busy", lambda row: f"{sum(q.busy for q in row.queues)}/{sum(q.slots for q in row.queues)}", right=True),
        Column("lag", lambda row: _milliseconds(row.lag), right=True, fixed=True),
        Column("memory", lambda row: "-" if row.rss is None else f"{row.rss / 1e6:.0f} MB", right=True, fixed=True),
        Column("flows", "flows_version"),
        Column("queues", lambda row: ", ".join(q.queue for q in row.queues)),
    ],
    "FlowRow": [
        Column("flow", "name", fixed=True),
        Column("queues", "queues", right=True),
        Column("seen", lambda row: ago(row.seen), right=True, fixed=True),
        Column("releases", "releases", right=True),
        Column("lookups", lambda row: ", ".join(row.lookups)),
    ],
    "ActionView": [
        Column("at", "at", fixed=True),
        Column("who", "caller", fixed=True),
        Column("via", "via"),
        Column("operation", "operation", fixed=True),
        Column("flow", "flow"),
        Column("with", lambda row: one_line(", ".join(f"{name} {value}" for name, value in row.given.items()), 100)),
        Column("changed", lambda row: ", ".join(f"{one.name} {one.was} → {one.now}" for one in row.changed)),
        Column("word", "word"),
        Column("jobs", lambda row: "" if row.count is None else row.count, right=True),
    ],
    "EndingRow": [
        Column("id", "id", fixed=True),
        Column("ended", "ended", fixed=True),
        Column("outcome", "outcome"),
        Column("error", lambda row: row.error or ""),
        Column("fields", lambda row: one_line(" ".join(f"{name}={value}" for name, value in row.fields.items()), 100)),
    ],
    "EndedDayView": [
        Column("day", "day", fixed=True),
        Column("total", "total", right=True),
        Column("by", lambda row: one_line(" ".join(f"{name or '-'}={count}" for name, count in row.by.items()), 100)),
    ],
    "LogLineView": [
        Column("n", "n", right=True),
        Column("at", "at", fixed=True),
        Column("level", "level"),
        Column("text", line_of),
    ],
    "RunRow": [
        Column("id", "id", fixed=True),
        Column("workflow", "workflow", fixed=True),
        Column("status", "status", fixed=True),
        Column("queue", "queue"),
        Column("since", lambda row: ago(row.since), right=True, fixed=True),
        Column("attempts", "attempts", right=True),
        Column("note", _error),
        Column("tags", lambda row: ", ".join(row.tags)),
    ],
    "StepView": [
        Column("step", "name", fixed=True),
        Column("kind", "kind", fixed=True),
        Column("status", "status", fixed=True),
        Column("began", "began", fixed=True),
        Column("took", lambda row: _seconds(row.took), right=True, fixed=True),
        Column("tries", "tries", right=True),
        Column("until", "until", fixed=True),
        Column("result or error", _came_to),
    ],
    "WorkflowView": [
        Column("workflow", "workflow", fixed=True),
        Column("apps", lambda row: ", ".join(row.apps)),
        Column("live", "live"),
        Column("seen", lambda row: ago(row.seen), right=True, fixed=True),
        Column("waiting", "waiting", right=True),
        Column("running", "processing", right=True),
        Column("later", "delayed", right=True),
        Column("failed", "failed", right=True),
        Column("cancelled", "cancelled", right=True),
    ],
    "TreeRow": [
        Column("id", "id", fixed=True),
        Column("generator", lambda row: f"{row.app}.{row.generator}", fixed=True),
        Column("status", "status", fixed=True),
        Column("done", lambda row: f"{row.progress:.0%}", right=True),
        Column("updated", lambda row: ago(row.updated), right=True, fixed=True),
        Column("realm", lambda row: one_line(row.realm, 40)),
        Column("name", lambda row: one_line(row.name, 60)),
        Column("labels", lambda row: one_line(" ".join(f"{name}:{text}" for name, text in row.labels.items()), 80)),
    ],
    "SeriesPoint": [
        Column("at", "at", fixed=True),
        Column("waiting", "waiting", right=True),
        Column("running", "processing", right=True),
        Column("delayed", "delayed", right=True),
        Column("children", "children", right=True),
        Column("began", "began", right=True),
        Column("start p50", lambda row: _milliseconds(row.start_p50), right=True, fixed=True),
        Column("start p95", lambda row: _milliseconds(row.start_p95), right=True, fixed=True),
        Column("run p50", lambda row: _milliseconds(row.run_p50), right=True, fixed=True),
        Column("run p95", lambda row: _milliseconds(row.run_p95), right=True, fixed=True),
        Column("in all", lambda row: one_line(", ".join(f"{count} {verb}" for verb, count in row.totals.items()), 100)),
    ],
    "AttemptView": [
        Column("ended", "ended", fixed=True),
        Column("queue", "queue", fixed=True),
        Column("attempt", "attempt", right=True),
        Column("verb", "verb"),
        Column("error", lambda row: one_line(": ".join(filter(None, (row.error_type, row.error_message))), 100)),
        Column("worker", "worker"),
    ],
    "FieldView": [
        Column("field", "name", fixed=True),
        Column("type", "type"),
        Column("value", lambda row: one_line(str(row.value), 500)),
        Column("written by", "of"),
    ],
    "VisitView": [
        Column("queue", "queue", fixed=True),
        Column("waited", lambda row: f"{row.waited:.3f} s", right=True, fixed=True),
        Column("ran", lambda row: _seconds(row.ran), right=True, fixed=True),
        Column(
            "children", lambda row: "-" if row.children is None else f"{row.children:.3f} s", right=True, fixed=True
        ),
    ],
    "Finding": [
        Column("level", "level", fixed=True),
        Column("about", "what", fixed=True),
        Column("what", lambda row: one_line(row.sentence, 1000)),
    ],
}

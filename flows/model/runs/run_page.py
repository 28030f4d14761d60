"""What listings of runs and workflows answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flows.model.runs.run_record import RunRecord


@dataclass(frozen=True, slots=True)
class RunPage:
    """Some of the runs that were asked for.

    Attributes:
        runs: Their records, as they stood when they were read, newest first.
        cursor: Give it to the next call of `list_runs`; empty where no more are left. A page may be short, or empty,
            and still have one: a call looks at a bounded number of runs.
    """

    runs: list[RunRecord[Any]]
    cursor: str


@dataclass(frozen=True, slots=True)
class WorkflowStats:
    """What a workflow's runs do at one moment, over all apps and processes."""

    workflow: str
    apps: tuple[str, ...] = ()
    """The apps whose newest code defines it; none: it was dropped, or only ever named."""
    live: bool = False
    """Whether a process that knows it was heard of within 30 s, or `sync` has written it: else its runs wait."""
    last_seen: datetime | None = None
    """When a process that knows it was heard of last, in UTC."""
    waiting: int = 0
    processing: int = 0
    """How many runs workers execute."""
    delayed: int = 0
    """How many come later: suspended ones, retries, runs with a delay."""
    failed: int = 0
    """How many have failed, are kept, and were not retried."""
    cancelled: int = 0
    counts: Mapping[str, int] = field(default_factory=dict[str, int])
    """What has become of runs so far, and of how many: `done`, `failed`, `cancelled`, `retry`, `rescue`, …"""
    by_queue: Mapping[str, int] = field(default_factory=dict[str, int])
    """By queue of the kernel, how many of its runs have not ended: those of overrides and versions stand apart."""

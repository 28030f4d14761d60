"""What is answered of actions on many jobs."""

from __future__ import annotations

from datetime import datetime

from flows.api.views.jobs import JobRow
from flows.api.views.view import View
from flows.model.state import JobState


class BulkPart(View):
    """Those of one queue that an action on many jobs would be about."""

    queue: str
    count: int
    oldest: datetime
    """Since when the first of them is in its state."""
    used_up: int
    """How many of them have had all the attempts that their queue grants."""


class BulkPreview(View):
    """What an action on many jobs would be about."""

    verb: str
    flow: str
    query: str
    count: int
    """On how many it would act by now: those of the query that are in a state on which the verb acts."""
    exact: bool
    """False: there are at least so many."""
    sample: list[JobRow]
    """The first ten."""
    before: datetime
    """By the server's clock: what comes later is not acted on."""
    parts: list[BulkPart]
    """Of up to 1,000 of them, by queue."""


class BulkStarted(View):
    """An action on many jobs that was begun: it is a job itself, of the flow `flows.bulk.<flow>`."""

    word: str
    """`begun`; `begun here` where the server is full, and this process does it without a job."""
    id: str
    flow: str
    """The flow whose jobs it acts on."""
    count: int
    undo: float
    """For so many seconds nothing is done yet: `bulk.cancel` undoes it without a trace."""


class BulkView(View):
    """How far an action on many jobs is, or how it has ended."""

    id: str
    flow: str
    verb: str
    state: JobState
    """`delayed` in its undo window, then `waiting` or `processing`, and in the end `done`, `failed` or `cancelled`."""
    value: float
    """From 0 to 1, by how many ids it has looked at."""
    words: dict[str, int]
    """What became of jobs, and of how many: `retried`, `gone`, `error`, …"""
    done: int
    """On how many it has acted."""
    skipped: int
    """How many were in another state by then, or gone."""
    failed: int
    """On how many it could not act; its log names the first of them."""
    error: str | None
    log: list[str]
    """Its last lines."""

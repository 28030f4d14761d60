"""What is answered of jobs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flows.api.views.view import View
from flows.model.state import JobState


class JobRow(View):
    """A job in a list."""

    id: str
    flow: str
    """Of a child, the full name of its child queue."""
    queue: str
    state: JobState
    lookups: dict[str, Any]
    """Its lookup attributes, without those that are hidden."""
    created: datetime
    since: datetime
    """Since when it is where it is; of a delayed one, when it is due."""
    attempt: int
    """How often it was tried in its queue."""
    error_type: str | None
    error_message: str
    """How the message of its error begins: up to 200 characters; nothing for who does not see all fields."""
    progress: float | None
    message: str
    """What it reported with its progress."""
    worker: str
    """Who has it, or had it last."""
    cut: bool = False
    """Whether some of its texts or values are shown in part; `jobs.show` with `whole` shows all."""


class FieldView(View):
    """One field of a job."""

    name: str
    value: Any
    """As JSON; None where it is hidden."""
    hidden: bool = False
    type: str = ""
    """By the JSON schema of the class that declares it; empty where none does."""
    of: str = ""
    """`params`, or the queue whose function has returned it; empty where that is not known."""
    cut: bool = False
    """Whether it is shown in part."""


class VisitView(View):
    """One stay of a job in a queue."""

    queue: str
    waited: float
    """Seconds in which it could have run and did not."""
    ran: float | None
    children: float | None
    """Seconds for which it waited for its children."""


class ChildRow(JobRow):
    """A child in the list of its parent."""

    path: list[VisitView]
    """The queues in which it was claimed, the last 30."""


class AttemptView(View):
    """One attempt that is over."""

    queue: str
    attempt: int
    worker: str
    ended: datetime
    verb: str
    error_type: str | None = None
    error_message: str | None = None
    reason: str = ""


class ErrorView(View):
    """Why a job has failed, or is tried again."""

    type: str
    message: str
    traceback: str
    queue: str
    attempt: int


class Rollup(View):
    """How many children a job has; their states stand in `jobs.children`."""

    total: int
    pending: int
    """How many have not settled."""


class JobView(JobRow):
    """A job, with all that is kept of it."""

    fields: list[FieldView]
    path: list[VisitView]
    """The queues through which it has come, the last 30."""
    attempts: list[AttemptView]
    """The last 20, from the first one that did not simply succeed."""
    error: ErrorView | None
    children: Rollup | None
    overall: float
    """How far it is, from 0 to 1, with the queues behind it and with its children."""
    parent: str | None
    """Of a child: `<flow>:<id>`."""
    expires: datetime | None
    """When its record is dropped; None where that has no time yet."""
    priority: int
    cost: int
    correlation_id: str | None
    idempotency_key: str | None
    reason: str
    """Why it was cancelled, or is to be."""


class JobPage(View):
    """Some of the jobs that a query asks for."""

    flow: str
    jobs: list[JobRow]
    cursor: str
    """Give it to the next call; empty where no more are left. A page may be short, or empty, and still have one."""
    total: int | None
    """How many there are; None where they would have to be looked at one by one, by `error:` and its like."""
    exact: bool
    """Whether there are no more than `total`."""
    looked_through: int
    sampled: bool
    """Whether of done jobs only those that ended last are known: without a lookup, there is no list of all."""
    place: int | None = None
    """Where the list of one queue and state is read, at which place it begins, from 0 on."""


class StateCount(View):
    """How many jobs of a query are in a state."""

    state: JobState
    count: int
    exact: bool
    """False: there are at least so many."""
    sampled: bool
    """Whether only those that ended last are known: of done jobs, where no lookup is asked for."""


class JobCounts(View):
    """How many jobs of a query are in which state, whatever states the query itself asks for."""

    flow: str
    states: list[StateCount]


class ExplanationView(View):
    """Why a job is where it is."""

    id: str
    flow: str
    sentence: str
    reason: str
    remedy: str
    """What makes it go on."""
    facts: dict[str, Any]


class LogLineView(View):
    """A line that a worker function has logged."""

    n: int
    """Its number, from 1 on; where lines were dropped, their numbers are missing."""
    at: datetime
    level: str
    text: str
    meta: dict[str, Any]
    attempt: int
    late: bool
    """Whether its attempt had ended before."""
    cut: bool = False
    """Whether it is shown in part."""
    status: str = ""
    """Of what a service's job tells, the word for how far it is."""


class LogView(View):
    """Lines of a job's log, oldest first."""

    lines: list[LogLineView]
    last: int
    """The number of the last line: give it as `after` to see what comes next."""
    hidden: bool
    """Whether logs are hidden from the caller: there are no lines then."""


class EndingRow(View):
    """A job that has ended, as the log of its flow has it; the job itself may be gone."""

    id: str
    outcome: str
    """`done`, `failed` or `cancelled`."""
    ended: datetime
    fields: dict[str, Any]
    """Those that the log copies."""
    error: str | None
    """Of a failure, the type of its error."""


class EndedPage(View):
    """Some of what has ended, newest first."""

    endings: list[EndingRow]
    cursor: str
    """Where the next page begins; empty at the end. A page may have fewer than were asked for."""
    logged: bool
    """Whether the flow logs its endings: it declares that by `endings=`."""


class EndedDayView(View):
    """How much has ended on one day."""

    day: str
    """Such as 2026-11-26."""
    total: int
    by: dict[str, int]
    """By the values of the field that was asked for; empty: the job had none."""


class ChildrenPage(View):
    """Some of the children of a job."""

    jobs: list[ChildRow]
    total: int
    pending: int
    """How many have not settled."""
    gone: int
    """How many of this page have no record any more."""
    cursor: str


class PositionView(View):
    """How far a job is from its turn."""

    ahead: int | None
    """How many stand before it; None where it has no turn to wait for."""
    exact: bool
    delayed_until: datetime | None
    in_group: int | None


class Created(View):
    """A job that was created, or that has the key already."""

    word: str
    flow: str
    id: str
    checked: str
    """Against what its params were checked: `model`, where the process has the flow's code; `schema`, by which a
    validator of that code may still refuse the job at its first claim; or `nothing`, where the flow tells no schema."""

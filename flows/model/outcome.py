"""How an attempt ends: a value, which the store alone turns into a transition; and the table of all such values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from flows.model.state import TERMINAL, JobState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flows.model.job import JobError

#: Fields to write to the job's hash: names, and values as JSON.
Fields: TypeAlias = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class NewChild:
    """A child that is ready to be written: which child queue, its id and the fields of its hash."""

    child: str
    id: str
    fields: Fields


# The two that most attempts end by are not frozen: to make one takes a third of the time then.
@dataclass(slots=True)
class Finish:
    """The job has come to its end."""

    fields: Fields
    returned: bool = True
    """Whether a function returned these; where none did, the parent of a child sees `null` for its result."""
    records: Mapping[str, bytes] | None = None
    """Of a run, the records of steps, by their names, that are written with it."""
    lookups: Sequence[str] = ()
    """By what the job is found from now on, `<attribute>:<text>` each."""


@dataclass(slots=True)
class Advance:
    """The job goes to another queue."""

    queue: str
    fields: Fields


@dataclass(frozen=True, slots=True)
class AwaitChildren:
    """The job waits until these children have settled, then goes to `next_queue` or is done."""

    children: list[NewChild]
    next_queue: str | None
    fields: Fields
    on_child_failure: str = "continue"


@dataclass(frozen=True, slots=True)
class Retry:
    """The attempt failed and is made again after a delay."""

    delay_ms: int
    error: JobError


@dataclass(frozen=True, slots=True)
class Snooze:
    """The job comes back after a delay, or at `until_ms` of the server's clock; the attempt does not count."""

    delay_ms: int = 0
    until_ms: int | None = None
    reason: str = ""
    for_others: bool = False
    """Whether another worker is to wake for it: the job does not fit the class of this one."""
    hold: Literal["queue", "group"] | None = None
    """What else is not to start before that."""


@dataclass(frozen=True, slots=True)
class Fail:
    """The job has failed."""

    error: JobError
    lookups: Sequence[str] = ()
    """By what the job is found from now on, `<attribute>:<text>` each."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """The job is cancelled."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Release:
    """The worker stops: the job goes back to the head of its queue and the attempt does not count."""


@dataclass(frozen=True, slots=True)
class EventWait:
    """A step of a run that waits for an event."""

    step: str
    event: str
    key: str
    after: str = ""
    """The entry of the event's stream behind which it looks; empty: the last one that the run has taken, or the run's
    creation."""
    since_ms: int = 0
    """How long before the run's creation an event may have been sent that counts."""


@dataclass(frozen=True, slots=True)
class Suspend:
    """The run waits for a time, or for what comes from outside; the attempt does not count."""

    due_ms: int | None
    """Until when at the latest, in server milliseconds; None where no time is waited for."""
    come: int
    """How often something had come from outside when the attempt last looked."""
    records: Mapping[str, bytes]
    """The records of steps, by their names, that are written with it."""
    waits: Sequence[EventWait] = ()
    keeps_slot: bool = False
    """Whether the run counts for `max_concurrency` while it waits."""


@dataclass(frozen=True, slots=True)
class ContinueAsNew:
    """The run begins anew, with another input and without any step."""

    input: bytes
    """As JSON."""


Outcome: TypeAlias = (
    Finish | Advance | AwaitChildren | Retry | Snooze | Fail | Cancel | Release | Suspend | ContinueAsNew
)


class HistoryLine(StrEnum):
    """Whether an attempt that ended so has a line in its job's history."""

    ALWAYS = "always"
    IF_ANY = "if there are others"
    """Most jobs are never retried: theirs need no history."""
    NONE = "none"
    """The job's hash tells it: by its state, its error or its reason, or by its children."""


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """What the kernel has to know of one way in which an attempt ends."""

    verb: str
    """The outcome's name in lower case: so are called its transition in Lua, its test, and what the history says."""
    state: JobState
    """Where the job is then."""
    line: HistoryLine
    again: bool = False
    """Whether the job comes back to the same queue, to be tried again."""
    gives_back: bool = False
    """Whether the attempt does not count."""

    @property
    def ends(self) -> bool:
        """Whether the job has come to its end."""
        return self.state in TERMINAL


#: The one table of outcomes: the loader writes what scripts need of it into Lua, the history, the documents and the
#: tests take their lists of verbs from it.
OUTCOMES: Final[Mapping[type[Outcome], OutcomeRow]] = MappingProxyType(
    {
        Finish: OutcomeRow("finish", JobState.DONE, HistoryLine.NONE),
        Advance: OutcomeRow("advance", JobState.WAITING, HistoryLine.IF_ANY),
        AwaitChildren: OutcomeRow("await_children", JobState.CHILDREN, HistoryLine.NONE),
        Retry: OutcomeRow("retry", JobState.DELAYED, HistoryLine.ALWAYS, again=True),
        Snooze: OutcomeRow("snooze", JobState.DELAYED, HistoryLine.ALWAYS, again=True, gives_back=True),
        Fail: OutcomeRow("fail", JobState.FAILED, HistoryLine.NONE),
        Cancel: OutcomeRow("cancel", JobState.CANCELLED, HistoryLine.NONE),
        Release: OutcomeRow("release", JobState.WAITING, HistoryLine.ALWAYS, again=True, gives_back=True),
    }
)
#: Those that only runs of workflows have: the scripts of other flows know nothing of them.
RUN_OUTCOMES: Final[Mapping[type[Outcome], OutcomeRow]] = MappingProxyType(
    {
        Suspend: OutcomeRow("suspend", JobState.DELAYED, HistoryLine.NONE, again=True, gives_back=True),
        ContinueAsNew: OutcomeRow("continue_as_new", JobState.WAITING, HistoryLine.NONE, again=True),
    }
)
ALL_OUTCOMES: Final[Mapping[type[Outcome], OutcomeRow]] = MappingProxyType({**OUTCOMES, **RUN_OUTCOMES})
#: The verbs of all outcomes of jobs, and those of runs.
VERBS: Final = tuple(row.verb for row in OUTCOMES.values())
RUN_VERBS: Final = tuple(row.verb for row in ALL_OUTCOMES.values())
#: After these a job is over: one that was cancelled while it ran ends as it did, and not as cancelled.
ENDING_VERBS: Final = tuple(row.verb for row in OUTCOMES.values() if row.ends)

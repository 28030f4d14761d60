"""What is read of a run: the run itself, and each of its steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, TypeAlias, TypeVar, cast, get_args

from flows.errors import JobNotDone, MalformedJob
from flows.model.job import JobError
from flows.model.runs.history import RunHistory, make_history
from flows.model.runs.input_wait import INPUT
from flows.model.runs.new_run import BY_TAG, BY_WORKFLOW
from flows.model.runs.past_visits import PAST_FIELD, PastVisit, read_past
from flows.model.runs.queue_names import workflow_of
from flows.model.runs.schedule_definition import SCHEDULE_FIELD
from flows.model.runs.shape import Shape, read_plain
from flows.model.runs.step_record import StepKind, StepRecord, StepStatus, read_record
from flows.model.runs.step_tries import StepTry, tries_of
from flows.model.state import JobState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flows.model.record import JobRecord

OutT = TypeVar("OutT")

#: The states of a run: those of a job, and `suspended`: it has begun, and waits for a time, an event or a child.
RunStatus: TypeAlias = Literal["waiting", "delayed", "processing", "suspended", "done", "failed", "cancelled"]
#: What a suspended run waits for: a person's answer, an event, other runs, or time alone.
Awaited: TypeAlias = Literal["answer", "event", "runs", "time"]
#: The fields of the hash that tell that: steps with their events by lines in turn, and the steps that wait for runs.
AWAITED_FIELDS: Final = ("_waits", "_open")
#: The fields of the hash that tell a run's status; `_suspended` is the fence of the attempt that was suspended.
STATUS_FIELDS: Final = ("_status", "_suspended", "_attempt")
#: The field of a run that was forked: the run that it was forked from, and before which step; none: from the beginning.
FORKED_FIELD: Final = "_forked"
#: What stands before a step's name in the hash.
STEP: Final = "step:"
_STATUSES: Final = frozenset(get_args(RunStatus))
#: What lines of `_lookups` begin with that are of no field: those of all runs, and what is the run's own.
_NO_FIELD: Final = (f"{BY_WORKFLOW}:", f"{BY_TAG}:", "#")


def run_status(state: JobState, fields: Mapping[str, bytes]) -> RunStatus:
    """Return a run's status by its state as a job and the fields that tell more."""
    if state == JobState.DELAYED and fields.get("_suspended", b"-") == fields.get("_attempt", b"").partition(b" ")[0]:
        return "suspended"
    return cast("RunStatus", str(state)) if str(state) in _STATUSES else "processing"


@dataclass(frozen=True, slots=True)
class RunStep:
    """One step of a run, as it is recorded."""

    name: str
    kind: StepKind
    status: StepStatus
    """`waiting`, `done`, `failed`, or `withdrawn`: the task that stood in it was cancelled by the run's own code."""
    began_at: datetime | None
    """By the server's clock, in UTC; None where that was not recorded."""
    took: timedelta
    """How long its last try took."""
    tries: int
    """How often its function was called."""
    until: datetime | None
    """When its waiting is over by time; None: it is not."""
    result: Any
    """What it returned, as plain JSON."""
    error: JobError | None
    """Why it failed, or why its last try did."""
    prompt: str = ""
    """What a person is asked, where it waits for an answer."""
    refused: str = ""
    """Why the last answer was not taken; the step waits for another one."""
    tried: tuple[StepTry, ...] = ()
    """Its tries, the newest 20; of a step that was tried again after a retry of the run, those before it too."""
    undo: bool = False
    """Whether it is undone when the run fails."""
    more: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What its kind has to say beside that: the `event` and its `key`, the `workflow` of the runs and their `total`."""

    @classmethod
    def of(cls, name: str, record: StepRecord) -> RunStep:
        """Return a step as its record tells it."""
        raw = record.children if record.result is None else record.result
        return cls(
            name,
            record.kind,
            record.status,
            _time(record.at),
            timedelta(milliseconds=record.ms),
            record.tries,
            _time(record.until),
            None if raw is None else read_plain(raw),
            record.error,
            str(record.more.get("prompt", "")),
            str(record.more.get("refused", "")),
            tuple(tries_of(record)),
            record.undo,
            record.more,
        )


class RunRecord(Generic[OutT]):
    """One run, as it stood when it was read.

    Attributes:
        id: The run's id.
        job: The run as a job: its path, its history, its cost.
    """

    def __init__(self, job: JobRecord[Any], fields: Mapping[str, bytes], output: Shape[OutT]) -> None:
        self.id = job.id
        self.job = job
        self._fields = fields
        self._output = output

    def __repr__(self) -> str:
        return f"<RunRecord {self.workflow} {self.id} {self.status}>"

    @property
    def workflow(self) -> str:
        """The workflow's name."""
        return workflow_of(self.job.queue)

    @property
    def queue(self) -> str:
        """The kernel's queue in which it stands: the workflow's, or that of an override or a version."""
        return self.job.queue

    @property
    def version(self) -> str | None:
        """The version of its workflow's code that began it, or to which it was moved; None: of none."""
        return self._text("_version") or None

    @property
    def status(self) -> RunStatus:
        """Its status: a run that has begun and waits is `suspended`."""
        return run_status(self.job.status, self._fields)

    @property
    def awaits(self) -> Awaited | None:
        """What it waits for while it is suspended: of several things the first of answer, event, runs and time."""
        if self.status != "suspended":
            return None
        events = self._text("_waits").splitlines()[1::2]
        if any(event.startswith(f"{INPUT}:") for event in events):
            return "answer"
        return "event" if events else "runs" if self._text("_open") else "time"

    @property
    def attempts(self) -> int:
        """How many attempts were made; waits give theirs back."""
        return self.job.attempts

    @property
    def created_at(self) -> datetime:
        """When it was started, in UTC."""
        return self.job.created_at

    @property
    def since(self) -> datetime:
        """Since when it is in its status, in UTC; of a run that is delayed or suspended, when it is due."""
        return self.job.since

    @property
    def error(self) -> JobError | None:
        """Why it failed, or why its last attempt did."""
        return self.job.error

    @property
    def reason(self) -> str:
        """Why it was cancelled, or empty."""
        return self._fields.get("_reason", b"").decode("utf-8", "replace")

    @property
    def progress(self) -> tuple[float, str] | None:
        """What a step reported last: from 0 to 1, and a message."""
        return self.job.progress

    @property
    def correlation_id(self) -> str | None:
        """What it was started with."""
        found = read_plain(self._fields.get("_correlation_id", b"null"))
        return found if isinstance(found, str) else None

    @property
    def tags(self) -> list[str]:
        """By what it is found beside its lookups."""
        lines = self._fields.get("_lookups", b"").decode("utf-8", "replace").splitlines()
        return [line.removeprefix("tag:") for line in lines if line.startswith("tag:")]

    @property
    def lookups(self) -> dict[str, str]:
        """The fields of its input by which it is found, as texts; of several values of one the last."""
        lines = [line for line in self._text("_lookups").splitlines() if not line.startswith(_NO_FIELD)]
        return {name: text for name, _, text in (line.partition(":") for line in lines)}

    @property
    def deadline(self) -> datetime | None:
        """When its timeout ends it, in UTC; None: it has none."""
        text = self._text("_deadline")
        return _time(int(text)) if text.isdecimal() else None

    @property
    def schedule(self) -> str | None:
        """The id of the schedule that has started it; None: none has."""
        return self._scheduled[1] or None

    @property
    def slot(self) -> datetime | None:
        """For which slot of its schedule, in UTC; None where it was triggered by hand, too."""
        slot = self._scheduled[0]
        return _time(int(slot)) if slot.isdecimal() else None

    @property
    def forked_from(self) -> str | None:
        """The id of the run that it was forked or restarted from; None: it was not."""
        return self._text(FORKED_FIELD).partition(" ")[0] or None

    @property
    def _scheduled(self) -> tuple[str, str]:
        slot, _, schedule = self._text(SCHEDULE_FIELD).partition(" ")
        return slot, schedule

    def _text(self, name: str) -> str:
        return self._fields.get(name, b"").decode("utf-8", "replace")

    @property
    def input(self) -> Any:
        """What it was started with, as plain JSON; None of a workflow that takes none."""
        return read_plain(self._fields.get("input", b"null"))

    @property
    def output(self) -> OutT:
        """What it has returned.

        Raises:
            JobNotDone: it is not done.
            ValidationError: what stands there is not of the workflow's type.
        """
        raw = self._fields.get("output")
        if raw is None or self.job.status != JobState.DONE:
            raise JobNotDone(self.id, self.status, "its output")
        return self._output.decode(raw)

    @property
    def steps(self) -> list[RunStep]:
        """Its steps in the order in which they were settled, then those that wait; edited records are left out."""
        found: list[tuple[tuple[Any, ...], RunStep]] = []
        for name, raw in self._fields.items():
            if name.startswith(STEP) and not name.startswith(f"{STEP}@"):
                try:
                    record = read_record(name.removeprefix(STEP), raw)
                except MalformedJob:
                    continue
                place = (1, record.at) if record.place is None else (0, *record.place)
                found.append((place, RunStep.of(name.removeprefix(STEP), record)))
        return [step for _place, step in sorted(found, key=lambda one: one[0])]

    @property
    def past(self) -> list[PastVisit]:
        """The visits that ended before a retry of the run, oldest first."""
        return read_past(self._fields.get(PAST_FIELD, b""))

    @property
    def waits_for(self) -> list[str]:
        """The names of the steps that wait."""
        return [step.name for step in self.steps if step.status == "waiting"]

    def history(self) -> RunHistory:
        """Return what `flows.testing.replay` takes: the input, the records of steps, how it ended."""
        records = {name.removeprefix(STEP): raw for name, raw in self._fields.items() if name.startswith(STEP)}
        given, output = self._fields.get("input", b"null"), self._fields.get("output")
        return make_history(self.id, self.workflow, self.status, given, output, records)


def _time(milliseconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None

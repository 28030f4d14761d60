"""What is recorded of one task of an instance, and of the instance itself: JSON texts, each under a revision.

Each begins with its status, then `order`, the revision under which it was written, which the storage puts there::

    {"status":"ok","order":41,"run":"0193…","started":1764172800000,"ended":1764172801000,"inputs":{"#.a":17},"bytes":12}
    {"status":"skipped","order":42,"run":"0193…","because":"#.images is skipped"}

What is nothing is left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args

from pydantic_core import from_json, to_json

from flows.errors import MalformedJob
from flows.model.job import JobError

if TYPE_CHECKING:
    from collections.abc import Mapping

TaskStatus: TypeAlias = Literal["inactive", "queued", "running", "ok", "skipped", "failed", "cancelled"]
InstanceStatus: TypeAlias = Literal["idle", "working", "done", "failed", "cancelled"]
#: A record as it is stored.
Text: TypeAlias = bytes

_TASK: Final = frozenset(get_args(TaskStatus))
#: All of an instance's, in the order in which it may come to them.
INSTANCE_STATUSES: Final[tuple[str, ...]] = get_args(InstanceStatus)
_INSTANCE: Final = frozenset(INSTANCE_STATUSES)


def _no_inputs() -> dict[str, int]:
    return {}  # a call of `dict[str, int]` takes several times as long


@dataclass(slots=True)
class TaskRecord:
    """The record of one task, which is never changed; not frozen, since that makes 10,000 of them twice as slow.

    Attributes:
        status: Where it stands.
        order: The revision of the instance under which this was written.
        run: The execution that has written it.
        queued: When it was to begin, as `started` and `ended` in milliseconds by the clock of the storage.
        attempt: Which attempt of its function it is, from 1.
        progress: What it has told last, from 0 to 1, with `message`.
        inputs: The revisions at which those had ended whose results it was given, by path.
        data: The digest of the fields of the data that it was given, and of what its function is bound to.
        error: Why it failed, or why its last attempt did.
        because: What else has brought this about: of a skipped task which one above it was skipped, of an inactive one
            why it did not begin. A task that its own condition has skipped has none.
        bytes: The size of its result, or of an earlier one until the task has ended as ok or skipped again.
    """

    status: TaskStatus
    order: int = 0
    run: str = ""
    queued: int = 0
    started: int = 0
    ended: int = 0
    attempt: int = 0
    progress: float = 0.0
    message: str = ""
    inputs: Mapping[str, int] = field(default_factory=_no_inputs)
    data: str = ""
    error: JobError | None = None
    because: str = ""
    bytes: int | None = None

    @property
    def skipped_above(self) -> bool:
        """Whether it is skipped because a task above it is, and not by its own condition."""
        return self.status == "skipped" and bool(self.because)

    def goes_on_in(self, run: str) -> bool:
        """Return whether an execution has begun the task and not ended it: it goes on with the attempt of this."""
        return self.run == run and self.attempt > 0 and self.status in {"running", "queued"}

    def numbered(self, order: int) -> TaskRecord:
        """Return the record as it was written under a revision; `replace` takes several times as long."""
        return TaskRecord(
            self.status,
            order,
            self.run,
            self.queued,
            self.started,
            self.ended,
            self.attempt,
            self.progress,
            self.message,
            self.inputs,
            self.data,
            self.error,
            self.because,
            self.bytes,
        )

    def write(self) -> Text:  # noqa: C901, PLR0912 - by a table of the names it takes twice as long
        """Return the record's text."""
        members: dict[str, Any] = {"status": self.status}
        if self.order:
            members["order"] = self.order
        if self.run:
            members["run"] = self.run
        if self.queued:
            members["queued"] = self.queued
        if self.started:
            members["started"] = self.started
        if self.ended:
            members["ended"] = self.ended
        if self.attempt:
            members["attempt"] = self.attempt
        if self.progress:
            members["progress"] = self.progress
        if self.message:
            members["message"] = self.message
        if self.inputs:
            members["inputs"] = self.inputs
        if self.data:
            members["data"] = self.data
        if self.error:
            members["error"] = self.error
        if self.because:
            members["because"] = self.because
        if self.bytes is not None:
            members["bytes"] = self.bytes
        return to_json(members)


@dataclass(slots=True)
class InstanceRecord:
    """The record of an instance: what its last execution has come to; it is never changed, as that of a task is not.

    Attributes:
        status: `working` while an execution is under way.
        order: The revision under which this was written.
        run: The execution.
        path: The task that has failed.
        error: Why it did.
        because: Why it was cancelled.
        progress: How far the whole tree was, from 0 to 1.
    """

    status: InstanceStatus
    order: int = 0
    run: str = ""
    started: int = 0
    ended: int = 0
    path: str = ""
    error: JobError | None = None
    because: str = ""
    progress: float = 0.0

    def write(self) -> bytes:
        """Return the record's text."""
        return to_json({name: value for name in _INSTANCE_NAMES if (value := getattr(self, name))})


def read_task_record(path: str, raw: bytes) -> TaskRecord:
    """Return the record of a task from its text; members that only a newer release knows are left out.

    Raises:
        MalformedJob: it is none that flows has written.
    """
    try:
        return _task_record(from_json(raw))
    except _WRONG as error:
        raise MalformedJob(f"the record of {path} cannot be read: {error}") from error


def read_task_records(texts: Mapping[str, bytes]) -> dict[str, TaskRecord]:
    """Return the records of many tasks from their texts, by path: quicker than one by one.

    Raises:
        MalformedJob: one of them is none that flows has written.
    """
    try:
        found: list[dict[str, Any]] = from_json(b"[%b]" % b",".join(texts.values()))
        return dict(zip(texts, map(_task_record, found), strict=True))
    except _WRONG:
        return {path: read_task_record(path, text) for path, text in texts.items()}  # it says which one


def read_instance_record(raw: bytes) -> InstanceRecord:
    """Return the record of an instance from its text.

    Raises:
        MalformedJob: it is none that flows has written.
    """
    try:
        found: dict[str, Any] = from_json(raw)
        _check_status(found["status"], _INSTANCE)
        return InstanceRecord(**_with_error({name: found[name] for name in found.keys() & _INSTANCE_FIELDS}))
    except _WRONG as error:
        raise MalformedJob(f"the record of the instance cannot be read: {error}") from error


#: What reading nonsense raises.
_WRONG: Final = (ValueError, TypeError, KeyError, AttributeError)
_TASK_FIELDS: Final = frozenset(one.name for one in fields(TaskRecord))
_INSTANCE_NAMES: Final = tuple(one.name for one in fields(InstanceRecord))
_INSTANCE_FIELDS: Final = frozenset(_INSTANCE_NAMES)


def _task_record(found: dict[str, Any]) -> TaskRecord:
    if "error" in found:
        _with_error(found)
    try:
        record = TaskRecord(**found)
    except TypeError:  # a newer release has written it
        record = TaskRecord(**{name: found[name] for name in found.keys() & _TASK_FIELDS})
    _check_status(record.status, _TASK)
    return record


def _with_error(found: dict[str, Any]) -> dict[str, Any]:
    if "error" in found:
        found["error"] = JobError.model_validate(found["error"])
    return found


def _check_status(status: object, known: frozenset[str]) -> None:
    if status not in known:
        raise ValueError(f"its status is {status!r}")

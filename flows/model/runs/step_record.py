"""What is recorded of one step of a run: a JSON text in the field `step:<name>` of the run's hash.

It begins with its status, so that a script tells that by a prefix, and ends with the result, the error or the
children, so that nobody decodes these who only wants to know how things stand::

    {"status":"done","order":[2,7,0],"kind":"run","at":1764172800000,"ms":12,"tries":1,"undo":true,"result":…}
    {"status":"done","order":3,"kind":"event","result":…}
    {"status":"failed","order":[3,8,0],"kind":"run","tries":2,"life":"0.1","classes":[…],"error":{…}}
    {"status":"waiting","kind":"sleep","at":1764172800000,"until":1764172860000}

`order` says when it came: `n`, the n-th thing that came from outside, or `[n, k, i]`, the i-th record of the k-th
write of the run's own attempts, made when n things had come.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple, TypeAlias, cast, get_args

from pydantic_core import from_json, to_json

from flows.errors import MalformedJob, ValidationError
from flows.model.job import JobError

StepStatus: TypeAlias = Literal["waiting", "done", "failed", "withdrawn"]
#: `run` is a function's, `workflow` and `map` wait for runs, `emit` has started one and does not wait; `undo` and
#: `on_failure` are what follows the failure of a run.
StepKind: TypeAlias = Literal["run", "sleep", "event", "input", "workflow", "map", "emit", "undo", "on_failure"]

#: What every record of a step that waits begins with: only such a one is settled from outside.
WAITING: Final = b'{"status":"waiting"'
_ASKS: Final = WAITING + b',"kind":"input"'
#: The step in which a run's `on_failure` is called, and what the names of steps that undo others begin with.
ON_FAILURE: Final = "on_failure"
UNDO: Final = "undo:"
#: Names that begin so are records of the library's own, for which no code asks.
OWN: Final = "@"
LONGEST_NAME: Final = 200
#: Kinds of steps for which no code asks: they follow when it has ended.
OWN_KINDS: Final = frozenset({"undo", "on_failure"})
#: Kinds of steps that wait for runs which they have started.
PARENTS: Final = frozenset({"workflow", "map"})
#: What settles a step from outside may call it by the other one's name.
SAME_KINDS: Final = ({"event", "input"}, {"workflow", "map"})

_ORDER: Final = re.compile(rb'\{"status":"(?:done|failed)","order":\[?(\d+(?:,\d+){0,2})[],]')
_LAST: Final = re.compile(rb',"(result|error|children)":')
_STATUSES: Final = frozenset(get_args(StepStatus))
_KINDS: Final = frozenset(get_args(StepKind))
#: What a record says only where it is not nothing.
_HEAD: Final = ("at", "ms", "tries", "undo", "life", "classes")
_TRIPLE: Final = 3
#: Kinds of steps that call a function, and wait only before they do so again.
_TRIED: Final = frozenset({"run", *OWN_KINDS})


class Place(NamedTuple):
    """When a record came, among all of its run: places compare as the records came."""

    come: int
    """How many things had come from outside; of what came from outside itself, its number among these."""
    write: int = 0
    """Which write of the run's own attempts it belongs to, from 1; 0: it came from outside."""
    nth: int = 0
    """Which record of that write it is, from 0: they became known to the run's code at once."""


@dataclass(slots=True)
class StepRecord:
    """The record of one step.

    Attributes:
        status: `waiting` for something, `done`, `failed` (for this life of the run), or `withdrawn`: the run's code
            cancelled the task that stood in the step.
        kind: Which method of `Step` has written it.
        place: When it came; None of a step that waits.
        at: When the step began, by the server's clock, in milliseconds.
        ms: How long its last try took, in milliseconds.
        tries: How often its function was called.
        life: In which life of the run it failed: only there it stays so.
        undo: Whether it is undone when the run fails.
        until: When its waiting is over, by the server's clock, in milliseconds; None: it is not by time.
        more: What its kind has to say beside that, as plain JSON.
        result: What it returned, as JSON; None where there is none.
        children: How the runs for which it has waited ended, as the JSON of a list of `ChildRunResult`; None where
            there are none, or too many.
        classes: Of which classes its error is, by qualified names.
        error: Why it failed, or why its last try did.
    """

    status: StepStatus
    kind: StepKind
    place: Place | None = None
    at: int = 0
    ms: int = 0
    tries: int = 0
    life: str = ""
    undo: bool = False
    until: int | None = None
    more: dict[str, Any] = field(default_factory=dict[str, Any])
    result: bytes | None = None
    children: bytes | None = None
    classes: tuple[str, ...] = ()
    error: JobError | None = None

    def counts_in(self, life: str) -> bool:
        """Return whether the record counts in a life of the run: a step that failed in another one begins anew."""
        if self.status in {"failed", "withdrawn"} or (self.status == "waiting" and self.kind in _TRIED):
            return self.life == life
        return True

    def write(self) -> bytes:
        """Return the record's text."""
        place, result = self.place, self.result
        if self.status == "done" and place is not None and result is not None and self._is_bare:
            return done_text(place, self.kind, self.at, self.ms, self.tries, result)
        head: dict[str, Any] = {"status": self.status}
        if self.place is not None:
            head["order"] = self.place if self.place.write else self.place.come
        head["kind"] = self.kind
        head.update((name, value) for name in _HEAD if (value := getattr(self, name)))
        if self.until is not None:
            head["until"] = self.until
        text = to_json({**head, **self.more})[:-1]
        if self.error is not None:
            return b'%b,"error":%b}' % (text, to_json(self.error))
        if self.children is not None:
            return b'%b,"children":%b}' % (text, self.children)
        return text + (b"}" if self.result is None else b',"result":%b}' % self.result)

    @property
    def _is_bare(self) -> bool:
        return not (self.more or self.undo or self.life or self.classes or self.error) and self.until is None


def done_text(place: Place, kind: StepKind, at: int, ms: int, tries: int, result: bytes) -> bytes:  # noqa: PLR0917
    """Return the text that `StepRecord.write` comes to where there is nothing but these, as of most steps."""
    order = b"[%d,%d,%d]" % place if place.write else b"%d" % place.come
    began = b',"at":%d' % at if at else b""
    took = b',"ms":%d' % ms if ms else b""
    tried = b',"tries":%d' % tries if tries else b""
    return b'{"status":"done","order":%b,"kind":"%b"%b%b%b,"result":%b}' % (
        order, kind.encode(), began, took, tried, result,
    )  # fmt: skip


def read_record(name: str, raw: bytes) -> StepRecord:
    """Return the record of the step `name` from its text.

    Raises:
        MalformedJob: it is none that flows has written.
    """
    try:
        return _read(raw)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise MalformedJob(f"the record of step {name!r} cannot be read: {error}") from error


def place_of(raw: bytes) -> Place | None:
    """Return when a record came, without reading the rest of it; None of one that does not count, or is nonsense."""
    found = _ORDER.match(raw)
    return None if found is None else Place(*map(int, found[1].split(b",")))


def is_waiting(raw: bytes) -> bool:
    """Return whether a record's text is that of a step that waits."""
    return raw.startswith(WAITING)


def check_step_name(name: object) -> str:
    """Return a name that a step may have.

    Raises:
        ValidationError: it is no text of 1 to 200 printable characters, or one of the library's own.
    """
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise ValidationError(
            f"step name {str(name)[:LONGEST_NAME]!r}: give a text of 1 to {LONGEST_NAME} printable characters"
        )
    if name == ON_FAILURE or name.startswith((UNDO, OWN)):
        raise ValidationError(f"step name {name!r} is the library's own: choose another")
    return name


def _read(raw: bytes) -> StepRecord:
    # In a text of JSON a quote is escaped, and nothing before the last member has members of these names.
    # What waits for an answer has no such member, but may have them in the schema of the answer.
    last = None if raw.startswith(_ASKS) else _LAST.search(raw)
    head = raw if last is None else raw[: last.start()] + b"}"
    tail = None if last is None else raw[last.end() : -1]
    member = None if last is None else last[1]
    found: dict[str, Any] = from_json(head)
    status, kind = found.pop("status"), found.pop("kind")
    if status not in _STATUSES or kind not in _KINDS:
        raise ValueError(f"it is {status!r}, of kind {kind!r}")
    order = found.pop("order", None)
    return StepRecord(
        status,
        kind,
        None if order is None else _place(order),
        found.pop("at", 0),
        found.pop("ms", 0),
        found.pop("tries", 0),
        found.pop("life", ""),
        found.pop("undo", False),
        found.pop("until", None),
        result=tail if member == b"result" else None,
        children=tail if member == b"children" else None,
        classes=tuple(found.pop("classes", ())),
        error=JobError.model_validate_json(tail) if tail is not None and member == b"error" else None,
        more=found,
    )


def _place(order: object) -> Place:
    if isinstance(order, list):
        numbers = cast("list[int]", order)
        if len(numbers) > _TRIPLE:
            raise ValueError("its order has more than three numbers")
        return Place(*numbers)
    if not isinstance(order, int):
        raise TypeError("its order is no number")
    return Place(order)

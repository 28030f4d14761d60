"""A worker's turns: in one script it reports how attempts ended and gets its next jobs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, assert_never

from pydantic_core import to_json

from flows.model.codec import as_object
from flows.model.outcome import (
    Advance,
    AwaitChildren,
    Cancel,
    Done,
    Fail,
    NewChild,
    Outcome,
    Release,
    Retry,
    Snooze,
)
from flows.store.scripts import load
from flows.store.terms import ALONE_FROM
from flows.store.wire import pack_arguments
from flows.telemetry.failpoints import failpoint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.model.outcome import Fields
    from flows.store.connection import Connection
    from flows.store.scripts import Argument
    from flows.store.terms import Terms

#: So many jobs are ended, and as many claimed, by one script at most: that keeps it under 10 ms.
MOST_JOBS: Final = 100
#: So many children are created by the script that ends the parent's attempt; more are built in parts.
MOST_CHILDREN: Final = 200
_PART_BYTES: Final = 1 << 19
_MOST_BYTES: Final = 1 << 20
_KERNEL_VALUES = 6
_RESCUES = 4


class Claimed:
    """One job as it was claimed: its token, and the fields that the worker asked for, in that order."""

    __slots__ = ("alone", "attempt", "correlation_id", "fence", "id", "rescues", "values", "visit")

    def __init__(self, reply: list[Any]) -> None:
        self.id: str = reply[0].decode()
        self.fence: int = reply[1]
        self.attempt: int = reply[2]
        self.visit: int = reply[3]
        self.rescues: int = reply[_RESCUES]
        self.correlation_id: bytes | None = reply[5]
        self.alone: bool = self.rescues >= ALONE_FROM
        self.values: list[bytes | None] = reply[_KERNEL_VALUES:]


class Ended:
    """An attempt that has ended: its job, the outcome, and both packed for a script.

    Packed as soon as it ends: a worker has its turn put together while the server has nothing to do.
    """

    __slots__ = ("arguments", "children", "claimed", "outcome", "packed")

    def __init__(self, claimed: Claimed, outcome: Outcome, *, child: bool) -> None:
        verb, arguments = _verb(outcome, child=child)
        self.claimed = claimed
        self.outcome = outcome
        self.arguments = 4 + len(arguments)
        self.packed = pack_arguments((verb, claimed.id, claimed.fence, len(arguments), *arguments))
        self.children = len(outcome.children) if isinstance(outcome, AwaitChildren) else 0


@dataclass(frozen=True)
class Turn:
    """A turn's answer."""

    words: list[str]
    """What became of each attempt that was reported: ok, cancelled, or why it was refused."""
    jobs: list[list[Any]]
    """The jobs that were claimed, as the script tells of them."""
    left: int
    """How many jobs wait on."""
    next_due_ms: int
    """In how many milliseconds the next delayed job is due; 0: there is none, or another worker wakes for it."""
    expired: int
    """How many ids had no hash any more."""
    malformed: int
    """How many jobs failed because their hash was edited into nonsense."""
    elsewhere: int
    """How many ids stood here twice, or belong elsewhere: nothing is wrong with their jobs."""

    @cached_property
    def claimed(self) -> list[Claimed]:
        """The jobs that were claimed; made when they are first looked at, since a worker sends its next turn before."""
        return [Claimed(job) for job in self.jobs]

    @property
    def alone(self) -> bool:
        """Whether it brought a job beside which nothing may run: such a job comes by itself."""
        return len(self.jobs) == 1 and self.jobs[0][_RESCUES] >= ALONE_FROM


#: What there is before the first turn.
NO_TURN: Final = Turn([], [], 0, 0, 0, 0, 0)


class Turns:
    """The turns of one worker incarnation on one queue."""

    def __init__(self, connection: Connection, terms: Terms, queue: str, worker: str, fields: Sequence[str]) -> None:
        self._connection = connection
        self._terms = terms
        self.queue = queue
        self.worker = worker
        self.flow = terms.flow_of(queue)
        self._fields = list(fields)
        self._is_child = self.flow != terms.flow
        self._number = 0
        keys = terms.keys
        self._named: dict[str, Argument] = {
            **terms.named(self.flow),
            "queue": queue,
            "worker": worker,
            "waiting": keys.waiting(queue),
            "processing": keys.processing(queue),
            "delayed": keys.delayed(queue),
            "call": keys.call(worker),
            "nfields": len(self._fields),
        }
        self._turn, self._report = load("turn"), load("report")
        self._last: tuple[dict[str, Argument], Sequence[Ended]] = ({}, ())

    def ended(self, claimed: Claimed, outcome: Outcome) -> Ended:
        """Return an attempt that has ended, to be reported by a turn."""
        return Ended(claimed, outcome, child=self._is_child)

    async def turn(self, ended: Sequence[Ended], want: int, *, busy: bool) -> Turn:
        """Report ended attempts and claim up to `want` jobs; `busy` says that other jobs run beside them.

        Raises:
            StoreFull: the server takes no new data; the ended attempts are recorded all the same.
            StoreError: the server cannot be reached.
        """
        self._number += 1
        named = {
            **self._named,
            "number": self._number,
            "want": min(want, MOST_JOBS),
            "busy": int(busy),
            "ended": len(ended),
        }
        self._last = (named, ended)
        return await self.repeat()

    async def repeat(self) -> Turn:
        """Send the last turn again, whose answer was lost: with the same number it is one and the same.

        Raises:
            StoreError: the server cannot be reached.
        """
        named, ended = self._last
        words, jobs, left, due, dropped = await self._connection.run(self._turn, named, self._fields, ended)
        return Turn([word.decode() for word in words], jobs, left, due, *dropped)

    async def report(self, ended: Sequence[Ended]) -> list[str]:
        """Report ended attempts and claim nothing; this works on a full server too."""
        words = await self._connection.run(self._report, {**self._named, "ended": len(ended)}, packed=ended)
        return [word.decode() for word in words]

    async def create_children(self, claimed: Claimed, children: Sequence[NewChild]) -> str:
        """Create more children than one script takes: written in parts, then let into their queues.

        Returns "ok", or why the attempt may not write any more. Sent again by a later attempt, it goes on where
        the earlier one stopped.
        """
        named = {**self._named, "id": claimed.id, "fence": claimed.fence}
        build, publish, offset = load("build"), load("publish"), 0
        while offset < len(children):
            part = _part(children[offset:])
            word, written = await self._connection.run(build, {**named, "offset": offset}, pack_children(part))
            if word == b"built":
                break
            if word != b"ok":
                return str(word.decode())
            offset = written
            failpoint("mid-fan-out")
        left = 1
        while left:
            word, left = await self._connection.run(publish, named)
            if word != b"ok":
                return str(word.decode())
        failpoint("after-fan-out")
        return "ok"


def _verb(outcome: Outcome, *, child: bool) -> tuple[str, list[Argument]]:  # noqa: PLR0911 - one per outcome
    """Return a verb and its arguments; of a `child` the result goes along as one object too, for its parent."""
    match outcome:
        case Done(fields):
            return "finish", [as_object(fields) if child else "", *_flat(fields)]
        case Advance(queue, fields):
            return "advance", [queue, *_flat(fields)]
        case AwaitChildren(children, next_queue, fields, policy):
            result = as_object(fields) if child and fields else ""
            packed = pack_children(children)
            return "await_children", [next_queue or "", policy, result, *_counted(fields), *packed]
        case Retry(delay_ms, error):
            return "retry", [delay_ms, error.model_dump_json(), to_json(error.brief())]
        case Snooze(delay_ms, until_ms, reason):
            return "snooze", [delay_ms if until_ms is None else -1, until_ms or 0, to_json(reason)]
        case Fail(error):
            return "fail", [error.model_dump_json()]
        case Cancel(reason):
            return "cancel", [reason]
        case Release():
            return "release", []
    assert_never(outcome)


def pack_children(children: Sequence[NewChild]) -> list[Argument]:
    """Return children as a counted list of child queue, id and counted fields."""
    packed: list[Argument] = [len(children)]
    for child in children:
        packed += (child.child, child.id, *_counted(child.fields))
    return packed


def _flat(fields: Fields) -> list[Argument]:
    return list(chain.from_iterable(fields.items()))


def _counted(fields: Fields) -> list[Argument]:
    return [len(fields) * 2, *_flat(fields)]


def _part(children: Sequence[NewChild]) -> Sequence[NewChild]:
    """Return as many of the first children as one script takes."""
    size = 0
    for number, child in enumerate(children[:MOST_CHILDREN]):
        size += sum(map(len, child.fields.values()))
        if size > _PART_BYTES and number:
            return children[:number]
    return children[:MOST_CHILDREN]


def first_batch(ended: Sequence[Ended]) -> int:
    """Return how many of the first ended attempts one script takes: by jobs, by children and by bytes, at least one."""
    children, size = 0, 0
    for number, attempt in enumerate(ended[:MOST_JOBS]):
        children += attempt.children
        size += len(attempt.packed)
        if number and (children > MOST_CHILDREN or size > _MOST_BYTES):
            return number
    return min(len(ended), MOST_JOBS)


def fits_one_script(children: Sequence[NewChild]) -> bool:
    """Whether these children can be created by the script that ends the parent's attempt."""
    return len(_part(children)) == len(children)

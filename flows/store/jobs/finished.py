"""How attempts ended, packed for the scripts that end them: each a verb, the job, its fence, and counted arguments."""

from __future__ import annotations

from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Final, assert_never

from pydantic_core import to_json

from flows.model.codec import as_object
from flows.model.outcome import (
    ALL_OUTCOMES,
    Advance,
    AwaitChildren,
    Cancel,
    ContinueAsNew,
    Fail,
    Finish,
    NewChild,
    Outcome,
    Release,
    Retry,
    Snooze,
    Suspend,
)
from flows.store.client.wire import pack_arguments
from flows.store.keys.runs import event_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flows.model.outcome import EventWait, Fields
    from flows.store.client.scripts import Argument
    from flows.store.jobs.claimed import ClaimedJob

#: So many jobs are ended, and as many claimed, by one script at most: that keeps it under 10 ms.
MOST_JOBS: Final = 100
#: The same of runs, whose records are read with them and written with their ends.
MOST_RUNS: Final = 50
#: So many children are created by the script that ends the parent's attempt; more are built in parts.
MOST_CHILDREN: Final = 200
#: So many arguments of jobs go into one request at most: some hosts take 3,999 in all.
MOST_ARGUMENTS: Final = 3_500
_ADVANCE, _FINISH = ALL_OUTCOMES[Advance].verb, ALL_OUTCOMES[Finish].verb
#: As `end_attempts.lua` has it: stands before the lookups that a job gets with its end, last of all.
_LOOKUPS: Final = "+lookups"
_PART_BYTES: Final = 1 << 19
_MOST_BYTES: Final = 1 << 20


class FinishedAttempt:
    """An attempt that has ended: its job, the outcome, and both packed for a script.

    Packed as soon as it ends: a worker has its turn put together while the server has nothing to do.
    """

    __slots__ = ("arguments", "children", "claimed", "outcome", "packed")

    def __init__(self, claimed: ClaimedJob, outcome: Outcome, *, child: bool) -> None:
        self.claimed = claimed
        self.outcome = outcome
        self.children = 0
        # Most ends are one of two. Their bytes are those that `arguments_of` comes to; a form is quicker.
        if isinstance(outcome, Advance):
            self._pack(_form(_ADVANCE, outcome.queue, tuple(outcome.fields)), outcome.fields)
        elif isinstance(outcome, Finish) and not outcome.records and not outcome.lookups:
            result = _result_of(outcome) if child else b""
            self._pack(_form(_FINISH, None, tuple(outcome.fields)), outcome.fields, len(result), result)
        else:
            arguments = arguments_of(outcome, child=child)
            self.arguments = 4 + len(arguments)
            verb = ALL_OUTCOMES[type(outcome)].verb
            self.packed = pack_arguments((verb, claimed.member, claimed.fence, len(arguments), *arguments))
            if isinstance(outcome, AwaitChildren):
                self.children = len(outcome.children)

    def _pack(self, form: bytes, fields: Fields, *sized: int | bytes) -> None:
        """Fill a form; `sized` is what stands between the fence and the fields, behind its length."""
        claimed = self.claimed
        fence = b"%d" % claimed.fence
        filled = [len(claimed.member), claimed.member, len(fence), fence, *sized]
        for value in fields.values():
            filled += (len(value), value)
        self.arguments, self.packed = 5 + 2 * len(fields), form % tuple(filled)


def first_batch(ended: Sequence[FinishedAttempt], most: int = MOST_JOBS) -> int:
    """Return how many of the first ended attempts one script takes, at least one.

    By jobs, by children, by arguments and by bytes.
    """
    children, arguments, size = 0, 0, 0
    for number, attempt in enumerate(ended[:most]):
        children += attempt.children
        arguments += attempt.arguments
        size += len(attempt.packed)
        if number and (children > MOST_CHILDREN or arguments > MOST_ARGUMENTS or size > _MOST_BYTES):
            return number
    return min(len(ended), most)


def first_part(children: Sequence[NewChild]) -> Sequence[NewChild]:
    """Return as many of the first children as one script takes, at least one."""
    arguments, size = 0, 0
    for number, child in enumerate(children[:MOST_CHILDREN]):
        arguments += 3 + 2 * len(child.fields)
        size += sum(map(len, child.fields.values()))
        if number and (arguments > MOST_ARGUMENTS or size > _PART_BYTES):
            return children[:number]
    return children[:MOST_CHILDREN]


def fits_one_script(children: Sequence[NewChild]) -> bool:
    """Whether these children can be created by the script that ends the parent's attempt."""
    return len(first_part(children)) == len(children)


def pack_children(children: Sequence[NewChild]) -> list[Argument]:
    """Return children as a counted list of child queue, id and counted fields."""
    packed: list[Argument] = [len(children)]
    for child in children:
        packed += (child.child, child.id, *_counted(child.fields))
    return packed


@cache
def _form(verb: str, first: str | None, names: tuple[str, ...]) -> bytes:
    """Return the bytes of an end with these fields, where the id, the fence and the values go in.

    Args:
        verb: The outcome's.
        first: The argument before the fields; None: it goes in too.
        names: Those of the fields.
    """
    place = b"$%d\r\n%b\r\n"
    fields = b"".join(pack_arguments((name,)) + place for name in names)
    before = place if first is None else pack_arguments((first,))
    return pack_arguments((verb,)) + place + place + pack_arguments((1 + 2 * len(names),)) + before + fields


def arguments_of(outcome: Outcome, *, child: bool) -> list[Argument]:  # noqa: C901, PLR0911 - one per outcome
    """Return what goes with an outcome's verb; of a `child` the result goes along as one object too, for its parent."""
    match outcome:
        case Finish(fields):
            records = _step_fields(outcome.records or {})
            return [_result_of(outcome) if child else "", *_flat(fields), *records, *_more(outcome.lookups)]
        case Advance(queue, fields):
            return [queue, *_flat(fields)]
        case AwaitChildren(children, next_queue, fields, policy):
            result = as_object(fields) if child and fields else ""
            return [next_queue or "", policy, result, *_counted(fields), *pack_children(children)]
        case Retry(delay_ms, error):
            return [delay_ms, error.model_dump_json(), to_json(error.brief())]
        case Snooze(delay_ms, until_ms, reason, for_others):
            return [delay_ms if until_ms is None else -1, until_ms or -int(for_others), to_json(reason)]
        case Fail(error, lookups):
            return [error.model_dump_json(), *_more(lookups)]
        case Cancel(reason):
            return [reason]
        case Release():
            return []
        case Suspend():
            return _suspended(outcome)
        case ContinueAsNew(value):
            return [value]
    assert_never(outcome)


def _suspended(outcome: Suspend) -> list[Argument]:
    """Return when a run goes on at the latest, what its attempt has seen, what it waits for, and records of steps."""
    due = "" if outcome.due_ms is None else outcome.due_ms
    waits = wait_arguments(outcome.waits)
    return [due, outcome.come, int(outcome.keeps_slot), len(waits), *waits, *_step_fields(outcome.records)]


def _step_fields(records: Mapping[str, bytes]) -> list[Argument]:
    return [part for step, record in records.items() for part in (f"step:{step}", record)]


def wait_arguments(waits: Sequence[EventWait]) -> list[Argument]:
    """Return waits for events as scripts read them: of each its step, the event, the position, and ms before that."""
    return [part for one in waits for part in (one.step, event_name(one.event, one.key), one.after, one.since_ms)]


def _more(lookups: Sequence[str]) -> list[Argument]:
    """Return the lookups that a job gets with its end, behind what tells them from all else; nothing for none."""
    return [_LOOKUPS, "\n".join(lookups)] if lookups else []


def _result_of(outcome: Finish) -> bytes:
    return as_object(outcome.fields) if outcome.returned else b"null"


def _flat(fields: Fields) -> list[Argument]:
    return list(chain.from_iterable(fields.items()))


def _counted(fields: Fields) -> list[Argument]:
    return [len(fields) * 2, *_flat(fields)]

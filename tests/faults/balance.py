"""Whether a queue's counts add up: what has come in has left, ended, or is still there.

All of it is pure: callers say what they have seen. `moves` tells by two looks at all hashes what has happened between
them, without a word of the scripts that did it; `unbalanced` holds counters, of whatever source, against each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from flows.model.state import TERMINAL

#: By these a job comes to a queue. What was created is counted nowhere: whoever created it has to know.
COMES: Final = frozenset({"created", "advanced", "settled", "retried", "moved here"})
#: The counters of a queue by which a job leaves it, or ends in it.
LEAVES: Final = (
    "advance", "settle", "done", "failed", "cancelled", "expired", "deleted", "moved_out",
)  # fmt: skip
#: Where a job that has not ended may stand.
PLACES: Final = ("waiting", "processing", "delayed", "children")


class Look(NamedTuple):
    """A job as its hash shows it at one moment."""

    state: str
    queue: str
    attempts: int = 0
    rescues: int = 0
    visit: int = 0

    @property
    def open(self) -> bool:
        """Whether it has not ended."""
        return self.state not in TERMINAL


#: How often what has happened: by queue, and by the name of a counter or a way to come.
Counts = Counter[tuple[str, str]]


def moves(before: Mapping[str, Look], after: Mapping[str, Look]) -> Counts:
    """Return what has become of jobs between two looks, if each has moved at most once, claims and promotions apart."""
    found: Counts = Counter()
    for name in before.keys() | after.keys():
        found.update(_moved(before.get(name), after.get(name)))
    return found


def _moved(old: Look | None, new: Look | None) -> Iterator[tuple[str, str]]:
    if old == new:
        return
    if old is None:
        assert new is not None
        yield new.queue, "created"
    elif new is None:
        yield old.queue, "deleted" if old.open else "delete_ended"
    elif not old.open:
        if new.open:
            yield from _again(old, new)
    elif new.open:
        yield from _gone_on(old, new)
    else:
        yield new.queue, new.state
        yield from ((old.queue, verb) for verb in _VERBS_OF_ENDS.get((old.state, new.state), ()))


#: An attempt's own verb is counted beside the state that it leads to, where it has another name.
_VERBS_OF_ENDS: Final[dict[tuple[str, str], tuple[str, ...]]] = {}


def _again(old: Look, new: Look) -> Iterator[tuple[str, str]]:
    """A job that had ended waits again: it was not there, so nothing leaves."""
    if old.queue == new.queue:
        yield old.queue, "retry_job"
    else:
        yield new.queue, "moved_in"


def _gone_on(old: Look, new: Look) -> Iterator[tuple[str, str]]:
    if old.queue != new.queue or (old.state == "processing" and old.visit != new.visit):
        yield from _to_another_queue(old, new)
    elif old.state == "processing" and new.state == "waiting":
        yield old.queue, "rescue" if new.rescues > old.rescues else "release"
    elif old.state == "processing" and new.state == "delayed":
        yield old.queue, "snooze" if new.attempts < old.attempts else "retry"
    elif old.state == "processing" and new.state == "children":
        yield old.queue, "await_children"


def _to_another_queue(old: Look, new: Look) -> Iterator[tuple[str, str]]:
    by = {"processing": "advance", "children": "settle"}.get(old.state)
    if by:
        yield old.queue, by
        yield new.queue, "advanced" if by == "advance" else "settled"
    else:
        yield old.queue, "moved_out"
        yield new.queue, "moved_in"


def unbalanced(queue: str, came: Mapping[str, int], counters: Mapping[str, int], there: int) -> str:
    """Return a sentence where a queue's counts do not add up, else "".

    Args:
        queue: Its name.
        came: How many came in which way, those of `COMES`.
        counters: What the queue's `meta` counts.
        there: How many stand there now, in whatever place.
    """
    assert came.keys() <= COMES, came
    left = {name: counters.get(name, 0) for name in LEAVES if counters.get(name, 0)}
    over = sum(came.values()) - sum(left.values()) - there
    if not over:
        return ""
    ins = " + ".join(f"{count} {way}" for way, count in sorted(came.items()) if count) or "0"
    outs = " + ".join([*(f"{count} {name}" for name, count in left.items()), f"{there} there"])
    return f"queue {queue}: {ins} came in, and {outs} are {abs(over)} {'fewer' if over > 0 else 'more'}"


def came_in(
    queue: str,
    created: Mapping[str, int],
    counters: Mapping[str, Mapping[str, int]],
    leads_to: Callable[[str], str | None],
) -> dict[str, int]:
    """Return in which ways jobs came to a queue, where each queue leads to at most one.

    Args:
        queue: Its name.
        created: How many jobs were created in each queue, children too.
        counters: What each queue's `meta` counts.
        leads_to: The queue to which a queue's jobs go on.
    """
    before = [name for name in counters if leads_to(name) == queue]
    own = counters.get(queue, {})
    return {
        "created": created.get(queue, 0),
        "advanced": sum(counters[name].get("advance", 0) for name in before),
        "settled": sum(counters[name].get("settle", 0) for name in before),
        "retried": own.get("retry_job", 0),
        "moved here": own.get("moved_in", 0),
    }

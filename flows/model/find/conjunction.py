"""Conditions on a job that hold together: one alternative of a query."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeGuard, cast

from flows.errors import ValidationError
from flows.model.names import NAME
from flows.model.state import JobState

if TYPE_CHECKING:
    from collections.abc import Callable

#: A job is searched by so many lookups at once.
MOST_LOOKUPS: Final = 32
#: A query in JSON names so many queues at most.
_MOST_QUEUES: Final = 1000
#: The longest text that a lookup list is called by, and the longest name of a queue with its parents.
LONGEST: Final = 600
#: Times in an id have 48 bits.
LAST_MS: Final = (1 << 48) - 1


@dataclass(frozen=True, slots=True)
class Conjunction:
    """Conditions that all have to hold; without any, every job fits."""

    lookups: frozenset[tuple[str, str]] = field(default=frozenset())
    """Lookup attribute and the text of its value: the job is listed under each."""
    states: frozenset[JobState] | None = None
    """The job is in one of these; None: in any."""
    queues: frozenset[str] | None = None
    """The job waits or runs in one of these, or ended there; None: in any."""
    since_ms: int = 0
    """The job was created then or later, by the time in its id."""
    until_ms: int = LAST_MS + 1
    """The job was created before that."""

    @property
    def possible(self) -> bool:
        """Whether any job can fit."""
        none: frozenset[object] = frozenset()
        return none not in (self.states, self.queues) and self.since_ms < self.until_ms

    @property
    def bounded(self) -> bool:
        """Whether it says when the job was created."""
        return self.since_ms > 0 or self.until_ms <= LAST_MS

    def __and__(self, other: Conjunction) -> Conjunction:
        """Return what asks for both."""
        return Conjunction(
            self.lookups | other.lookups,
            _both(self.states, other.states),
            _both(self.queues, other.queues),
            max(self.since_ms, other.since_ms),
            min(self.until_ms, other.until_ms),
        )

    def covers(self, other: Conjunction) -> bool:
        """Return whether each job that fits the other fits this too."""
        return (
            self.lookups <= other.lookups
            and (self.states is None or (other.states is not None and other.states <= self.states))
            and (self.queues is None or (other.queues is not None and other.queues <= self.queues))
            and self.since_ms <= other.since_ms
            and self.until_ms >= other.until_ms
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON; a condition that is not asked for is left out."""
        plain: dict[str, Any] = {}
        if self.lookups:
            plain["where"] = [list(pair) for pair in sorted(self.lookups)]
        if self.states is not None:
            plain["status"] = sorted(self.states)
        if self.queues is not None:
            plain["queue"] = sorted(self.queues)
        if self.since_ms > 0:
            plain["since"] = self.since_ms
        if self.until_ms <= LAST_MS:
            plain["until"] = self.until_ms
        return plain

    @classmethod
    def from_dict(cls, plain: Any) -> Conjunction:
        """Return what `to_dict` has written.

        Raises:
            ValidationError: it is nothing of that kind.
        """
        if not isinstance(plain, dict):
            raise _no_conditions()
        given = cast("dict[str, Any]", plain)
        if not given.keys() <= {"where", "status", "queue", "since", "until"}:
            raise _no_conditions()
        lookups = _as_list(given.get("where", []), MOST_LOOKUPS, _is_lookup, "`where` of a query: [[attribute, text]]")
        states = queues = None
        if "status" in given:
            states = _as_list(given["status"], len(JobState), _is_state, f"`status` of a query: {', '.join(JobState)}")
        if "queue" in given:
            queues = _as_list(given["queue"], _MOST_QUEUES, is_queue, "`queue` of a query: names of queues")
        since, until = given.get("since", 0), given.get("until", LAST_MS + 1)
        if not (_is_ms(since) and _is_ms(until)):
            raise ValidationError("`since` and `until` of a query are times in milliseconds")
        return cls(
            frozenset((attribute, text) for attribute, text in lookups),
            None if states is None else frozenset(map(JobState, states)),
            None if queues is None else frozenset(queues),
            since,
            until,
        )


def _both(one: frozenset[Any] | None, other: frozenset[Any] | None) -> frozenset[Any] | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other


def _no_conditions() -> ValidationError:
    return ValidationError("the conditions of a query have `where`, `status`, `queue`, `since` and `until` at most")


def _as_list(value: Any, most: int, fits: Callable[[Any], bool], what: str) -> list[Any]:
    if not is_list(value) or len(value) > most or not all(map(fits, value)):
        raise ValidationError(f"give a list of up to {most} as {what}")
    return value


def is_list(value: Any) -> TypeGuard[list[Any]]:
    """Return whether a value is a list, of whatever."""
    return isinstance(value, list)


def _is_lookup(pair: Any) -> bool:
    if not is_list(pair) or len(pair) != 2:  # noqa: PLR2004 - a pair
        return False
    attribute, text = pair
    if not isinstance(attribute, str) or not NAME.fullmatch(attribute):
        return False
    return isinstance(text, str) and 0 < len(text) <= LONGEST and "\n" not in text


def _is_state(word: Any) -> bool:
    return isinstance(word, str) and word in {state.value for state in JobState}


def _is_ms(at: Any) -> bool:
    return type(at) is int and 0 <= at <= LAST_MS + 1


def is_queue(name: Any) -> bool:
    """Return whether a value is the full name of a queue, with its parents."""
    if not isinstance(name, str) or len(name) > LONGEST:
        return False
    return all(NAME.fullmatch(part) for part in name.split(":"))

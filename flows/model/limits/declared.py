"""Makes the rules of a queue from its options, and refuses those that contradict each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

from flows.errors import DeclarationError
from flows.model.limits.bounds import (
    LEAST_SHARE,
    MOST_LIMITERS,
    MOST_PRIORITIES,
    MOST_SHARE,
    MOST_TOKENS,
    is_share,
    is_whole,
)
from flows.model.limits.limiter import Limiter
from flows.model.limits.rules import Rules
from flows.model.limits.slots import Slots
from flows.model.names import FIELD
from flows.model.option_checks import check_flag, check_list

_NO_RULES: Final = Rules()


class RuleOptions(Protocol):
    """The options of a queue that are about rules."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def priorities(self) -> int | Sequence[float]: ...  # noqa: D102
    @property
    def next_queue_priority_diff(self) -> int: ...  # noqa: D102
    @property
    def group_by(self) -> str | None: ...  # noqa: D102
    @property
    def limits(self) -> Sequence[Limiter]: ...  # noqa: D102
    @property
    def max_concurrency(self) -> int | Slots | None: ...  # noqa: D102
    @property
    def max_concurrency_per_group(self) -> int | None: ...  # noqa: D102
    @property
    def shared(self) -> bool: ...  # noqa: D102


def declared_rules(queue: RuleOptions) -> Rules | None:
    """Return the rules of a queue, or None where it has none.

    Raises:
        DeclarationError: one of its options cannot be used, or two of them contradict each other.
    """
    where = f"queue {queue.name!r}"
    priorities, shares = _priorities(where, queue.priorities)
    diff = queue.next_queue_priority_diff
    if not is_whole(diff, MOST_PRIORITIES - 1, 1 - MOST_PRIORITIES):
        raise DeclarationError(
            f"{where}: next_queue_priority_diff={diff!r}: give a whole number, "
            f"{1 - MOST_PRIORITIES} to {MOST_PRIORITIES - 1}"
        )
    limiters = _limiters(where, queue.limits)
    group = _group(where, queue.group_by, limiters)
    slots, shared_slots = _slots(where, queue.max_concurrency)
    per_group = _slots_per_group(where, queue.max_concurrency_per_group, group, slots)
    check_flag(f"{where}: shared", queue.shared)
    rules = Rules(priorities, shares, group, slots, per_group, shared_slots, diff, limiters)
    return None if rules == _NO_RULES else rules


def _priorities(where: str, given: object) -> tuple[int, tuple[float, ...]]:
    if is_whole(given, MOST_PRIORITIES):
        return given, ()
    if not isinstance(given, Sequence) or isinstance(given, (str, bytes)):
        raise DeclarationError(
            f"{where}: priorities={given!r}: give a whole number, 1 to {MOST_PRIORITIES}, or the share of each"
        )
    shares: Sequence[Any] = given  # pyright: ignore[reportUnknownVariableType]
    if not 1 <= len(shares) <= MOST_PRIORITIES:
        raise DeclarationError(f"{where}: priorities has {len(shares)} shares: give 1 to {MOST_PRIORITIES}")
    for share in shares:
        if not is_share(share):
            raise DeclarationError(
                f"{where}: priorities has the share {share!r}: give numbers from {LEAST_SHARE} to {MOST_SHARE:,.0f}"
            )
    return len(shares), tuple(map(float, shares)) if len(shares) > 1 else ()


def _limiters(where: str, given: Sequence[Limiter]) -> tuple[Limiter, ...]:
    check_list(f"{where}: limits", given)
    for limiter in given:
        if not isinstance(limiter, Limiter):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DeclarationError(f"{where}: limits: {limiter!r} is no flows.Limiter")
    if len(given) > MOST_LIMITERS:
        raise DeclarationError(f"{where}: {len(given)} limits: give {MOST_LIMITERS} at most")
    named = [limiter.id for limiter in given if limiter.id is not None]
    for name in named:
        if named.count(name) > 1:
            raise DeclarationError(f"{where}: two of its limits have the id {name!r}: they would be one")
    return tuple(given)


def _group(where: str, group_by: object, limiters: Sequence[Limiter]) -> str | None:
    if group_by is not None and not (isinstance(group_by, str) and FIELD.fullmatch(group_by)):
        raise DeclarationError(f"{where}: group_by={group_by!r} is no name of a field")
    keys = dict.fromkeys([limiter.group_key for limiter in limiters if limiter.group_key is not None])
    if group_by is not None and (others := [key for key in keys if key != group_by]):
        raise DeclarationError(
            f"{where}: group_by={group_by!r}, and a limit has group_key={others[0]!r}: a queue has one group, name it "
            "alike"
        )
    if len(keys) > 1:
        raise DeclarationError(f"{where}: its limits have the group_keys {', '.join(keys)}: a queue has one group")
    return group_by or next(iter(keys), None)


def _slots(where: str, most: object) -> tuple[int, str | None]:
    if isinstance(most, Slots):
        return most.most, most.id
    if most is not None and not is_whole(most):
        raise DeclarationError(
            f"{where}: max_concurrency={most!r}: give a whole number, 1 to {MOST_TOKENS:,}, or flows.Slots"
        )
    return most or 0, None


def _slots_per_group(where: str, most: object, group: str | None, slots: int) -> int:
    if most is None:
        return 0
    if not is_whole(most):
        raise DeclarationError(
            f"{where}: max_concurrency_per_group={most!r}: give a whole number, 1 to {MOST_TOKENS:,}"
        )
    if group is None:
        raise DeclarationError(
            f"{where}: max_concurrency_per_group={most}, and the queue has no groups: give group_by, a field's name"
        )
    if slots and most > slots:
        raise DeclarationError(
            f"{where}: max_concurrency_per_group={most} is over max_concurrency, {slots}: no group could have so many"
        )
    return most

"""The priority and the cost that calls are given: their checks, and the fields of the hash that hold them."""

from __future__ import annotations

from flows.errors import ValidationError
from flows.model.limits.bounds import MOST_PRIORITIES, MOST_TOKENS, is_whole


def check_priority(value: object) -> int:
    """Return a priority; None stands for the first.

    Raises:
        ValidationError: it is no whole number from 1 to 8.
    """
    if value is None:
        return 1
    if not is_whole(value, MOST_PRIORITIES):
        raise ValidationError(f"priority={value!r:.80}: give a whole number, 1 to {MOST_PRIORITIES}; 1 goes first")
    return value


def check_cost(value: object) -> int:
    """Return a cost; None stands for one token and one slot.

    Raises:
        ValidationError: it is no whole number from 1 to 1,000,000.
    """
    if value is None:
        return 1
    if not is_whole(value):
        raise ValidationError(f"cost={value!r:.80}: give a whole number, 1 to {MOST_TOKENS:,}")
    return value


def rule_fields(priority: int, cost: int) -> dict[str, bytes]:
    """Return the fields of a job's hash that say its priority and its cost: none where both are 1, as of most jobs."""
    fields: dict[str, bytes] = {}
    if priority != 1:
        fields["_priority"] = b"%d" % priority
    if cost != 1:
        fields["_cost"] = b"%d" % cost
    return fields

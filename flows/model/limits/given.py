"""The priority and the cost that calls are given: their checks, and the fields of the hash that hold them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.errors import ValidationError
from flows.model.limits.bounds import MOST_PRIORITIES, MOST_TOKENS, is_whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flows.model.limits.rules import Rules


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


def rule_number(raw: bytes | None) -> int:
    """Return what such a field says; what was edited into nonsense counts as 1, as it does where jobs are placed."""
    return int(raw) if raw is not None and raw.isdigit() and raw != b"0" else 1


def inherited(fields: dict[str, bytes], priority: bytes | None) -> None:
    """Give a child, whose fields these are, the priority of its parent where it has none of its own."""
    if fields.setdefault("_priority", priority or b"1") == b"1":
        del fields["_priority"]


def refuse_cost(what: str, cost: int, rules: Mapping[str, Rules | None]) -> None:
    """Refuse a cost that some queue can never give: a job that costs more than there is would never start.

    Args:
        what: Says whose cost it is.
        cost: Of one job.
        rules: Those of the queues that it may come to, by their names.

    Raises:
        ValidationError: the message names the queue and what it has.
    """
    for queue, of_queue in rules.items():
        most = None if of_queue is None else of_queue.most_cost
        if most is not None and cost > most[0]:
            raise ValidationError(f"{what}={cost:,} is over {most[1]} of queue {queue!r}: give {most[0]:,} at most")


def refuse_without_rules(flow: str, priority: int, cost: int, rules: Mapping[str, Rules | None]) -> None:
    """Refuse a priority or a cost in a flow in which it would change nothing, and a cost that some queue cannot give.

    Raises:
        ValidationError: the message says what the flow lacks.
    """
    own = {queue: of for queue, of in rules.items() if ":" not in queue}  # a child has a cost of its own
    if priority != 1 and not any(one.priorities > 1 for one in rules.values() if one is not None):
        raise ValidationError(
            f"priority={priority}: no queue of flow {flow!r} has priorities: declare priorities= there"
        )
    if cost != 1 and not any(one.most_cost for one in own.values() if one is not None):
        raise ValidationError(
            f"cost={cost}: no queue of flow {flow!r} has limits or slots: declare limits= or max_concurrency= there"
        )
    refuse_cost("cost", cost, own)

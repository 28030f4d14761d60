"""The options of `create_job` and `create_jobs`, checked before anything is sent."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, TypedDict

from flows.errors import ValidationError
from flows.model.arguments import check_text
from flows.model.creation.keys import check_condition
from flows.model.duration import LONGEST, as_timedelta, in_seconds
from flows.model.limits.given import check_cost, check_priority

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flows.model.creation.keys import Condition, Debounce, Unique

_MILLISECOND: Final = timedelta(milliseconds=1)


class JobOptions(TypedDict, total=False):
    """What a new job may be given beside its params; None is the same as leaving it out."""

    correlation_id: str | None
    """A text that every worker of the job sees."""
    delay: timedelta | float | None
    """The job starts so much later, in seconds where it is a number; not together with `run_at`."""
    run_at: datetime | None
    """The job starts then, by the server's clock; at once where that is over. An aware datetime."""
    priority: int | None
    """1 to 8, 1 first, 1 by default; in a queue with fewer priorities, one of the last. Its children inherit it."""
    cost: int | None
    """How many tokens and slots one start of the job takes, 1 by default."""
    idempotency_key: str | None
    """One job for this key, as long as it is kept: the call returns the id of the first. 1 to 200 bytes."""
    unique: Unique | None
    """No other job while one has this key."""
    debounce: Debounce | None
    """Calls with this key become one job, with the params of the last; not together with `delay` and `run_at`."""


@dataclass(frozen=True, slots=True)
class Due:
    """When a job is to start: so many milliseconds from now, or where that is -1, at a time of the server."""

    delay_ms: int
    until_ms: int = -1


@dataclass(frozen=True, slots=True)
class CheckedOptions:
    """Options that were checked."""

    correlation_id: str | None = None
    due: Due | None = None
    """None: at once."""
    priority: int = 1
    cost: int = 1
    condition: Condition | None = None
    """None: in any case."""
    grouped: bool = False
    """Whether the jobs of the flow's first queue wait in groups."""

    @property
    def conditional(self) -> bool:
        """Whether a script creates the job: on a condition, or to find its place among groups."""
        return self.due is not None or self.condition is not None or self.grouped


#: Those of most jobs.
_NONE: Final = CheckedOptions()


def check_options(call: str, options: Mapping[str, Any]) -> CheckedOptions:
    """Return the options of a call, checked.

    Raises:
        ValidationError: one is unknown, of another type, or says what no other does.
    """
    if not options:
        return _NONE
    if unknown := options.keys() - JobOptions.__annotations__.keys():
        name = min(unknown)
        near = get_close_matches(name, JobOptions.__annotations__, 1)
        hint = f"did you mean {near[0]}=?" if near else f"it takes {', '.join(sorted(JobOptions.__annotations__))}"
        raise ValidationError(f"{call} has no option {name}=: {hint}")
    correlation_id = options.get("correlation_id")
    if correlation_id is not None:
        check_text("correlation_id", correlation_id)
    due = _due(options.get("delay"), options.get("run_at"))
    priority, cost = check_priority(options.get("priority")), check_cost(options.get("cost"))
    return CheckedOptions(correlation_id, due, priority, cost, check_condition(call, options))


def _due(delay: object, run_at: object) -> Due | None:
    if delay is not None and run_at is not None:
        raise ValidationError("delay= and run_at= both say when the job is to start: give one of them")
    if delay is not None:
        delay_ms = check_delay("delay", delay)
        return Due(delay_ms) if delay_ms else None
    return None if run_at is None else Due(-1, server_ms("run_at", run_at))


def check_delay(what: str, value: object) -> int:
    """Return a delay in whole milliseconds; what is shorter than one counts as one.

    Raises:
        ValidationError: it is neither a timedelta nor seconds, negative, or longer than 100 years.
    """
    delay: object = as_timedelta(value)
    if not isinstance(delay, timedelta):
        raise ValidationError(f"{what}={value!r:.80}: give a datetime.timedelta, or seconds as a number")
    if delay < timedelta(0):
        raise ValidationError(f"{what}={in_seconds(delay)} is negative: give how much later it is to be")
    if delay > LONGEST:
        raise ValidationError(f"{what}={in_seconds(delay)} is too long: give at most {in_seconds(LONGEST)}")
    return math.ceil(delay / _MILLISECOND)


def server_ms(what: str, value: object) -> int:
    """Return an instant in whole milliseconds of the server's clock, rounded up.

    Raises:
        ValidationError: it is no datetime, or a naive one.
    """
    if not isinstance(value, datetime):
        seconds = ", or delay= in seconds" if what == "run_at" else ""
        raise ValidationError(f"{what}={value!r:.80}: give an aware datetime.datetime{seconds}")
    if value.utcoffset() is None:
        raise ValidationError(
            f"{what}={value.isoformat()} is naive, so its time zone is not known: "
            "give an aware one, such as datetime.now(UTC) + timedelta(hours=1)"
        )
    return math.ceil(value.timestamp() * 1000)

"""Keys: a job is created once for its key, keeps others with its key out, or is put off by each new call.

A key has no lock of its own: the state of the job that has it says whether it still holds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

from flows.errors import ValidationError
from flows.model.duration import LONGEST, as_timedelta, in_seconds
from flows.model.values.lookup import MAX_TEXT_BYTES

if TYPE_CHECKING:
    from flows.model.retention import Retention

#: A client goes on sending a call for less than this: what the call has created has to be there so long.
LEAST_KEPT: Final = timedelta(seconds=20)
_MILLISECOND: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Unique:
    """A key that one job of the flow has at a time: while it holds, `create_job` raises `DuplicateJob`.

    Attributes:
        key: A text of 1 to 200 bytes.
        until: "ended", the default: until that job is done, has failed or was cancelled. "started": while it waits, or
            is delayed, in the flow's first queue.
        within: In place of `until`, so long after that job was created, whatever became of it: a timedelta, or seconds;
            at most as long as the flow keeps its jobs.

    Raises:
        ValidationError: the key is empty or too long, `until` is no such word, `within` is no such time, or both are
            given.
    """

    key: str
    _: KW_ONLY
    until: Literal["started", "ended"] | None = None
    within: timedelta | float | None = None

    def __post_init__(self) -> None:
        """Check what was given."""
        check_key("Unique: key", self.key)
        if self.within is not None:
            if self.until is not None:
                raise ValidationError("Unique: until= and within= both say how long the key holds: give one of them")
            time_in_ms("Unique: within", self.within)
        elif self.until not in {None, "started", "ended"}:
            raise ValidationError(f'Unique: until={self.until!r:.80}: give "started" or "ended"')


@dataclass(frozen=True, slots=True)
class Debounce:
    """A key under which calls become one job, which starts when no more of them come.

    While the job of the key is still delayed by it, `create_job` gives it the new params, puts it off and returns its
    id; else a new job begins.

    Attributes:
        key: A text of 1 to 200 bytes.
        wait: The job starts so long after the last call: a timedelta, or seconds.
        longest: And at most so long after the first; None: as long as calls come.

    Raises:
        ValidationError: the key is empty or too long, a time is none, or `longest` is shorter than `wait`.
    """

    key: str
    wait: timedelta | float
    _: KW_ONLY
    longest: timedelta | float | None = None

    def __post_init__(self) -> None:
        """Check what was given."""
        check_key("Debounce: key", self.key)
        wait_ms = time_in_ms("Debounce: wait", self.wait)
        if self.longest is not None and time_in_ms("Debounce: longest", self.longest) < wait_ms:
            raise ValidationError(
                "Debounce: longest= is shorter than wait=, and would always come first: give a longer one, or none"
            )


@dataclass(frozen=True, slots=True)
class Condition:
    """On which condition a job is created: by which kind of key, and what that asks of the job that has it."""

    kind: Literal["key", "unique", "debounce"]
    key: str
    until: Literal["started", "ended"] = "ended"
    within_ms: int = 0
    """In place of `until`, where it is not 0."""
    wait_ms: int = 0
    longest_ms: int = 0
    """0: without an end."""

    @property
    def attribute(self) -> str:
        """What the key's list is called, where lookup lists have an attribute; no attribute begins so."""
        return f"#{self.kind}"


#: The options that are keys.
KEYS: Final = ("idempotency_key", "unique", "debounce")


def check_condition(call: str, options: Mapping[str, Any]) -> Condition | None:
    """Return the condition of a creation that was given one of these options, or None.

    Raises:
        ValidationError: one is of another type, two are given, one with a time that says what it says too, or the call
            is not of one job.
    """
    given = [name for name in KEYS if options.get(name) is not None]
    if not given:
        return None
    if call != "create_job":
        raise ValidationError(f"{call} takes no {given[0]}=: a key is of one job; call create_job for each")
    if len(given) > 1:
        raise ValidationError(f"{given[0]}= and {given[1]}= are both keys of the job: give one of them")
    name, value = given[0], options[given[0]]
    if name == "idempotency_key":
        check_key(name, value)
        return Condition("key", value)
    if name == "unique":
        return _of_unique(value)
    for time in ("delay", "run_at"):
        if options.get(time) is not None:
            raise ValidationError(f"debounce= and {time}= both say when the job is to start: give one of them")
    return _of_debounce(value)


def check_kept(condition: Condition, job_ttl: timedelta | None, retained: Retention) -> None:
    """Check that a flow keeps its jobs for as long as a key has to know of them.

    Raises:
        ValidationError: it does not.
    """
    kept = min(retained.done, retained.failed, retained.cancelled)
    if kept < LEAST_KEPT:
        raise ValidationError(
            f"a job with a key is sent again for up to {in_seconds(LEAST_KEPT)}, and retention={in_seconds(kept)} may "
            "forget it before: give the flow a longer retention, or the job no key"
        )
    within, longest = condition.within_ms * _MILLISECOND, kept if job_ttl is None else min(kept, job_ttl)
    if within > longest:
        raise ValidationError(
            f"Unique: within={in_seconds(within)} is longer than the flow keeps a job, {in_seconds(longest)}: "
            "give the flow a longer retention and job_ttl, or a shorter time"
        )


def check_key(what: str, value: object) -> None:
    """Check that a value is a key.

    Raises:
        ValidationError: it is no text, empty, or too long.
    """
    if not isinstance(value, str):
        raise ValidationError(f"{what}={value!r:.80}: give a str")
    size = len(value.encode("utf-8", "surrogatepass"))
    if not size:
        raise ValidationError(f"{what} is empty: give a text that names what is to be done once")
    if size > MAX_TEXT_BYTES:
        raise ValidationError(
            f"{what} takes {size:,} bytes, over {MAX_TEXT_BYTES}: give a shorter one, such as a digest of it"
        )


def time_in_ms(what: str, value: object) -> int:
    """Return a time in whole milliseconds, rounded up.

    Raises:
        ValidationError: it is neither a timedelta nor seconds, not positive, or longer than 100 years.
    """
    time: object = as_timedelta(value)
    if not isinstance(time, timedelta):
        raise ValidationError(f"{what}={value!r:.80}: give a datetime.timedelta, or seconds as a number")
    if time <= timedelta(0):
        raise ValidationError(f"{what}={in_seconds(time)} is not positive: give a longer time")
    if time > LONGEST:
        raise ValidationError(f"{what}={in_seconds(time)} is too long: give at most {in_seconds(LONGEST)}")
    return math.ceil(time / _MILLISECOND)


def _of_unique(value: object) -> Condition:
    if not isinstance(value, Unique):
        raise ValidationError(f"unique={value!r:.80}: give a flows.Unique, such as Unique('report-7')")
    within_ms = 0 if value.within is None else time_in_ms("Unique: within", value.within)
    return Condition("unique", value.key, until=value.until or "ended", within_ms=within_ms)


def _of_debounce(value: object) -> Condition:
    if not isinstance(value, Debounce):
        raise ValidationError(f"debounce={value!r:.80}: give a flows.Debounce, such as Debounce('user-7', wait=5)")
    longest_ms = 0 if value.longest is None else time_in_ms("Debounce: longest", value.longest)
    return Condition("debounce", value.key, wait_ms=time_in_ms("Debounce: wait", value.wait), longest_ms=longest_ms)

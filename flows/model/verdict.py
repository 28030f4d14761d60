"""What a function may say of its attempt instead of returning a result: returned or raised, it means the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, Literal, TypeAlias, get_args

from flows.errors import DeclarationError, ValidationError
from flows.model.duration import as_timedelta, in_seconds
from flows.model.names import NAME

#: Nothing is put off for longer.
LONGEST_DELAY: Final = timedelta(days=366)


class Verdict(Exception):
    """How the function wants its attempt to end: one of the classes below, or a subclass of one.

    Raises DeclarationError where another class descends from it directly: the kernel would not know what it means.
    """

    def __init_subclass__(cls) -> None:
        if Verdict in cls.__bases__ and cls.__module__ != __name__:
            known = ", ".join(kind.__name__ for kind in get_args(AnyVerdict))
            raise DeclarationError(f"{cls.__name__} is a Verdict of its own: make it a subclass of one of {known}")

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = str(reason)  # `Retry(error)` is written soon, and means its text


class Retry(Verdict):
    """The attempt failed: make another, if the queue's `Retries` allow one, else the job fails.

    Args:
        reason: Why; it becomes the message of the attempt's error.
        after: How long to wait, in seconds or as a timedelta; None waits as the queue's backoff says.

    Raises ValidationError where `after` is negative or longer than a year.
    """

    def __init__(self, reason: str = "", *, after: timedelta | float | None = None) -> None:
        super().__init__(reason)
        self.after = None if after is None else _checked(after)


class Snooze(Verdict):
    """The job comes back later; the attempt does not count.

    Args:
        reason: Why; it stands in the job's history.
        after: How long to wait, in seconds or as a timedelta.
        until: When to come back instead: an aware datetime, compared with the server's clock.
        hold: Let no other job of the queue ("queue"), or of the job's group ("group"), start before that either: for a
            provider that was asked too often.

    Raises ValidationError where not exactly one of the two times is given, where `until` has no time zone, where
    it is longer than a year, or where `hold` is another word.
    """

    def __init__(
        self,
        reason: str = "",
        *,
        after: timedelta | float | None = None,
        until: datetime | None = None,
        hold: Literal["queue", "group"] | None = None,
    ) -> None:
        super().__init__(reason)
        if (after is None) == (until is None):
            raise ValidationError("Snooze takes one of after= and until=")
        self.after = None if after is None else _checked(after)
        self.until = None if until is None else _aware(until)
        if hold not in (None, "queue", "group"):  # what is given may have no hash
            raise ValidationError(f'Snooze: hold={hold!r:.80}: give "queue" or "group"')
        self.hold: Literal["queue", "group"] | None = hold

    def __reduce__(self) -> tuple[object, ...]:
        """Return how another process makes the same verdict: the times are no plain arguments."""
        return _snooze, (self.reason, self.after, self.until, self.hold)


class Fail(Verdict):
    """The job has failed, whatever its `Retries` say.

    Args:
        reason: Why; it becomes the message of the job's error.
        type: What kind of failure it is, such as "unknown-order": the type of the error; None: "Fail".

    Raises ValidationError where `type` is not 1 to 64 of the characters A-Z a-z 0-9 _ . -.
    """

    type: str | None = None

    def __init__(self, reason: str = "", *, type: str | None = None) -> None:  # noqa: A002 - as users say it
        super().__init__(reason)
        if type is not None and not (isinstance(type, str) and NAME.fullmatch(type)):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValidationError(f"Fail(type={type!r:.80}): use 1 to 64 of the characters A-Z a-z 0-9 _ . -")
        if type is not None:
            self.type = type

    def __reduce__(self) -> tuple[object, ...]:
        """Return how another process makes the same verdict: the type is no plain argument."""
        return _fail, (self.reason, self.type)


class Cancel(Verdict):
    """The job is cancelled, and `reason` says why."""


#: All verdicts there are: whoever looks at each of them ends in `assert_never`.
AnyVerdict: TypeAlias = Retry | Snooze | Fail | Cancel


def _snooze(
    reason: str, after: timedelta | None, until: datetime | None, hold: Literal["queue", "group"] | None
) -> Snooze:
    return Snooze(reason, after=after, until=until, hold=hold)


def _fail(reason: str, kind: str | None) -> Fail:
    return Fail(reason, type=kind)


def _checked(after: timedelta | float) -> timedelta:
    time: object = as_timedelta(after)
    if not isinstance(time, timedelta):
        raise ValidationError(f"after={after!r}: give a datetime.timedelta, or seconds as a number")
    if not timedelta(0) <= time <= LONGEST_DELAY:
        raise ValidationError(f"after={in_seconds(time)} is not between 0 and {LONGEST_DELAY.days} days")
    return time


def _aware(until: object) -> datetime:
    if not isinstance(until, datetime) or until.utcoffset() is None:
        raise ValidationError(f"until={until!r}: give a datetime with a time zone")
    if until - datetime.now(UTC) > LONGEST_DELAY:
        raise ValidationError(f"until={until} is more than {LONGEST_DELAY.days} days away")
    return until

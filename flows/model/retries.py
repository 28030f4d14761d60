"""When a failed attempt is made again, and after how long."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from flows.errors import DeclarationError
from flows.model.duration import Duration
from flows.model.option_checks import check_flag, check_number
from flows.model.verdict import LONGEST_DELAY

#: Doubling is over here: 2**64 times any backoff is longer than any max_delay.
_MOST_DOUBLINGS = 64


@dataclass(frozen=True)
class Retries:
    """How the attempts of a queue that fail are made again.

    Attempts are counted per queue; those that ended because their worker died do not count, nor do snoozes.

    The delay before the n-th retry is drawn between 0 and `min(max_delay, backoff * 2**(n - 1))`: exponential backoff
    with full jitter, after "Exponential Backoff And Jitter" of the AWS Architecture Blog (2015).

    Args:
        max_attempts: How many attempts are made in all, the first one included.
        backoff: The first delay, in seconds or as a timedelta, which doubles each time; or the delays themselves, of
            which the last one repeats.
        jitter: Draw each delay between 0 and what was reckoned; False takes it as it is.
        max_delay: No delay is longer.
        retry_on: The exceptions after which another attempt is made.
        give_up_on: The exceptions among these after which none is. A timeout counts as a TimeoutError.

    Raises DeclarationError where one of them cannot be used.
    """

    max_attempts: int = 5
    backoff: Duration[timedelta | float | Sequence[timedelta | float], timedelta | Sequence[timedelta]] = Duration(  # noqa: RUF009
        timedelta(seconds=1)
    )
    jitter: bool = True
    max_delay: Duration = Duration(timedelta(minutes=10))  # noqa: RUF009
    retry_on: tuple[type[BaseException], ...] = (Exception,)
    give_up_on: tuple[type[BaseException], ...] = ()

    def __post_init__(self) -> None:
        """Check the number, the times and the exceptions."""
        check_number("max_attempts", self.max_attempts)
        check_flag("jitter", self.jitter)
        if isinstance(self.backoff, Sequence) and not self.backoff:
            raise DeclarationError("backoff=[] has no delays: give at least one")
        for name, delays in (("backoff", self._delays()), ("max_delay", [self.max_delay])):
            for delay in delays:
                if not isinstance(delay, timedelta) or not timedelta(0) <= delay <= LONGEST_DELAY:  # pyright: ignore[reportUnnecessaryIsInstance]
                    raise DeclarationError(
                        f"{name}={delay!r}: give a datetime.timedelta from 0 to {LONGEST_DELAY.days} days, or seconds"
                    )
        for name, classes in (("retry_on", self.retry_on), ("give_up_on", self.give_up_on)):
            if not isinstance(classes, tuple) or not all(  # pyright: ignore[reportUnnecessaryIsInstance]
                isinstance(one, type) and issubclass(one, BaseException)  # pyright: ignore[reportUnnecessaryIsInstance]
                for one in classes
            ):
                raise DeclarationError(f"{name}={classes!r}: give a tuple of exception classes")

    def again(self, classes: Sequence[str], attempts: int) -> bool:
        """Return whether another attempt is made after `attempts` that count.

        Args:
            classes: The qualified names of the exception's class and of those it descends from.
            attempts: How many were made.
        """
        return attempts < self.max_attempts and _among(classes, self.retry_on) and not _among(classes, self.give_up_on)

    def delay(self, attempts: int, draw: Callable[[], float] = random.random) -> timedelta:
        """Return how long to wait after `attempts` that count; `draw` gives a number from 0 to 1."""
        if isinstance(self.backoff, Sequence):
            delay = self.backoff[min(attempts, len(self.backoff)) - 1]
        else:
            doublings = min(attempts - 1, _MOST_DOUBLINGS)
            delay = self.max_delay
            if self.backoff.total_seconds() * 2**doublings < self.max_delay.total_seconds():
                delay = self.backoff * 2**doublings
        delay = min(delay, self.max_delay)
        return delay * draw() if self.jitter else delay

    def _delays(self) -> Sequence[timedelta]:
        return self.backoff if isinstance(self.backoff, Sequence) else [self.backoff]


def class_names(error: BaseException) -> tuple[str, ...]:
    """Return the qualified names of an exception's class and of those it descends from."""
    return tuple(map(_name, type(error).__mro__))


def _name(one: type) -> str:
    # In a process of executor="process", the script that runs the flow has another name than here.
    module = "__main__" if one.__module__ == "__mp_main__" else one.__module__
    return f"{module}.{one.__qualname__}"


def _among(names: Sequence[str], classes: Sequence[type]) -> bool:
    return any(_name(one) in names for one in classes)

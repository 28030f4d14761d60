"""What a campaign is asked: to whom it goes, read from a list, and how much the provider takes in which time."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from flows import FlowsError

#: The columns that are read, by these names; others may stand beside them.
COLUMNS = ("email", "tenant", "plan")
#: Which priority a plan has; 1 goes first.
PRIORITIES = {"pro": 1, "free": 2}
#: What a limiter's interval has more than the provider's: so many parts of it, and so many milliseconds.
MARGIN_PART, MARGIN_MS = 0.05, 50

UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}
#: As for `flows.Limiter`: so many at most, in an interval of 10 ms to 31 days.
MOST, SHORTEST_MS, LONGEST_MS = 1_000_000, 10, 31 * 24 * 3_600_000
#: `smooth=True` of a limiter leaves at least so much between two starts.
SHORTEST_SPACING = timedelta(milliseconds=1)


class BadTerms(FlowsError):
    """The campaign cannot be made as it was asked; the message says why, and what to change."""


class Recipient(NamedTuple):
    """One line of the list."""

    email: str
    tenant: str
    plan: str


#: Who gets mail where no list is given: three tenants, of which one is large.
SAMPLE = [
    *(Recipient(f"reader{n}@acme.example", "acme", "free") for n in range(20)),
    *(Recipient(f"reader{n}@bolt.example", "bolt", "pro") for n in range(6)),
    *(Recipient(f"reader{n}@coda.example", "coda", "free") for n in range(4)),
]


@dataclass(frozen=True)
class Rate:
    """So many in any interval of so many milliseconds, wherever it begins."""

    most: int
    interval_ms: int

    @property
    def margin_ms(self) -> int:
        """How much longer the interval of a limiter is that keeps this rate at its target."""
        return round(self.interval_ms * MARGIN_PART) + MARGIN_MS

    @property
    def limiter_interval(self) -> timedelta:
        """The interval of that limiter."""
        return timedelta(milliseconds=min(self.interval_ms + self.margin_ms, LONGEST_MS))

    @property
    def spaced(self) -> bool:
        """Whether its starts can be spread evenly: a burst is later at the target than what comes alone."""
        return self.limiter_interval / self.most >= SHORTEST_SPACING

    def seconds_for(self, amount: int) -> float:
        """Return how long a limiter with the margin takes for so many, at least."""
        return (amount - 1) // self.most * self.limiter_interval.total_seconds()

    def __str__(self) -> str:
        """Return the text that `read_rate` reads."""
        return f"{self.most}/{self.interval_ms}ms"


def read_rate(text: str) -> Rate:
    """Read a rate: `5/1s`, `100/500ms`, `1000/1h`.

    Raises:
        BadTerms: it is none, or is out of bounds.
    """
    found = re.fullmatch(r"(\d+)/(\d+)(ms|s|m|h)", text, re.ASCII)
    if not found:
        raise BadTerms(f"{text!r} is no rate: give an amount and a time, as in 5/1s (ms, s, m or h)")
    rate = Rate(int(found[1]), int(found[2]) * UNITS[found[3]])
    if not 1 <= rate.most <= MOST:
        raise BadTerms(f"{text!r}: the amount is from 1 to {MOST:,}")
    if not SHORTEST_MS <= rate.interval_ms <= LONGEST_MS:
        raise BadTerms(f"{text!r}: the time is from 10ms to 744h")
    return rate


def read_recipients(file: Path) -> list[Recipient]:
    """Read a list: a CSV file whose first line names the columns, in any order.

    Raises:
        BadTerms: it cannot be read, lacks a column, holds nobody, somebody twice, or a line that is not complete.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            recipients = list(_recipients(csv.reader(lines, strict=True)))
    except UnicodeDecodeError as error:
        raise BadTerms(f"{file}: this is no UTF-8 text: {error}") from error
    except (OSError, csv.Error) as error:
        raise BadTerms(f"{file}: {getattr(error, 'strerror', None) or error}") from error
    except BadTerms as error:
        raise BadTerms(f"{file}: {error}") from None
    if not recipients:
        raise BadTerms(f"{file}: nobody is on this list: give one line for each recipient")
    return recipients


def _recipients(rows: Iterator[list[str]]) -> Iterator[Recipient]:
    first: list[str] = next(rows, list[str]())
    names = [name.strip().lower() for name in first]
    missing = [name for name in COLUMNS if names.count(name) != 1]
    if missing:
        raise BadTerms(f"its first line names no column, or two, {' and '.join(missing)}; it names {', '.join(names)}")
    at = [names.index(name) for name in COLUMNS]
    seen: dict[str, int] = {}
    for number, row in enumerate(rows, 2):
        if not any(value.strip() for value in row):
            continue
        if len(row) <= max(at):
            raise BadTerms(f"row {number} has {len(row)} values where the first line names {len(names)}")
        recipient = Recipient(*(row[i].strip() for i in at))
        _check(number, recipient)
        if (before := seen.setdefault(recipient.email.casefold(), number)) != number:
            raise BadTerms(f"row {number}: {recipient.email} stands in row {before} already: take one of them out")
        yield recipient


def _check(number: int, recipient: Recipient) -> None:
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", recipient.email):
        raise BadTerms(f"row {number}: {recipient.email!r} is no address for mail")
    if not recipient.tenant:
        raise BadTerms(f"row {number}: {recipient.email} has no tenant")
    if recipient.plan not in PRIORITIES:
        raise BadTerms(f"row {number}: the plan {recipient.plan!r} is none of {', '.join(PRIORITIES)}")

"""What a query answers: a page of jobs, or how many there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic

from flows.model.record import JobRecord
from flows.pipeline.signature import ParamsT


@dataclass(frozen=True, slots=True)
class Page(Generic[ParamsT]):
    """Some of the jobs that match a query.

    Attributes:
        jobs: Their records, as they stood when they were read.
        cursor: Give it to the next call of `page`; empty where no more jobs are left. A page may be short, or empty,
            and still have one: a call looks at 10,000 jobs at most.
        looked_through: How many jobs were looked at for this page.
        sampled: Whether the query asks for done jobs without naming a lookup: of those, only some that ended last
            are known.
    """

    jobs: list[JobRecord[ParamsT]]
    cursor: str
    looked_through: int
    sampled: bool


@dataclass(frozen=True, slots=True)
class Count(Generic[ParamsT]):
    """How many jobs match a query.

    Attributes:
        number: So many, or at least so many.
        exact: Whether there are no more. Places are counted as a whole; where jobs have to be looked at, 10,000 are.
        sample: The records of the first ten at most.
    """

    number: int
    exact: bool
    sample: list[JobRecord[ParamsT]]

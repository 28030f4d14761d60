"""What `flow.explain` and `flow.position` answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

#: What stands in the facts of an explanation: plain JSON. Instants are texts in ISO 8601, durations are in seconds.
Fact: TypeAlias = "str | int | float | bool | list[str] | None"


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a job is where it is, and what makes it go on."""

    sentence: str
    """The whole of it, for a person."""
    reason: str
    """Which reason it is, as one word: `paused`, `no_workers`, `queued`, …"""
    facts: Mapping[str, Fact]
    """What was found, as plain JSON; durations in seconds, instants in ISO 8601. What is not known is not there."""

    def __str__(self) -> str:
        """Return the sentence."""
        return self.sentence


@dataclass(frozen=True, slots=True)
class Position:
    """How far a job is from its turn."""

    ahead: int
    """How many ids stand before it in its queue; of a delayed job, how many are due before it.

    Ids of jobs that were cancelled or deleted while they waited are among them until a worker comes to them.
    """
    exact: bool
    """False where the job was not found at its place in a long list: `ahead` is then where it should be.

    Also where groups or priorities with shares have their turns: `ahead` is then an estimate.
    """
    delayed_until: datetime | None = None
    """When it is due, in UTC, where it is delayed."""
    in_group: int | None = None
    """Of a job in a group of a queue with groups: how many stand before it in its own one.

    `ahead` is then how many may go before it at most, where all groups have the same share and none is limited.
    """

"""How long jobs are kept after they have ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from flows.model.limits import check_duration

#: A job that has not ended lives this long after the last thing that happened to it.
DEFAULT_TTL: Final = timedelta(days=30)


@dataclass(frozen=True)
class Retention:
    """How long the hash of a job that has ended stays, by how it ended."""

    done: timedelta = timedelta(hours=24)
    failed: timedelta = timedelta(days=7)
    cancelled: timedelta = timedelta(days=7)

    def __post_init__(self) -> None:
        """Check the times.

        Raises:
            DeclarationError: one is not positive.
        """
        for name in ("done", "failed", "cancelled"):
            check_duration(f"retention of {name} jobs", getattr(self, name))

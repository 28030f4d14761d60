"""How long jobs are kept after they have ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from flows.model.duration import Duration, check_duration

#: A job that has not ended lives this long after the last thing that happened to it.
DEFAULT_TTL: Final = timedelta(days=30)


@dataclass(frozen=True)
class Retention:
    """How long the hash of a job that has ended stays, by how it ended: timedeltas, or seconds as numbers."""

    done: Duration = Duration(timedelta(hours=24))  # noqa: RUF009 - a descriptor, which holds each one's own
    failed: Duration = Duration(timedelta(days=7))  # noqa: RUF009
    cancelled: Duration = Duration(timedelta(days=7))  # noqa: RUF009

    def __post_init__(self) -> None:
        """Check the times.

        Raises:
            DeclarationError: one is not positive.
        """
        for name in ("done", "failed", "cancelled"):
            check_duration(f"retention of {name} jobs", getattr(self, name))

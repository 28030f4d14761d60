"""`Slots`: how many jobs may run at a time in several queues together."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

from flows.errors import DeclarationError
from flows.model.limits.bounds import MOST_TOKENS, is_limit_id, is_whole


@dataclass(frozen=True)
class Slots:
    """At most so many jobs at a time, in all queues and flows that name this id: `max_concurrency=Slots(8, id="gpu")`.

    Each of the queues declares the same number.

    Args:
        most: 1 to 1,000,000. A job takes one while it runs, or as many as its `cost` says.
        id: Names the slots.

    Raises DeclarationError where one of them cannot be used.
    """

    most: int
    _: KW_ONLY
    id: str

    def __post_init__(self) -> None:
        """Check the number and the name."""
        if not is_whole(self.most):
            raise DeclarationError(f"Slots: most={self.most!r}: give a whole number, 1 to {MOST_TOKENS:,}")
        if not is_limit_id(self.id):
            raise DeclarationError(f"Slots: id={self.id!r}: use 1 to 64 of the characters A-Z a-z 0-9 _ . -")

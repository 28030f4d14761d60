"""`NotSent`: how a transport says that a report did not arrive."""

from __future__ import annotations


class NotSent(Exception):
    """The report did not arrive, or nobody knows whether it did.

    Attributes:
        why: What happened, for people; it has no part of a secret.
        after: In how many seconds to try again; None: as the reporter's `Retries` say.
        for_good: Another try would go the same way: the report fails.
        is_unknown: It was handed over, and nobody has said whether it arrived.
    """

    def __init__(
        self, why: str, *, after: float | None = None, for_good: bool = False, is_unknown: bool = False
    ) -> None:
        super().__init__(why)
        self.why = why
        self.after = after
        self.for_good = for_good
        self.is_unknown = is_unknown

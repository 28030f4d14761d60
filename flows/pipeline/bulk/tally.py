"""How far a bulk action has come: what became of how many jobs, and where its walk goes on."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

#: The words of jobs that were acted on, and of those on which an error kept it from acting; all others were skipped.
DONE: Final = frozenset({"retried", "cancelled", "requested", "deleted", "moved"})
ERROR: Final = "error"


@dataclass(slots=True)
class Tally:
    """How far a bulk action has come."""

    words: Counter[str] = field(default_factory=Counter[str])
    """What became of jobs, and of how many."""
    cursor: str = ""
    """Where the walk goes on."""
    looked: int = 0
    """How many ids were looked at."""
    total: int = 0
    """How many there were to look at when it began."""

    @property
    def done(self) -> int:
        """On how many jobs it acted."""
        return sum(count for word, count in self.words.items() if word in DONE)

    @property
    def value(self) -> float:
        """How far it is, from 0 to 1."""
        return min(1.0, self.looked / self.total) if self.total > 0 else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return it as the progress of its job."""
        counts = ", ".join(f"{count:,} {word}" for word, count in self.words.most_common())
        return {
            "value": self.value,
            "message": counts or "nothing yet",
            "words": dict(self.words),
            "cursor": self.cursor,
            "looked": self.looked,
            "total": self.total,
        }

    @classmethod
    def from_json(cls, text: bytes | None) -> Tally:
        """Return what `to_dict` has written; a new one where that is not what stands there."""
        try:
            found: Any = json.loads(text or b"null")
            words = Counter({str(word): int(count) for word, count in found["words"].items()})
            return cls(words, str(found["cursor"]), int(found["looked"]), int(found["total"]))
        except (ValueError, TypeError, KeyError, AttributeError):
            return cls()

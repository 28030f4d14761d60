"""What came of a run."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Report:
    """The counts of a run, taken from its ledger."""

    wallets: int
    roles: dict[str, int]
    jobs: int
    children: int
    seconds: float
    failed: int
    #: Wallets and child jobs a second, of those that this process saw through.
    rates: tuple[float, float]

    def json(self) -> str:
        """Return it as one JSON object."""
        counts = asdict(self) | {"seconds": round(self.seconds, 3)}
        del counts["rates"]
        return json.dumps(counts)

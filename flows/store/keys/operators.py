"""Names every key of those who operate flows, one method each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OperatorKeys:
    """The keys below one namespace."""

    namespace: str = ""

    def actions(self) -> str:
        """Stream: what operators have asked for, and what came of it; about 10,000 entries."""
        return f"{self.namespace}flows:actions"

    def dump(self, process: str) -> str:
        """String: the stacks that a process was asked for, as JSON; gone after a minute."""
        return f"{self.namespace}flows:dump:{process}"

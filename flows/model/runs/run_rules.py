"""`RunRules`: the rules of the queues of runs, where those of overrides and versions have those of their workflow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from flows.model.runs.queue_names import workflow_of

if TYPE_CHECKING:
    from flows.model.limits.rules import Rules


class RunRules(Mapping[str, "Rules"]):
    """Rules by queue: what is not there under a queue's own name has those of its workflow."""

    def __init__(self, rules: Mapping[str, Rules]) -> None:
        self._rules = dict(rules)

    def __getitem__(self, queue: str) -> Rules:
        """Return the rules of a queue.

        Raises:
            KeyError: its workflow has none.
        """
        found = self._rules.get(queue) or self._rules.get(workflow_of(queue))
        if found is None:
            raise KeyError(queue)
        return found

    def __iter__(self) -> Iterator[str]:
        """Return the names of the queues that have rules of their own."""
        return iter(self._rules)

    def __len__(self) -> int:
        """Return how many have."""
        return len(self._rules)

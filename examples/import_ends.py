"""What a killed worker had done: the tasks that had ended then, and whether one of them was executed again."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import NamedTuple

from import_terms import Settings
from import_tree import declare


class Noted(NamedTuple):
    """How things were when a worker had been killed."""

    ended: frozenset[str]
    """The paths of the tasks that had ended and were not stale."""
    calls: Counter[str]
    """How often the function of each had been called."""


class Ends:
    """Notes which tasks have ended, at each kill.

    Args:
        settings: Those of the import.
        instance_id: Of which instance.
    """

    def __init__(self, settings: Settings, instance_id: str) -> None:
        self._settings = settings
        self._instance_id = instance_id
        self._noted: list[Noted] = []

    def calls(self) -> Counter[str]:
        """Return how often the function of each task was called, as the workers themselves have noted."""
        journal = self._settings.journal
        return Counter(journal.read_text("utf-8").split() if journal.exists() else ())

    def note(self) -> None:
        """Note what has ended; called when the worker is dead, in the thread that has killed it."""
        self._noted.append(Noted(asyncio.run(self._ended()), self.calls()))

    def executed_again(self) -> set[str]:
        """Return the tasks that had ended at a kill and were called again since; what was noted is forgotten."""
        now = self.calls()
        again = {path for noted in self._noted for path in noted.ended if now[path] > noted.calls[path]}
        self._noted.clear()
        return again

    async def _ended(self) -> frozenset[str]:
        trees, generator = declare(self._settings)
        async with trees:
            instance = await generator.get(self._instance_id)
            if instance is None:
                return frozenset()
            tasks = (await instance.state()).tasks
        return frozenset(path for path, one in tasks.items() if one.status in {"ok", "skipped"} and not one.stale)

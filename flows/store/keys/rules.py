"""Names every key of queues with rules, one method each: where the jobs of groups wait, and what limits them.

`<n>` is a priority, and a group the JSON text of its value (a longer one its digest); no name has a `/`, so no two keys
meet.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RuleKeys:
    """The keys below one namespace."""

    namespace: str = ""

    def group(self, queue: str, priority: int, group: str) -> str:
        """List: ids of one group that wait with this priority, the next one first."""
        return f"{self.namespace}flows:group:{queue}/{priority}/{group}"

    def ring(self, queue: str, priority: int) -> str:
        """Sorted set: group whose jobs of this priority may come next → its virtual time; the empty one is of none."""
        return f"{self.namespace}flows:ring:{queue}/{priority}"

    def parked(self, queue: str) -> str:
        """Sorted set: `<n>/<group>` → when it may go on, in server milliseconds; `inf`: when a slot is free."""
        return f"{self.namespace}flows:parked:{queue}"

    def fair(self, queue: str) -> str:
        """Hash: `n<n>`, how many wait in groups; virtual times; live numbers of slots."""
        return f"{self.namespace}flows:fair:{queue}"

    def shares(self, queue: str) -> str:
        """Hash: group → its share, where one was set."""
        return f"{self.namespace}flows:shares:{queue}"

    def limit(self, limiter: str) -> str:
        """Hash: the live values of a limiter, where some were set."""
        return f"{self.namespace}flows:limit:{limiter}"

    def window(self, limiter: str) -> str:
        """String: when tokens of a limiter were given out, and how many."""
        return f"{self.namespace}flows:window:{limiter}"

    def windows(self, limiter: str) -> str:
        """Hash: group → when it was given tokens of a limiter, and how many; empty name: the longest interval, ms."""
        return f"{self.namespace}flows:windows:{limiter}"

    def slots(self, queue: str) -> str:
        """Hash: id in `processing` → `<cost> <group>`, where it takes more than one slot or one of its group's."""
        return f"{self.namespace}flows:slots:{queue}"

    def load(self, queue: str) -> str:
        """Hash: group → how many slots its jobs take; the empty name: how many jobs take beyond one slot each."""
        return f"{self.namespace}flows:load:{queue}"

    def sharing(self, slots: str) -> str:
        """Hash: queue → 0, or `<seen> <since> <need>` where it waits for slots of this id; empty name: how many."""
        return f"{self.namespace}flows:sharing:{slots}"

"""Names every key of schedules, one method each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ScheduleKeys:
    """The keys below one namespace."""

    namespace: str = ""

    def schedules(self) -> str:
        """Sorted set: schedule → its next slot, in server milliseconds."""
        return f"{self.namespace}flows:schedules"

    def schedule(self, schedule_id: str) -> str:
        """Hash: what the schedule is, whether it is paused, and what it started last."""
        return f"{self.namespace}flows:schedule:{schedule_id}"

    def fired(self, schedule_id: str) -> str:
        """Hash: slot → the run that was started for it, as long as that is kept."""
        return f"{self.namespace}flows:fired:{schedule_id}"

    def declared(self, app: str) -> str:
        """Hash: schedule of the app's code → when a process that declares it was seen, in server ms, or `kept`."""
        return f"{self.namespace}flows:declared:{app}"

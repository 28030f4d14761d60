"""The errors of schedules."""

from __future__ import annotations

from flows.errors import FlowsError


class UnknownSchedule(FlowsError):
    """There is no schedule of this id: it was never made, was deleted, or its app declares it no more."""

    def __init__(self, schedule_id: str) -> None:
        super().__init__(
            f"there is no schedule {schedule_id!r}: workflows.schedules.list() has all; one of an app's code is there "
            "once its workers run, or after workflows.sync()"
        )
        self.schedule_id = schedule_id

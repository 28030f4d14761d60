"""A claimed job, as a turn brings it to a worker."""

from __future__ import annotations

from typing import Any, Final

from flows.store.jobs.flow_settings import ISOLATED_FROM

#: Where in the script's answer stands how often the job was rescued, and where the fields of the job class begin.
RESCUES: Final = 4
_VALUES: Final = 7
#: So many bytes has an id.
_ID: Final = 36
#: In the answer of a queue with rules: in how many milliseconds the job starts; the fields stand behind that.
START_IN: Final = 7


class ClaimedJob:
    """One claimed job: its token, its counts, and the fields that the worker asked for, in their order."""

    __slots__ = (
        "attempt", "correlation_id", "fence", "flow", "id", "isolated", "member", "priority", "raw_id", "rescues",
        "seconds", "start_at", "values", "visit", "waited",
    )  # fmt: skip

    def __init__(self, reply: list[Any], priority: bytes | None = None, start_at: float = 0.0) -> None:
        #: How it stands in the queue, which scripts know it by: its id, or in a shared queue `<flow>:<id>`.
        self.member: bytes = reply[0]
        #: Its flow, where that may be another one than the worker's; else empty.
        self.flow = b""
        self.raw_id = self.member
        if len(self.member) != _ID:
            self.flow, _, self.raw_id = self.member.rpartition(b":")
        self.id: str = self.raw_id.decode()
        self.fence: int = reply[1]
        self.attempt: int = reply[2]
        self.visit: int = reply[3]
        self.rescues: int = reply[RESCUES]
        #: For how many milliseconds it has waited, or was late where it was delayed.
        self.waited: int = reply[5]
        self.correlation_id: bytes | None = reply[6]
        #: None: the first one, or its flow has no priorities.
        self.priority = priority
        self.isolated: bool = self.rescues >= ISOLATED_FROM
        self.values: list[bytes | None] = reply[_VALUES:]
        #: How long its function ran; None unless an event wants to say so.
        self.seconds: float | None = None
        #: When it may start, by the monotonic clock; 0 for at once.
        self.start_at = start_at

"""A claimed job, as a turn brings it to a worker."""

from __future__ import annotations

from typing import Any, Final

from flows.store.jobs.flow_settings import ISOLATED_FROM

#: Where in the script's answer stands how often the job was rescued.
RESCUES: Final = 4
#: So many bytes has an id.
_ID: Final = 36
#: In the answer of a queue with rules: in how many milliseconds the job starts; the fields stand behind that.
START_IN: Final = 7


class ClaimedJob:
    """One claimed job: its token, its counts, and the fields that the worker asked for, in their order.

    Attributes:
        member: How it stands in the queue, which scripts know it by: its id, or in a shared queue `<flow>:<id>`.
        flow: Its flow, where that may be another one than the worker's; else empty.
        raw_id: Its id, as bytes.
        waited: For how many milliseconds it has waited, or was late where it was delayed.
        priority: None: the first one, or its flow has no priorities.
        values: The fields of its hash; None for one that it does not have.
        seconds: How long its function ran; None where none has.
        start_at: When it may start, by the monotonic clock; 0 for at once.
    """

    __slots__ = (
        "attempt", "correlation_id", "fence", "flow", "id", "isolated", "member", "priority", "raw_id", "rescues",
        "seconds", "start_at", "values", "visit", "waited",
    )  # fmt: skip

    member: bytes
    fence: int
    attempt: int
    visit: int
    rescues: int
    waited: int
    correlation_id: bytes | None
    values: list[bytes | None]
    flow: bytes
    raw_id: bytes
    id: str
    isolated: bool
    priority: bytes | None
    seconds: float | None
    start_at: float

    def __init__(self, reply: list[Any], priority: bytes | None = None, start_at: float = 0.0) -> None:
        # Unpacked at once: each job pays for it.
        member, self.fence, self.attempt, self.visit, rescues, self.waited, self.correlation_id, *self.values = reply
        self.member, self.rescues = member, rescues
        self.isolated = rescues >= ISOLATED_FROM
        if len(member) == _ID:
            self.flow, self.raw_id, self.id = b"", member, member.decode()
        else:
            self.flow, _, self.raw_id = member.rpartition(b":")
            self.id = self.raw_id.decode()
        self.priority, self.seconds, self.start_at = priority, None, start_at

"""A process that works on a flow, as its last heartbeat tells it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

from flows.model.fleet.histogram import Histogram, read_histogram

_LAGS: Final = 80


@dataclass(frozen=True, slots=True)
class ServedQueue:
    """One queue that a process has workers of."""

    queue: str
    """Its full name."""
    workers: int
    slots: int
    """How many jobs they run at once."""
    busy: int
    """How many of the slots are taken."""
    asked: datetime | None
    """When one of them asked for work last, by the server's clock; None: not yet."""


@dataclass(frozen=True, slots=True)
class RunningJob:
    """A job that ran in a process when it was heard of last."""

    queue: str
    id: str
    started: datetime
    """By the server's clock."""


@dataclass(frozen=True, slots=True)
class BlockedLoop:
    """What kept an event loop from running when its process was heard of last."""

    lasting: timedelta
    """For how long it stood still by then."""
    function: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class LatelyDone:
    """What a process has done within the last minute or so before it was heard of last."""

    lasting: timedelta
    failed: int
    """How many attempts failed, those that are made again included."""
    waited: Histogram
    """How long jobs had waited that it began."""
    ran: Histogram
    """How long functions ran that ended in it."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process with workers of a flow; what nobody could read of its last heartbeat is None or empty."""

    name: str
    """`<host>.<process id>.<random>`; each start of a flow's workers has another one."""
    alive: bool
    """Whether its last heartbeat counts still. One that stops in order is listed no more at all."""
    heard: datetime
    """When it was heard of last, by the server's clock."""
    age: timedelta
    """How long ago that was when it was read, by the same clock."""
    host: str = ""
    pid: int | None = None
    flows_version: str = ""
    python_version: str = ""
    digest: str = ""
    """Which declaration its release has."""
    started: datetime | None = None
    """When its workers started."""
    rss: int | None = None
    """The memory that it has, in bytes; None where its system does not say."""
    lag: timedelta | None = None
    """How long its event loop has let anything wait at most, since the heartbeat before."""
    lags: tuple[int, ...] = ()
    """The same in milliseconds of the last 80 heartbeats, the oldest first."""
    queues: tuple[ServedQueue, ...] = ()
    running: tuple[RunningJob, ...] = ()
    """The jobs that run longest, 20 at most."""
    lease: timedelta | None = None
    """For how long its leases last; it is heard of each quarter of it."""
    hang_limit: timedelta | None = None
    """For so long its event loop may stand still, and keep its leases."""
    leaving: bool = False
    """Whether it takes no more jobs, and ends with those that run."""
    blocked: BlockedLoop | None = None
    """What its event loop stood still at; None where it ran."""
    lately: LatelyDone | None = None


def read_process(name: str, until_ms: float, text: bytes | None, now_ms: int) -> Process:
    """Return a process by its place in the index and its last heartbeat, whatever somebody has made of that.

    Args:
        name: What it is called.
        until_ms: Until when its last heartbeat counts.
        text: Its last heartbeat; None where that is gone.
        now_ms: The server's time.
    """
    alive = until_ms > now_ms
    try:
        return _read(name, alive, now_ms, json.loads(text or b""))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, OSError, RecursionError):
        heard = _instant(min(until_ms, now_ms))
        return Process(name, alive, heard, _instant(now_ms) - heard)


def digest_of(text: bytes | None) -> str | None:
    """Return which declaration the release of a process has; None where its heartbeat cannot be read."""
    try:
        found = json.loads(text or b"")["digest"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return found if isinstance(found, str) else None


def _read(name: str, alive: bool, now_ms: int, found: Any) -> Process:  # noqa: FBT001 - private
    at = int(found["at"])
    queues = {str(queue): part for queue, part in cast("dict[str, Any]", found["queues"]).items()}
    return Process(
        name=name,
        alive=alive,
        heard=_instant(at),
        age=_instant(now_ms) - _instant(at),
        host=str(found["host"]),
        pid=int(found["pid"]),
        flows_version=str(found["flows"]),
        python_version=str(found["python"]),
        digest=str(found["digest"]),
        started=_before(at, found["up"]),
        rss=None if found["rss"] is None else int(found["rss"]),
        lag=timedelta(milliseconds=float(found["lag"])),
        lags=tuple(map(int, found.get("lags", ())[-_LAGS:])),
        queues=tuple(
            ServedQueue(
                queue,
                workers=int(part["workers"]),
                slots=int(part["slots"]),
                busy=int(part["busy"]),
                asked=None if part["asked"] is None else _before(at, part["asked"]),
            )
            for queue, part in queues.items()
        ),
        running=tuple(RunningJob(str(queue), str(job_id), _before(at, ms)) for queue, job_id, ms in found["running"]),
        lease=_span(found.get("lease")),
        hang_limit=_span(found.get("hang")),
        leaving=found.get("leaving") == 1,
        blocked=_blocked(found.get("blocked")),
        lately=_lately(found.get("lately")),
    )


def _span(ms: Any) -> timedelta | None:
    """Return a time that processes of older releases do not tell."""
    return None if ms is None else timedelta(milliseconds=float(ms))


def _blocked(found: Any) -> BlockedLoop | None:
    if found is None:
        return None
    ms, function, file, line = found
    return BlockedLoop(timedelta(milliseconds=float(ms)), str(function), str(file), int(line))


def _lately(found: Any) -> LatelyDone | None:
    if found is None:
        return None
    histograms = read_histogram(str(found["waited"])), read_histogram(str(found["ran"]))
    return LatelyDone(timedelta(milliseconds=float(found["ms"])), int(found["failed"]), *histograms)


def _before(at: int, ms: Any) -> datetime:
    return _instant(at - float(ms))


def _instant(ms: float) -> datetime:
    try:
        return datetime.fromtimestamp(ms / 1000, UTC)
    except (ValueError, OverflowError, OSError):  # a place in an index may be edited into any number
        return datetime.fromtimestamp(0, UTC)

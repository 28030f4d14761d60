"""A job's path: the queues that it has come through, and its times in each, of the field `_attempt`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from flows.model.ids import created_at

if TYPE_CHECKING:
    from collections.abc import Mapping

#: A longer number is nonsense.
_MOST_DIGITS: Final = 15
_PARTS: Final = 7
#: The path of a job whose first attempt runs, or was its last: it is in `_queue`, and its id says since when.
_FIRST: Final = b"+"


@dataclass(frozen=True, slots=True)
class Visit:
    """One stay of a job in a queue, from its first claim there."""

    queue: str
    waited: timedelta
    """For how long it could have run and did not: before its attempts, without the pauses between them."""
    ran: timedelta | None = None
    """For how long its attempts ran; None while the first one runs."""
    in_children: timedelta | None = None
    """For how long it waited for its children; None where it did not."""


def path_of(job_id: str, fields: Mapping[str, bytes]) -> list[Visit]:
    """Return the visits that a job's hash tells of, the last 30, oldest first; nonsense is left out.

    That of an attempt which is under way is there too, without the time that it has run.
    """
    since, path = _parts(fields)
    if path == _FIRST:
        path = b"%s=%d" % (fields.get("_queue", b""), _since_birth(job_id, since or 0))
    visits = [visit for entry in path.split(b",") if (visit := _visit(entry)) is not None]
    if visits and not path.endswith(b","):
        visits[-1] = _ended(visits[-1], fields)
    return visits


def since_of(job_id: str, fields: Mapping[str, bytes]) -> datetime:
    """Return since when a job is where it is, by the server's clock, in UTC; of a delayed one, when it is due."""
    since = _number(fields.get("_ended", b"")) or _parts(fields)[0]
    try:
        return created_at(job_id) if since is None else datetime.fromtimestamp(since / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)


def _parts(fields: Mapping[str, bytes]) -> tuple[int | None, bytes]:
    """Return since when the job is where it is, in milliseconds, and its path."""
    parts = fields.get("_attempt", b"").split(b" ")
    if len(parts) != _PARTS:
        return None, b""
    return _number(parts[5]), parts[6]


def _since_birth(job_id: str, since: int) -> int:
    """Return how many milliseconds lie between the time in a job's id and the server's time `since`."""
    try:
        return max(0, since - round(created_at(job_id).timestamp() * 1000))
    except (ValueError, OverflowError, OSError):
        return 0


def _visit(entry: bytes) -> Visit | None:
    queue, _, times = entry.rpartition(b"=")
    numbers = [_number(text) for text in times.split(b"/")]
    known = [timedelta(milliseconds=number) for number in numbers if number is not None]
    if not queue or len(known) != len(numbers) or len(known) > len(("waited", "ran", "in_children")):
        return None
    return Visit(queue.decode("utf-8", "replace"), *known)


def _ended(last: Visit, fields: Mapping[str, bytes]) -> Visit:
    """Return the visit in which a job has ended with its last time; `_ended` says when, so that no path does."""
    ended, since = _number(fields.get("_ended", b"")), _parts(fields)[0]
    if ended is None or since is None:
        return last
    rest = timedelta(milliseconds=max(0, ended - since))
    if last.ran is None:
        return replace(last, ran=rest)
    if f"children:{last.queue}:jobs" in fields and last.in_children is None:
        return replace(last, in_children=rest)
    # Where it was cancelled between two attempts, nothing ran.
    return last if fields.get("_status") == b"cancelled" else replace(last, ran=last.ran + rest)


def _number(text: bytes) -> int | None:
    return int(text) if text.isdigit() and len(text) <= _MOST_DIGITS else None

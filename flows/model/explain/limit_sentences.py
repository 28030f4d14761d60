"""The sentences of the reasons that rules of a queue bring: holds, limiters and slots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.model.explain.words import at_time, counted, lasting

if TYPE_CHECKING:
    from flows.model.explain.situation import Situation

#: So much of a group's text stands in a sentence.
_MOST = 60


def held(found: Situation) -> str:
    """Say until when nothing starts."""
    until = found.held_ms or 0
    what, argument = ("its group " + _group(found), ", group=…") if found.held == "group" else (repr(found.queue), "")
    return (
        f"it waits in {found.queue!r}, and {what} is held until {at_time(until, found.now_ms)}, for "
        f"{lasting(until - found.now_ms)} more; flow.queue(…).hold(0{argument}) ends that{_ahead(found)}"
    )


def rate_limited(found: Situation) -> str:
    """Say which limiter keeps it, and for how long."""
    return _limited(found, found.limiter, found.limiter_ms, "")


def group_limited(found: Situation) -> str:
    """Say which limiter keeps its group, and for how long."""
    return _limited(found, found.group_limiter, found.group_limiter_ms, f" to its group {_group(found)}")


def slots(found: Situation) -> str:
    """Say how many jobs run."""
    taken, most = found.slots or (0, 0)
    return f"it waits in {found.queue!r}, and {taken:,} of {most:,} slots are taken: it starts when jobs have ended" + (
        _ahead(found)
    )


def group_slots(found: Situation) -> str:
    """Say how many jobs of its group run."""
    taken, most = found.group_slots or (0, 0)
    return (
        f"it waits in {found.queue!r}, and its group {_group(found)} has taken {taken:,} of its {most:,} slots: it "
        f"starts when jobs of the group have ended{_ahead(found)}"
    )


def _limited(found: Situation, limiter: tuple[str, int, int] | None, ready_ms: float | None, to: str) -> str:
    name, taken, most = limiter or ("", 0, 0)
    left = lasting((ready_ms or 0) - found.now_ms)
    return (
        f"it waits in {found.queue!r}, and the limiter {name!r} has given out {taken:,} of {most:,}{to}: "
        f"the next start is possible in {left}{_ahead(found)}"
    )


def _ahead(found: Situation) -> str:
    if not found.ahead:
        return ""
    about = "" if found.exact else "about "
    return f"; {about}{counted(found.ahead, 'other')} {'is' if found.ahead == 1 else 'are'} ahead"


def _group(found: Situation) -> str:
    text = found.group
    return text if len(text) <= _MOST else f"{text[:_MOST]}…"

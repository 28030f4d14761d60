"""The states of an attempt in its worker and the moves between them: the only place where they are written."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class AttemptState(StrEnum):
    """Where an attempt is, from its claim until its worker has nothing more to do with it."""

    READY = "ready"
    """Claimed, and its function has not begun."""
    RUNNING = "running"
    """Its function runs."""
    STOPPING = "stopping"
    """Its function runs and was asked to stop: the job is cancelled, its time is over, or the worker stops."""
    ENDED = "ended"
    """It has its outcome, which no turn has reported yet."""
    REPORTED = "reported"
    """The store has answered for its outcome."""
    ABANDONED = "abandoned"
    """Its function did not stop in time and runs on, without anybody who waits for it."""
    LOST = "lost"
    """Its lease is lost: nothing of it may be written any more."""


_A = AttemptState

#: From each state, the states that an attempt can move to. It begins as ready.
ATTEMPT_MOVES: Final[Mapping[AttemptState, frozenset[AttemptState]]] = MappingProxyType(
    {
        _A.READY: frozenset({_A.RUNNING, _A.ENDED, _A.LOST}),
        _A.RUNNING: frozenset({_A.STOPPING, _A.ENDED, _A.LOST}),
        _A.STOPPING: frozenset({_A.ENDED, _A.ABANDONED, _A.LOST}),
        _A.ENDED: frozenset({_A.REPORTED, _A.LOST}),
        _A.REPORTED: frozenset(),
        _A.ABANDONED: frozenset(),
        _A.LOST: frozenset({_A.ABANDONED}),
    }
)

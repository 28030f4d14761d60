"""The states of a job and the moves between them: the only place where they are written.

The loader of the scripts hands this table to Lua, where one include refuses every other edge.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class JobState(StrEnum):
    """The state of a job: whether it waits, runs or has ended, and how."""

    WAITING = "waiting"
    PROCESSING = "processing"
    DELAYED = "delayed"
    CHILDREN = "children"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


_S = JobState

#: From each state, the states that a job can move to. A job enters by `create`, as waiting or delayed.
TRANSITIONS: Final[Mapping[JobState, frozenset[JobState]]] = MappingProxyType(
    {
        _S.WAITING: frozenset({_S.PROCESSING, _S.FAILED, _S.CANCELLED, _S.WAITING}),  # in another queue, by `move`
        _S.DELAYED: frozenset({_S.WAITING, _S.CANCELLED}),
        _S.PROCESSING: frozenset({_S.WAITING, _S.DONE, _S.DELAYED, _S.FAILED, _S.CANCELLED, _S.CHILDREN}),
        _S.CHILDREN: frozenset({_S.WAITING, _S.DONE, _S.FAILED, _S.CANCELLED}),
        _S.DONE: frozenset(),
        _S.FAILED: frozenset({_S.WAITING}),
        _S.CANCELLED: frozenset({_S.WAITING}),
    }
)

#: A job in one of these has ended.
TERMINAL: Final = frozenset({_S.DONE, _S.FAILED, _S.CANCELLED})

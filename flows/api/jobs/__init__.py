"""Operations on jobs: to find, show and follow them, to create them and to act on one."""

from flows.api.jobs.acting import cancel, delete, move, promote, retry, set_priority
from flows.api.jobs.creating import create
from flows.api.jobs.ended import ended, ended_by_day
from flows.api.jobs.following import children, history, log, position, wait
from flows.api.jobs.looking import count, explain, find, show

__all__ = [
    "cancel",
    "children",
    "count",
    "create",
    "delete",
    "ended",
    "ended_by_day",
    "explain",
    "find",
    "history",
    "log",
    "move",
    "position",
    "promote",
    "retry",
    "set_priority",
    "show",
    "wait",
]

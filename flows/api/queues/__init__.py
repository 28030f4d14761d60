"""Operations on queues: what they hold, to pause, drain and limit them."""

from flows.api.queues.acting import drain, hold, limits, pause, resume, set_concurrency, set_limit, set_share
from flows.api.queues.board import show
from flows.api.queues.groups import groups
from flows.api.queues.lanes import lanes

__all__ = [
    "drain",
    "groups",
    "hold",
    "lanes",
    "limits",
    "pause",
    "resume",
    "set_concurrency",
    "set_limit",
    "set_share",
    "show",
]

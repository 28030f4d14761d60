"""Operations on queues: what they hold, to pause, drain and limit them."""

from flows.api.queues.acting import drain, hold, limits, pause, resume, set_concurrency, set_limit, set_share
from flows.api.queues.board import show

__all__ = ["drain", "hold", "limits", "pause", "resume", "set_concurrency", "set_limit", "set_share", "show"]

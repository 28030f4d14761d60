"""Operations on queues: what they hold, to pause, drain and limit them."""

from flows.api.board import show
from flows.api.queue_acting import drain, hold, limits, pause, resume, set_concurrency, set_limit, set_share

__all__ = ["drain", "hold", "limits", "pause", "resume", "set_concurrency", "set_limit", "set_share", "show"]

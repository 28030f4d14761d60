"""Operations on processes: which work on what, where their tasks are, and how their releases differ."""

from flows.api.workers.looking import dump, list_workers
from flows.api.workers.releases import releases

__all__ = ["dump", "list_workers", "releases"]

"""An app of trees without a server: all of it runs in the process that begins it."""

from __future__ import annotations

from typing import Any

from flows.tree.backend.sync import SyncBackend
from flows.tree.index.memory import MemoryIndex
from flows.tree.storage.memory import MemoryStorage
from flows.tree.trees import Trees


def trees_in_memory(app: str, **options: Any) -> Trees:
    """Return the app; of the options, a storage takes the place of the one in memory."""
    return Trees(app, **{"backend": SyncBackend(), "storage": MemoryStorage(), "index": MemoryIndex(), **options})

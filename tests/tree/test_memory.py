"""The storage and the index in memory keep to what all of them do."""

from __future__ import annotations

import pytest

from flows.tree.index.memory import MemoryIndex
from flows.tree.index.protocol import Index
from flows.tree.storage.memory import MemoryStorage
from flows.tree.storage.protocol import Storage
from tests.tree.conformance.index import IndexConformance
from tests.tree.conformance.storage import StorageConformance


class TestMemoryStorage(StorageConformance):
    """In memory."""

    @pytest.fixture
    def storage(self) -> Storage:
        """Return a new one."""
        return MemoryStorage()


class TestMemoryIndex(IndexConformance):
    """In memory."""

    @pytest.fixture
    def index(self) -> Index:
        """Return a new one."""
        return MemoryIndex()

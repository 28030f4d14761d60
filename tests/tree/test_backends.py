"""Tasks in the process of the execution, in workers, and in those of a queue of their own: each keeps to the suite."""

from __future__ import annotations

import pytest

from flows.tree.trees import Trees
from tests.tree.conformance.backend import App, BackendConformance
from tests.tree.in_memory import trees_in_memory


class TestSyncBackend(BackendConformance):
    """In this process, without a server."""

    @pytest.fixture
    def app(self) -> App:
        """Return the app."""
        return App(trees_in_memory("sync"))


class TestKernelBackend(BackendConformance):
    """In workers."""

    @pytest.fixture
    def app(self, redis_url: str, namespace: str) -> App:
        """Return the app."""
        return App(Trees("kernel", redis_url=redis_url, namespace=namespace))


class TestQueue(BackendConformance):
    """In workers of another queue than the execution's."""

    @pytest.fixture
    def app(self, redis_url: str, namespace: str) -> App:
        """Return the app."""
        return App(Trees("queue", redis_url=redis_url, namespace=namespace), {"queue": "gpu"})

"""Tasks over SQS keep to what all backends do, with executions in this process and in workers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from flows.tree.aws import SqsBackend, SqsWorker
from flows.tree.trees import Trees
from tests.tree.aws.test_sqs_worker import working
from tests.tree.conformance.backend import App, BackendConformance
from tests.tree.in_memory import trees_in_memory

pytestmark = [pytest.mark.conformance, pytest.mark.usefixtures("quick")]


class TestSqsBackend(BackendConformance):
    """With the app's own workers of the queue."""

    TIMEOUT = 2

    @pytest.fixture
    async def app(self, prefix: str, sqs: dict[str, Any]) -> AsyncIterator[App]:  # type: ignore[override]
        """Return the app."""
        backend = SqsBackend(prefix, **sqs)
        trees = trees_in_memory("sqs", backends={"aws": backend})
        yield App(trees, {"backend": "aws"}, lambda: working(SqsWorker(prefix, trees, concurrency=10, **sqs)))
        await backend.close()


class TestSqsBackendOfWorkers(BackendConformance):
    """With executions that are runs: they wait without a worker."""

    TIMEOUT = 2

    @pytest.fixture
    async def app(  # type: ignore[override]
        self, prefix: str, sqs: dict[str, Any], redis_url: str, namespace: str
    ) -> AsyncIterator[App]:
        """Return the app."""
        backend = SqsBackend(prefix, **sqs)
        trees = Trees("sqs", redis_url=redis_url, namespace=namespace, backends={"aws": backend})
        yield App(trees, {"backend": "aws"}, lambda: working(SqsWorker(prefix, trees, concurrency=10, **sqs)))
        await backend.close()

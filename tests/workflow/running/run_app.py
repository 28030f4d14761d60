"""An app of a test: its workflows, the workers of this process, and waiting for ends."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from flows.kernel.worker import Worker
from flows.model.runs.workflow_options import WorkflowOptions
from flows.workflow.annotations import workflow_shapes
from flows.workflow.app_options import AppOptions
from flows.workflow.attempt import run_runner
from flows.workflow.definition import Workflow
from flows.workflow.event import WorkflowEvent
from flows.workflow.host import Host
from tests.waiting import until


class RunApp:
    """An app in this process."""

    def __init__(self, redis_url: str, namespace: str, **options: Any) -> None:
        """Define nothing yet."""
        self.host = Host(AppOptions("test", redis_url=redis_url, namespace=namespace, **options))
        self.workers: list[Worker] = []

    def define(self, function: Callable[..., Awaitable[Any]], name: str = "", **options: Any) -> Workflow[Any, Any]:
        """Define a workflow, called as its function is."""
        name = name or getattr(function, "__name__", "workflow")
        workflow: Workflow[Any, Any] = Workflow(
            self.host, WorkflowOptions(name, **options), workflow_shapes(name, function), function
        )
        self.host.add(workflow)
        return workflow

    def event(self, name: str, kind: Any) -> WorkflowEvent[Any]:
        """Define an event."""
        return WorkflowEvent(self.host, name, kind)

    @asynccontextmanager
    async def running(self, concurrency: int = 10) -> AsyncGenerator[None]:
        """Have a worker for each workflow."""
        await self.host.open()
        self.workers = [
            Worker(self.host.runtime, name, run_runner(self.host, workflow, name), concurrency)
            for name, workflow in self.host.definitions.items()
        ]
        try:
            for worker in self.workers:
                await worker.start()
            yield
        finally:
            for worker in self.workers:
                await worker.stop(grace=1)
            self.host.threads.close()
            await self.host.runtime.close()

    async def fields(self, run_id: str) -> dict[str, bytes]:
        """Return the hash of a run."""
        return await self.host.runtime.read_job("run", run_id) or {}

    async def ended(self, run_id: str) -> tuple[str, bytes]:
        """Wait for the end of a run; its state, and its output, error or reason."""
        found: dict[str, bytes] = {}

        async def has_ended() -> bool:
            found.clear()
            found.update(await self.fields(run_id))
            return found.get("_status", b"") in {b"done", b"failed", b"cancelled"}

        await until(has_ended)
        return found["_status"].decode(), found.get("output") or found.get("_error") or found.get("_reason") or b""

"""What a service's worker has open: threads for plain functions, its tenants, and the batches that are gathered."""

from __future__ import annotations

import contextlib
import inspect
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from flows.errors import FlowsError
from flows.kernel.handler import Handler
from flows.model.verdict import Verdict
from flows.service.batches.batch_calls import BatchCalls
from flows.service.service_params import ServiceJob

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from flows.kernel.around.batches import Batching
    from flows.service.backlog import Backlog
    from flows.service.context import Context
    from flows.service.job_type import JobType
    from flows.service.tenants.tenancy import Tenancy
    from flows.telemetry.events import Events


class ServiceHandler(Handler):
    """Calls the functions of the types of one queue.

    Args:
        concurrency: How many run at once, or how many batches.
        tenancy: The tenants of the jobs.
        backlog: What came while no process ran; None: it is run.
    """

    def __init__(self, concurrency: int, tenancy: Tenancy, backlog: Backlog | None = None) -> None:
        super().__init__(_call, ServiceJob, "thread", concurrency)
        self._tenancy = tenancy
        self._backlog = backlog
        #: Of each type whose function takes many jobs.
        self._batches: dict[str, BatchCalls] = {}

    async def call_type(self, kind: JobType[Any, Any], payload: Any, context: Context[Any]) -> Any:
        """Call the function of a type for a job, alone or with others, and return what it says of this one."""
        batching = kind.options.batching
        if batching is None:
            return await self._call_function(kind, payload, context, partial(_tell_late, kind, context))
        calls = self._batches.get(kind.name)
        if calls is None:
            calls = self._batches[kind.name] = self._gather(kind, batching)
        return await calls.call(payload, context)

    async def hold(self, events: Events, queue: str, stopping: asyncio.Event) -> None:
        """Know the tenants, before the first claim."""
        await super().hold(events, queue, stopping)
        await self._tenancy.start()
        if self._backlog is not None:
            await self._backlog.start()

    async def release(self, *, hurried: bool) -> None:
        """Close what was opened for tenants, with the last worker of the service."""
        try:
            await super().release(hurried=hurried)
        finally:
            self._batches.clear()
            await self._tenancy.stop(hurried=hurried)

    @property
    def runs_here(self) -> bool:
        """Whether whoever asks is one of its batches."""
        return super().runs_here or any(calls.runs_here for calls in tuple(self._batches.values()))

    def _gather(self, kind: JobType[Any, Any], batching: Batching) -> BatchCalls:
        return BatchCalls(partial(self._call_function, kind), batching, self._concurrency)

    async def _call_function(
        self, kind: JobType[Any, Any], given: Any, context: Any, late: Callable[[Any], None] | None = None
    ) -> Any:
        if kind.shapes.is_async:
            result = await kind.function(given, context)
        else:
            result = await self.call((partial(kind.function, given, context), late))
            if not inspect.isawaitable(result):
                return result
            result = await result
        if late is not None:
            late(result)
        return result


def _call(call: tuple[Callable[[], object], Callable[[Any], None] | None]) -> object:
    """Call a function that has its arguments, and tell what it has returned too late: what a thread does."""
    function, late = call
    result = function()
    if late is not None and not inspect.isawaitable(result):
        late(result)
    return result


def _tell_late(kind: JobType[Any, Any], context: Context[Any], result: Any) -> None:
    """Keep in the job's log what its function has returned after its timeout, which counts no more."""
    deadline = context.deadline
    if not context.cancelled or deadline is None or time.monotonic() < deadline or isinstance(result, Verdict):
        return
    with contextlib.suppress(FlowsError):  # it is no result of the type, or another attempt has the job
        context.log.info("returned", kind.shapes.result.encode(result).decode())  # noqa: PLE1205 - no logger

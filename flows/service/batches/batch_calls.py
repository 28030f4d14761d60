"""Calls the function of a batch, for each job of it: the jobs of one tenant are gathered, and end one by one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from flows.kernel.around.batches import Batches, WrongBatch
from flows.service.batches.batch import Batch, BatchJob, Each

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from flows.kernel.around.batches import Batching
    from flows.service.context import Context


class BatchCalls:
    """The batches of one type in this process.

    Args:
        call: Calls the function with its jobs and its batch.
        batching: How jobs are gathered.
        concurrency: How many batches of one tenant run at once.
    """

    def __init__(self, call: Callable[[Any, Any], Awaitable[Any]], batching: Batching, concurrency: int) -> None:
        self._call = call
        self._batching = batching
        self._concurrency = concurrency
        #: By tenant, its client and the batches that have it: those of a client before may still run.
        self._batches: dict[str, tuple[Any, Batches]] = {}

    @property
    def runs_here(self) -> bool:
        """Whether whoever asks is one of the batches."""
        return any(batches.runs_here for _client, batches in tuple(self._batches.values()))

    async def call(self, payload: Any, context: Context[Any]) -> Any:
        """Call the function for a job, together with others, and return or raise what it says of this one."""
        client, batches = self._batches.get(context.tenant, (None, None))
        if batches is None or client is not context.client:
            batch = Batch(context.type, context.tenant, context.client)
            batches = Batches(partial(self._call_many, batch), self._batching, self._concurrency)
            self._batches[context.tenant] = context.client, batches
        return await batches.call(BatchJob(payload, context))

    async def _call_many(self, batch: Batch[Any], jobs: list[BatchJob[Any]]) -> list[Any]:
        returned = await self._call(jobs, batch)
        if not isinstance(returned, Each):
            return [returned if job.failed is None else job.failed for job in jobs]
        results: list[Any] = [*returned.results]  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
        if len(results) != len(jobs):
            raise WrongBatch(f"returned Each of {len(results):,} for {len(jobs):,} jobs")
        return [result if job.failed is None else job.failed for job, result in zip(jobs, results, strict=True)]

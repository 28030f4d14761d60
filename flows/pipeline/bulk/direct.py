"""A bulk action that this process does by itself, where the server is full and takes no job for it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final, Literal

from flows.errors import FlowsError, WaitTimeout
from flows.model.arguments import check_seconds
from flows.model.ids import new_job_id
from flows.model.job import JobError
from flows.model.state import TERMINAL, JobState
from flows.pipeline.bulk.bulk_job import BulkJob, BulkProgress, BulkResult
from flows.pipeline.bulk.tally import Tally

if TYPE_CHECKING:
    from flows.kernel.runtime import Runtime
    from flows.pipeline.bulk.action import BulkParams
    from flows.pipeline.bulk.service import BulkService
    from flows.store.jobs.log_line import LogLine

_logger: Final = logging.getLogger("flows.bulk")


class DirectBulkJob(BulkJob):
    """A bulk action without a job: cancelling and deleting free memory, and go on where nothing can be created.

    It ends with this process, or when the flow is closed; what was done by then is done. No other process knows its id.
    """

    def __init__(self, runtime: Runtime, service: BulkService, params: BulkParams, delay_ms: int) -> None:
        super().__init__(runtime, new_job_id())
        self._tally = Tally()
        self._status = JobState.DELAYED if delay_ms else JobState.PROCESSING
        self._error: JobError | None = None
        self._task = service.beside(self._act(service, params, delay_ms))

    async def progress(self) -> BulkProgress:
        """Return how far it is."""
        value = 1.0 if self._status == JobState.DONE else self._tally.value
        return BulkProgress(dict(self._tally.words), self._status, value)

    async def wait(self, timeout: float) -> BulkResult:
        """Wait until it has ended, and return how.

        Raises:
            WaitTimeout: it has not ended in time, and goes on.
        """
        check_seconds("timeout", timeout)
        await asyncio.wait({self._task}, timeout=timeout)
        if not self._task.done():
            raise WaitTimeout(f"{self!r} is still {self._status} after {timeout} s")
        status = self._status if self._status in TERMINAL else JobState.CANCELLED
        return BulkResult(dict(self._tally.words), status, self._error)

    async def cancel(self) -> Literal["cancelled", "requested", "too late"]:
        """Undo it: what was not touched yet is left as it is."""
        if self._task.done():
            return "too late"
        self._status = JobState.CANCELLED
        self._task.cancel()
        await asyncio.wait({self._task})
        return "cancelled"

    async def log(self) -> list[LogLine]:
        """Return nothing: its lines went to the logger `flows.bulk`."""
        return []

    async def _act(self, service: BulkService, params: BulkParams, delay_ms: int) -> None:
        await asyncio.sleep(delay_ms / 1000)
        self._status = JobState.PROCESSING
        try:
            await service.acting.walk(params, self._tally, lambda: None, self._log)
        except FlowsError as error:
            self._status = JobState.FAILED
            self._error = JobError(type=type(error).__name__, message=str(error))
        else:
            self._status = JobState.DONE

    def _log(self, text: str) -> None:
        _logger.info("bulk action %s: %s", self.id, text)

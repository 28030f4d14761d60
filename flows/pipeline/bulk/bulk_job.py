"""A bulk action that was begun, as who has begun it sees it: how far it is, how it ended, and its undo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from flows.errors import JobGone
from flows.kernel.callers.ends import wait_for_end
from flows.kernel.callers.loop_thread import blocking
from flows.model.arguments import check_seconds
from flows.model.state import JobState
from flows.pipeline.bulk.action import BulkDone
from flows.pipeline.bulk.tally import DONE, ERROR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flows.kernel.runtime import Runtime
    from flows.model.job import JobError
    from flows.model.record import JobRecord
    from flows.pipeline.bulk.action import BulkParams
    from flows.pipeline.bulk.bulk_flow import BulkFlow
    from flows.pipeline.bulk.service import BulkService
    from flows.store.jobs.log_line import LogLine


@dataclass(frozen=True, slots=True)
class BulkCounts:
    """What became of the jobs that a bulk action has come to."""

    words: Mapping[str, int]
    """A word and of how many jobs it is true: `retried`, `gone`, `waiting`, `error`, and others."""

    @property
    def done(self) -> int:
        """On how many jobs it has acted."""
        return sum(count for word, count in self.words.items() if word in DONE)

    @property
    def failed(self) -> int:
        """On how many it could not act, because of an error; its log names the first of them."""
        return self.words.get(ERROR, 0)

    @property
    def skipped(self) -> int:
        """How many were in another state by then, or gone."""
        return sum(self.words.values()) - self.done - self.failed


@dataclass(frozen=True, slots=True)
class BulkProgress(BulkCounts):
    """How far a bulk action is."""

    status: JobState
    """`delayed` in its undo window, then `waiting` or `processing`, and in the end `done`, `failed` or `cancelled`."""
    value: float
    """From 0 to 1, by how many ids it has looked at."""


@dataclass(frozen=True, slots=True)
class BulkResult(BulkCounts):
    """How a bulk action has ended."""

    status: JobState
    """`done`, `cancelled` by its undo, or `failed`."""
    error: JobError | None = None
    """Why it has failed."""


class BulkJob:
    """A bulk action that was begun; `wait` for it, or leave it to the flow's workers.

    Any process that declares the flow has it by its id: `flow.bulk_job(id)`.

    Attributes:
        id: The id of its job, in the flow `flows.bulk.<flow>`.
    """

    def __init__(self, runtime: Runtime, job_id: str) -> None:
        self.id = job_id
        self._runtime = runtime

    def __repr__(self) -> str:
        return f"<BulkJob {self.id} of flow {self._runtime.options.name}>"

    async def progress(self) -> BulkProgress:
        """Return how far it is.

        Raises:
            JobGone: there is none of this id: it has ended long ago, or never was.
            StoreError: the server cannot be used.
        """
        service = await self._service()
        async with service.flow.used():
            record, words, value = await self._read(service.flow)
            return BulkProgress(words, record.status, value)

    async def wait(self, timeout: float) -> BulkResult:
        """Wait until it has ended, and return how; this process does it where no other one does.

        Args:
            timeout: In seconds.

        Raises:
            WaitTimeout: it has not ended in time; it goes on where a process has workers of the flow.
            JobGone: there is none of this id: it has ended long ago, or never was.
            StoreError: the server cannot be used.
        """
        check_seconds("timeout", timeout)
        service = await self._service()
        async with service.at_work() as flow:
            await wait_for_end(flow.runtime, flow.reader, self.id, timeout)
            record, words, _value = await self._read(flow)
            return BulkResult(words, record.status, record.error)

    async def cancel(self) -> Literal["cancelled", "requested", "too late"]:
        """Undo it: in its undo window no job was touched yet; later, the rest is left as it is.

        Returns "requested" where it runs: it stops within milliseconds; "too late" where it has ended.

        Raises:
            JobGone: there is none of this id: it has ended long ago, or never was.
            StoreError: the server cannot be used.
        """
        service = await self._service()
        async with service.flow.used():
            return await service.flow.actions.cancel(self.id, "cancelled")

    async def log(self) -> list[LogLine]:
        """Return what it has logged: how far it came, and on which jobs it could not act.

        Raises:
            StoreError: the server cannot be used.
        """
        service = await self._service()
        async with service.flow.used():
            return await service.flow.reader.log(self.id)

    async def _read(self, flow: BulkFlow) -> tuple[JobRecord[BulkParams], Mapping[str, int], float]:
        """Return its record, what became of jobs so far, and how far it is."""
        [record] = await flow.reader.get([self.id], None, resolve=False)
        if record is None:
            raise JobGone(self.id)
        if record.status == JobState.DONE:
            return record, record.view(BulkDone).words, 1.0
        tally = await flow.tally(self.id)
        return record, dict(tally.words), tally.value

    async def _service(self) -> BulkService:
        return cast("BulkService", (await self._runtime.open()).companion)


class SyncBulkJob:
    """A bulk action that was begun, for plain callers: the methods of `BulkJob`, which block.

    Attributes:
        id: The id of its job, in the flow `flows.bulk.<flow>`.
    """

    def __init__(self, bulk: BulkJob) -> None:
        self.id = bulk.id
        self.progress = blocking(bulk.progress)
        self.wait = blocking(bulk.wait)
        self.cancel = blocking(bulk.cancel)
        self.log = blocking(bulk.log)

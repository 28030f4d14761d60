"""Creating jobs: each is one MULTI/EXEC that is safe to send twice, and nothing half written stays.

A job that was just created has no `_status`: it *is* waiting in its flow's first queue. So a transaction whose
answer was lost can be sent again, even when a worker has finished the job in the meantime.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from flows.errors import PayloadTooLarge, StoreUnavailable
from flows.model.lookup import lookup_texts
from flows.store.connection import translated
from flows.store.scripts import load
from flows.store.wire import ReplyError, first_error, pack_command

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine, Iterable, Iterator, Mapping, Sequence

    from flows.store.connection import Connection
    from flows.store.terms import Terms

_logger = logging.getLogger("flows.store")

#: A job stands in so many lookup lists at most.
MOST_LOOKUPS: Final = 256
#: Transactions are sent when they are so many bytes.
_MANY_BYTES: Final = 1 << 17


class NewJob:
    """One transaction that is ready to be sent."""

    __slots__ = ("commands", "data", "id", "keys", "lookups")

    def __init__(self, job_id: str, data: bytes, commands: int, keys: list[str], lookups: list[str]) -> None:
        self.id = job_id
        self.data = data
        self.commands = commands
        self.keys = keys
        self.lookups = lookups


class Creation:
    """Creates the jobs of one flow."""

    def __init__(self, connection: Connection, terms: Terms) -> None:
        self._connection = connection
        self._terms = terms
        keys = terms.keys
        self._job = keys.job(terms.flow, "")
        self._waiting = keys.waiting(terms.first_queue)
        self._wake = keys.wake(terms.first_queue)
        # `job_ttl=None` leaves the EXPIRE commands out.
        self._seconds = -(-terms.ttl_ms // 1000)
        # No EXPIRE may shorten a list that a job stands in which is kept for longer than this one.
        self._lookup_seconds = -(-max(terms.ttl_ms, *terms.kept_ms) // 1000)
        self._begin = pack_command(("MULTI",))
        self._end = pack_command(("ZADD", self._wake, 0, "w")) + pack_command(("EXEC",))

    def prepare(self, job_id: str, fields: Mapping[str, bytes], attributes: Sequence[tuple[str, object]]) -> NewJob:
        """Return the transaction that creates a job.

        Args:
            job_id: The job's id.
            fields: The fields of its hash, as JSON.
            attributes: The lookup attributes and their values.

        Raises:
            PayloadTooLarge: the fields take more bytes than the flow allows.
        """
        size = sum(map(len, fields.values()))
        if size > self._terms.max_payload:
            msg = (
                f"the job's fields take {size:,} bytes, over max_payload={self._terms.max_payload:,}: "
                "store large data elsewhere and hand over where it is"
            )
            raise PayloadTooLarge(msg)
        job = self._job + job_id
        lines = [f"{name}:{text}" for name, value in attributes for text in lookup_texts(value)]
        if len(lines) > MOST_LOOKUPS:
            msg = f"the job would stand in {len(lines):,} lookup lists, over {MOST_LOOKUPS}: look it up by fewer values"
            raise PayloadTooLarge(msg)
        lookups = [self._job + line for line in lines]
        hash_command: list[str | bytes] = ["HSET", job]
        for name, value in fields.items():
            hash_command += (name, value)
        if lines:
            hash_command += ("_lookups", "\n".join(lines))
        if len(hash_command) == 2:  # noqa: PLR2004 - Params without fields: a hash needs at least one
            hash_command += ("_empty", "1")
        keys = [job]
        parts = [self._begin, pack_command(tuple(hash_command))]
        if self._seconds:
            parts.append(pack_command(("EXPIRE", job, self._seconds)))
            keys.append(job)
        for lookup in lookups:
            parts.append(pack_command(("RPUSH", lookup, job_id)))
            keys.append(lookup)
            if self._seconds:
                parts.append(pack_command(("EXPIRE", lookup, self._lookup_seconds)))
                keys.append(lookup)
        parts += (pack_command(("RPUSH", self._waiting, job_id)), self._end)
        keys += (self._waiting, self._wake)
        return NewJob(job_id, b"".join(parts), len(keys) + 2, keys, lookups)

    async def create(self, job: NewJob) -> None:
        """Send one transaction.

        Raises:
            StoreError: it could not be done; nothing of the job stays.
        """
        await self._check(job, await self._connection.packed(job.data, job.commands))

    async def create_many(self, jobs: Iterable[NewJob]) -> list[str]:
        """Send many transactions in few round trips and return the ids of the jobs.

        While the server works on a batch, the next is taken from the iterable. What is sent when this is cancelled may
        or may not be done.

        Raises:
            StoreFull, StoreUnavailable: of the jobs of a batch some may be created; nothing of the next is sent.
            StoreError: nothing of one job stays; those of its batch and before are created.
            Exception: whatever the iterable raises, when the batch before is done.
        """
        ids: list[str] = []
        batches = in_batches(jobs)
        batch = next(batches, None)
        while batch is not None:
            ids += [job.id for job in batch]
            async with _under_way(self._create_batch(batch)):
                batch = next(batches, None)
        return ids

    async def _create_batch(self, jobs: Sequence[NewJob]) -> None:
        replies = await self._connection.packed(b"".join(job.data for job in jobs), sum(job.commands for job in jobs))
        at, failure = 0, None
        for job in jobs:
            try:
                await self._check(job, replies[at : at + job.commands])
            except StoreUnavailable:
                raise
            except Exception as error:  # noqa: BLE001 - raised below, after the others were looked at
                failure = failure or error
            at += job.commands
        if failure is not None:
            raise failure

    async def _check(self, job: NewJob, replies: list[Any]) -> None:
        done = replies[-1]
        if isinstance(done, list):
            results: list[Any] = done  # pyright: ignore[reportUnknownVariableType]
            error = first_error(results)
            if error is None:
                return
            key = job.keys[results.index(error)]
            word = await self._withdraw(job)
            if word == "withdrawn":
                raise type(translated(error))(f"{key}: {error}; the job was not created") from error
            # A worker was faster: the job is on its way, and telling otherwise would make it twice.
            _logger.error("job %s was created, but does not stand in %s: %s", job.id, key, error)
            return
        # Refused as a whole: the first refused command says why better than EXECABORT does.
        refused = first_error(replies) or ReplyError("EXECABORT")
        raise translated(refused) from refused

    async def _withdraw(self, job: NewJob) -> str:
        named = {**self._terms.named(), "waiting": self._waiting, "id": job.id}
        word: bytes = await self._connection.run(load("withdraw"), named, job.lookups)
        return word.decode()


def in_batches(jobs: Iterable[NewJob]) -> Iterator[list[NewJob]]:
    """Cut jobs, as they come, into batches that are worth one round trip each."""
    batch: list[NewJob] = []
    size = 0
    for job in jobs:
        batch.append(job)
        size += len(job.data)
        if size >= _MANY_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


@asynccontextmanager
async def _under_way(work: Coroutine[Any, Any, None]) -> AsyncGenerator[None]:
    """Let work begin before the block, and wait for it after; a block that is cancelled cancels it."""
    task = asyncio.create_task(work)
    try:
        await asyncio.sleep(0)
        yield
    except Exception:
        await task
        raise
    except BaseException:
        task.cancel()
        raise
    await task

"""Creates jobs, each or a batch by one MULTI/EXEC that is safe to send twice and leaves nothing half written.

A job that was just created has no `_status`: it *is* waiting in its flow's first queue. So a transaction whose
answer was lost can be sent again, even when a worker has finished the job in the meantime.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from contextlib import asynccontextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar, cast

from flows.errors import PayloadTooLarge, StoreError
from flows.model.limits.rules import Rules
from flows.model.values.lookup import lookup_texts
from flows.store.client.connection import translated
from flows.store.client.wire import ReplyError, first_error, pack_arguments, pack_command

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine, Iterable, Iterator, Mapping, Sequence

    from flows.store.client.connection import Connection
    from flows.store.jobs.answers import WithdrawAnswer
    from flows.store.jobs.flow_settings import FlowSettings

_logger = logging.getLogger("flows.store")

#: In how many lookup lists a job may stand.
MOST_LOOKUPS: Final = 256
#: A placeholder for a key or a value in a packed form; no field has this name.
_PLACE: Final = "="
#: How many bytes of jobs make one transaction.
_MANY_BYTES: Final = 1 << 17


class NewJob:
    """A job that is ready to be created: its own commands, packed, and the key that each writes to."""

    __slots__ = ("data", "id", "keys", "lookups", "member", "waiting", "wake")

    def __init__(  # noqa: PLR0913, PLR0917 - its parts
        self, job_id: str, data: bytes, keys: list[str], lookups: list[str], place: _Place, waiting: str
    ) -> None:
        self.id = job_id
        self.data = data
        self.keys = keys
        self.lookups = lookups
        #: The list in which it waits, how it stands there, and the wake-up of that queue.
        self.waiting = waiting
        self.member = place.member + job_id
        self.wake = place.wake


class _Place:
    """Where new jobs of a queue wait."""

    __slots__ = ("member", "waiting", "wake")

    def __init__(self, settings: FlowSettings, queue: str) -> None:
        rules = settings.rules.get(queue, Rules())
        #: The lists of the queue, by priority.
        self.waiting = [settings.keys.waiting(queue, n + 1) for n in range(rules.priorities)]
        self.wake = settings.keys.wake(queue)
        #: How a job stands in these lists, but for its id.
        self.member = settings.member(queue, "")

    def list_for(self, priority: bytes | None) -> str:
        """Return the list for jobs of a priority; a lower one than the queue has is one of the last."""
        return self.waiting[0 if priority is None else min(int(priority), len(self.waiting)) - 1]


class Creation:
    """Creates the jobs of one flow."""

    def __init__(self, connection: Connection, settings: FlowSettings) -> None:
        self._connection = connection
        self._settings = settings
        keys = settings.keys
        self._job = keys.job(settings.flow, "")
        self._first = _Place(settings, settings.first_queue)
        self._places: dict[bytes, _Place] = {}
        # `job_ttl=None` leaves the EXPIRE commands out.
        self._seconds = -(-settings.ttl_ms // 1000)
        # No EXPIRE may shorten a list in which a job stands that is kept for longer than this one.
        self._lookup_seconds = -(-max(settings.ttl_ms, *settings.kept_ms) // 1000)
        self._begin = pack_command(("MULTI",))
        self._exec = pack_command(("EXEC",))
        self._end = _woken(self._first.wake) + self._exec

    def prepare(self, job_id: str, fields: Mapping[str, bytes], attributes: Sequence[tuple[str, object]]) -> NewJob:
        """Return a job that is ready to be created.

        Args:
            job_id: The job's id.
            fields: The fields of its hash, as JSON; with `_queue`, it waits in that queue instead of the first one.
            attributes: The lookup attributes and their values.

        Raises:
            PayloadTooLarge: the fields take more bytes than the flow allows.
        """
        job, queue = self._job + job_id, fields.get("_queue")
        place = self._first if queue is None else self._place(queue)
        values, lines = values_of(self._settings, fields, attributes)
        lookups = [self._job + line for line in lines]
        raw = job.encode()
        sized: list[int | bytes] = [len(raw), raw]
        for value in values.values():
            sized += (len(value), value)
        keys = [job]
        if self._seconds:
            sized += (len(raw), raw)
            keys.append(job)
        data = _form(tuple(values), self._seconds) % tuple(sized)
        for lookup in lookups:
            data += pack_command(("RPUSH", lookup, job_id))
            keys.append(lookup)
            if self._seconds:
                data += pack_command(("EXPIRE", lookup, self._lookup_seconds))
                keys.append(lookup)
        return NewJob(job_id, data, keys, lookups, place, place.list_for(values.get("_priority")))

    async def create(self, *jobs: NewJob) -> None:
        """Create these jobs in one transaction.

        Raises:
            StoreError: a job was refused; nothing of the job that the error names stays, and the others are created.
        """
        if len(jobs) == 1:  # nothing to sort, and most calls
            job = jobs[0]
            shared, expected = [job.waiting, job.wake], 4 + len(job.keys)
            push = pack_command(("RPUSH", job.waiting, job.member))
            end = self._end if job.wake == self._first.wake else _woken(job.wake) + self._exec
            data = b"".join((self._begin, job.data, push, end))
        else:
            by_list: dict[str, list[str]] = {}
            for job in jobs:
                by_list.setdefault(job.waiting, []).append(job.member)
            pushes = [pack_command(("RPUSH", place, *members)) for place, members in by_list.items()]
            wakes = list(dict.fromkeys([job.wake for job in jobs]))
            shared = [*by_list, *wakes]
            expected = 2 + len(shared) + sum([len(job.keys) for job in jobs])
            data = b"".join([self._begin, *[job.data for job in jobs], *pushes, *map(_woken, wakes), self._exec])
        replies = await self._connection.packed(data, expected)
        await self._check(jobs, shared, replies)

    async def create_many(self, jobs: Iterable[NewJob]) -> list[str]:
        """Create jobs in batches, each one transaction and one round trip, and return their ids.

        While the server works on a batch, the next is taken from the iterable. Where the call is cancelled, the batch
        that was sent may or may not be created.

        Raises:
            StoreFull: nothing of one batch is created, nor of the next ones; those before it are.
            StoreUnavailable: one batch may or may not be created; nothing of the next is sent.
            StoreError: nothing of one job stays; the others of its batch and those before are created.
            Exception: whatever the iterable raises, once the batch before is created.
        """
        ids: list[str] = []
        batches = in_batches(jobs)
        batch = next(batches, None)
        while batch is not None:
            ids += [job.id for job in batch]
            async with _under_way(self.create(*batch)):
                batch = next(batches, None)
        return ids

    def _place(self, queue: bytes) -> _Place:
        place = self._places.get(queue)
        if place is None:
            place = self._places[queue] = _Place(self._settings, queue.decode())
        return place

    async def _check(self, jobs: Sequence[NewJob], shared: Sequence[str], replies: list[Any]) -> None:
        done = replies[-1]
        if not isinstance(done, list):
            # Refused as a whole: the first refused command says why better than EXECABORT does.
            refused = first_error(replies) or ReplyError("EXECABORT")
            raise translated(refused) from refused
        results: list[Any] = done  # pyright: ignore[reportUnknownVariableType]
        if first_error(results) is None:
            return
        at, failure = 0, None
        for job in jobs:
            placed, woken = (results[shared.index(key) - len(shared)] for key in (job.waiting, job.wake))
            own = [*results[at : at + len(job.keys)], placed, woken]
            at += len(job.keys)
            if (error := first_error(own)) is not None:
                key = [*job.keys, job.waiting, job.wake][own.index(error)]
                undone = await self._undo(job, key, error)
                failure = failure or undone
        if failure is not None:
            raise failure

    async def _undo(self, job: NewJob, key: str, error: ReplyError) -> StoreError | None:
        """Withdraw a job whose creation met an error, and return what to raise; None where a worker has the job."""
        word = await self._withdraw(job)
        if word == "withdrawn":
            failure = type(translated(error))(f"{key}: {error}; the job was not created")
            failure.__cause__ = error
            return failure
        # A worker was faster: the job is on its way, and an error would make the caller create it twice.
        _logger.error("job %s was created, but does not stand in %s: %s", job.id, key, error)
        return None

    async def _withdraw(self, job: NewJob) -> WithdrawAnswer:
        named = {**self._settings.named(), "waiting": job.waiting, "id": job.id}
        word: bytes = await self._connection.run(self._settings.script("withdraw"), named, job.lookups)
        return cast("WithdrawAnswer", word.decode())


def values_of(
    settings: FlowSettings, fields: Mapping[str, bytes], attributes: Sequence[tuple[str, object]]
) -> tuple[dict[str, bytes], list[str]]:
    """Return all that is written to the hash of a new job, and its lookups: `<attribute>:<text>` each.

    Raises:
        PayloadTooLarge: the fields take more bytes than the flow allows, or name too many lookup lists.
    """
    size = sum(map(len, fields.values()))
    if size > settings.max_payload:
        raise PayloadTooLarge(
            f"the job's fields take {size:,} bytes, over max_payload={settings.max_payload:,}: "
            "store large data elsewhere and pass on where it is"
        )
    lines = [f"{name}:{text}" for name, value in attributes for text in lookup_texts(value)]
    if len(lines) > MOST_LOOKUPS:
        raise PayloadTooLarge(
            f"the job would stand in {len(lines):,} lookup lists, over {MOST_LOOKUPS}: look it up by fewer values"
        )
    values = dict(fields)
    if lines:
        values["_lookups"] = "\n".join(lines).encode()
    if not values:
        values["_empty"] = b"1"  # Params without fields: a hash needs at least one
    return values, lines


def _woken(wake: str) -> bytes:
    return pack_command(("ZADD", wake, 0, "w"))


@cache
def _form(names: tuple[str, ...], seconds: int) -> bytes:
    """Return the packed commands that write a job with these fields, with placeholders for its key and the values."""
    form = pack_command(("HSET", _PLACE, *[part for name in names for part in (name, _PLACE)]))
    if seconds:
        form += pack_command(("EXPIRE", _PLACE, seconds))
    return form.replace(pack_arguments((_PLACE,)), b"$%d\r\n%b\r\n")


class _Sized(Protocol):
    @property
    def data(self) -> bytes: ...


_SizedT = TypeVar("_SizedT", bound=_Sized)


def in_batches(jobs: Iterable[_SizedT], most: int = sys.maxsize) -> Iterator[list[_SizedT]]:
    """Cut jobs, as they come, into batches of one round trip each, of at most so many jobs."""
    batch: list[_SizedT] = []
    size = 0
    for job in jobs:
        batch.append(job)
        size += len(job.data)
        if size >= _MANY_BYTES or len(batch) >= most:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


@asynccontextmanager
async def _under_way(work: Coroutine[Any, Any, None]) -> AsyncGenerator[None]:
    """Start the work before the block and wait for it afterwards; where the block is cancelled, so is the work."""
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

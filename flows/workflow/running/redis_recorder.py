"""The recorder of one attempt whose steps are written to Redis."""

from __future__ import annotations

import asyncio
import time
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, cast

from flows.errors import IdempotencyConflict, KeyConflict, StoreFull, StoreUnavailable
from flows.model.runs.errors import PlanChanged
from flows.store.runs.records import OneRecord, pack_writes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from flows.model.outcome import EventWait
    from flows.model.runs.loaded import Arrived
    from flows.model.runs.step_children import StepChildren
    from flows.store.runs.answers import RecordAnswer
    from flows.store.runs.records import Owner, PackedWrite, Recorded
    from flows.store.runs.run_store import RunStore

_NO_FIELDS: Final[Mapping[str, bytes]] = MappingProxyType({})
#: When the server could not take a write, it is asked again after so many seconds.
_PAUSE: Final = 0.25


class RedisRecorder:
    """Writes what the steps of one attempt have done, as `Recorder` says.

    Args:
        runs: The store's room.
        owner: The attempt.
        come: How many things have come for the run from outside, as far as the attempt has been told.
        lease: In seconds: a write that the server cannot take is sent again for as long.
        fields: What is written to the run's hash with the first write.
        check_known: Refuses the name of a workflow that no app ever had; None: each is taken.
    """

    def __init__(  # noqa: PLR0917 - its surroundings, given once
        self,
        runs: RunStore,
        owner: Owner,
        come: int,
        lease: float,
        fields: Mapping[str, bytes] = _NO_FIELDS,
        check_known: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        self.come = come
        self._records = runs.records
        self._loader = runs.loader
        self._owner = owner
        self._one_record = OneRecord(owner)
        self._lease = lease
        self._fields = fields
        self._check_known = check_known

    async def put(
        self,
        records: Mapping[str, bytes],
        children: Sequence[StepChildren] = (),
        waits: Sequence[EventWait] = (),
        fields: Mapping[str, bytes] = _NO_FIELDS,
    ) -> Arrived | None:
        """Write all of this; return what has come from outside and the attempt has not been told.

        Raises:
            asyncio.CancelledError: the attempt has lost its lease: nothing was written.
            StoreFull: the server is full, and was for as long as a lease lasts.
            StoreUnavailable: it did not answer for as long.
            IdempotencyConflict: a child's key belongs to a run with other input; nothing was written.
            KeyConflict: something else stands in the place of a key; nothing was written.
            PlanChanged: a step starts another number of runs than it did; nothing was written.
            UnknownWorkflow: no app ever had the workflow of a child, which would wait for ever; nothing was written.
        """
        if len(records) != 1 or children or waits or fields or self._fields:
            return await self._put_all(records, children, waits, fields)
        [(name, raw)] = records.items()
        write = self._one_record.pack(name, raw)
        try:
            word, come, about = await self._records.write(write)
        except (StoreFull, StoreUnavailable):
            word, come, about = await self._write(write)
        if word != b"ok":
            raise _refusal(word, about)
        return None if come <= self.come else await self._arrived()

    async def children(self, step: str, start: int, count: int) -> Sequence[bytes]:
        """Return how `count` children of a step from index `start` on have ended.

        Raises:
            StoreError: that cannot be read.
        """
        return await self._loader.children(self._owner.run_id, step, start, count)

    async def flush(self) -> None:
        """Write the fields that were to go with the first write, where there was none.

        Raises:
            As `put`.
        """
        if self._fields:
            await self.put({})

    async def _put_all(
        self,
        records: Mapping[str, bytes],
        children: Sequence[StepChildren],
        waits: Sequence[EventWait],
        fields: Mapping[str, bytes],
    ) -> Arrived | None:
        if children and self._check_known is not None:
            for name in {run.workflow for one in children for run in one.runs}:
                await self._check_known(name)
        before, self._fields = self._fields, _NO_FIELDS
        come = 0
        for write in pack_writes(self._owner, records, children, waits, {**before, **fields}):
            word, come, about = await self._write(write)
            if word != b"ok":
                raise _refusal(word, about, children)
        return None if come <= self.come else await self._arrived()

    async def _arrived(self) -> Arrived:
        arrived = await self._loader.arrived(self._owner.run_id)
        self.come = max(self.come, arrived.come)
        return arrived

    async def _write(self, write: PackedWrite) -> Recorded:
        until = time.monotonic() + self._lease
        while True:
            try:
                return await self._records.write(write)
            except (StoreFull, StoreUnavailable):
                if time.monotonic() > until:
                    raise
            await asyncio.sleep(_PAUSE)  # a lease that is lost meanwhile cancels this


def _refusal(word: bytes, about: bytes, children: Sequence[StepChildren] = ()) -> BaseException:
    answer, why = cast("RecordAnswer", word.decode()), about.decode("utf-8", "replace")
    match answer:
        case "changed":
            return PlanChanged(why)
        case "different":
            keys = [run.key for step in children for run in step.runs if run.key is not None]
            return IdempotencyConflict(why, keys[0] if keys else "", what="run")
        case "conflict":
            return KeyConflict(f"{why}: delete or rename that key; nothing of the step was written")
        case _:  # stale, gone or malformed: the lease is lost
            return asyncio.CancelledError(answer)

"""The recorder of one attempt whose steps are written to Redis."""

from __future__ import annotations

import asyncio
import time
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from flows.errors import IdempotencyConflict, KeyConflict, StoreFull, StoreUnavailable
from flows.model.runs.errors import PlanChanged
from flows.store.runs.records import Owner, PackedWrite, Recorded, pack_writes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from flows.model.outcome import EventWait
    from flows.model.runs.loaded import Arrived
    from flows.model.runs.step_children import StepChildren
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
        self._runs = runs
        self._owner = owner
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
        if children and self._check_known is not None:
            for name in {run.workflow for one in children for run in one.runs}:
                await self._check_known(name)
        before, self._fields = self._fields, _NO_FIELDS
        come = 0
        for write in pack_writes(self._owner, records, children, waits, {**before, **fields}):
            recorded = await self._write(write)
            _check(recorded, children)
            come = recorded.come
        if come <= self.come:
            return None
        arrived = await self._runs.loader.arrived(self._owner.run_id)
        self.come = max(self.come, arrived.come)
        return arrived

    async def children(self, step: str, start: int, count: int) -> Sequence[bytes]:
        """Return how `count` children of a step from index `start` on have ended.

        Raises:
            StoreError: that cannot be read.
        """
        return await self._runs.loader.children(self._owner.run_id, step, start, count)

    async def flush(self) -> None:
        """Write the fields that were to go with the first write, where there was none.

        Raises:
            As `put`.
        """
        if self._fields:
            await self.put({})

    async def _write(self, write: PackedWrite) -> Recorded:
        until = time.monotonic() + self._lease
        while True:
            try:
                return await self._runs.records.write(write)
            except (StoreFull, StoreUnavailable):
                if time.monotonic() > until:
                    raise
            await asyncio.sleep(_PAUSE)  # a lease that is lost meanwhile cancels this


def _check(recorded: Recorded, children: Sequence[StepChildren]) -> None:
    match recorded.word:
        case "ok":
            return
        case "changed":
            raise PlanChanged(recorded.about)
        case "different":
            keys = [run.key for step in children for run in step.runs if run.key is not None]
            raise IdempotencyConflict(recorded.about, keys[0] if keys else "")
        case "conflict":
            raise KeyConflict(f"{recorded.about}: delete or rename that key; nothing of the step was written")
        case _:  # stale, gone or malformed: the lease is lost
            raise asyncio.CancelledError(recorded.word)

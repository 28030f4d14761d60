"""Gathers what the steps of one attempt have done within a tick, and writes it, one call at a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from flows.errors import FlowsError, StoreFull, StoreUnavailable
from flows.model.runs.step_record import Place
from flows.workflow.steps.stillness import nobody

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flows.model.outcome import EventWait
    from flows.model.runs.loaded import Arrived
    from flows.model.runs.step_children import StepChildren
    from flows.model.runs.step_record import StepRecord
    from flows.workflow.steps.gate import Gate
    from flows.workflow.steps.recorder import Recorder


class _Write(NamedTuple):
    name: str
    record: StepRecord
    children: StepChildren | None
    passed: asyncio.Future[None]
    alone: bool


class Writes:
    """The writes of one attempt: what stands in one of them becomes known to the run's code at once.

    Args:
        recorder: Where they go.
        gate: Where the results stand, once they are written, until it is their turn.
        come: How many things have come from outside.
        arrived: Called with what has come meanwhile.
        stood: Called when a write stands.
        failed: Called where nothing can be written any more, with the reason.
    """

    def __init__(  # noqa: PLR0917 - its surroundings, given once
        self,
        recorder: Recorder,
        gate: Gate,
        come: int,
        arrived: Callable[[Arrived], None],
        stood: Callable[[], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        self._recorder = recorder
        self._gate = gate
        self._last = gate.highest_write
        self._arrived = arrived
        self._stood = stood
        self._failed = failed
        self._gathered: list[_Write] = []
        self._notes: dict[str, StepRecord] = {}
        self._waits: dict[str, EventWait] = {}
        self._fields: dict[str, bytes] = {}
        self._wanted = False
        self._sending: asyncio.Task[None] | None = None
        #: How many things have come from outside, as far as this attempt knows.
        self.come = come
        #: What is being written now has this place; None: nothing is.
        self.under_way: Place | None = None

    @property
    def busy(self) -> bool:
        """Whether something is to be written, or is being written, for which a step waits."""
        return bool(self._gathered) or self.under_way is not None

    @property
    def idle(self) -> bool:
        """Whether nothing is to be written, nor being written."""
        return self.under_way is None and self._sending is None and not self._gathered

    def next_place(self) -> Place:
        """Return the place of something that becomes known just now, all by itself."""
        self._last += 1
        return Place(self.come, self._last)

    def note(self, name: str, record: StepRecord) -> None:
        """Write a record along with whatever is written next: a crash before that takes back no more than it."""
        self._notes[name] = record

    def note_wait(self, wait: EventWait) -> None:
        """Register a wait for an event with whatever is written next."""
        self._waits[wait.step] = wait

    def note_field(self, name: str, value: bytes) -> None:
        """Write another field of the run's hash with whatever is written next."""
        self._fields[name] = value

    def take_notes(self) -> dict[str, bytes]:
        """Return the records that were noted and not written; they are the caller's now."""
        if not self._notes:
            return {}
        notes, self._notes = self._notes, {}
        return {name: record.write() for name, record in notes.items()}

    async def write(
        self, name: str, record: StepRecord, children: StepChildren | None = None, *, alone: bool = False
    ) -> None:
        """Write a result, and return when it stands and is the next that the code is given.

        Args:
            name: The step's.
            record: What it has done; gets its place here.
            children: Runs that it starts.
            alone: Write nothing else with it: it may be refused.

        Raises:
            CancelledError: the attempt has lost its lease, or cannot write.
            IdempotencyConflict: it was refused.
        """
        passed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._gathered.append(_Write(name, record, children, passed, alone))
        self._send_soon()
        await passed

    async def write_at_once(self, name: str, record: StepRecord, children: StepChildren | None) -> None:
        """Write a result while nothing else is being written (`idle`), without a task for that.

        Raises:
            CancelledError: the attempt has lost its lease, or cannot write.
            IdempotencyConflict: a child was refused.
        """
        place = self.next_place()
        if record.status != "waiting":
            record.place = place
        await self.put_at_once(place, name, record.write(), () if children is None else (children,))

    async def put_at_once(self, place: Place, name: str, text: bytes, children: Sequence[StepChildren] = ()) -> None:
        """Write the text of a record that has got its place, as `write_at_once` does."""
        self.under_way = place
        try:
            await self._put({**self.take_notes(), name: text} if self._notes else {name: text}, children)
        finally:
            self.under_way = None
            if self._gathered:
                self._send_soon()

    async def flush(self) -> None:
        """Write what was noted; return when it stands.

        Raises:
            CancelledError: the attempt has lost its lease, or cannot write.
        """
        while self._sending is not None:
            await asyncio.wait([self._sending])
        if self._notes or self._waits or self._fields:
            await self._put(self.take_notes(), ())

    async def close(self, seconds: float) -> None:
        """Wait for what is being written, so long at most, and write nothing more that was gathered."""
        self._gathered.clear()
        if self._sending is not None:
            await asyncio.wait([self._sending], timeout=seconds)

    def let_go(self) -> None:
        """Forget whom it calls, for good."""
        self._arrived = self._failed = nobody

    def send(self) -> None:
        """Write what was gathered and noted, unless something is being written: that goes first."""
        self._wanted = False
        if self._sending is None and self.under_way is None and (self._gathered or self._notes or self._waits):
            self._sending = asyncio.get_running_loop().create_task(self._send(self._next_batch()))

    def _send_soon(self) -> None:
        if not self._wanted and self._sending is None and self.under_way is None:
            self._wanted = True
            asyncio.get_running_loop().call_soon(self.send)

    def _next_batch(self) -> list[_Write]:
        gathered = self._gathered
        end = next((at for at, one in enumerate(gathered) if one.alone), len(gathered)) or 1
        self._gathered = gathered[end:]
        return gathered[:end]

    async def _send(self, batch: list[_Write]) -> None:
        if batch:
            self.under_way = first = self.next_place()
            for nth, one in enumerate(batch):
                one.record.place = first._replace(nth=nth)
        refused: FlowsError | None = None
        try:
            records = {**self.take_notes(), **{one.name: one.record.write() for one in batch}}
            await self._put(records, [one.children for one in batch if one.children is not None])
        except FlowsError as error:
            refused = error
        except asyncio.CancelledError:
            for one in batch:
                one.passed.cancel()
            return
        finally:
            self.under_way = self._sending = None
        for one in batch:
            self._hand_on(one, refused)
        if self._gathered:
            self._send_soon()
        self._stood()

    def _hand_on(self, one: _Write, refused: FlowsError | None) -> None:
        if refused is not None:
            if not one.passed.done():
                one.passed.set_exception(refused)
        elif one.record.status == "waiting":  # nobody is given that
            if not one.passed.done():
                one.passed.set_result(None)
        elif one.record.place is not None:
            self._gate.add(one.record.place)
            self._gate.enter(one.record.place, one.passed)

    async def _put(self, records: dict[str, bytes], children: Sequence[StepChildren]) -> None:
        try:
            if self._waits or self._fields:
                waits, fields, self._waits, self._fields = self._waits, self._fields, {}, {}
                arrived = await self._recorder.put(records, children, tuple(waits.values()), fields)
            else:
                arrived = await self._recorder.put(records, children)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or not task.cancelling():  # and it is not this task that was cancelled
                self._failed(error)
            raise
        except (StoreFull, StoreUnavailable) as error:
            self._failed(error)
            raise asyncio.CancelledError from error
        if arrived is not None:
            self._arrived(arrived)

"""What is recorded of a run, asked for, in flight and waited for in one attempt; says when it is put aside.

The code of a run is called anew by every attempt. What it asks for and is recorded, it is given in the order in which
that came, so that it takes the branches that it took. One result after another is let through (`gate.py`), each when
the code stands still (`stillness.py`): when all that follows from the last one has been done. As long as the run's own
task alone asks, it stands still whenever it asks.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from flows.model.outcome import Release
from flows.model.runs.errors import PlanChanged
from flows.model.runs.step_record import OWN, OWN_KINDS, SAME_KINDS, StepRecord, place_of
from flows.workflow.steps.gate import Gate
from flows.workflow.steps.questions import Questions
from flows.workflow.steps.run_records import RunRecords
from flows.workflow.steps.standing import Pending, Standing
from flows.workflow.steps.stillness import Stillness, nobody
from flows.workflow.steps.writes import Writes

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.model.outcome import EventWait, Outcome
    from flows.model.runs.loaded import Arrived, Loaded
    from flows.model.runs.step_children import StepChildren
    from flows.model.runs.step_record import Place, StepKind
    from flows.workflow.steps.recorder import Recorder

#: A step that the code cancelled once and does not cancel now begins anew so much later than that took then.
PATIENCE_MS: Final = 1000


class Replay:
    """One attempt at a run, as its steps see it.

    Args:
        loaded: What is recorded.
        recorder: Where the rest is written.
        stop: Called once to end the attempt: the run's task is cancelled, and the attempt ends as it says; None: as
            `collecting`, `changed` or `lost` say.
        fails_on_change: Whether a plan that has changed fails the run.

    Attributes:
        records: What is recorded of the steps.
        questions: What the code has asked for; knows the run's own task.
        gate, stillness: Where results stand till the code is given them, and what tells when it stands still.
        now_ms: Returns the server's clock, in milliseconds.
        active: How many functions of steps run: the attempt is not put aside meanwhile.
        collecting: The run has failed: its code is called for what undoes its steps alone, and no step begins.
        stopping: The attempt is being ended: no step of the code begins any more.
        broken: Why the attempt cannot go on; CancelledError: it has lost its lease, and nothing may be written of it.
    """

    def __init__(
        self, loaded: Loaded, recorder: Recorder, stop: Callable[[Outcome | None], None], *, fails_on_change: bool
    ) -> None:
        self.loaded = loaded
        self.recorder = recorder
        self.life = loaded.record_life
        self.questions = Questions()
        self.collecting = loaded.failing is not None
        self.stopping = False
        self.broken: BaseException | None = None
        self._stop = stop
        self._fails_on_change = fails_on_change
        self.records = RunRecords(loaded.records, loaded.max_payload)
        self.active = 0
        self._over: dict[str, Place] = {}
        self.now_ms = _clock_from(loaded.now_ms)
        self.stillness = Stillness(self._on_still)
        self.gate = Gate(self.records.places())
        self.writes = Writes(recorder, self.gate, loaded.come, self.arrive, self.stillness.poke, self.break_off)
        self._standing = Standing(self.writes, self.now_ms, self.stillness.poke)

    def ask(self, name: str, kind: StepKind) -> StepRecord | None:
        """Return what is recorded of a step that is asked for; None where that is nothing, or does not count any more.

        Raises:
            asyncio.CancelledError: the attempt is being ended: no step begins.
            DuplicateStep: the code has asked for this one before.
            PlanChanged, MalformedJob: what is recorded does not fit, or cannot be read.
            PayloadTooLarge: the run has too many steps.
        """
        own = kind in OWN_KINDS
        if not own:
            self._admit(name)
        record = self.records.get(name)
        if record is not None and record.kind != kind and {record.kind, kind} not in SAME_KINDS:
            raise PlanChanged(f"step {name!r} is recorded as one of kind {record.kind!r}, and is of kind {kind!r} now")
        if record is not None and not record.counts_in(self.life):
            record = None
        if record is None and not own:
            self._judge_new(name)
        return record

    async def begin(self, name: str, kind: StepKind, record: StepRecord | None) -> StepRecord | None:
        """Return the record of a step that waits, as `ask` gave it, or None where it begins anew.

        It does not return where no step begins, and, where an earlier attempt's code has cancelled it, not soon.
        """
        if self.collecting:
            await self._stand(Pending(name, kind))
        if record is not None and record.status == "withdrawn":
            until = self.now_ms() + record.ms + PATIENCE_MS
            await self._stand(Pending(name, kind, until, withdrawn=True, place=record.place))
            record = None
        return record

    async def give(self, place: Place | None) -> None:
        """Return when it is the turn of what came at `place`."""
        if place is None:
            return
        if self.questions.alone and self.gate.is_next(place):
            await asyncio.sleep(0)  # tasks that the code has made begin, and may ask
            if self.questions.alone and self.gate.is_next(place) and not self.stopping:
                self.gate.pass_(place)
                return
        passed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.gate.enter(place, passed)
        self.stillness.stir()
        await passed
        self.gate.pass_(place)

    async def write(
        self, name: str, record: StepRecord, children: StepChildren | None = None, *, alone: bool = False
    ) -> None:
        """Write what a step has done, and return when it stands, and is the next that the code is given.

        Raises:
            asyncio.CancelledError: the attempt has lost its lease, or cannot write.
            IdempotencyConflict: the key of a child is another run's (`alone`: nothing else is refused with it).
        """
        self.records.keep(name, record)
        if self.questions.alone and not self.gate.holds and self.writes.idle:
            await self.writes.write_at_once(name, record, children)
            if record.place is not None and (self.questions.overlaps or not self.gate.add_given(record.place)):
                self.gate.add(record.place)
                await self.give(record.place)
        else:
            await self.writes.write(name, record, children, alone=alone)
            if record.place is not None:
                self.gate.pass_(record.place)

    def note(self, name: str, record: StepRecord) -> None:
        """Record something that is written with whatever is written next."""
        self.records.keep(name, record)
        self.writes.note(name, record)

    async def wait(self, name: str, record: StepRecord, event: EventWait | None = None) -> StepRecord | None:
        """Wait for what settles a step (`event`: that), and return its record, or None when its time is over.

        Raises:
            asyncio.CancelledError: the attempt ends here, or the code has cancelled the step: it is withdrawn then.
        """
        if (settled := self.records.settled(name)) is not None:  # it came while that was being written
            await self.give(settled.place)
            return settled
        pending = await self._stand(Pending(name, record.kind, record.until, event), settles=True)
        found = None if pending.over else self.records.get(name)
        if found is not None and found.place is not None:
            self.gate.pass_(found.place)
        return found

    def late(self, name: str) -> Place:
        """Return the place of a step whose time was over."""
        self.gate.pass_(place := self._over.pop(name))
        return place

    def arrive(self, arrived: Arrived) -> None:
        """Take what has come from outside while the attempt works."""
        if arrived.come <= self.writes.come:
            return
        seen, self.writes.come = self.writes.come, arrived.come
        for name, raw in arrived.records.items():
            place = place_of(raw)
            if name.startswith(OWN) or place is None or place.write or place.come <= seen:
                continue
            self.records.take(name, raw)
            self.gate.add(place)
            if (pending := self._standing.take(name)) is not None:
                self.gate.enter(place, pending.future)
        self.stillness.poke()

    def break_off(self, error: BaseException) -> None:
        """End the attempt, which cannot go on; the run is not to blame."""
        self.broken = error
        self._end(None if isinstance(error, asyncio.CancelledError) else Release())

    def leave(self) -> None:
        """Count a step's function no more that ran."""
        self.active -= 1
        if self._standing.steps or self.gate.holds:
            self.stillness.stir()

    def withdraw(self, name: str, record: StepRecord) -> None:
        """Record that the code has cancelled a step."""
        record.place = self.gate.last
        self.note(name, record)
        self.stillness.stir()

    async def close(self) -> None:
        """Let no step of the code begin any more, and end those that stand in tasks of its own."""
        self.stopping = True
        self.stillness.close()
        self._standing.close()
        if self.questions.overlaps or not self.writes.idle:
            await self.questions.end_others(PATIENCE_MS / 1000)
            await self.writes.close(PATIENCE_MS / 1000)

    def let_go(self) -> None:
        """Forget whom it calls, for good: such circles would be left to Python's garbage collector, which is slow."""
        self._stop = nobody
        self.stillness.let_go()
        self.writes.let_go()

    def reopen(self) -> None:
        """Go on with the steps of the library's own, which follow when the code has ended."""
        self.collecting = False
        self.stillness.reopen()

    def plan_change(self) -> str | None:
        """Return how what the code asks for differs from what is recorded; None where it has asked for all of that."""
        return self.questions.changed if self.collecting else self.questions.compare(self.records.loaded, self.life)

    def _admit(self, name: str) -> None:
        """Take note of a question of the code's."""
        if self.stopping:
            raise asyncio.CancelledError
        self.questions.admit(name)
        if self.stillness.counting or not self.questions.alone:
            self.stillness.stir()

    def _judge_new(self, name: str) -> None:
        """Take note that a new step begins: where steps never overlap, what is recorded comes before it."""
        replays = self.gate.replays and not self.questions.overlapped
        if replays and self.plan_change() is not None and self._fails_on_change:
            raise PlanChanged(f"{self.questions.changed} (it comes to the new step {name!r})")

    async def _stand(self, pending: Pending, *, settles: bool = False) -> Pending:
        """Return when a step is settled, by a record from outside where it `settles`, or its time is over."""
        began = self.now_ms()
        if self.questions.alone:
            await asyncio.sleep(0)  # tasks that the code has made begin, and may ask
        if self.stopping and pending.kind not in OWN_KINDS:
            raise asyncio.CancelledError
        settled = self.records.settled(pending.name) if settles else None
        if settled is not None and settled.place is not None:  # it came just now
            self.gate.enter(settled.place, pending.future)
        else:
            self._standing.add(pending)
        if self.questions.alone and not self.writes.busy:
            self.stillness.poke()
        else:
            self.stillness.stir()
        try:
            await pending.future
        except asyncio.CancelledError:
            stood = self._standing.take(pending.name) is not None
            if stood and not (self.stopping or self.collecting or pending.withdrawn):
                ms = self.now_ms() - began
                self.withdraw(pending.name, StepRecord("withdrawn", pending.kind, ms=ms, life=self.life))
            raise
        return pending

    def _on_still(self) -> None:
        """Do what is next, now that the code stands still."""
        if self.gate.open(self._standing.first(self.writes.under_way)) or self._standing.let_over(withdrawn=True):
            self.stillness.stir()
        elif self.gate.holds:
            self._standing.wait_here()  # for what came before, or until what is being written stands
        elif self.collecting:
            self._end(None)
        elif not (self.writes.busy or self._standing.holds_attempt) and (over := self._standing.let_over()):
            # Its place is of now: what comes before its code runs, in the next tick, comes after it.
            self._over[over.name] = place = self.writes.next_place()
            self.gate.add(place)
            self.gate.go_past(place)
            self.stillness.stir()
        elif self.active or self.writes.busy or self._standing.holds_attempt:
            self._standing.wait_here()
        elif self._standing.steps:
            if self.plan_change() is not None and self._fails_on_change:
                self._end(None)
            else:
                self._end(self._standing.suspend(self.loaded.deadline_ms))

    def _end(self, outcome: Outcome | None) -> None:
        self.stopping = True
        self.stillness.close()
        self._stop(outcome)


def _clock_from(now_ms: int) -> Callable[[], int]:
    time = asyncio.get_running_loop().time
    began = time()
    return lambda: now_ms + int((time() - began) * 1000)

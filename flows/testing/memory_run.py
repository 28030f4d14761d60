"""A run in memory: what stands in Redis of a run, without Redis, and its attempts played one after another.

Time is not waited for: where the run is put aside until it is due, its clock jumps there.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json, to_json

from flows.errors import WaitTimeout
from flows.kernel.threads import Threads
from flows.model.ids import new_job_id
from flows.model.outcome import Cancel, ContinueAsNew, Fail, Finish, Release, Retry, Snooze, Suspend
from flows.model.runs.loaded import Arrived, Failing, Loaded, read_failing
from flows.model.runs.step_record import StepRecord, is_waiting, read_record
from flows.testing.running_job import running_run
from flows.workflow.steps.play import Attempted
from flows.workflow.steps.run_judge import RunJudge

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence

    from flows.model.outcome import EventWait, Outcome
    from flows.model.retries import Retries
    from flows.model.runs.new_run import NewRun
    from flows.model.runs.step_children import StepChildren
    from flows.workflow.steps.play import Body, Played

#: What a call takes in ticks of the loop, as a round trip would.
_ROUND_TRIP: Final = 3
#: What is sent to this key comes to whatever key is waited for.
ANY_KEY: Final = "*"


@dataclass
class MemoryRun:
    """One run, and what would stand in Redis of it.

    Attributes:
        records: The records of its steps, by name.
        come: How many things have come from outside.
        now_ms: Its clock.
        sent: What was sent, by the event's name and key: JSON texts, oldest first.
        children: Runs a child, given the step's name, and returns how it ended; None: there can be none.
    """

    workflow: str
    input: bytes = b"null"
    run_id: str = field(default_factory=new_job_id)
    retries: Retries | None = None
    timeout_ms: int | None = None
    children: Callable[[NewRun, str], Coroutine[Any, Any, bytes]] | None = None
    records: dict[str, bytes] = field(default_factory=dict[str, bytes])
    come: int = 0
    now_ms: int = 1_800_000_000_000
    attempt: int = 1
    failing: Failing | None = None
    outcome: Outcome | None = None
    changed: str | None = None
    sent: dict[tuple[str, str], list[bytes]] = field(default_factory=dict[tuple[str, str], list[bytes]])

    #: What people answer, by the names of steps, as JSON texts: each once.
    answers: dict[str, list[bytes]] = field(default_factory=dict[str, list[bytes]])

    def __post_init__(self) -> None:
        """Prepare what is kept of attempts."""
        self.current: Attempted | None = None
        self._waiters: dict[str, EventWait] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: dict[str, list[bytes | None]] = {}
        self._news = asyncio.Event()
        self._deadline = None if self.timeout_ms is None else self.now_ms + self.timeout_ms

    @property
    def loaded(self) -> Loaded:
        """What an attempt begins with."""
        return Loaded(dict(self.records), self.come, self.now_ms, f"0.{self.attempt}", self.failing, self._deadline)

    def recorder(self) -> MemoryRecorder:
        """Return what writes for one attempt."""
        return MemoryRecorder(self)

    def limit_to(self, timeout: timedelta) -> None:
        """Let the run take so long at most."""
        self._deadline = self.now_ms + int(timeout / timedelta(milliseconds=1))

    def send(self, event: str, key: str, data: bytes) -> None:
        """Send an event: whatever waits for it goes on."""
        self.sent.setdefault((event, key), []).append(data)
        for wait in [one for one in self._waiters.values() if (one.event, one.key) == (event, key)]:
            self._settle_wait(wait)

    def settle(self, step: str, record: StepRecord, raw: bytes | None = None) -> None:
        """Settle a step from outside, if it waits."""
        standing = self.records.get(step)
        if standing is None or not is_waiting(standing):
            return
        self._waiters.pop(step, None)
        self.come += 1
        before = read_record(step, standing)
        record.place, record.kind, record.at = None, before.kind, before.at
        text = record.write() if raw is None else raw
        self.records[step] = b'%b,"order":%d,%b' % (text[:16], self.come, text[17:])
        self._news.set()
        if self.current is not None:
            self.current.replay.arrive(Arrived(self.come, {step: self.records[step]}))

    async def play(self, body: Callable[[bytes, RunJudge], Body]) -> Outcome:
        """Play attempts until the run has ended, and return how.

        Args:
            body: Makes what the run does of its input and its judge.

        Raises:
            WaitTimeout: it waits for what will never come.
        """
        threads = Threads(8)
        try:
            while self.outcome is None:
                await self._attempt(body, threads)
        finally:
            threads.close()
            for task in self._tasks:
                task.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks)
        return self.outcome

    async def _attempt(self, body: Callable[[bytes, RunJudge], Body], threads: Threads) -> None:
        judge = RunJudge(self.workflow, self.retries, self.attempt)
        recorder = self.recorder()
        with running_run(self.run_id, self.workflow, self.attempt) as running:
            self.current = one = Attempted(
                body(self.input, judge),
                self.loaded,
                recorder,
                run_id=self.run_id,
                attempt=self.attempt,
                job=running.current,
                call_in_thread=threads.call,
            )
            try:
                played = await one.play()
            finally:
                self.current = None
                recorder.close()
        self.now_ms = one.replay.now_ms()
        await self._end(played)

    async def _end(self, played: Played) -> None:
        """Do what an attempt's end means to the run."""
        self.records.update(played.records)
        self.changed = played.changed or self.changed
        match played.outcome:
            case Suspend() as suspended:
                await self._suspend(suspended)
            case Retry(delay_ms):
                self.now_ms += delay_ms
                self.attempt += 1
            case Snooze(delay_ms, until_ms):
                self.now_ms = max(self.now_ms, until_ms or self.now_ms + delay_ms)
            case ContinueAsNew(given):
                self.input, self.records, self.come = given, {}, 0
                self._waiters.clear()
            case Release() | None:
                pass
            case Finish() | Fail() | Cancel() as ended:
                self.outcome = ended
            case other:
                raise AssertionError(f"a run cannot end by {other!r}")

    async def _suspend(self, suspended: Suspend) -> None:
        """Put the run aside until it is due, or something comes."""
        self.records.update(suspended.records)
        for wait in suspended.waits:
            self.register(wait)
        self._answer()
        if self.come != suspended.come:
            return
        self._news.clear()
        if self._tasks:
            await self._news.wait()
        elif suspended.due_ms is not None:
            self.now_ms = max(self.now_ms, suspended.due_ms)
        else:
            raise WaitTimeout(f"the run waits for ever: {self._waits()}")

    def _answer(self) -> None:
        """Give the answers for which steps wait."""
        for name, answers in self.answers.items():
            standing = self.records.get(name)
            if answers and standing is not None and is_waiting(standing):
                self.settle(name, StepRecord("done", "input", result=answers.pop(0)))

    def _waits(self) -> str:
        waiting = [name for name, raw in self.records.items() if is_waiting(raw)]
        told = [
            f"step {name!r} for event {self._waiters[name].event!r} of key {self._waiters[name].key!r}"
            if name in self._waiters
            else f"step {name!r}"
            for name in waiting
        ]
        return "; ".join(told) or "and for no step"

    def register(self, wait: EventWait) -> None:
        """Let a step wait for an event; one that is there settles it at once."""
        self._waiters[wait.step] = wait
        self._settle_wait(wait)

    def start(self, children: StepChildren) -> None:
        """Start the runs of a step, each once."""
        if children.waited and children.step in self._open:
            return
        standing = self.records.get(children.step)
        if not children.waited and standing is not None and is_waiting(standing):  # an emit with a key
            self.settle(children.step, StepRecord("done", "emit", result=to_json(children.runs[0].id)))
        results: list[bytes | None] = [None] * children.total
        if children.waited:
            self._open[children.step] = results
        for index, run in enumerate(children.runs):
            task = asyncio.get_running_loop().create_task(self._child(children, index, run, results))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _child(self, children: StepChildren, index: int, run: NewRun, results: list[bytes | None]) -> None:
        if self.children is None:
            raise AssertionError("this run can have no children")
        results[index] = await self.children(run, children.step)
        if children.waited and None not in results:
            self._open.pop(children.step, None)
            found = b"[%b]" % b",".join(one for one in results if one is not None)
            self.settle(children.step, StepRecord("done", "map", children=found))
        self._news.set()

    def _settle_wait(self, wait: EventWait) -> None:
        sent = [*self.sent.get((wait.event, ANY_KEY), []), *self.sent.get((wait.event, wait.key), [])]
        after = int(wait.after.partition("-")[0] or 0)
        if after < len(sent):
            more = {"entry": f"{after + 1}-0"}
            self.settle(wait.step, StepRecord("done", "event", more=more, result=sent[after]))


class MemoryRecorder:
    """Writes the steps of one attempt into a `MemoryRun`.

    Args:
        run: The run.
    """

    def __init__(self, run: MemoryRun) -> None:
        self._run = run
        self._closed = False

    def close(self) -> None:
        """Refuse all that is still written: the attempt has ended."""
        self._closed = True

    async def put(
        self,
        records: Mapping[str, bytes],
        children: Sequence[StepChildren] = (),
        waits: Sequence[EventWait] = (),
        fields: Mapping[str, bytes] | None = None,
    ) -> Arrived | None:
        """Write all of this at once; see `Recorder.put`."""
        for _ in range(_ROUND_TRIP):
            await asyncio.sleep(0)
        if self._closed:
            raise asyncio.CancelledError
        run, come = self._run, self._run.come
        run.records.update(records)
        for one in children:
            run.start(one)
        for wait in waits:
            run.register(wait)
        if fields and (failing := fields.get("_failing")) is not None:
            run.failing = read_failing(failing)
        for _ in range(_ROUND_TRIP):
            await asyncio.sleep(0)
        if run.come == come:
            return None
        return Arrived(run.come, dict(run.records))

    async def children(self, step: str, start: int, count: int) -> Sequence[bytes]:
        """Return how children ended; see `Recorder.children`."""
        record = read_record(step, self._run.records[step])
        return [to_json(one) for one in from_json(record.children or b"[]")[start : start + count]]

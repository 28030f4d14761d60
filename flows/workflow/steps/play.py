"""Plays one attempt at a run: calls its function, and after its last failure what undoes its steps."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from flows.errors import FlowsError, HostUnable, PayloadTooLarge
from flows.kernel.deadlines import GRACE
from flows.model.job import JobError
from flows.model.outcome import Cancel, Fail, Finish
from flows.model.outcome import ContinueAsNew as BeginAnew
from flows.model.runs.continue_as_new import ContinueAsNew
from flows.model.runs.errors import PlanChanged
from flows.model.runs.loaded import Failing
from flows.model.verdict import Verdict
from flows.workflow.steps.replay import Replay
from flows.workflow.steps.step import Step
from flows.workflow.steps.step_calls import StepCalls
from flows.workflow.steps.step_host import StepHost
from flows.workflow.steps.undo import Undoing

if TYPE_CHECKING:
    from flows.kernel.current import CurrentJob
    from flows.model.outcome import Outcome
    from flows.model.runs.loaded import Loaded
    from flows.model.runs.shape import Shape
    from flows.workflow.steps.recorder import Recorder
    from flows.workflow.steps.run_judge import RunJudge
    from flows.workflow.steps.step_host import CallInThread


@dataclass(slots=True)
class Body:
    """What a run is to do."""

    workflow: str
    """The workflow's name."""
    call: Callable[[Step], Awaitable[Any]]
    """Calls its function with the run's input and a step."""
    output: Shape[Any]
    encode_input: Callable[[object], bytes]
    """Returns the input of a run that continues as new, as JSON."""
    judge: RunJudge
    on_failure: Callable[[Failing], Any] | None = None
    """Called when the run has failed for good or is cancelled."""
    fails_on_change: bool = False
    """Whether a plan that has changed fails the run."""


@dataclass(slots=True)
class Played:
    """How an attempt ended."""

    outcome: Outcome | None
    """None: the lease is lost, and nothing may be written."""
    records: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    """Records of steps that are to be written with the outcome."""
    changed: str | None = None
    """How the plan has changed; None: it has not, as far as is known."""


class Attempted:
    """One attempt at a run.

    Args:
        body: What the run does.
        loaded: What is recorded of it.
        recorder: Where the rest is written.
        run_id: The run's id.
        attempt: Which attempt that counts this is, from 1.
        job: What `current_job()` is in the function; the caller has set it.
        call_in_thread: Calls plain functions.
        overruns: Called once where the function swallows its cancellation for a second; it is cancelled again then.
    """

    def __init__(
        self,
        body: Body,
        loaded: Loaded,
        recorder: Recorder,
        *,
        run_id: str,
        attempt: int,
        job: CurrentJob,
        call_in_thread: CallInThread,
        overruns: Callable[[], None] | None = None,
    ) -> None:
        self._body = body
        self._overruns = overruns
        self._job = job
        self._attempt = attempt
        self._failing = loaded.failing
        self._asked_to_end = False
        self._outcome: Outcome | None = None
        self._task: asyncio.Task[Any] | None = None
        self._cancelled = 0  # so often, here
        self._timer: asyncio.TimerHandle | None = None
        #: What happens outside of it is told here: `arrive`.
        self.replay = Replay(loaded, recorder, self._stop, fails_on_change=body.fails_on_change)
        self._host = StepHost(run_id, body.workflow, attempt, job, self.replay, call_in_thread)

    @cached_property
    def _undoing(self) -> Undoing:
        return Undoing(self._host, StepCalls(self._host), self._body.on_failure)

    @property
    def _lost(self) -> bool:
        """Whether the lease is lost: nothing may be written of the attempt any more."""
        return isinstance(self.replay.broken, asyncio.CancelledError)

    @property
    def failing(self) -> bool:
        """Whether the run has failed for good, or was cancelled, and its steps are being undone."""
        return self._failing is not None

    async def play(self) -> Played:
        """Call the function, and return how the attempt ended.

        Raises:
            asyncio.CancelledError: whoever runs this task has cancelled it.
            HostUnable: there was no thread for a step.
        """
        replay = self.replay
        self._task = replay.questions.task = asyncio.current_task()
        deadline = self._watch_deadline()
        try:
            try:
                outcome = await self._function()
            finally:
                if deadline is not None:
                    deadline.cancel()
                await replay.close()
            if isinstance(replay.broken, HostUnable):
                raise replay.broken
            if self._lost:
                return Played(None)
            if self._failing is None and outcome is not None and not isinstance(outcome, Finish):
                outcome = await self._settled(outcome)
            if self._failing is not None:
                outcome = await self._undo(self._failing)
            if outcome is None or self._lost:
                return Played(None)
            return Played(outcome, replay.writes.take_notes(), replay.questions.changed)
        finally:
            self._asked_to_end = True  # what is still under way stops nobody any more
            if self._timer is not None:
                self._timer.cancel()
            if replay.writes.idle:
                replay.let_go()

    async def look(self) -> None:
        """Call the function of a run that is failing, and do nothing that follows: only what it asks for is learnt."""
        self._task = self.replay.questions.task = asyncio.current_task()
        try:
            await self._function()
        finally:
            await self.replay.close()
            self._asked_to_end = True

    async def _function(self) -> Outcome | None:
        """Return the outcome of the function, None where `_failing` says how the run ends."""
        replay = self.replay
        try:
            value = await self._body.call(Step(self._host))
        except BaseException as error:
            if not self._asked_to_end:
                if isinstance(error, asyncio.CancelledError | KeyboardInterrupt | SystemExit | GeneratorExit):
                    raise
                return self._raised(error)
            if self._job.cancelled or not isinstance(error, Exception | asyncio.CancelledError):
                raise
        else:
            if not self._asked_to_end:
                return None if replay.collecting else self._returned(value)
        self._take_back_cancellation()
        if self._outcome is None and not self._lost and not replay.collecting and replay.questions.changed is not None:
            return self._raised(PlanChanged(replay.questions.changed))
        return self._outcome

    def _returned(self, value: object) -> Outcome | None:
        if isinstance(value, ContinueAsNew | Verdict):
            return self._raised(value)
        replay, body = self.replay, self._body
        if replay.plan_change() is not None and body.fails_on_change:
            return self._raised(PlanChanged(str(replay.questions.changed)))
        try:
            raw = body.output.encode(value)
            limit = replay.loaded.max_payload
            if len(raw) > limit:
                raise PayloadTooLarge(
                    f"what workflow {body.workflow!r} returned takes {len(raw):,} bytes, over max_payload={limit:,}: "
                    "store large data elsewhere and return where it is"
                )
        except FlowsError as error:
            return self._raised(error)
        return Finish({"output": raw})

    def _raised(self, error: BaseException) -> Outcome | None:
        if self.replay.collecting:
            return None
        if isinstance(error, ContinueAsNew):
            try:
                return BeginAnew(self._body.encode_input(error.input))
            except FlowsError as refused:
                error = refused
        return self._body.judge.raised(error)

    async def _settled(self, outcome: Outcome) -> Outcome | None:
        """Return the outcome of a run that has not failed before, once all that belongs to it is written.

        Where it has failed for good now and something follows that, this is `_failing` from here on.
        """
        if isinstance(outcome, Fail) and self._undoing.wanted:
            self._failing = Failing("failed", outcome.error)
        elif isinstance(outcome, Cancel) and self._undoing.wanted:
            self._failing = Failing("cancelled", reason=outcome.reason)
        elif not isinstance(outcome, Fail | Cancel | BeginAnew) and self._outcome is None:
            try:
                await self.replay.writes.flush()  # it is tried again: what the code was given so far stays
            except asyncio.CancelledError:
                if not self._asked_to_end or self._job.cancelled:
                    raise
                self._take_back_cancellation()
        return outcome

    async def _undo(self, failing: Failing) -> Outcome | None:
        """Do what follows the failure of the run, and return how it ends, or that it waits."""
        replay = self.replay
        replay.reopen()
        self._asked_to_end, self._outcome, self._cancelled = False, None, 0
        if replay.loaded.failing is None and self._undoing.wanted:
            replay.writes.note_field("_failing", failing.write())
        try:
            await replay.writes.flush()
            await self._undoing.run(failing)
        except asyncio.CancelledError:
            if not self._asked_to_end or self._job.cancelled:
                raise
            self._take_back_cancellation()
            return self._outcome
        if failing.how == "cancelled":
            return Cancel(failing.reason)
        return Fail(failing.error or JobError(type="Unknown", message="why it failed is not known any more"))

    def _watch_deadline(self) -> asyncio.TimerHandle | None:
        loaded = self.replay.loaded
        if loaded.deadline_ms is None or self._failing is not None:
            return None
        left = (loaded.deadline_ms - self.replay.now_ms()) / 1000
        if left <= 0:
            self._failing = self._timed_out()
            self.replay.collecting = True
            return None
        return asyncio.get_running_loop().call_later(left, self._overdue)

    def _overdue(self) -> None:
        if not self._asked_to_end:
            self._failing = self._timed_out()
            self.replay.stopping = True
            self._stop(None)

    def _timed_out(self) -> Failing:
        message = f"the run took longer than its workflow's timeout, attempt {self._attempt}"
        return Failing("failed", JobError(type="Timeout", message=message, queue=self._body.workflow))

    def _stop(self, outcome: Outcome | None) -> None:
        """End the attempt: the function is cancelled where it stands."""
        if not self._asked_to_end:
            self._asked_to_end, self._outcome = True, outcome
            if self.replay.broken is not None and asyncio.current_task() is self._task:
                self._cancel_in_time()  # the step that broke off raises by itself: a cancellation would outlast that
            else:
                self._cancel()

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._cancelled += 1
            self._cancel_in_time()

    def _cancel_in_time(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(GRACE, self._cancel_again)

    def _cancel_again(self) -> None:
        if self._overruns is not None:
            self._overruns()
            self._overruns = None
        self._cancel()

    def _take_back_cancellation(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        while self._task is not None and self._cancelled:
            self._task.uncancel()
            self._cancelled -= 1

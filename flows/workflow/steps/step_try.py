"""The tries of one step's function: called, judged, tried again, and written down."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from flows.errors import HostUnable
from flows.model.retries import Retries, class_names
from flows.model.runs.step_record import StepRecord
from flows.model.runs.step_tries import StepTry, tried_member, tries_of
from flows.model.verdict import Cancel, Fail, Retry, Snooze
from flows.workflow.steps.failures import Unstorable, error_of, failed_step, job_error
from flows.workflow.steps.function_call import TryTimedOut, call_function
from flows.workflow.steps.step_host import Undo

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flows.model.job import JobError
    from flows.model.runs.shape import Shape
    from flows.model.runs.step_record import StepKind
    from flows.workflow.steps.step_host import StepHost
    from flows.workflow.steps.step_options import StepOptions

#: A pause before another try that is not longer is waited for in the process, in milliseconds.
_SHORT: Final = 1000
_ONCE: Final = Retries(max_attempts=1)
#: Where a function asks for a retry and its step declares none.
_DEFAULT: Final = Retries()
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: These are no failures of the step: the run, or its worker, ends by them.
_PASSED_ON: Final = (Cancel, KeyboardInterrupt, SystemExit, GeneratorExit)


class _Failure(NamedTuple):
    """A try that failed."""

    error: JobError
    classes: tuple[str, ...]
    pause_ms: int | None
    """When to try again; None: never."""
    cause: BaseException
    timeout: bool = False
    counts: bool = True
    """False of a snooze, which is no failure."""


class StepTries:
    """The tries of one step's function.

    Args:
        host: The attempt.
        options: The step's name, and how its function is called.
        shape: The type of what the function returns; None: that is dropped.
        function: Called with `args` and `kwargs`.
        kind: What the step is.
    """

    def __init__(  # noqa: PLR0917 - what was asked for
        self,
        host: StepHost,
        options: StepOptions[Any],
        shape: Shape[Any] | None,
        function: Callable[..., Any],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        kind: StepKind,
    ) -> None:
        self._host = host
        self._replay = host.replay
        self._options = options
        self._name = options.name
        self._shape = shape
        self._function = function
        self._args = args
        self._kwargs = kwargs
        self._kind: StepKind = kind
        self._retries = options.retries or _ONCE
        self._asked = options.retries or _DEFAULT
        self._tries = 0
        self._failed: list[StepTry] = []
        self._at = self._began_ms = host.replay.now_ms()

    async def run(self, tried: StepRecord | None, raised: BaseException | None = None, began_ms: int = 0) -> Any:
        """Try the function until it returns, or has failed for good.

        Args:
            tried: The record of earlier tries, after which it was waited.
            raised: What the first try has raised, which is made already; it began at `began_ms`.
            began_ms: By the server's clock.

        Raises:
            StepFailed: it has failed; that is recorded.
        """
        before = tried or self._replay.records.get(self._name)
        if before is not None and before.kind == self._kind:  # that of an earlier visit too
            self._failed = tries_of(before)
        if tried is not None:
            self._tries, self._at = tried.tries, tried.at or self._at
        if raised is not None:
            self._tries, self._at, self._began_ms = 1, began_ms, began_ms
        while True:
            self._replay.active += 1
            try:
                waiting = await self._try(raised)
                if not isinstance(waiting, StepRecord):
                    return waiting[0]
            finally:
                self._replay.leave()
            raised = None
            await self._replay.wait(self._name, waiting)

    async def _try(self, raised: BaseException | None) -> StepRecord | tuple[Any]:
        """Return what the function has returned, or the record of a step that waits for another try."""
        while True:
            if raised is None:
                self._tries += 1
                self._began_ms = self._replay.now_ms()
                try:
                    value = await self._call()
                    raw = self._encode(value)
                except BaseException as error:  # noqa: BLE001 - whatever the function raises
                    raised = error
                else:
                    await self._done(value, raw)
                    return (value,)
            failure = self._failure(raised)
            raised = None
            if failure.pause_ms is None:
                await self._fail(failure)
            waiting = self._record("waiting", error=failure.error)
            if failure.counts:
                self._failed.append(self._this_try(failure.error))
            waiting.until = self._replay.now_ms() + (failure.pause_ms or 0)
            self._replay.note(self._name, waiting)
            self._replay.writes.send()
            if (failure.pause_ms or 0) > _SHORT:
                return waiting
            try:
                await asyncio.sleep((failure.pause_ms or 0) / 1000)
            except asyncio.CancelledError:
                self._withdraw()
                raise

    async def _call(self) -> Any:
        timeout = self._options.timeout
        seconds = None if timeout is None else timeout.total_seconds()
        return await call_function(self._host, self._name, seconds, self._function, self._args, self._kwargs)

    def _encode(self, value: Any) -> bytes:
        return b"null" if self._shape is None else self._replay.records.encode(self._name, self._shape, value)

    async def _done(self, value: Any, raw: bytes) -> None:
        record = self._record("done")
        record.result = raw
        if self._options.undo is not None:
            record.undo = True
            self._host.undos[self._name] = Undo(self._options, record, lambda: value)
            self._replay.writes.note_field("_undo", b"1")
        try:
            await self._replay.write(self._name, record)
        except asyncio.CancelledError:
            if not self._ends:  # the code has not got what the step has done, and shall not get it ever after
                self._replay.withdraw(
                    self._name, replace(record, status="withdrawn", life=self._replay.life, place=None)
                )
            raise

    @property
    def _ends(self) -> bool:
        """Whether the attempt ends, and it is not the code that cancels the step."""
        return self._replay.stopping or self._host.job.cancelled

    async def _fail(self, failure: _Failure) -> None:
        record = self._record("failed", error=failure.error)
        record.classes = failure.classes
        if failure.timeout:
            record.more["timeout"] = True
        await self._replay.write(self._name, record)
        raise failed_step(self._name, record) from failure.cause

    def _withdraw(self) -> None:
        """Record that the code has cancelled the step, unless it is the attempt that ends."""
        if not self._ends:
            self._replay.withdraw(self._name, self._record("withdrawn"))

    def _record(self, status: Any, *, error: JobError | None = None) -> StepRecord:
        this = self._this_try(error)
        return StepRecord(
            status,
            self._kind,
            at=self._at,
            ms=this.ms,
            tries=self._tries,
            life="" if status == "done" else self._replay.life,
            more=tried_member([*self._failed, this]) if self._failed else {},
            error=error,
        )

    def _this_try(self, error: JobError | None) -> StepTry:
        took = self._replay.now_ms() - self._began_ms
        return StepTry(self._began_ms, took, "" if error is None else error.type)

    def _failure(self, error: BaseException) -> _Failure:
        """Return what a try that raised means to the step.

        Raises:
            BaseException: it is no failure of the step.
        """
        if isinstance(error, asyncio.CancelledError):
            self._withdraw()
            raise error
        if isinstance(error, HostUnable):
            self._replay.break_off(error)
            raise asyncio.CancelledError from error
        if isinstance(error, _PASSED_ON):
            raise error
        return self._judge(error)

    def _judge(self, error: BaseException) -> _Failure:
        """Return what follows from what the function has raised."""
        host, tries = self._host, self._tries
        if isinstance(error, Unstorable):
            cause = error.__cause__ or error
            return _Failure(error_of(cause, host.workflow, tries), class_names(cause), None, cause)
        if isinstance(error, TryTimedOut):
            told = job_error("Timeout", str(error), "", host.workflow, tries)
            return self._again(told, class_names(TimeoutError()), error, timeout=True)
        told, classes = error_of(error, host.workflow, tries), class_names(error)
        pause: int | None = None
        match error:
            case Fail():
                pass
            case Snooze():
                self._tries -= 1
                pause = self._snoozed(error)
            case Retry():
                if tries < self._asked.max_attempts:
                    pause = _milliseconds(self._asked.delay(tries) if error.after is None else error.after)
            case _:
                return self._again(told, classes, error)
        return _Failure(told, classes, pause, error, counts=not isinstance(error, Snooze))

    def _again(
        self, told: JobError, classes: tuple[str, ...], error: BaseException, *, timeout: bool = False
    ) -> _Failure:
        again = self._retries.again(classes, self._tries)
        pause = _milliseconds(self._retries.delay(self._tries)) if again else None
        return _Failure(told, classes, pause, error, timeout)

    def _snoozed(self, verdict: Snooze) -> int:
        if verdict.until is not None:
            return max(0, _milliseconds(verdict.until - _EPOCH) - self._replay.now_ms())
        return _milliseconds(verdict.after or timedelta())


def _milliseconds(time: timedelta) -> int:
    return math.ceil(time / timedelta(milliseconds=1))

"""What follows when a run has failed for good or is cancelled: its steps are undone, and `on_failure` is called.

These are steps of the run too, `undo:<step>` and `on_failure`: each is recorded, is tried again when it fails, and
outlives its worker. An attempt that finds a run so calls its function once more, only to learn what undoes its steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flows.model.job import JobError
from flows.model.retries import Retries
from flows.model.runs.errors import StepFailed
from flows.model.runs.step_record import ON_FAILURE, UNDO, Place, StepRecord
from flows.workflow.steps.step_options import OwnOptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.model.runs.loaded import Failing
    from flows.workflow.steps.step_calls import StepCalls
    from flows.workflow.steps.step_host import StepHost

#: How what undoes a step, and `on_failure`, are tried.
_RETRIES: Final = Retries()


class Undoing:
    """What follows the failure of one run.

    Args:
        host: The attempt.
        calls: Calls the functions.
        on_failure: Called last; None: the workflow has none.
    """

    def __init__(self, host: StepHost, calls: StepCalls, on_failure: Callable[[Failing], Any] | None) -> None:
        self._host = host
        self._calls = calls
        self._on_failure = on_failure

    @property
    def wanted(self) -> bool:
        """Whether anything follows."""
        return self._on_failure is not None or any(True for _ in self._host.replay.records.to_undo())

    async def run(self, failing: Failing) -> None:
        """Undo the steps that are done, the last one first, then call `on_failure`; each that fails is recorded so."""
        for name, _record in sorted(self._host.replay.records.to_undo(), key=_place, reverse=True):
            await self._undo(name)
        if self._on_failure is not None:
            await self._call(ON_FAILURE, self._on_failure, failing, "on_failure")

    async def _undo(self, name: str) -> None:
        own = f"{UNDO}{name}"
        undo = self._host.undos.get(name)
        if undo is not None and undo.options.undo is not None:
            try:
                result = undo.result()
            except Exception as error:  # noqa: BLE001 - what was recorded may not fit the code any more
                await self._missing(own, f"what the step returned cannot be read: {error}")
                return
            await self._call(own, undo.options.undo, result, "undo")
        elif self._host.replay.records.get(own) is None:
            await self._missing(own, f"the code does not come to step {name!r} any more, whose undo it has")

    async def _call(self, name: str, function: Callable[[Any], Any], argument: Any, kind: Any) -> None:
        try:
            await self._calls.run(OwnOptions(name, retries=_RETRIES), function, (argument,), kind=kind)
        except StepFailed:  # recorded, and shown with the run: the others are undone all the same
            return

    async def _missing(self, name: str, why: str) -> None:
        host = self._host
        error = JobError(type="UndoMissing", message=why, queue=host.workflow, attempt=host.attempt)
        record = StepRecord("failed", "undo", at=host.replay.now_ms(), life=host.replay.life, error=error)
        await host.replay.write(name, record)


def _place(step: tuple[str, StepRecord]) -> Place:
    return step[1].place or Place(0)

"""What the body of one of the library's own workflows stands on: one that keeps records of its own.

It asks for a step only where it waits, and not again when its own records say that it has ended. While it does
something else, it says so, since the run would be put aside.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from flows.model.runs.shape import JSON_VALUES
from flows.workflow.steps.step_children import StepRuns
from flows.workflow.steps.step_waits import StepWaits
from flows.workflow.steps.waiting_steps import host_of

if TYPE_CHECKING:
    from flows.workflow.definition import Workflow
    from flows.workflow.steps.step import Step
    from flows.workflow.steps.step_host import CallInThread


class OwnBody:
    """One attempt at a run, as its body sees it.

    Args:
        step: What the body was given.

    Attributes:
        step: The same.
    """

    def __init__(self, step: Step) -> None:
        self.step = step
        self._host = host = host_of(step)
        self._replay = host.replay
        self._replay.questions.knows_all = True

    @cached_property
    def _runs(self) -> StepRuns:
        return StepRuns(self._host)

    @cached_property
    def _waits(self) -> StepWaits:
        return StepWaits(self._host)

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self._host.run_id

    @property
    def fence(self) -> int:
        """Rises with each attempt at the run, from 1."""
        return self._host.job.fence

    @property
    def call_in_thread(self) -> CallInThread:
        """Calls plain functions."""
        return self._host.call_in_thread

    @property
    def is_failing(self) -> bool:
        """Whether the run has failed, or was cancelled: the body has nothing to do then."""
        return self._replay.collecting

    def enter(self) -> None:
        """Note that something is being done: the run is not put aside meanwhile."""
        self._replay.active += 1

    def leave(self) -> None:
        """Note that it is done, or waits."""
        self._replay.leave()

    def has_waited(self, name: str) -> bool:
        """Return whether an earlier attempt has waited in a step."""
        return self._replay.records.get(name) is not None

    async def child(self, name: str, workflow: Workflow[Any, Any], given: object, queue: str) -> Any:
        """Start a run for workers of a queue, once, wait for its end, and return what it returned.

        Raises:
            ChildFailed: it did not end as done.
        """
        return await self._runs.run(name, workflow, given, {"queue": queue}, None)

    async def event(self, name: str, event: str, key: str, timeout_ms: int) -> Any:
        """Wait for an event, and return what was sent; None when the time is over."""
        return await self._waits.event(name, event, key, JSON_VALUES, 0, timeout_ms)

    async def sleep(self, name: str, ms: int) -> None:
        """Return so long after the step was first asked for."""
        await self._waits.sleep(name, None, ms)

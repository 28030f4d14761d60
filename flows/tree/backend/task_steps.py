"""`TaskSteps`: the steps of a run for which one of its tasks asks, under names of its own.

A task does other things beside its steps. While it is in one of them, the run may be put aside; else it may not.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import wraps
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from flows.errors import ValidationError
from flows.model.runs.step_record import LONGEST_NAME, check_step_name
from flows.workflow.steps.step import Step
from flows.workflow.steps.step_options import StepOptions
from flows.workflow.steps.waiting_steps import host_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.workflow.steps.own_body import OwnBody

MethodT = TypeVar("MethodT", bound="Callable[..., Any]")

#: What stands for the end of a name that would be too long.
_DIGEST: Final = 8


def _named(method: MethodT) -> MethodT:
    """Return a method of `Step` that names its step by its task, and lets the run be put aside meanwhile."""

    @wraps(method)
    async def call(steps: TaskSteps, name: Any, *args: Any, **kwargs: Any) -> Any:
        name = steps.name_of(name)
        steps.body.leave()
        try:
            return await method(steps, name, *args, **kwargs)
        except asyncio.CancelledError:
            this = asyncio.current_task()
            if steps.is_ending and this is not None and not this.cancelling():
                await asyncio.get_running_loop().create_future()  # it is cancelled with the attempt, and has not failed
            raise
        finally:
            steps.body.enter()

    return cast("MethodT", call)


class TaskSteps(Step):
    """The steps of one attempt at a task.

    Args:
        body: That of the run; the task has entered it.
        task: What the names of its steps begin with.
    """

    def __init__(self, body: OwnBody, task: str) -> None:
        super().__init__(host_of(body.step))
        self.body = body
        self._task = task

    run = _named(Step.run)
    run_workflow = _named(Step.run_workflow)
    emit_workflow = _named(Step.emit_workflow)
    map = _named(Step.map)
    sleep = _named(Step.sleep)
    sleep_until = _named(Step.sleep_until)
    wait_for_event = _named(Step.wait_for_event)
    wait_for_input = _named(Step.wait_for_input)

    @property
    def is_ending(self) -> bool:
        """Whether the attempt at the run is being ended."""
        return self._host.replay.stopping

    def name_of(self, name: object) -> Any:
        """Return under which name a step of the task is recorded; of options, options with that name.

        Raises:
            ValidationError: no step may have this name, or it is to be undone.
        """
        if isinstance(name, StepOptions):
            options: StepOptions[Any] = name  # pyright: ignore[reportUnknownVariableType]
            if options.undo is not None:
                raise ValidationError(f"step {options.name!r}: a task's steps are not undone: leave out undo=")
            return replace(options, name=self.name_of(options.name))
        whole = f"{self._task}/{check_step_name(name)}"
        if len(whole) <= LONGEST_NAME:
            return whole
        return f"{whole[: LONGEST_NAME - 2 * _DIGEST - 1]}~{blake2b(whole.encode(), digest_size=_DIGEST).hexdigest()}"

"""What the code of a run has asked for in one attempt, and in which of its tasks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from flows.errors import PayloadTooLarge, ValidationError
from flows.kernel.current import get_current
from flows.model.runs.errors import DuplicateStep
from flows.model.runs.loaded import MOST_STEPS
from flows.model.runs.plan_change import difference_of
from flows.workflow.steps.step_job import StepJob

if TYPE_CHECKING:
    from collections.abc import Mapping


class Questions:
    """The steps for which the code has asked.

    Attributes:
        task: The run's own task; set before its code is called.
        names: The names of the steps, in the order of the questions.
        overlapped: Whether another task of the code has ever asked.
        changed: How the plan has changed; None: it has not, as far as is known.
        knows_all: Whether the code knows by itself what has ended, and does not ask for that again.
    """

    def __init__(self) -> None:
        self.task: asyncio.Task[object] | None = None
        self._loop = asyncio.get_running_loop()
        self.overlapped = False
        self.changed: str | None = None
        self.knows_all = False
        self.names: dict[str, None] = {}
        #: Tasks of the code beside the run's own that have asked, and still live.
        self._others: set[asyncio.Task[object]] = set()

    @property
    def alone(self) -> bool:
        """Whether the run's own task asks, and no other task of its code lives that has asked."""
        return not self._others and asyncio.current_task(self._loop) is self.task

    @property
    def overlaps(self) -> bool:
        """Whether a task of the code beside the run's own lives that has asked."""
        return bool(self._others)

    def admit(self, name: str) -> None:
        """Take note of a question.

        Raises:
            DuplicateStep: the code has asked for this step before.
            ValidationError: it asks inside of another step's function, whose worker would wait with it.
            PayloadTooLarge: the run has too many steps.
        """
        if isinstance(current := get_current(), StepJob):
            raise ValidationError(
                f"step {name!r} is asked for inside of step {current.step!r}: let the workflow's function ask for one, "
                "then for the other"
            )
        if name in self.names:
            raise DuplicateStep(name)
        if len(self.names) >= MOST_STEPS:
            raise PayloadTooLarge(f"a run has at most {MOST_STEPS:,} steps: continue as new, or use a child run")
        self.names[name] = None
        task = asyncio.current_task(self._loop)
        if task is not self.task and task is not None and task not in self._others:
            self.overlapped = True
            self._others.add(task)
            task.add_done_callback(self._others.discard)

    def admit_alone(self, name: str) -> bool:
        """Take note of a question of the run's own task, where it is `alone` and `admit` takes the question.

        Returns:
            Whether it is so; else nothing is taken note of.
        """
        names = self.names
        if (
            self._others
            or name in names
            or len(names) >= MOST_STEPS
            or isinstance(get_current(), StepJob)
            or asyncio.current_task(self._loop) is not self.task
        ):
            return False
        names[name] = None
        return True

    def compare(self, records: Mapping[str, bytes], life: str) -> str | None:
        """Return how what was asked for differs from what is recorded; None where all of that was asked for."""
        if records and self.changed is None and not self.knows_all:
            self.changed = difference_of(records, self.names, life)
        return self.changed

    async def end_others(self, seconds: float) -> None:
        """Cancel the other tasks and wait for them, so long at most."""
        others = {task for task in self._others if not task.done()}
        for task in others:
            task.cancel()
        if others:
            await asyncio.wait(others, timeout=seconds)
        self._others.clear()

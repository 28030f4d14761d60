"""`current_task()`: what the function of a task reads and reports about its own attempt."""

from __future__ import annotations

from contextvars import ContextVar
from numbers import Real
from typing import TYPE_CHECKING, Final, Protocol

from flows.errors import FlowsError, ValidationError
from flows.model.texts import writable
from flows.store.jobs.log_line import LogLevel, pack_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Token

    from flows.workflow.steps.step import Step

_current: Final[ContextVar[CurrentTask | None]] = ContextVar("flows_current_task", default=None)


class Report(Protocol):
    """Takes what a task reports, from any thread."""

    def __call__(self, current: CurrentTask, progress: float | None, text: str, /) -> None:
        """Take progress with what the task is doing, or a line of its log, as `pack_line` makes it."""
        ...


class CurrentTask:
    """One attempt at a task, as its function sees it; all methods may be called from the loop or from a thread.

    Attributes:
        instance_id: The instance.
        path: The task.
        attempt: Which attempt this is, from 1.
        deadline: When its timeout ends it, by `time.monotonic()`; None: there is no timeout.
        cancelled: Whether it shall end: the execution is cancelled, or has lost the instance.
    """

    __slots__ = ("_execution", "_report", "attempt", "cancelled", "deadline", "instance_id", "path", "steps")

    def __init__(  # noqa: PLR0917 - the facts of an attempt
        self, instance_id: str, execution: str, path: str, attempt: int, deadline: float | None, report: Report
    ) -> None:
        self.instance_id = instance_id
        self.path = path
        self.attempt = attempt
        self.deadline = deadline
        self.cancelled = False
        self._execution = execution
        self._report = report
        #: Returns the steps of this attempt, where its execution is a run and it is executed by workers of that.
        self.steps: Callable[[], Step] | None = None

    @property
    def idempotency_key(self) -> str:
        """Shared by all attempts of this execution at the task: give it to targets that drop repetitions."""
        return f"{self.instance_id}:{self.path}:{self._execution}"

    def __repr__(self) -> str:
        return f"<CurrentTask {self.path} of {self.instance_id}>"

    def progress(self, value: float, message: str = "") -> None:
        """Report how far the task is: `value` from 0 to 1, and what it is doing; written ten times a second at most.

        Raises:
            ValidationError: the value is no number between 0 and 1, or the message no text.
        """
        if not isinstance(value, Real) or isinstance(value, bool) or not 0 <= value <= 1:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValidationError(f"progress {value!r} is no number between 0 and 1")
        if not isinstance(message, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValidationError(f"progress(message={message!r}): give a text")
        self._report(self, float(value), writable(message))

    def log(self, text: str, level: LogLevel = "info", **meta: object) -> None:
        """Add a line to the task's log, of which the last 1,000 lines are kept; `instance.log` returns them.

        Raises:
            ValidationError: the text is none, there is no such level, or a value is not JSON.
        """
        self._report(self, None, pack_line(text, level, meta, self.attempt))

    @property
    def step(self) -> Step:
        """What this attempt does once, though a worker dies, and waits for without one: as the steps of a workflow.

        When it goes on, its function is called again, and what its steps have returned is there. Another attempt has
        steps of its own; `StepOptions(retries=…)` tries one step again. Functions that are an `async def` have steps.

        Raises:
            FlowsError: the task is executed without workers, or over a backend such as SQS.
        """
        if self.steps is None:
            raise FlowsError(
                f"task {self.path} has no steps here: they belong to executions by workers of Trees.create_workers, "
                "and to no other backend"
            )
        return self.steps()


def current_task() -> CurrentTask:
    """Return the attempt that runs here.

    Raises:
        FlowsError: no task does.
    """
    current = _current.get()
    if current is None:
        raise FlowsError("current_task() was called outside of a task's function: there is no task here")
    return current


def set_current(current: CurrentTask) -> Token[CurrentTask | None]:
    """Let this attempt be the current one, until `reset_current`."""
    return _current.set(current)


def reset_current(token: Token[CurrentTask | None]) -> None:
    """End what `set_current` has begun."""
    _current.reset(token)

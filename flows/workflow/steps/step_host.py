"""What the steps of one attempt stand on: the run, its replay, its attempt, and threads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from flows.kernel.current import CurrentJob
    from flows.model.runs.step_record import StepRecord
    from flows.workflow.steps.replay import Replay
    from flows.workflow.steps.step_options import StepOptions

#: Calls a function of one argument in a thread, as `kernel.threads.Threads.call` does.
CallInThread: TypeAlias = Callable[[Callable[[Any], Any], Any], Awaitable[Any]]


@dataclass(slots=True)
class StepHost:
    """What the steps of one attempt stand on."""

    run_id: str
    workflow: str
    """Its name."""
    attempt: int
    """Which attempt that counts this is, from 1."""
    job: CurrentJob
    """What `current_job()` is in the workflow's function."""
    replay: Replay
    call_in_thread: CallInThread
    undos: dict[str, Undo] = field(default_factory=dict[str, "Undo"])
    """What undoes the steps that are done and for which the code has asked, by their names."""


@dataclass(slots=True)
class Undo:
    """A step that is done and can be undone."""

    options: StepOptions[Any]
    record: StepRecord
    result: Callable[[], Any]
    """Returns what the step returned."""

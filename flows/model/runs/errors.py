"""The errors of durable runs; `flows/errors.py` has the tree in which they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.errors import FlowsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.model.job import JobError


class StepFailed(FlowsError):
    """A step of a run has failed, on its first try or by what is recorded of it.

    Attributes:
        step: The step's name.
        error: What its function raised last.
    """

    def __init__(self, step: str, error: JobError, classes: Sequence[str] = ()) -> None:
        super().__init__(f"step {step!r} failed: {error.type}: {error.message}")
        self.step = step
        self.error = error
        #: The qualified names of the exception's class and of those it descends from.
        self.classes = tuple(classes)

    def was(self, kind: type[BaseException]) -> bool:
        """Return whether the step raised an exception of this class, or of one that descends from it."""
        module = "__main__" if kind.__module__ == "__mp_main__" else kind.__module__
        return f"{module}.{kind.__qualname__}" in self.classes


class StepTimeout(StepFailed):
    """A step took longer than its timeout; what it waited for may still come, and is not heard."""


class ChildFailed(StepFailed):
    """The run that a step waited for has failed, was cancelled or is gone; `run_id` says which, `status` how."""

    def __init__(self, step: str, run_id: str, status: str, error: JobError, classes: Sequence[str] = ()) -> None:
        super().__init__(step, error, classes)
        self.run_id = run_id
        self.status = status


class DuplicateStep(FlowsError):
    """Two steps of a run have the same name: what is recorded of one would be given to the other."""

    def __init__(self, step: str) -> None:
        super().__init__(
            f"step {step!r} was asked for twice in one run: give each its own name, such as f'{step}-{{n}}' in a loop"
        )
        self.step = step


class PlanChanged(FlowsError):
    """What is recorded of a run does not fit the steps that its workflow's code takes now; `diff` says how."""

    def __init__(self, diff: str) -> None:
        super().__init__(
            f"the workflow's code has changed under this run: {diff}; move it to a version that has these steps, "
            "or restart it"
        )
        self.diff = diff


class RunFailed(FlowsError):
    """The run has failed; `error` is what its function raised last."""

    def __init__(self, run_id: str, error: JobError) -> None:
        super().__init__(f"run {run_id} failed: {error.type}: {error.message}")
        self.run_id = run_id
        self.error = error


class RunCancelled(FlowsError):
    """The run was cancelled; `reason` is what was given for it, or empty."""

    def __init__(self, run_id: str, reason: str) -> None:
        super().__init__(f"run {run_id} was cancelled{f': {reason}' if reason else ''}")
        self.run_id = run_id
        self.reason = reason


class UnknownWorkflow(FlowsError):
    """No app ever had a workflow of this name: no process that knows it was started, and no `sync` has written it."""

    def __init__(self, name: str, known: Sequence[str] = ()) -> None:
        near = f"; known are {', '.join(known)}" if known else ""
        super().__init__(
            f"no app has a workflow {name!r}{near}: start a worker of the app that defines it, or await its "
            "workflows.sync() from a deploy script"
        )
        self.workflow = name

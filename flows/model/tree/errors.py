"""The errors of task trees; `flows/errors.py` has the tree in which they stand."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from flows.errors import FlowsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flows.model.job import JobError

#: So many of the tasks that are in the way are named in a message.
_SHOWN = 5


class TaskNotReady(FlowsError):
    """A task depends on others that have not ended, or are stale; nothing has begun.

    Attributes:
        path: What was to be executed.
        because: The paths that are in the way, each with what is wrong: `stale`, or its status.
    """

    def __init__(self, path: str, because: Sequence[tuple[str, str]]) -> None:
        shown = ", ".join(f"{one} is {why}" for one, why in because[:_SHOWN])
        more = f", and {len(because) - _SHOWN} more" if len(because) > _SHOWN else ""
        super().__init__(f"{path} cannot begin: {shown}{more}; execute these before, or give missing='run'")
        self.path = path
        self.because = list(because)


class TreeBusy(FlowsError):
    """An execution works on the instance already: one may at a time; `execution` is its id."""

    def __init__(self, instance_id: str, execution: str) -> None:
        super().__init__(f"instance {instance_id} is being executed by {execution}: wait until that has ended")
        self.execution = execution


class UnknownPath(FlowsError):
    """The tree has no task at this path."""

    def __init__(self, path: str, known: Iterable[str]) -> None:
        paths = list(known)
        # A name alone, as of one who has not met paths yet.
        ending = next((one for one in paths if one.endswith(f".{path}")), "")
        super().__init__(f"the tree has no task {path!r}{did_you_mean(ending or path, paths)}")
        self.path = path


class UnknownGenerator(FlowsError):
    """The app has no generator of this name."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(f"the app has no generator {name!r}{did_you_mean(name, known)}")
        self.generator = name


class TreeFailed(FlowsError):
    """An execution has failed: `path` is the task that did, `error` what it raised last."""

    def __init__(self, instance_id: str, path: str, error: JobError) -> None:
        super().__init__(f"instance {instance_id}: {path} failed: {error.type}: {error.message}")
        self.path = path
        self.error = error


class InstanceGone(FlowsError):
    """The instance was destroyed, has expired, or never was."""

    def __init__(self, instance_id: str) -> None:
        super().__init__(f"there is no instance {instance_id}: it was destroyed, has expired, or never was")
        self.instance_id = instance_id


def did_you_mean(text: str, known: Iterable[str]) -> str:
    """Return what an error says of a name that is not known: the nearest that is, or nothing."""
    near = get_close_matches(text, list(known), 1)
    return f": did you mean {near[0]!r}?" if near else ""

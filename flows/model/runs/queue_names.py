"""Names the kernel's queues in which runs of a workflow stand: its own, and one for each override and version."""

from __future__ import annotations

from typing import Final

#: Stands in no name, so that no workflow is called like another one's queue.
_OVERRIDE: Final = "@"
_VERSION: Final = "@="


def run_queue(workflow: str, override: str | None = None, pinned: str = "") -> str:
    """Return the kernel's queue of runs.

    Args:
        workflow: Its name.
        override: The workers' queue that a run was given in place of the workflow's.
        pinned: The version with which its runs stay; empty where they do not.
    """
    if override is not None:
        return f"{workflow}{_OVERRIDE}{override}"
    return f"{workflow}{_VERSION}{pinned}" if pinned else workflow


def workflow_of(queue: str) -> str:
    """Return the workflow whose runs stand in a queue of the kernel."""
    return queue.partition(_OVERRIDE)[0]


def override_of(queue: str) -> str | None:
    """Return the workers' queue that the runs of a queue of the kernel were given; None: the workflow's own."""
    _workflow, mark, rest = queue.partition(_OVERRIDE)
    return None if not mark or rest.startswith("=") else rest


def version_of(queue: str) -> str:
    """Return the version with which the runs of a queue of the kernel stay; empty where they do not."""
    _workflow, mark, version = queue.partition(_VERSION)
    return version if mark else ""

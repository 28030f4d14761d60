"""Paths of tasks: `#` is the whole tree, `#.images.small` the task `small` below the task `images`."""

from __future__ import annotations

import re
from typing import Final

#: The tree itself, of which no task is called.
ROOT: Final = "#"
#: Names of tasks have no dot, which parts a path.
NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
#: A tree has so many tasks at most, in so many levels.
MAX_TASKS: Final = 10_000
MAX_DEPTH: Final = 16


def joined(parent: str, name: str) -> str:
    """Return the path of a task by its parent's and its name."""
    return f"{parent}.{name}"


def parent_of(path: str) -> str:
    """Return the path above; of `#.a` the tree's, of the tree nothing."""
    return path.rpartition(".")[0]


def is_below(path: str, above: str) -> bool:
    """Return whether a path is below another: `#.task10` is not below `#.task1`."""
    return path.startswith(f"{above}.")


def depth_of(path: str) -> int:
    """Return in which level a path stands: the tree in 0, its tasks in 1."""
    return path.count(".")

"""The plans of trees by their descriptions: those that were asked for last are kept."""

from __future__ import annotations

from functools import lru_cache

from flows.model.tree.node import read_declared
from flows.model.tree.plan import TreePlan


@lru_cache(maxsize=64)
def plan_of(description: bytes) -> TreePlan:
    """Return the plan of a tree by its description.

    Raises:
        MalformedJob: it is none that flows has written.
    """
    return TreePlan(read_declared(description))

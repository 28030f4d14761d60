"""How far a tree is: the vectors that the TypeScript of `clients/react` is held to as well."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from flows.model.tree.node import Declared, Node
from flows.model.tree.plan import TreePlan
from flows.model.tree.roll_up import Weight, roll_up
from flows.model.tree.task_record import TaskRecord

VECTORS = Path(__file__).parents[3] / "clients" / "react" / "vectors" / "rollup.json"


class Known(NamedTuple):
    """What a vector says of a task."""

    status: str
    progress: float = 0.0


def flat(tasks: list[dict[str, Any]], parent: str = "") -> list[Weight]:
    """Return the tasks of a vector, each after the one above it."""
    found: list[Weight] = []
    for one in tasks:
        found += [Weight(one["path"], parent, one["weight"]), *flat(one["tasks"], one["path"])]
    return found


@pytest.mark.parametrize("one", json.loads(VECTORS.read_text(encoding="utf-8")), ids=lambda one: one["name"])
def test_progress_is_as_clients_reckon_it(one: dict[str, Any]) -> None:
    """The vector says how far each task is."""
    statuses = {path: Known(**known) for path, known in one["statuses"].items()}
    assert roll_up(flat(one["tasks"]), statuses) == one["progress"]


def test_the_weights_of_a_plan_end_in_the_tree_itself() -> None:
    """A group weighs nothing itself, whatever it was given."""
    tree = Declared((Node("a", works=True), Node("g", tasks=(Node("b", works=True, weight=3.0),), weight=9.0)))
    assert roll_up(TreePlan(tree).weights, {"#.g.b": TaskRecord("ok")}) == {"#": 0.75, "#.a": 0, "#.g": 1, "#.g.b": 1}

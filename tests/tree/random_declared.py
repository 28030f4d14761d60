"""Random trees with functions, whose conditions and failures hang on the data alone."""

from __future__ import annotations

import asyncio
import random
from functools import partial
from typing import Any

from pydantic import BaseModel

from flows.errors import DeclarationError
from flows.model.tree.plan import TreePlan
from flows.tree.annotations import TaskInput, reads_of
from flows.tree.declare import Task, Tree


class Numbers(BaseModel):
    """The data."""

    a: int
    b: int


class ReadsA(TaskInput):
    """Reads a field."""

    a: int


class ReadsB(TaskInput):
    """Reads another one, and the result of a task beside it or before."""

    b: int
    x: int = 0


class ReadsAll(TaskInput):
    """Reads what groups write."""

    g: dict[str, Any] = {}  # noqa: RUF012 - pydantic copies it
    x: int = 0


async def of_a(turns: int, view: ReadsA) -> int:
    """Return a number, some turns of the loop later."""
    for _ in range(turns):
        await asyncio.sleep(0)
    return view.a + turns


async def of_b(turns: int, view: ReadsB) -> int:
    """Return a number."""
    await asyncio.sleep(0)
    return view.b + view.x + turns


def of_all(turns: int, view: ReadsAll) -> int:
    """Return a number, from a thread."""
    return len(view.g) + view.x + turns


def fails(_turns: int, view: ReadsA) -> int:
    """Fail."""
    raise ValueError(view.a)


def asks(turns: int, view: ReadsA) -> bool:
    """Ask."""
    return (view.a + turns) % 2 == 0


def random_declared(draw: random.Random) -> tuple[Any, Numbers]:
    """Return a generator of a tree that can work, and its data."""
    while True:
        seed = draw.random()
        made = partial(_tree, seed)
        try:
            TreePlan(_tree(seed, Numbers(a=0, b=0)).declared(reads_of(Numbers)))
        except DeclarationError:
            continue
        return made, Numbers(a=draw.randint(0, 3), b=draw.randint(0, 3))


def _tree(seed: float, _data: Numbers) -> Tree:
    draw = random.Random(seed)  # noqa: S311 - not a secret
    return Tree(*(_task(draw, f"t{at}", 0) for at in range(draw.randint(1, 4))))


def _task(draw: random.Random, name: str, depth: int) -> Task[Any]:
    below = [_task(draw, f"t{at}", depth + 1) for at in range(draw.randint(0, 3))] if depth < 2 else []
    order: Any = draw.choice(("parallel", "sequence"))
    condition = partial(asks, draw.randint(0, 3)) if draw.random() < 0.25 else None
    if below and draw.random() < 0.5:
        dest = "g" if draw.random() < 0.5 else None
        return Task(name, subtasks=below, order=order, condition=condition, dest=dest)
    does_fail = draw.random() < 0.08
    function: Any = fails if does_fail else draw.choice((of_a, of_b, of_all))
    dest = "x" if draw.random() < 0.3 else None
    more: Any = {"on_failure": "continue"} if draw.random() < (0.7 if does_fail else 0.2) else {}
    return Task(
        name,
        partial(function, draw.randint(0, 4)),
        subtasks=below,
        order=order,
        condition=condition,
        dest=dest,
        **more,
    )

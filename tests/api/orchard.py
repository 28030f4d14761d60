"""An app of task trees whose instances `shop.py` leaves beside its jobs: one is done, one has failed."""

from __future__ import annotations

import contextlib
from datetime import timedelta

from pydantic import BaseModel

from flows.tree import Generator, Task, TaskInput, Tree, TreeFailed, Trees, current_task


class Plot(BaseModel):
    """What an instance is made of."""

    title: str
    email: str = ""
    fail: bool = False


class Picked(BaseModel):
    """What was picked, and for whom."""

    apples: int
    email: str


class Pick(TaskInput):
    """What is picked, and for whom."""

    title: str
    email: str


class Press(TaskInput):
    """What is pressed."""

    picked: Picked
    fail: bool


class Sell(TaskInput):
    """What is sold."""

    juice: float


async def pick(view: Pick) -> Picked:
    """Pick apples."""
    current_task().log(f"picking for {view.email}", who=view.email)
    current_task().progress(0.5, f"half of {view.email}")
    return Picked(apples=4, email=view.email)


async def press(view: Press) -> float:
    """Press them, unless it fails."""
    if view.fail:
        raise ValueError(f"no juice for {view.picked.email}")
    return view.picked.apples / 2


async def sell(view: Sell) -> str:
    """Sell it."""
    return f"{view.juice:g} litres"


def orchard(url: str, namespace: str) -> tuple[Trees, Generator[Plot]]:
    """Return the app, and its generator."""
    trees = Trees("orchard", redis_url=url, namespace=namespace, retention=timedelta(days=30))

    @trees.generator("plot")
    def plot(data: Plot) -> Tree:
        del data
        return Tree(
            Task("pick", pick, dest="picked", description="by hand"),
            Task("work", subtasks=[Task("press", press, dest="juice", weight=3), Task("sell", sell)]),
        )

    return trees, plot


async def leave_trees(url: str, namespace: str, canary: str) -> dict[str, str]:
    """Leave two instances, and return their ids."""
    trees, plot = orchard(url, namespace)
    trees.create_workers(concurrency=2)
    async with trees:
        done = await plot.create(
            Plot(title="one", email=canary), realm="acme", name=f"of {canary}", labels={"season": "1", "email": canary}
        )
        failed = await plot.create(Plot(title="two", email=canary, fail=True), realm="bolt", labels={"season": "2"})
        await (await done.execute_all()).wait(60)
        with contextlib.suppress(TreeFailed):
            await (await failed.execute_all()).wait(60)
    return {"tree_done": done.id, "tree_failed": failed.id}

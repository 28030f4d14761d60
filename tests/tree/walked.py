"""An instance in memory that is walked, by a storage at whose writes the process may die."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

from pydantic import BaseModel

from flows.model.ids import new_job_id
from flows.model.tree.task_record import InstanceRecord
from flows.tree.annotations import TaskInput
from flows.tree.backend.sync import SyncBackend
from flows.tree.declare import Task, Tree
from flows.tree.recipe import Recipe
from flows.tree.storage.memory import MemoryStorage
from flows.tree.storage.protocol import Execution, InstanceRow, Snapshot, Token, Write
from flows.tree.walk import Surroundings, Walk


class Site(BaseModel):
    """The data."""

    url: str = "u"
    wanted: bool = False
    bad: bool = False


class Url(TaskInput):
    """Reads the data."""

    url: str
    bad: bool


class Wanted(TaskInput):
    """Reads the data."""

    wanted: bool


class Fetched(TaskInput):
    """Reads a result."""

    fetch: str


class Edge(TaskInput):
    """Reads a sibling's result."""

    small: str


class Last(TaskInput):
    """Reads what may be skipped."""

    never: str = ""
    fails: str = ""
    all: dict[str, Any]


class Died(Exception):
    """The process is dead: what comes now never happens."""


class Mortal(MemoryStorage):
    """A storage whose caller dies at a certain write: before it is done, or after."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0
        self.dies_at: tuple[int, str] = (0, "")
        self.error: type[Exception] = Died

    async def write(
        self,
        instance_id: str,
        token: Token,
        writes: Sequence[Write],
        end: InstanceRecord | None = None,
        *,
        ttl: float | None = None,
    ) -> int:
        """Write, or die."""
        await asyncio.sleep(0)
        self.writes += 1
        if (self.writes, "before") == self.dies_at:
            raise self.error
        order = await super().write(instance_id, token, writes, end, ttl=ttl)
        if (self.writes, "after") == self.dies_at:
            raise self.error
        return order


ran: list[str] = []


async def fetch(view: Url) -> str:
    """Return a text."""
    ran.append("fetch")
    return view.url


async def part(name: str, view: Fetched) -> str:
    """Return a text, a while later."""
    ran.append(name)
    await asyncio.sleep(0)
    return f"{name} of {view.fetch}"


async def edge(view: Edge) -> str:
    """Return a text."""
    ran.append("edge")
    return view.small


def fails(view: Url) -> str:  # noqa: ARG001 - it is a task
    """Fail."""
    ran.append("fails")
    raise ValueError("no")


async def bad(view: Url) -> str:
    """Fail where that is wanted."""
    ran.append("bad")
    if view.bad:
        raise ValueError("no")
    return ""


async def last(view: Last) -> str:
    """Return what has come of all."""
    ran.append("last")
    return f"{view.never}|{view.fails}|{sorted(view.all)}"


def is_wanted(view: Wanted) -> bool:
    """Ask."""
    return view.wanted


def tree(data: Site) -> Tree:  # noqa: ARG001 - the tree is always the same
    """Return a tree of 12 tasks: nested, side by side, conditional, with an edge, and a failure that does no harm."""
    return Tree(
        Task("fetch", fetch),
        Task(
            "images",
            dest="all",
            subtasks=[
                Task("edge", edge),
                Task("small", partial(part, "small")),
                Task("deep", order="sequence", subtasks=[Task(one, partial(part, one)) for one in ("x", "y")]),
            ],
        ),
        Task("never", partial(part, "never"), condition=is_wanted, subtasks=[Task("below", partial(part, "below"))]),
        Task("fails", fails, on_failure="continue", subtasks=[Task("under", partial(part, "under"))]),
        Task("bad", bad),
        Task("last", last),
    )


class World:
    """One instance, whose execution is worked on by one process after another."""

    def __init__(self, storage: MemoryStorage, make: Any = tree, data: BaseModel | None = None) -> None:
        self.storage = storage
        self.data = data or Site()
        self.recipe = Recipe("site", make, type(self.data))
        self.row = InstanceRow(new_job_id(), "imports", "site")
        self.execution = Execution(new_job_id(), "#", ())
        self.fence = 0

    async def begin(self) -> None:
        """Create the instance, and begin an execution of all of it."""
        data = self.recipe.encode(self.data)
        grown = await self.recipe.grow(data)
        await self.storage.create(self.row, data, grown.description)
        self.execution = self.execution._replace(targets=tuple(grown.plan.tasks))
        await self.storage.begin(self.row.id, self.execution, grown.description, 1)

    async def work(self) -> InstanceRecord:
        """Work on the execution, with a higher fence than before."""
        self.fence += 1
        snapshot = await self.snapshot()
        assert snapshot.execution is not None
        grown = await self.recipe.grow(snapshot.data)
        surroundings = Surroundings(self.storage, SyncBackend())
        token = Token(self.execution.id, self.execution.id, self.fence)
        return await Walk(surroundings, snapshot, snapshot.execution, token, plan=grown.plan, tasks=grown.tasks).run()

    async def snapshot(self) -> Snapshot:
        """Return how it stands."""
        found = await self.storage.load(self.row.id)
        assert found is not None
        return found

    async def statuses(self) -> dict[str, str]:
        """Return the status of each task."""
        return {path: one.status for path, one in (await self.snapshot()).tasks.items()}


async def finished(world: World) -> InstanceRecord:
    """Return what the execution has come to, whoever has ended it."""
    record = (await world.snapshot()).record
    return record if record.status != "working" else await world.work()

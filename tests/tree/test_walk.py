"""An execution that dies at any of its writes goes on, and comes to the same."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
from pydantic import BaseModel

from flows.errors import LostLease, StoreUnavailable
from flows.model.ids import new_job_id
from flows.model.tree.task_record import InstanceRecord
from flows.tree.annotations import TaskInput
from flows.tree.backend.sync import SyncBackend
from flows.tree.declare import Task, Tree
from flows.tree.recipe import Recipe
from flows.tree.storage.memory import MemoryStorage
from flows.tree.storage.protocol import Execution, InstanceRow, Snapshot, Token, Write
from flows.tree.walk import Surroundings, Walk
from tests.tree.random_declared import random_declared
from tests.waiting import LONG


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


@pytest.mark.parametrize("is_bad", [False, True])
async def test_it_dies_at_each_write_and_comes_to_the_same(is_bad: bool) -> None:  # noqa: FBT001 - a parameter
    """Before each write and after it: what was recorded does not run again, and nothing stays queued or running."""
    ran.clear()
    calm = World(Mortal(), data=Site(bad=is_bad))
    await calm.begin()
    undisturbed = await calm.work()
    assert undisturbed.status == ("failed" if is_bad else "done")
    expected, once = await calm.statuses(), sorted(ran)
    result = await calm.storage.results(calm.row.id, list(expected))
    assert "never" not in once
    assert len(once) == (7 if is_bad else 8)
    count = calm.storage.writes  # type: ignore[attr-defined]
    assert count > 5
    for dies_at in [(one, when) for one in range(1, count + 1) for when in ("before", "after")]:
        ran.clear()
        storage = Mortal()
        world = World(storage, data=Site(bad=is_bad))
        await world.begin()
        storage.dies_at = dies_at
        with pytest.raises(Died):
            await world.work()
        known = {path[path.rindex(".") + 1 :] for path, one in (await world.snapshot()).tasks.items() if one.ended}
        ran_before, storage.dies_at = list(ran), (0, "")
        end = await finished(world)
        assert await world.statuses() == expected, dies_at
        assert (end.status, end.progress) == (undisturbed.status, undisturbed.progress)
        assert await storage.results(world.row.id, list(expected)) == result
        assert not known & set(ran[len(ran_before) :]), dies_at
        assert sorted(set(ran)) == once, dies_at


async def test_it_dies_while_it_skips_more_than_one_call_writes() -> None:
    """What was to be skipped is, and does not run; also where it was ok in an earlier execution."""

    def wide(data: Site) -> Tree:  # noqa: ARG001 - the tree is always the same
        below = [Task(f"t{at}", fetch) for at in range(250)]
        return Tree(Task("g", condition=is_wanted, subtasks=below))

    ran.clear()
    storage = Mortal()
    world = World(storage, wide)
    await world.begin()
    storage.dies_at = (1, "after")  # it has skipped 200 of them
    with pytest.raises(Died):
        await world.work()
    assert sum(one == "skipped" for one in (await world.statuses()).values()) == 200
    storage.dies_at = (0, "")
    assert (await world.work()).status == "done"
    assert set((await world.statuses()).values()) == {"skipped"}
    assert ran == []


async def test_who_has_lost_the_instance_writes_nothing_more() -> None:
    """A stalled process wakes when another one has taken over: it stops what it runs."""
    storage = Mortal()
    world = World(storage)
    await world.begin()
    reached, stalled = asyncio.Event(), asyncio.Event()
    write = MemoryStorage.write

    async def stall(self: MemoryStorage, *args: Any, **more: Any) -> int:
        if args[1].fence == 1 and any(one.path == "#.images.small" for one in args[2] if one.result):
            reached.set()
            await stalled.wait()
        return await write(self, *args, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MemoryStorage, "write", stall)
        slow = asyncio.create_task(world.work())
        await reached.wait()
        assert (await world.work()).status == "done"
        before = await world.snapshot()
        stalled.set()
        with pytest.raises(LostLease):
            await slow
    assert await world.snapshot() == before


async def test_what_runs_is_stopped_when_nothing_can_be_written() -> None:
    """However long it would take: whoever has the instance now runs it too."""
    ended: list[str] = []

    async def endless(view: Url) -> str:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(view.url)
        return ""

    def two(data: Site) -> Tree:  # noqa: ARG001 - the tree is always the same
        return Tree(Task("g", subtasks=[Task("endless", endless), Task("fetch", fetch)]))

    storage = Mortal()
    world = World(storage, two)
    await world.begin()
    storage.dies_at = (1, "before")
    async with asyncio.timeout(LONG):
        with pytest.raises(Died):
            await world.work()
    assert ended == ["u"]


async def test_a_storage_that_is_away_breaks_it_off() -> None:
    """Whatever runs meanwhile; another attempt goes on."""
    storage = Mortal()
    world = World(storage)
    await world.begin()
    storage.dies_at, storage.error = (4, "before"), StoreUnavailable
    with pytest.raises(StoreUnavailable):
        await world.work()
    assert (await world.work()).status == "done"


@pytest.mark.parametrize("seed", range(40))
async def test_random_trees_die_at_random_writes(seed: int) -> None:
    """Their conditions and failures hang on the data alone: they come to what they come to undisturbed."""
    draw = random.Random(seed)  # noqa: S311 - not a secret
    make, data = random_declared(draw)
    calm = World(MemoryStorage(), make, data)
    await calm.begin()
    end = await calm.work()
    expected = await calm.statuses()
    if end.status == "done":
        assert not {"queued", "running", "inactive"} & set(expected.values())
    storage = Mortal()
    world = World(storage, make, data)
    await world.begin()
    for _ in range(4):
        storage.dies_at = storage.writes + draw.randint(1, 4), draw.choice(("before", "after"))
        if (await world.snapshot()).record.status == "working":
            try:
                await world.work()
            except Died:
                continue
    storage.dies_at = (0, "")
    assert (await finished(world)).status == end.status
    if end.status == "done":
        assert await world.statuses() == expected
    assert not {"queued", "running"} & set((await world.statuses()).values())

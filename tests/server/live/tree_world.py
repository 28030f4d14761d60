"""A storage in memory, its rooms and its clients, in which a test loses messages, cuts connections and fails over."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable

from flows.model.ids import new_job_id
from flows.model.job import JobError
from flows.model.tree.freshness import Digests
from flows.model.tree.node import Declared, Node, Read, Written
from flows.model.tree.task_record import InstanceRecord, TaskRecord
from flows.server.live.room import Watch
from flows.server.live.tree_room import TreeRoom
from flows.store.jobs.log_line import LogLine
from flows.tree.context import fields_of
from flows.tree.plans import plan_of
from flows.tree.state import InstanceState, state_of
from flows.tree.storage.memory import MemoryStorage
from flows.tree.storage.protocol import (
    Changes,
    Execution,
    Hear,
    InstanceChange,
    InstanceRow,
    Snapshot,
    Storage,
    Token,
    Write,
)
from tests.server.live.tree_client import TreeClient


def tree(extra: int = 0) -> bytes:
    """Return a tree: a task, a group with tasks side by side, and one that reads them all."""

    def task(name: str, reads: str = "", **more: object) -> Node:
        return Node(name, works=True, reads=tuple(Read(one) for one in reads.split()), **more)  # type: ignore[arg-type]

    below = (task("small", "pages"), task("large", "pages sizes", weight=5.0), *(task(f"x{n}") for n in range(extra)))
    images = Node("images", tasks=below, weight=0.0)
    tasks = (task("fetch", "url"), images, task("index", "small large"), task("publish", "index"))
    writes = {"fetch": "pages", "index": "index"}
    named = tuple(_writing(one, writes) for one in tasks)
    return Declared(named, (Written("url"), Written("sizes"))).write()


def _writing(node: Node, names: dict[str, str]) -> Node:
    kept = {name: getattr(node, name) for name in ("works", "reads", "weight")}
    below = tuple(_writing(one, {"small": "small", "large": "large"}) for one in node.tasks)
    name = names.get(node.name)
    return Node(node.name, **kept, tasks=below, writes=() if name is None else (Written(name),))


class MemoryReads:
    """What a room reads, over a storage in memory; a test decides what comes through.

    Args:
        world: The world.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.hear: Hear | None = None
        self.loads = 0

    async def listen(self, hear: Hear) -> None:
        """Let the test tell."""
        self.hear = hear

    async def close(self) -> None:
        """Tell no more."""
        self.hear = None

    async def load(self, since: int) -> Snapshot | None:
        """Return how the instance stands."""
        self.loads += 1
        return await self.world.storage.load(self.world.id, since=since)

    async def lineage(self) -> str:
        """Return the world's."""
        return self.world.lineage

    async def read_log(self, path: str, since: int) -> list[LogLine]:
        """Return lines."""
        return await self.world.storage.read_log(self.world.id, path, since)


class World:
    """One instance of a tree, and what works on it.

    Args:
        rng: Decides what.
        storage: Where it stands.
    """

    def __init__(self, rng: random.Random, storage: Storage) -> None:
        self.rng = rng
        self.storage = storage
        self.id = new_job_id()
        self.lineage = "a"
        self.token = Token("")
        self.told: list[Changes | None] = []
        #: What running tasks say: to fill a socket, a long text.
        self.says = "half"
        self.trees = [tree(), tree(2)]

    async def create(self) -> None:
        """Create it, and listen to what the storage tells."""
        row = InstanceRow(self.id, "imports", "site", name="one")
        await self.storage.create(row, b'{"url":"x","sizes":[]}', self.trees[0])
        await self.storage.listen(self.id, self.told.append)

    async def now(self) -> Snapshot:
        """Return how it stands."""
        found = await self.storage.load(self.id)
        assert found is not None
        return found

    async def state(self) -> InstanceState:
        """Return how it stands, as users see it."""
        found = await self.now()
        return state_of(found, plan_of(found.tree))

    async def act(self) -> None:
        """Do something that a program or a worker may do."""
        found = await self.now()
        if found.record.status == "working":
            await (self._end(found) if self.rng.random() < 0.1 else self._write(found))
        elif self.rng.random() < 0.3:
            await self._change(found)
        else:
            await self._begin(found)

    async def _begin(self, found: Snapshot) -> None:
        tree_now = self.rng.choice([found.tree, found.tree, self.rng.choice(self.trees)])
        plan = plan_of(tree_now)
        name = new_job_id()
        execution = Execution(name, "#", tuple(plan.tasks))
        assert (await self.storage.begin(self.id, execution, tree_now, found.revision)).word == "begun"
        self.token = Token(name, name)

    async def _change(self, found: Snapshot) -> None:
        data = b'{"url":"%d","sizes":[%d]}' % (self.rng.randrange(2), self.rng.randrange(2))
        change = self.rng.choice([InstanceChange(data=data), InstanceChange(name=f"n{self.rng.randrange(9)}")])
        await self.storage.change(self.id, change, found.revision)

    async def _write(self, found: Snapshot) -> None:
        plan = plan_of(found.tree)
        paths = self.rng.sample(list(plan.tasks), self.rng.randint(1, 3))
        await self.storage.write(self.id, self.token, [Write(path, self._record(found, path)) for path in paths])

    def _record(self, found: Snapshot, path: str) -> TaskRecord:
        plan = plan_of(found.tree)
        given = plan.tasks[path].given
        inputs = {one: found.tasks[one].order for one in given.needs if one in found.tasks}
        digest = Digests(fields_of(found.data)).of(given.fields, given.bound)
        error = JobError(type="Broken", message=f"no {self.rng.randrange(99)}")
        return self.rng.choice(
            [
                TaskRecord("queued", queued=1),
                TaskRecord("running", started=2, attempt=1, progress=self.rng.random(), message=self.says),
                TaskRecord("ok", started=2, ended=3, inputs=inputs, data=digest, bytes=7),
                TaskRecord("ok", started=2, ended=3, inputs=inputs, data=digest, bytes=0),
                TaskRecord("skipped", because="#.fetch is skipped"),
                TaskRecord("failed", progress=0.5, error=error),
                TaskRecord("inactive", because="#.fetch failed"),
            ]
        )

    async def _end(self, found: Snapshot) -> None:
        status = self.rng.choice(["done", "failed", "cancelled"])
        error = JobError(type="Broken", message="no") if status == "failed" else None
        path = "#.fetch" if status == "failed" else ""
        because = "enough" if status == "cancelled" else ""
        record = InstanceRecord(status, path=path, error=error, because=because)  # type: ignore[arg-type]
        assert found.record.status == "working"
        await self.storage.write(self.id, self.token, [], record)

    def save(self) -> Callable[[], None]:
        """Return what loses all writes from now on: a failover to a replica that had not got them."""
        assert isinstance(self.storage, MemoryStorage)
        instances = self.storage._instances
        instance = copy.deepcopy(instances[self.id])
        token = self.token

        def lose() -> None:
            instances[self.id] = copy.deepcopy(instance)
            self.token = token
            self.lineage = f"l{self.rng.randrange(10**9)}"

        return lose


class Browser:
    """A client that is connected to one of the rooms, or is cut off.

    Args:
        rng: Decides how much of what is sent arrives before a cut.
    """

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.client = TreeClient()
        self.watch: Watch | None = None
        self.on_the_way: list[str] = []
        #: The cursor that the server had sent last, for a mutant: what counts is what has arrived.
        self.sent = ""

    def connect(self, room: TreeRoom, cursor: str | None) -> None:
        """Come in, with the cursor."""
        self.cut()
        self.client.connect()
        self.watch = room.enter(lambda: None)
        self.watch.sight = "errors"
        self.watch.seen = room.seen(cursor)

    def cut(self) -> None:
        """Lose the connection, and what is on its way."""
        self.on_the_way.clear()
        if self.watch is not None:
            self.watch.leave()
            self.watch = None

    def send(self) -> None:
        """Let the server send what is new, of which some arrives."""
        if self.watch is None:
            return
        texts = self.watch.news()
        self.on_the_way += texts
        if texts:
            self.sent = self.watch.room.cursor
        arrives = self.rng.choice([len(self.on_the_way), len(self.on_the_way), self.rng.randint(0, 3)])
        self.receive(arrives)

    def receive(self, count: int | None = None) -> None:
        """Take what has arrived, in order."""
        arrived, self.on_the_way = self.on_the_way[:count], [] if count is None else self.on_the_way[count:]
        if not self.client.take(arrived) and self.watch is not None:
            self.watch.seen = self.watch.room.seen(self.client.cursor)

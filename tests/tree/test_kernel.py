"""Executions as runs of workflows, in workers of this process: queues, backends, pauses, cancelling, later, hooks."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from flows.errors import DeclarationError, StoreUnavailable, ValidationError, WaitTimeout
from flows.model.job import JobError
from flows.model.retries import Retries, class_names
from flows.model.schedules.every import Every
from flows.model.tree.errors import InstanceGone, TaskNotReady, TreeBusy, TreeFailed
from flows.model.verdict import Fail
from flows.testing import isolated
from flows.tree.annotations import TaskInput
from flows.tree.asked import Asked
from flows.tree.backend.kernel import KernelBackend
from flows.tree.backend.protocol import Outcome
from flows.tree.begin import begin
from flows.tree.codeless import codeless_host
from flows.tree.current import current_task
from flows.tree.declare import Task, Tree
from flows.tree.generator import Generator
from flows.tree.index.memory import MemoryIndex
from flows.tree.instance import Instance
from flows.tree.state import InstanceState
from flows.tree.storage.memory import MemoryStorage
from flows.tree.takeover import PATIENCE_MS, Takeover
from flows.tree.trees import Trees
from tests.tree.mail import Mail
from tests.waiting import LONG, until


class Site(BaseModel):
    """The data."""

    n: int = 2


class Number(TaskInput):
    """Reads the data."""

    n: int


class Nothing(TaskInput):
    """Reads nothing."""


class Both(TaskInput):
    """Reads two results."""

    here: int
    there: int


class World:
    """An app whose storage and index are in this process, so that several apps may share them."""

    def __init__(self, redis_url: str, namespace: str) -> None:
        self.where = {"redis_url": redis_url, "namespace": namespace}
        self.now: float = datetime.now(UTC).timestamp()
        self.storage = MemoryStorage()
        self.index = MemoryIndex()
        self.calls: list[str] = []

    def trees(self, queues: list[str] | None = None, **options: Any) -> Trees:
        """Return an app with workers of these queues, or of all."""
        made = self.without_workers(**options)
        made.create_workers(queues, concurrency=5)
        return made

    def without_workers(self, **options: Any) -> Trees:
        """Return an app."""
        return Trees("imports", **self.where, storage=self.storage, index=self.index, **options)


@pytest.fixture
def world(redis_url: str, namespace: str) -> World:
    """Return the test's storage and index, and where its server is."""
    return World(redis_url, namespace)


def tree_of(trees: Trees, *tasks: Task[Any], name: str = "site") -> Generator[Site]:
    """Return a generator of these tasks, whatever the data."""

    @trees.generator(name)
    def made(data: Site) -> Tree:  # noqa: ARG001 - the tree is always the same
        return Tree(*tasks)

    return made


async def done(instance: Instance[Any], path: str = "#", **how: Any) -> InstanceState:
    """Execute a path, and return how the instance stands at the end."""
    return await (await instance.execute(path, **how)).wait(LONG)


def statuses(state: InstanceState) -> dict[str, str]:
    """Return the status of each task."""
    return {path[2:]: one.status for path, one in state.tasks.items()}


async def ended(instance: Instance[Any]) -> InstanceState:
    """Return how an instance stands when its execution is over."""

    async def is_over() -> bool:
        return (await instance.state()).status != "working"

    await until(is_over)
    return await instance.state()


async def test_an_execution_is_a_run(world: World) -> None:
    """In order, from threads too; its id is the run's, and the run ends as done."""
    trees = world.trees()

    def there(view: Number) -> int:
        return view.n * 10

    async def here(view: Number) -> int:
        current_task().progress(0.5, "half")
        current_task().log("so far")
        return view.n

    async def last(view: Both) -> int:
        return view.here + view.there

    made = tree_of(trees, Task("both", subtasks=[Task("here", here), Task("there", there)]), Task("last", last))
    async with trees:
        instance = await made.create(Site(n=3))
        execution = await instance.execute_all()
        state = await execution.wait(LONG)
        assert set(statuses(state).values()) == {"ok"}
        assert (state.status, state.progress) == ("done", 1.0)
        assert await instance.result("#.last", int) == 33
        assert [line.text for line in await instance.log("#.both.here")] == ["so far"]
        assert await trees._runs.handle(execution.id).result(LONG) == {"path": "#", "status": "done"}
        assert (await done(instance, "#.last")).status == "done"


async def test_a_task_with_a_queue_is_a_run_for_its_workers(world: World) -> None:
    """The execution takes no worker meanwhile; progress, log, retries and result are as of any task."""
    trees, gpu = world.trees(["default"]), world.trees(["gpu"])
    seen, go = asyncio.Event(), asyncio.Event()

    async def there(view: Number) -> int:
        world.calls.append(f"there {current_task().attempt}")
        if current_task().attempt == 1:
            raise ValueError("once more")
        current_task().progress(0.25, "a quarter")
        current_task().log("on it")
        seen.set()
        await go.wait()
        return view.n

    async def here(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        world.calls.append("here")
        return 5

    async def last(view: Both) -> int:
        return view.here + view.there

    def tree(app: Trees) -> Generator[Site]:
        retries = Retries(max_attempts=2, backoff=0.01)
        return tree_of(
            app,
            Task("both", subtasks=[Task("here", here), Task("there", there, queue="gpu", retries=retries)]),
            Task("last", last),
        )

    made = tree(trees)
    tree(gpu)
    async with trees:
        instance = await made.create(Site())
        execution = await instance.execute_all()
        run = trees._runs.handle(execution.id)

        async def is_suspended() -> bool:
            return await run.status() == "suspended"

        await until(is_suspended)  # nobody serves the queue, and nothing else is left to do
        assert statuses(await instance.state()) == {
            "both": "running", "both.here": "ok", "both.there": "running", "last": "queued",
        }  # fmt: skip
        async with gpu:
            await asyncio.wait_for(seen.wait(), LONG)

            async def has_told() -> bool:
                one = (await instance.state()).tasks["#.both.there"]
                return (one.progress, one.message) == (0.25, "a quarter")

            await until(has_told)
            await until(is_suspended)
            go.set()
            state = await execution.wait(LONG)
        assert state.status == "done"
        assert state.tasks["#.both.there"].attempt == 2
        assert world.calls.count("here") == 1
        assert [one for one in world.calls if one != "here"] == ["there 1", "there 2"]
        assert await instance.result("#.last", int) == 7
        assert [line.text for line in await instance.log("#.both.there")] == ["on it"]


async def test_what_is_handed_over_comes_back(world: World) -> None:
    """The execution waits without a worker; a failure is judged as any; outcomes that come twice count once."""
    mail = Mail()
    trees = world.trees(backends={"mail": mail})

    async def never(view: Number) -> int:
        raise NotImplementedError

    made = tree_of(
        trees,
        Task("a", never, backend="mail", retries=Retries(max_attempts=2, backoff=0.01), dest="here"),
        Task("b", never, backend="mail", timeout=0.2, on_failure="continue", dest="there"),
    )
    async with trees:
        instance = await made.create(Site(n=4))
        execution = await instance.execute_all()
        await until(lambda: len(mail.orders) == 1)
        run = trees._runs.handle(execution.id)

        async def is_suspended() -> bool:
            return await run.status() == "suspended"

        await until(is_suspended)
        first = mail.orders[0]
        assert (first.path, first.attempt, first.view) == ("#.a", 1, b'{"n":4}')
        mail.give(first, Outcome(error=JobError(type="OSError", message="no"), classes=class_names(OSError())))
        await until(lambda: len(mail.orders) == 2)
        mail.give(mail.orders[1], Outcome(b"17"))
        state = await execution.wait(LONG)
        assert await instance.result("#.a", int) == 17
        assert state.tasks["#.a"].attempt == 2
        late = state.tasks["#.b"]
        assert late.error is not None
        assert (late.status, late.error.type) == ("failed", "Timeout")
        assert [(one.path, one.attempt) for one in mail.orders] == [("#.a", 1), ("#.a", 2), ("#.b", 1)]
        await until(lambda: mail.acked >= 4)


async def test_a_backend_that_is_not_there_is_refused(world: World) -> None:
    """With the nearest name, before anything is written."""
    trees = world.trees(backends={"mail": Mail()})

    async def task(view: Nothing) -> None:
        pass

    with pytest.raises(DeclarationError, match=r"#\.a: Trees\(backends=\) has no 'mall': did you mean 'mail'"):
        await tree_of(trees, Task("a", task, backend="mall")).create(Site())
    with pytest.raises(DeclarationError, match="give queue= or backend="):
        Task("a", task, backend="mail", queue="gpu")
    assert [row async for row in world.storage.scan()] == []
    with pytest.raises(DeclarationError, match="54 characters"):
        Trees("x" * 55)
    backend = KernelBackend()
    Trees("one", backend=backend)
    with pytest.raises(DeclarationError, match="belongs to app 'one'"):
        Trees("two", backend=backend)
    with pytest.raises(DeclarationError, match="on_complete=1"):
        Trees("x", on_complete=1)  # type: ignore[arg-type]


async def test_a_long_pause_takes_no_worker(world: World) -> None:
    """Between two attempts the execution is put aside, and the attempts are counted on."""
    trees = world.trees()

    async def flaky(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        world.calls.append(f"{current_task().attempt}")
        if current_task().attempt < 2:
            raise ValueError("no")
        return 1

    made = tree_of(trees, Task("a", flaky, retries=Retries(max_attempts=2, backoff=1.2, jitter=False)))
    async with trees:
        instance = await made.create(Site())
        execution = await instance.execute_all()

        async def pauses() -> bool:
            one = (await instance.state()).tasks["#.a"]
            return one.status == "queued" and one.attempt == 1

        await until(pauses)
        state = await execution.wait(LONG)
        assert (state.status, state.tasks["#.a"].attempt, world.calls) == ("done", 2, ["1", "2"])


@pytest.mark.parametrize("where", ["running", "suspended", "queued"])
async def test_cancelling_leaves_nothing_in_limbo(world: World, where: str) -> None:
    """A function that runs is cancelled; an execution that waits for a worker, or for a child, ends as well."""
    trees, idle = world.trees(["default"]), world.without_workers()
    reached = asyncio.Event()

    async def slow(view: Nothing) -> None:  # noqa: ARG001 - it is a task
        reached.set()
        await asyncio.Event().wait()

    queue = "nobody" if where == "suspended" else None
    made = tree_of(trees, Task("a", slow, queue=queue), Task("b", slow))
    idle_made = tree_of(idle, Task("a", slow, queue=queue), Task("b", slow))
    if where == "queued":
        async with idle:
            instance = await idle_made.create(Site())
            await instance.execute_all()
            assert await instance.cancel("not wanted")
        await trees.start()
    else:
        await trees.start()
        instance = await made.create(Site())
        execution = await instance.execute_all()
        if where == "running":
            await asyncio.wait_for(reached.wait(), LONG)
        else:
            run = trees._runs.handle(execution.id)

            async def is_suspended() -> bool:
                return await run.status() == "suspended"

            await until(is_suspended)
        assert await instance.cancel("not wanted")
    state = await ended(Instance(trees._host, trees._host.recipes["site"], instance.id))
    assert (state.status, state.because) == ("cancelled", "not wanted")
    assert statuses(state) == {"a": "inactive" if where == "queued" else "cancelled", "b": "inactive"}
    assert state.tasks["#.b"].because == ("" if where == "queued" else "not wanted")
    assert not await instance.cancel()
    await trees.stop(0)


async def test_an_execution_begins_later(world: World) -> None:
    """At a time, after a delay, by a schedule; what cannot begin then is told; while the instance is busy, it waits."""
    trees = world.trees()

    async def task(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        world.calls.append("x")
        return 1

    class First(TaskInput):
        first: int

    async def second(view: First) -> int:
        return view.first

    made = tree_of(trees, Task("first", task), Task("second", second))
    async with trees:
        instance = await made.create(Site())
        later = await instance.execute_all(delay=0.3)
        assert (await instance.state()).status == "idle"
        assert (await later.wait(LONG)).status == "done"
        other = await made.create(Site())
        at = await other.execute("#.first", run_at=datetime.now(UTC) + timedelta(seconds=0.2))
        state = await at.wait(LONG)
        assert statuses(state) == {"first": "ok", "second": "inactive"}
        third = await made.create(Site())
        wrong = await third.execute("#.second", delay=0.1)
        with pytest.raises(TreeFailed, match="could not begin"):
            await wrong.wait(LONG)
        assert (await third.state()).status == "idle"
        schedule = await third.execute_all(cron=Every(timedelta(seconds=1)))
        assert third.id in schedule.id

        async def has_run() -> bool:
            return (await third.state()).status == "done"

        await until(has_run)
        await third.destroy()

        async def is_deleted() -> bool:
            return all(one.id != schedule.id for one in await trees.schedules.list())

        await until(is_deleted)
        with pytest.raises(ValidationError, match="says when"):
            await instance.execute_all(cron=Every(1), delay=1)  # type: ignore[call-overload]


async def test_a_wait_without_workers_says_so(world: World) -> None:
    """In whatever process they would be; once there are some, a wait that is too short is just that."""
    reached = asyncio.Event()

    async def slow(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        reached.set()
        await asyncio.Event().wait()
        return 1

    async with world.without_workers() as trees:
        instance = await tree_of(trees, Task("a", slow)).create(Site())
        execution = await instance.execute_all()
        with pytest.raises(WaitTimeout, match="no process has workers of app 'imports': create_workers"):
            await execution.wait(0.01)
        working = world.trees()
        tree_of(working, Task("a", slow))
        async with working:
            await asyncio.wait_for(reached.wait(), LONG)
            with pytest.raises(WaitTimeout, match=r"has not ended in 0\.01 s$"):
                await execution.wait(0.01)
            await instance.cancel()
            await ended(instance)


async def test_a_ref_executes_once(world: World) -> None:
    """Also when something else was executed in between."""
    trees = world.trees()

    async def task(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        world.calls.append("x")
        return 1

    made = tree_of(trees, Task("a", task))
    async with trees:
        instance = await made.create(Site())
        first = await instance.execute_all(ref="click-1")
        await first.wait(LONG)
        again = await instance.execute_all(ref="click-1")
        assert again.id == first.id
        assert (await again.wait(LONG)).status == "done"
        await done(instance)
        assert (await instance.execute_all(ref="click-1")).id == first.id
        assert (await instance.execute_all(ref="click-2")).id != first.id
        await ended(instance)
        assert world.calls == ["x"] * 3
        with pytest.raises(ValidationError):
            await instance.execute_all(ref="")


async def test_hooks_are_told(world: World) -> None:
    """When an execution is done, when one has failed, before an instance goes; what they raise is logged."""
    told: list[str] = []

    async def on_complete(instance: Instance[Any]) -> None:
        told.append(f"complete {instance.id} {(await instance.state()).status}")
        raise ValueError("no room")

    def on_error(instance: Instance[Any], error: TreeFailed) -> None:
        told.append(f"error {instance.id} {error.path}")

    def on_destroy(instance: Instance[Any]) -> None:
        told.append(f"destroy {instance.id}")

    trees = world.trees(on_complete=on_complete, on_error=on_error, on_destroy=on_destroy)

    async def good(view: Nothing) -> None:
        pass

    async def bad(view: Nothing) -> None:  # noqa: ARG001 - it is a task
        raise Fail("no")

    fine, wrong = tree_of(trees, Task("a", good)), tree_of(trees, Task("b", bad), name="wrong")
    async with trees:
        one, other = await fine.create(Site()), await wrong.create(Site())
        await done(one)
        with pytest.raises(TreeFailed):
            await done(other)
        await until(lambda: len(told) == 2)
        assert sorted(told) == sorted([f"complete {one.id} done", f"error {other.id} #.b"])

        async def is_logged() -> bool:
            return "on_complete has failed: ValueError: no room" in [line.text for line in await one.log("#")]

        await until(is_logged)
        await one.destroy()
        assert told[2:] == [f"destroy {one.id}"]
        with pytest.raises(InstanceGone):
            await one.state()


async def test_what_was_begun_without_a_run_is_taken_over(world: World) -> None:
    """Who began it died before the run was there; where a run has ended without it, it is recorded as failed."""
    trees = world.trees()

    async def task(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        return 1

    made = tree_of(trees, Task("a", task))
    async with trees:
        instance = await made.create(Site())
        recipe = trees._host.recipes["site"]
        takeover = Takeover(trees._host, trees._runs.host)
        world.storage._clock = lambda: world.now
        lost = "01930000-0000-7000-8000-000000000001"
        await begin(world.storage, instance.id, recipe, lost, Asked())
        await trees._host.note()
        await takeover.tick()
        assert await trees._host.executor.under_way(lost) is None  # whoever has begun it may be about to
        world.now += PATIENCE_MS / 1000 + 1
        await takeover.tick()
        state = await ended(instance)
        assert (state.status, state.execution) == ("done", lost)

        async def has_ended() -> bool:
            return await trees._host.executor.under_way(lost) is False

        await until(has_ended)
        await begin(world.storage, instance.id, recipe, "01930000-0000-7000-8000-000000000002", Asked())
        found = world.storage._instances[instance.id]
        assert found.execution is not None
        found.execution = found.execution._replace(id=lost)  # whose run has ended
        found.record = type(found.record)("working", found.record.order, lost, started=found.record.started)
        world.now += PATIENCE_MS / 1000 + 1
        await trees._host.note()
        await takeover.tick()
        state = await instance.state()
        assert (state.status, state.error.type if state.error else "") == ("failed", "LostRun")
        assert statuses(state) == {"a": "ok"}


async def test_a_run_that_cannot_record_its_end_is_seen_as_failed_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its body has failed, and so has what is to record that: nobody waits for a look at all executions."""
    trees = world.trees()

    async def task(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        return 1

    give_up, recorded = trees._host.give_up, 0

    async def fail(*_given: object) -> None:
        raise Fail("a fault of ours")

    async def fail_once(*given: Any, **more: Any) -> None:
        nonlocal recorded
        recorded += 1
        if recorded == 1:
            raise Fail("another one")
        await give_up(*given, **more)

    monkeypatch.setattr(trees._host, "execute", fail)
    monkeypatch.setattr(trees._host, "give_up", fail_once)
    monkeypatch.setattr("flows.tree.takeover._EVERY", 3600.0)
    made = tree_of(trees, Task("a", task))
    async with trees:
        instance = await made.create(Site())
        execution = await instance.execute_all()
        with pytest.raises(TreeFailed, match="LostRun: the run of the execution has ended without it") as caught:
            await execution.wait(LONG)
        assert (caught.value.path, statuses(await instance.state())) == ("#", {"a": "inactive"})


async def test_a_storage_that_is_away_delays_an_execution(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be written now is not lost: the run comes back."""
    monkeypatch.setattr("flows.tree.backend.kernel._LATER", 0.05)
    trees = world.trees()
    down = 2

    async def task(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        return 1

    write = world.storage.write

    async def away(*args: Any, **more: Any) -> int:
        nonlocal down
        if down:
            down -= 1
            raise StoreUnavailable("away")
        return await write(*args, **more)

    monkeypatch.setattr(world.storage, "write", away)
    made = tree_of(trees, Task("a", task))
    async with trees:
        assert (await done(await made.create(Site()))).status == "done"


async def test_trees_without_their_code(world: World) -> None:
    """An operator executes what was described last, and cancels; the app's workers do it."""
    trees = world.trees()

    async def task(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        return 1

    made = tree_of(trees, Task("a", task), Task("b", task))
    async with trees:
        instance = await made.create(Site())
        host = codeless_host("imports", trees._runs.host, world.storage, world.index)
        same: Instance[Any] = Instance(host, None, instance.id)
        with pytest.raises(TaskNotReady):
            await same.execute("#.b")
        assert (await done(same)).status == "done"
        execution = await same.execute("#.b", ref="r")
        assert (await execution.wait(LONG)).status == "done"
        with pytest.raises(ValidationError, match="without the app's code"):
            await same.execute_all(delay=1)


async def test_one_execution_at_a_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two callers one begins, and the other is told which; what is to begin later comes back."""
    monkeypatch.setattr("flows.tree.backend.kernel._LATER", 0.05)
    trees = world.trees()
    go = asyncio.Event()

    async def task(view: Nothing) -> None:  # noqa: ARG001 - it is a task
        await go.wait()

    made = tree_of(trees, Task("a", task))
    async with trees:
        instance = await made.create(Site())
        first = await instance.execute_all()
        with pytest.raises(TreeBusy) as caught:
            await instance.execute_all()
        assert caught.value.execution == first.id
        waits = await instance.execute_all(delay=0.05)
        await asyncio.sleep(0.2)
        assert (await instance.state()).execution == first.id
        go.set()
        await first.wait(LONG)
        assert (await waits.wait(LONG)).execution == waits.id


async def test_an_app_of_trees_is_isolated() -> None:
    """By the kit for users' tests: a namespace of its own, and workers that run until nothing is left."""
    trees = Trees("imports")

    async def task(view: Number) -> int:
        return view.n

    made = tree_of(trees, Task("a", task))
    async with isolated(trees) as test:
        trees.create_workers()
        instance = await made.create(Site(n=3))
        await instance.execute_all()
        await test.drain()
        assert (await instance.state()).status == "done"
        assert await instance.result("#.a", int) == 3


async def test_a_process_of_workers_runs_until_it_is_stopped(world: World) -> None:
    """As `flows.run(trees)` does it, and starts again afterwards."""
    trees = world.trees()

    async def task(view: Number) -> int:
        return view.n

    made = tree_of(trees, Task("a", task))
    for _ in range(2):
        running = asyncio.create_task(trees.run(grace=1, signals=False))
        instance = await made.create(Site())
        assert (await done(instance)).status == "done"
        await trees.stop_all(1)
        assert await asyncio.wait_for(running, LONG) == 0

"""Executions as runs of workflows, in workers of this process: queues, backends, pauses, cancelling."""

from __future__ import annotations

import asyncio

import pytest

from flows.errors import DeclarationError
from flows.model.job import JobError
from flows.model.retries import Retries, class_names
from flows.testing import isolated
from flows.tree.backend.kernel import KernelBackend
from flows.tree.backend.protocol import Outcome
from flows.tree.current import current_task
from flows.tree.declare import Task
from flows.tree.generator import Generator
from flows.tree.instance import Instance
from flows.tree.trees import Trees
from tests.tree.kernel_world import Both, Nothing, Number, Site, World, done, ended, statuses, tree_of
from tests.tree.mail import Mail
from tests.waiting import LONG, until


@pytest.fixture
def world(redis_url: str, namespace: str) -> World:
    """Return the test's storage and index, and where its server is."""
    return World(redis_url, namespace)


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

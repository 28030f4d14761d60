"""Runs from their start to their end, by all that an app offers for them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis import Redis

from flows import (
    Handle,
    IdempotencyConflict,
    JobGone,
    RunCancelled,
    RunFailed,
    RunHistory,
    StateError,
    Step,
    UnknownWorkflow,
    ValidationError,
    WaitTimeout,
    Workflows,
    current_job,
)
from flows.testing import replay
from tests.waiting import until
from tests.workflow.parts import Order, make_app, within


@pytest.fixture
def app(redis_url: str, namespace: str) -> Workflows:
    """Make an app in the test's namespace."""
    return make_app(redis_url, namespace)


def double(n: int) -> int:
    """Run in a thread."""
    current_job().log(f"doubling {n}")
    return 2 * n


async def test_a_run_from_start_to_end(app: Workflows) -> None:
    """Defined, started, awaited; its record has input, output, steps and what they logged."""

    @app.define("total", lookup=["id"])
    async def total(order: Order, step: Step) -> list[int]:
        first = await step.run("first", double, order.cents)
        return [first, await step.run("second", lambda: first + 1)]

    app.create_workers(concurrency=3)
    connected = asyncio.create_task(app.events.wait_for("flow.connected", flow="billing"))
    async with app:
        await within(connected)  # it is told by the app's name
        handle = await total.run(Order(id="a", cents=4), tags=["x"], correlation_id="c-1")
        assert await within(handle.result()) == [8, 9]
        assert await handle.status() == "done"
        record = await handle.record()
        assert (record.workflow, record.tags, record.correlation_id) == ("total", ["x"], "c-1")
        assert (record.input, record.output, record.attempts) == ({"id": "a", "cents": 4}, [8, 9], 1)
        assert [(one.name, one.kind, one.status, one.result) for one in await handle.steps()] == [
            ("first", "run", "done", 8),
            ("second", "run", "done", 9),
        ]
        await until(lambda: _logged(app, handle.id))
        assert [line.text for line in await handle.log()] == ["doubling 4"]
        assert (await app.get_run(handle.id)).output == [8, 9]
        history = RunHistory.model_validate_json((await handle.history()).model_dump_json())
        assert (history.status, history.output, sorted(history.steps)) == ("done", [8, 9], ["first", "second"])
        await replay(total, history)
        assert await within((await app.run_by_name("total", {"id": "b", "cents": 1})).result()) == [2, 3]
        many = await total.run_many([Order(id=str(n), cents=n) for n in range(5)])
        assert [await within(one.result()) for one in many] == [[2 * n, 2 * n + 1] for n in range(5)]


async def _logged(app: Workflows, run_id: str) -> bool:
    return bool(await app.handle(run_id).log())


async def test_a_run_that_fails_is_retried_by_hand(app: Workflows) -> None:
    """The error is the function's; what was done stays, and what failed is done again."""
    broken, calls = True, list[str]()

    async def first() -> int:
        calls.append("first")
        return 1

    async def second() -> int:
        calls.append("second")
        if broken:
            raise LookupError("no such thing")
        return 2

    @app.define("fragile")
    async def fragile(step: Step) -> int:
        return await step.run("first", first) + await step.run("second", second)

    app.create_workers()
    async with app:
        handle = await fragile.run()
        with pytest.raises(RunFailed, match="no such thing") as caught:
            await within(handle.result())
        assert caught.value.error.type == "LookupError"
        assert "; retry() of its handle lets it go on" in str(await handle.explain())
        broken = False
        await handle.retry()
        assert await within(handle.result()) == 3
        assert calls == ["first", "second", "second"]
        with pytest.raises(StateError, match=f"^run {handle.id} is done: it cannot be retried"):
            await handle.retry()


async def test_waiting_is_the_callers_only(app: Workflows) -> None:
    """A wait that times out leaves the run alone; a cancel ends it, and says so once."""
    entered = asyncio.Event()

    @app.define("slow")
    async def slow(step: Step) -> None:
        entered.set()
        await step.sleep("long", timedelta(days=2))

    app.create_workers()
    async with app:
        handle = await slow.run()
        await within(entered.wait())
        await until(lambda: _is(handle, "suspended"))
        with pytest.raises(WaitTimeout, match=f"^run {handle.id} is still suspended in 'slow'"):
            await handle.result(timeout=0)
        assert (await handle.record()).waits_for == ["long"]
        assert "waits without a worker for a time in step 'long' until" in str(await handle.explain())
        assert await handle.cancel("not wanted") == "cancelled"
        with pytest.raises(RunCancelled, match="not wanted"):
            await within(handle.result())
        assert await handle.cancel() == "too late"
        late = await slow.run(delay=3600)
        assert await late.status() == "delayed"


async def _is(handle: Handle[Any], status: str) -> bool:
    return await handle.status() == status


async def test_a_key_is_one_run(app: Workflows) -> None:
    """The same key brings the same run; with other input it is a conflict that names it."""

    @app.define("once")
    async def once(order: Order, step: Step) -> str:
        return f"{order.id} {step.attempt}"

    async with app:
        one = await once.run(Order(id="a"), idempotency_key="k")
        assert (await once.run(Order(id="a"), idempotency_key="k")).id == one.id
        assert await once.emit(Order(id="a"), idempotency_key="other") != one.id
        with pytest.raises(IdempotencyConflict, match="was started with idempotency_key='k' and other input") as caught:
            await once.run(Order(id="b"), idempotency_key="k")
        assert caught.value.run_id == one.id


async def test_who_is_asked_for_and_is_not_there(app: Workflows) -> None:
    """A name that nobody has is refused, and so is an id of no run."""
    with pytest.raises(UnknownWorkflow, match="no app has a workflow 'analytics'"):
        await app.run_by_name("analytics")
    gone = app.handle("01900000-0000-7000-8000-000000000000")
    for call in (gone.result, gone.status, gone.record, gone.retry, gone.cancel):
        with pytest.raises(JobGone, match=f"^run {gone.id} is gone"):
            await within(call())
    with pytest.raises(UnknownWorkflow, match="no app has a workflow 'analytics'"):
        await app.list_runs(workflow="analytics")
    with pytest.raises(ValidationError, match="no job id"):
        app.handle("x")
    await app.stop()


async def test_runs_are_listed(app: Workflows, redis_url: str, namespace: str) -> None:
    """By workflow, tag, lookup, status and time; without any, all that ever ran, newest first, in pages."""

    async def keep(order: Order, step: Step) -> str:
        return f"{order.id} {step.attempt}"

    one = app.define("one", lookup=["id"])(keep)
    two = app.define("two")(keep)
    async with app:
        before = datetime.now(UTC) - timedelta(seconds=5)
        ids = [await (one if n % 2 else two).emit(Order(id=str(n)), tags=[f"t{n % 3}"]) for n in range(6)]
        other = make_app(redis_url, namespace, "other")  # which defines nothing

        async def listed(**asked: object) -> list[str]:
            return [run.id for run in (await other.list_runs(**asked)).runs]  # type: ignore[arg-type]

        assert await listed() == ids[::-1]
        assert await listed(workflow="one") == [ids[5], ids[3], ids[1]]
        assert await listed(tag="t0") == [ids[3], ids[0]]
        assert await listed(lookup={"id": "3"}, workflow="one") == [ids[3]]
        with pytest.raises(ValidationError, match="workflow 'one' is found by id: add the field"):
            await app.list_runs(lookup={"cents": 1}, workflow="one")
        assert await listed(since=before) == ids[::-1]
        assert await listed(until=before) == []
        assert await app.handle(ids[2]).cancel() == "cancelled"
        assert await listed(status="cancelled") == [ids[2]]
        assert await listed(status=["waiting"], workflow="two") == [ids[4], ids[0]]
        page = await other.list_runs(limit=4)
        assert [run.id for run in page.runs] == ids[:1:-1]
        rest = await other.list_runs(limit=4, cursor=page.cursor)
        assert [run.id for run in rest.runs] == [ids[1], ids[0]]
        with pytest.raises(ValidationError, match="status='gone'"):
            await other.list_runs(status="gone")  # type: ignore[arg-type]
        stats = await other.stats()
        assert {name: (of.waiting, of.cancelled, of.live) for name, of in stats.items()} == {
            "one": (3, 0, True),
            "two": (2, 1, True),
        }
        await other.stop()


async def test_an_app_that_drops_a_workflow(redis_url: str, namespace: str, redis: Redis) -> None:
    """What a deploy script wrote stays known until the next one; runs of what was dropped wait, and are shown so."""

    async def nothing(step: Step) -> int:
        return step.attempt

    old, new = (make_app(redis_url, namespace) for _ in range(2))
    gone = old.define("gone")(nothing)
    old.define("kept")(nothing)
    new.define("kept")(nothing)
    await old.sync()
    assert {name: of.live for name, of in (await new.stats()).items()} == {"gone": True, "kept": True}
    run_id = await gone.emit()
    await new.sync()
    key = f"{namespace}flows:flow:run"
    for field in redis.hkeys(key):
        if str(field).endswith(":seen"):
            redis.hset(key, field, "1")  # long ago
    await new.sync()
    stats = await new.stats()
    assert {name: (of.live, of.waiting) for name, of in stats.items()} == {"gone": (False, 1), "kept": (True, 0)}
    again = await new.run_by_name("gone")
    assert await again.status() == "waiting"
    assert (await again.explain()).reason == "no_workers"
    assert [run.id for run in (await new.list_runs()).runs] == [again.id, run_id]
    assert [run.id for run in (await new.list_runs(workflow="gone")).runs] == [again.id, run_id]
    old.create_workers()
    async with old:
        assert await within(again.result()) == 1
    await new.stop()


def test_plain_callers(app: Workflows) -> None:
    """The same from plain code, beside a loop that has the app open: a thread starts runs and waits for them."""

    @app.define("triple")
    async def triple(n: int, step: Step) -> int:
        return await step.run("times three", lambda: 3 * n)

    app.create_workers()

    def plain() -> list[int]:
        handle = app.blocking.run(triple, 2, tags=["a"])
        many = [handle, *app.blocking.run_many(triple, [3, 4])]
        results = [one.result(timeout=60) for one in many]
        assert handle.status() == "done"
        assert [one.name for one in handle.steps()] == ["times three"]
        assert [run.id for run in app.blocking.list_runs(tag="a").runs] == [handle.id]
        assert app.blocking.stats()["triple"].live
        return results

    async def beside() -> list[int]:
        async with app:
            return await within(asyncio.to_thread(plain))

    assert asyncio.run(beside()) == [6, 9, 12]


async def test_workers_of_queues(redis_url: str, namespace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers serve the queues that they were created for, also of runs that were given another queue."""
    monkeypatch.setattr("flows.workflow.registry.LOOK", 0.02)

    async def where(step: Step) -> str:
        return current_job().queue + str(step.attempt)

    fast, slow = (make_app(redis_url, namespace) for _ in range(2))
    for app in (fast, slow):
        app.define("plain")(where)
        app.define("mail", queue="slow")(where)
    fast.create_workers(["fast", "default"])
    slow.create_workers(["slow"])
    start = make_app(redis_url, namespace, "starts")
    plain = start.reference("plain", output=str)
    mail = start.reference("mail", output=str)
    async with fast, slow:
        assert await within((await plain.run()).result()) == "plain1"
        assert await within((await mail.run()).result()) == "mail1"
        assert await within((await mail.run(queue="fast")).result()) == "mail@fast1"
        assert await within((await plain.run(queue="slow")).result()) == "plain@slow1"
    await start.stop()

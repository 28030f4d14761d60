"""Acting on many jobs by a query: what is touched and what is not, undo, two callers, and who does it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from uuid import UUID

import pytest
import pytest_asyncio
from redis import Redis

from flows import (
    DeclarationError,
    FlowOptions,
    JobGone,
    JobState,
    QueueOptions,
    StoreFull,
    ValidationError,
    WaitTimeout,
)
from flows.model.ids import new_job_id
from flows.pipeline.bulk.action import bulk_name
from flows.testing import isolated, private_server
from tests.pipeline.parts import LONG, Order, Orders, Price, Priced, order_flow, ship, within
from tests.waiting import patient, until


@pytest_asyncio.fixture
async def shop(orders: Orders) -> AsyncIterator[Orders]:
    """Give the flow without workers, and close it in the end."""
    yield orders
    await orders.stop_all()


async def cancelled(shop: Orders, count: int, user: int = 7) -> list[str]:
    """Create jobs that are cancelled by now."""
    ids = await shop.create_jobs(Order(user_id=user) for _ in range(count))
    await asyncio.gather(*(shop.cancel_job(job_id) for job_id in ids))
    return ids


async def states(shop: Orders, ids: list[str]) -> set[str]:
    """Return in which states these jobs are."""
    return {"gone" if record is None else record.status for record in await shop.get_jobs(ids)}


async def test_cancels_what_matches_and_nothing_else(shop: Orders) -> None:
    """Jobs of one user by hundreds, each with the reason; the other user's wait on."""
    ids = await shop.create_jobs(Order(user_id=7) for _ in range(450))
    others = await shop.create_jobs(Order(user_id=8) for _ in range(3))
    bulk = await shop.jobs.where("user_id", 7).cancel("not wanted")
    result = await bulk.wait(LONG)
    assert (result.status, result.words, result.done, result.skipped, result.failed) == (
        JobState.DONE, {"cancelled": 450}, 450, 0, 0,
    )  # fmt: skip
    assert await states(shop, ids) == {"cancelled"}
    assert await states(shop, others) == {"waiting"}
    progress = await bulk.progress()
    assert (progress.status, progress.value, progress.done) == (JobState.DONE, 1.0, 450)
    assert [line.text for line in await bulk.log()] == ["450 cancelled"]
    assert await bulk.cancel() == "too late"


async def test_retries_and_deletes_by_a_query(shop: Orders, redis: Redis, namespace: str) -> None:
    """What was cancelled waits again; what is deleted is gone with its lookups."""
    ids = await cancelled(shop, 250)
    result = await (await shop.jobs.status("cancelled").retry()).wait(LONG)
    assert result.words == {"retried": 250}
    assert await states(shop, ids) == {"waiting"}
    result = await (await shop.jobs.where("user_id", 7).delete()).wait(LONG)
    assert result.words == {"deleted": 250}
    assert await states(shop, ids) == {"gone"}
    assert redis.llen(f"{namespace}job:orders:user_id:7") == 0


async def test_a_verb_passes_over_what_it_does_not_apply_to(shop: Orders) -> None:
    """Retrying all jobs of a user leaves those alone that wait."""
    ended = await cancelled(shop, 2)
    await shop.create_jobs(Order(user_id=7) for _ in range(3))
    result = await (await shop.jobs.where("user_id", 7).retry()).wait(LONG)
    assert result.words == {"retried": 2}
    assert await states(shop, ended) == {"waiting"}


async def test_only_what_was_there_when_it_was_asked_is_touched(shop: Orders) -> None:
    """What is created in the undo window stays; and so does a job that has ended again since, after a retry by hand."""
    ids = await cancelled(shop, 3)
    bulk = await shop.jobs.where("user_id", 7).retry(undo=patient(0.5))
    await shop.retry_job(ids[0])
    await shop.cancel_job(ids[0], "again")
    late = await cancelled(shop, 1)
    result = await bulk.wait(LONG)
    assert result.done == 2
    assert await states(shop, [ids[0], *late]) == {"cancelled"}
    bulk = await shop.jobs.where("user_id", 7).status("waiting").cancel(undo=0.3)
    await asyncio.sleep(0.002)  # by the clocks of two machines, a moment later is later
    new = await shop.create_job(Order(user_id=7))
    assert (await bulk.wait(LONG)).words == {"cancelled": 2}
    assert await states(shop, [new]) == {"waiting"}


async def test_undo_in_its_window_touches_nothing(shop: Orders) -> None:
    """It is delayed until the window is over, and cancelled as any job."""
    ids = await cancelled(shop, 20)
    bulk = await shop.jobs.status("cancelled").retry(undo=timedelta(minutes=1))
    progress = await bulk.progress()
    assert (progress.status, progress.value, progress.words) == (JobState.DELAYED, 0.0, {})
    with pytest.raises(WaitTimeout):
        await bulk.wait(0.05)
    assert await bulk.cancel() == "cancelled"
    result = await bulk.wait(LONG)
    assert (result.status, result.words) == (JobState.CANCELLED, {})
    assert await states(shop, ids) == {"cancelled"}


async def test_another_process_has_it_by_its_id(shop: Orders, make_orders: Callable[..., Orders]) -> None:
    """It sees how far it is, undoes it, waits for it, and does it where nobody else does."""
    ids = await cancelled(shop, 20)
    begun = await shop.jobs.status("cancelled").retry(undo=60)
    other = make_orders()
    bulk = other.bulk_job(UUID(begun.id))
    assert bulk.id == begun.id
    assert (await bulk.progress()).status == JobState.DELAYED
    assert await bulk.cancel() == "cancelled"
    assert (await begun.wait(LONG)).status == (await bulk.wait(LONG)).status == JobState.CANCELLED
    bulk = other.bulk_job((await shop.jobs.status("cancelled").retry()).id)
    assert (await bulk.wait(LONG)).words == {"retried": 20}
    assert [line.text for line in await bulk.log()] == ["20 retried"]
    assert await states(shop, ids) == {"waiting"}
    await other.stop_all()


async def test_of_an_id_that_is_none_of_a_bulk_action_nothing_is_told(shop: Orders) -> None:
    """Neither of one that never was, nor of a job of the flow itself."""
    job_id = await shop.create_job(Order(user_id=7))
    for bulk in (shop.bulk_job(new_job_id()), shop.bulk_job(job_id)):
        for asked in (bulk.progress, lambda bulk=bulk: bulk.wait(LONG), bulk.cancel):
            with pytest.raises(JobGone, match=bulk.id):
                await asked()
    assert await states(shop, [job_id]) == {"waiting"}
    with pytest.raises(ValidationError, match="is no job id"):
        shop.bulk_job("7")


async def test_two_callers_at_once_retry_each_job_once(shop: Orders, make_orders: Callable[..., Orders]) -> None:
    """Of whatever process: together they have retried each job, and none twice."""
    ids = await cancelled(shop, 600)
    other = make_orders()
    ours = await shop.jobs.status("cancelled").retry()
    theirs = await other.jobs.status("cancelled").retry()
    results = await asyncio.gather(ours.wait(LONG), theirs.wait(LONG))
    await other.stop_all()
    assert sum(result.done for result in results) == 600
    visits = [(await shop.get_job(job_id)) for job_id in ids]
    assert {record and record.status for record in visits} == {"waiting"}


async def test_a_process_with_workers_does_it(shop: Orders, make_orders: Callable[..., Orders]) -> None:
    """Whoever asked may be gone, or only look on: the wake-up of the bulk queue reaches a process with workers."""
    working = make_orders()
    working.create_workers("ship", ship)
    async with working:
        ids = await cancelled(shop, 100)
        bulk = await shop.jobs.status("cancelled").delete()

        async def over() -> bool:
            return (await bulk.progress()).status == JobState.DONE

        await until(over)
        assert await states(shop, ids) == {"gone"}


async def test_a_process_that_is_busy_does_it(
    shop: Orders, make_orders: Callable[..., Orders], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though none of its workers waits for a job: it need not look by itself, which it does each 15 seconds or so."""
    monkeypatch.setattr("flows.pipeline.bulk.service.LOOK_AGAIN", 3600)
    running, go = asyncio.Event(), asyncio.Event()
    ids = {user: await cancelled(shop, 10, user) for user in (7, 8)}

    async def price(_job: Price) -> Priced:
        running.set()
        await go.wait()
        return Priced(price=1)

    working = make_orders()
    working.create_workers(Price, price)
    async with working:
        await shop.create_job(Order(user_id=1))
        await within(running.wait())
        for user, of_user in ids.items():
            await shop.jobs.where("user_id", user).delete()
            await _gone(shop, of_user)
        go.set()


async def test_workers_look_for_what_was_left(shop: Orders, make_orders: Callable[..., Orders]) -> None:
    """A bulk action that was begun while no process had workers is done when one starts."""
    ids = await cancelled(shop, 10)
    await shop.jobs.status("cancelled").delete()
    working = make_orders()
    working.create_workers("ship", ship)
    async with working:
        await _gone(shop, ids)


async def _gone(shop: Orders, ids: list[str]) -> None:
    async def gone() -> bool:
        return await states(shop, ids) == {"gone"}

    await until(gone)


async def test_another_process_goes_on_where_a_flow_stops(shop: Orders, make_orders: Callable[..., Orders]) -> None:
    """A flow that is stopped hands it back; how far it was is known, and the end counts all of it."""
    ids = await cancelled(shop, 3000)
    working = make_orders()
    working.create_workers("ship", ship)
    await working.start_all()
    bulk = await shop.jobs.status("cancelled").delete()

    async def begun() -> int:
        return (await bulk.progress()).done

    await until(begun)
    await working.stop_all()
    result = await bulk.wait(LONG)
    assert await states(shop, ids) == {"gone"}
    assert result.status == JobState.DONE
    assert 2000 <= result.done <= 3000


async def test_one_bad_job_keeps_no_other_from_its_turn(shop: Orders, redis: Redis, namespace: str) -> None:
    """What it met is counted and logged: here a key that is not ours stands where the job would wait."""
    await cancelled(shop, 5)
    bad = (await cancelled(shop, 1))[0]
    redis.hset(f"{namespace}job:orders:{bad}", "_queue", "ship")
    redis.set(f"{namespace}queue:ship:waiting", "theirs")
    bulk = await shop.jobs.where("user_id", 7).retry()
    result = await bulk.wait(LONG)
    assert (result.done, result.failed, result.words["error"]) == (5, 1, 1)
    first, *_ = [line.text for line in await bulk.log()]
    assert first.startswith(f"job {bad}: ")
    assert "queue:ship:waiting" in first


async def test_arguments_are_refused_before_anything_is_written(shop: Orders) -> None:
    """A negative undo, a reason that is no text."""
    with pytest.raises(ValidationError, match="undo=-1 s is negative"):
        await shop.jobs.retry(undo=-1)
    with pytest.raises(ValidationError, match="reason=5"):
        await shop.jobs.cancel(5)  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="timeout"):
        await (await shop.jobs.delete()).wait("5")  # type: ignore[arg-type]


async def test_on_a_full_server_cancelling_and_deleting_go_on() -> None:
    """Nothing can be created there, not even a bulk action: this process does it by itself. Retrying is refused."""
    with private_server() as url, Redis.from_url(url) as redis:
        shop = order_flow(url, "")
        ids = await shop.create_jobs(Order(user_id=7) for _ in range(300))
        ended = await cancelled(shop, 1)
        redis.config_set("maxmemory", 1)
        bulk = await shop.jobs.where("user_id", 7).cancel("why")
        result = await bulk.wait(LONG)
        assert (result.status, result.words) == (JobState.DONE, {"cancelled": 300})
        assert await states(shop, ids) == {"cancelled"}
        assert (await bulk.progress()).value == 1.0
        assert await bulk.cancel() == "too late"
        with pytest.raises(StoreFull):
            await shop.jobs.retry()
        undone = await shop.jobs.delete(undo=60)
        with pytest.raises(WaitTimeout, match="is still delayed"):
            await undone.wait(0.01)
        assert await undone.cancel() == "cancelled"
        assert (await undone.wait(LONG)).status == JobState.CANCELLED
        assert (await (await shop.jobs.delete()).wait(LONG)).done == 301
        assert await states(shop, [*ids, *ended]) == {"gone"}
        await shop.stop_all()


async def test_it_goes_on_where_the_server_is_full_by_then() -> None:
    """A cancelling that has begun frees memory all the same, and its end is recorded."""
    with private_server() as url, Redis.from_url(url) as redis:
        shop = order_flow(url, "")
        await shop.create_jobs(Order(user_id=7) for _ in range(3000))
        bulk = await shop.jobs.cancel()
        waiting = asyncio.create_task(bulk.wait(LONG))
        await until(lambda: redis.zcard("flows:ended:price:cancelled"))
        redis.config_set("maxmemory", 1)
        assert (await waiting).status == JobState.DONE
        assert redis.zcard("flows:ended:price:cancelled") == 3000
        await shop.stop_all()


def test_plain_callers_act_too(orders: Orders) -> None:
    """`flow.sync.jobs` has the same verbs, and what they return has plain methods."""
    sync = orders.sync
    ids = sync.create_jobs(Order(user_id=7) for _ in range(30))
    bulk = sync.jobs.where("user_id", 7).cancel("why")
    assert bulk.wait(LONG).words == {"cancelled": 30}
    assert bulk.progress().value == 1.0
    assert [line.text for line in bulk.log()] == ["30 cancelled"]
    undone = sync.jobs.status("cancelled").retry(undo=60)
    assert sync.bulk_job(undone.id).cancel() == "cancelled"
    assert {record and record.status for record in sync.get_jobs(ids)} == {"cancelled"}
    sync.close()


async def test_in_an_isolated_test(orders: Orders, redis_url: str) -> None:
    """It has the namespace of the test, and its undo window is over when the test has travelled beyond it."""
    async with isolated(orders, url=redis_url) as test:
        await cancelled(orders, 5)
        bulk = await orders.jobs.status("cancelled").delete(undo=timedelta(days=2))
        await test.travel(timedelta(days=3))
        assert (await bulk.wait(LONG)).words == {"deleted": 5}


async def test_functions_that_run_are_asked_to_stop(orders: Orders) -> None:
    """Cancelling what is processing asks its worker, which may be in the process that acts."""
    running = asyncio.Event()

    async def price(_job: Price) -> Priced:
        running.set()
        await asyncio.Event().wait()
        return Priced(price=1)

    orders.create_workers(Price, price)
    async with orders:
        job_id = await orders.create_job(Order(user_id=7))
        await within(running.wait())
        result = await (await orders.jobs.status("processing").cancel("stop")).wait(LONG)
        assert result.words == {"requested": 1}
        assert (await orders.wait_for(job_id, LONG)).status == "cancelled"


def test_names_of_the_library_are_refused(redis_url: str) -> None:
    """A flow or a queue that begins with `flows.` could meet a bulk flow."""
    for flow, queue in (("flows.bulk.orders", "a"), ("orders", "flows.bulk.orders")):
        with pytest.raises(DeclarationError, match=r"begin with 'flows\.' are the library's own"):
            FlowOptions(flow, [QueueOptions(queue, job=Price)], redis_url=redis_url)


def test_the_bulk_flow_of_a_long_name() -> None:
    """Names have 64 characters at most: a digest stands for the rest, and two flows never share one."""
    assert bulk_name("orders") == "flows.bulk.orders"
    long = [bulk_name("x" * 63 + last) for last in "ab"]
    assert [len(name) for name in long] == [64, 64]
    assert long[0] != long[1]


async def test_a_flow_with_the_longest_name_acts(redis_url: str, namespace: str) -> None:
    """The names of its flow and queue are made fit."""
    flow = order_flow(redis_url, namespace, name="x" * 58)
    await flow.create_jobs(Order(user_id=7) for _ in range(3))
    assert (await (await flow.jobs.delete()).wait(LONG)).done == 3
    await flow.stop_all()


async def test_an_idle_flow_is_not_asked_all_the_time(orders: Orders, redis: Redis, namespace: str) -> None:
    """Workers that nobody gives a bulk action have no session, thread or worker for it."""
    orders.create_workers("ship", ship)
    async with orders:
        await until(lambda: redis.exists(f"{namespace}flows:queues:orders"))
        service = orders._runtime.session.companion
        assert service is not None
        assert service._flow is None  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
        assert not redis.keys(f"{namespace}*flows.bulk*")

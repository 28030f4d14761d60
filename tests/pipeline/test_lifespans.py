"""Lifespans: a resource is opened once for all workers that name it, before the first job; closed after the last."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from flows import DeclarationError, FlowsError, current_job
from flows.testing import private_server
from tests.pipeline import decorated
from tests.pipeline.parts import LONG, Order, Orders, Price, Priced, Ship, Shipped, order_flow, within
from tests.waiting import until


@pytest.fixture
def orders(redis_url: str, namespace: str) -> Orders:
    """Return a flow of two queues without workers."""
    return order_flow(redis_url, namespace)


@pytest.fixture(autouse=True)
def _short_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again soon."""
    monkeypatch.setattr("flows.kernel.unable._SHORTEST", 0.02)


class Client:
    """A resource that notes what becomes of it."""

    def __init__(self, fails: int = 0) -> None:
        self.notes: list[str] = []
        self.fails = fails

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Client]:
        """Open it; at first that may fail."""
        if self.fails:
            self.fails -= 1
            self.notes.append("fails")
            raise ConnectionError("no database yet")
        self.notes.append("opens")
        yield self
        self.notes.append("closes")


async def done(flow: Orders, count: int = 1) -> list[int]:
    """Let jobs through the flow, and return how often each was tried in the last queue."""
    ids = await flow.create_jobs([Order(user_id=number) for number in range(count)])
    records = [await within(flow.wait_for(job_id, LONG)) for job_id in ids]
    assert {str(record.status) for record in records} == {"done"}
    return [record.attempts for record in records]


def staff(flow: Orders, lifespan: Callable[[], AbstractAsyncContextManager[Client]]) -> None:
    """Give each queue workers that name the lifespan: coroutines, and a plain function."""

    @flow.worker(Price, lifespan=lifespan, count=2, concurrency=4)
    async def price(job: Price, client: Client) -> Priced:
        client.notes.append("prices")
        await asyncio.sleep(0.001)
        return Priced(price=job.user_id)

    @flow.worker("ship", lifespan=lifespan, concurrency=4)
    def ship(job: Ship, client: Client) -> Shipped:
        client.notes.append("ships" if threading.current_thread() is not threading.main_thread() else "?")
        return Shipped(parcel=str(job.price))


async def test_it_is_opened_once_and_closed_after_the_last_job(orders: Orders) -> None:
    """All workers share it; a second start opens it anew."""
    client = Client()
    staff(orders, client.open)
    for _ in range(2):
        client.notes.clear()
        async with orders:
            await done(orders, 10)
        assert client.notes[0] == "opens"
        assert client.notes[-1] == "closes"
        assert sorted(client.notes[1:-1]) == ["prices"] * 10 + ["ships"] * 10


async def test_it_is_closed_after_the_job_in_flight(orders: Orders) -> None:
    """A stop waits for the job, and the resource is there for it."""
    client, begun, go_on = Client(), asyncio.Event(), asyncio.Event()

    @orders.worker(Price, lifespan=client.open)
    async def price(job: Price, client: Client) -> Priced:
        begun.set()
        await go_on.wait()
        client.notes.append("ends")
        return Priced(price=job.user_id)

    await orders.start_all()
    await orders.create_job(Order())
    await within(begun.wait())
    stopping = asyncio.create_task(orders.stop_all())
    await asyncio.sleep(0.01)
    assert client.notes == ["opens"]
    go_on.set()
    await within(stopping)
    assert client.notes == ["opens", "ends", "closes"]


async def test_an_opening_that_fails_is_tried_again(orders: Orders) -> None:
    """No job pays for it: none is claimed before, and an event says why."""
    client = Client(fails=3)
    staff(orders, client.open)
    told = asyncio.create_task(orders.events.wait_for("worker.unable", queue="price"))
    async with orders:
        assert "the resource Client.open cannot be opened: ConnectionError: no data" in str(
            (await told).fields["reason"]
        )
        assert await done(orders, 5) == [1] * 5
    assert client.notes[:4] == ["fails"] * 3 + ["opens"]
    assert client.notes.count("opens") == 1


@pytest.mark.parametrize("cancelled", [False, True])
async def test_a_stop_does_not_wait_for_an_opening(orders: Orders, *, cancelled: bool) -> None:
    """One that hangs is cancelled, and nothing of it is left."""
    begun, ended = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def hanging() -> AsyncGenerator[None]:
        begun.set()
        try:
            await asyncio.Event().wait()
            yield
        finally:
            ended.set()

    @orders.worker(Price, lifespan=hanging, count=2)
    async def price(_job: Price, _nothing: None) -> Priced:
        """Never run."""
        return Priced(price=0)

    job_id = await orders.create_job(Order())
    await orders.start_all()
    await within(begun.wait())
    await within(orders.stop_all(0 if cancelled else None))
    assert ended.is_set()
    record = await orders.get_job(job_id)
    assert record is not None
    assert (str(record.status), record.attempts) == ("waiting", 0)
    await orders.stop_all()


async def test_flows_share_it(redis_url: str, namespace: str, orders: Orders) -> None:
    """Two flows of one process whose workers name the same lifespan have one resource."""
    other = order_flow(redis_url, namespace, "other")
    client = Client()
    lifespan = client.open
    staff(orders, lifespan)

    @other.worker("other-price", lifespan=lifespan)
    async def price(job: Price, client: Client) -> Priced:
        client.notes.append("other")
        return Priced(price=job.user_id)

    async with other:
        async with orders:
            await done(orders)
        assert "closes" not in client.notes
        recorded = asyncio.create_task(other.events.wait_for("job.recorded"))
        await other.create_job(Order())
        await within(recorded)
    assert client.notes.count("opens") == client.notes.count("closes") == 1
    assert client.notes[-2:] == ["other", "closes"]


async def test_it_is_left_in_the_task_that_has_entered_it(orders: Orders) -> None:
    """A lifespan may hold a task group open; it is in no job's context, and in no worker's."""
    seen: list[object] = []

    @asynccontextmanager
    async def client() -> AsyncGenerator[asyncio.Queue[int]]:
        queue: asyncio.Queue[int] = asyncio.Queue()
        seen.append(asyncio.current_task())
        with pytest.raises(FlowsError):
            current_job()
        async with asyncio.TaskGroup() as group:
            task = group.create_task(queue.get())
            yield queue
            seen.append(await task)
        seen.append(asyncio.current_task())

    @orders.worker(Price, lifespan=client)
    async def price(job: Price, queue: asyncio.Queue[int]) -> Priced:
        queue.put_nowait(job.user_id)
        return Priced(price=1)

    @orders.worker(Ship)
    async def ship(_job: Ship) -> None:
        """End the job."""

    async with orders:
        await within(orders.wait_for(await orders.create_job(Order(user_id=7)), LONG))
    assert seen[0] is seen[2]
    assert seen[1] == 7


async def test_one_that_ends_by_itself_is_opened_again(orders: Orders) -> None:
    """Its background task has failed: that is told, jobs are handed back meanwhile, and none of them fails."""
    breaks, opened = asyncio.Event(), 0

    async def serve() -> None:
        await breaks.wait()
        breaks.clear()
        raise OSError("the connection is gone")

    @asynccontextmanager
    async def client() -> AsyncGenerator[int]:
        nonlocal opened
        opened += 1
        async with asyncio.TaskGroup() as group:
            task = group.create_task(serve())
            yield opened
            task.cancel()

    seen: list[int] = []

    @orders.worker(Price, lifespan=client)
    async def price(job: Price, number: int) -> Priced:
        seen.append(number)
        return Priced(price=job.user_id)

    @orders.worker(Ship)
    async def ship(_job: Ship) -> None:
        """End the job."""

    async with orders:
        await done(orders)
        failed = asyncio.create_task(orders.events.wait_for("resource.failed"))
        breaks.set()
        assert "ended by itself" in str((await within(failed)).fields["error"])
        await done(orders, 5)
    assert seen[0] == 1
    assert set(seen[1:]) == {2}
    assert opened == 2


async def test_one_that_cannot_be_closed_is_told(orders: Orders) -> None:
    """The worker stops all the same."""
    opened = asyncio.Event()

    @asynccontextmanager
    async def client() -> AsyncGenerator[None]:
        opened.set()
        yield
        raise OSError("still in use")

    @orders.worker(Price, lifespan=client)
    async def price(_job: Price, _client: None) -> Priced:
        """Do nothing."""
        return Priced(price=0)

    failed = asyncio.create_task(orders.events.wait_for("resource.failed"))
    async with orders:
        await within(opened.wait())
    assert "could not be closed: OSError: still in use" in str((await within(failed)).fields["error"])


async def test_a_closing_that_hangs_ends_with_the_grace(orders: Orders, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop with a grace cancels it, as it does functions."""
    monkeypatch.setattr("flows.kernel.worker.GRACE", 0.01)
    monkeypatch.setattr("flows.kernel.worker.ANSWER_TIMEOUT", 0.02)
    opened, cancelled = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def client() -> AsyncGenerator[None]:
        opened.set()
        yield
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    @orders.worker(Price, lifespan=client)
    async def price(_job: Price, _client: None) -> Priced:
        """Do nothing."""
        return Priced(price=0)

    await orders.start_all()
    await within(opened.wait())
    await within(orders.stop_all(0.01), 5)
    await within(cancelled.wait())


async def test_errors_of_the_function_are_still_its_own(redis_url: str, namespace: str) -> None:
    """What it raises fails or retries the job, whatever its second argument."""
    flow = order_flow(redis_url, namespace)
    client = Client()

    @flow.worker(Price, lifespan=client.open)
    async def price(_job: Price, _client: Client) -> Priced:
        raise ConnectionError("its own")

    async with flow:
        record = await within(flow.wait_for(await flow.create_job(Order()), LONG))
    assert record.error is not None
    assert (str(record.status), record.error.type) == ("failed", "ConnectionError")


def _no_context() -> AbstractAsyncContextManager[None]:
    return 7  # type: ignore[return-value]


async def test_what_brings_no_context_manager_is_told(orders: Orders) -> None:
    """It is seen when it is called, so nothing fails but the worker waits, and says what to write."""

    @orders.worker(Price, lifespan=_no_context)
    async def price(_job: Price, _client: None) -> Priced:
        """Never run."""
        return Priced(price=0)

    told = asyncio.create_task(orders.events.wait_for("worker.unable"))
    async with orders:
        assert "decorate it with contextlib.asynccontextmanager" in str((await within(told)).fields["reason"])


async def _coroutine() -> None: ...


async def _generator() -> AsyncGenerator[None]:
    yield


@pytest.mark.parametrize("lifespan", [_coroutine, _generator, 7, Client().open(), Client])
def test_what_is_no_lifespan_is_refused(orders: Orders, lifespan: Any) -> None:
    """It says what to write."""
    with pytest.raises(DeclarationError, match=r"decorate.* with contextlib.asynccontextmanager"):
        orders.worker(Price, lifespan=lifespan)


def test_a_function_without_a_second_argument_is_refused(orders: Orders) -> None:
    """With a lifespan it takes two, without one it takes one."""

    async def one(_job: Price) -> None: ...

    async def two(_job: Price, _client: Client) -> None: ...

    with pytest.raises(DeclarationError, match="must take two arguments, the job and what its lifespan brings"):
        orders.worker(Price, lifespan=Client().open)(one)  # type: ignore[arg-type]
    with pytest.raises(DeclarationError, match="must take one argument"):
        orders.worker(Price)(two)  # type: ignore[arg-type]


async def test_in_processes_each_opens_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once per process, before its first job, and again where that failed; it is closed when the worker stops."""
    notes = tmp_path / "notes"
    notes.with_suffix(".fail").touch()
    monkeypatch.setenv("FLOWS_TEST_NOTES", str(notes))
    with private_server() as url:
        monkeypatch.setenv("FLOWS_REDIS_URL", url)
        flow = decorated.flow
        told = asyncio.create_task(flow.events.wait_for("worker.unable"))
        async with flow:
            ids = await flow.create_jobs([decorated.Given(number=number) for number in range(6)])
            records = [await within(flow.wait_for(job_id, 60), 60) for job_id in ids]
        assert "the resource note cannot be opened: ConnectionError: no database yet" in str(
            (await told).fields["reason"]
        )
        answers = [record.view(decorated.Answer) for record in records]
        assert all(answer.pid == answer.opened for answer in answers)
        pids = {answer.pid for answer in answers}
        expected = sorted([*(f"open {pid}" for pid in pids), *(f"close {pid}" for pid in pids)])
        await until(lambda: len(notes.read_text().splitlines()) >= len(expected))
        assert set(expected) <= set(notes.read_text().splitlines())

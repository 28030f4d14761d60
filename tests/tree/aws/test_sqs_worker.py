"""`SqsBackend` and `SqsWorker` on a real server: orders, outcomes, and what becomes of those that nobody ends."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from flows.errors import DeclarationError, StoreUnavailable, ValidationError
from flows.tree.annotations import TaskInput
from flows.tree.aws import SqsBackend, SqsWorker
from flows.tree.aws.sqs_backend import SqsReturned
from flows.tree.backend.protocol import Order, Outcome, Progress
from flows.tree.current import CurrentTask, current_task
from flows.tree.declare import Task
from tests.waiting import LONG, until

pytestmark = [pytest.mark.conformance, pytest.mark.usefixtures("quick")]


class Number(TaskInput):
    """Reads a number."""

    number: int


def order(path: str, number: object, attempt: int = 1, timeout: float | None = None) -> Order:
    """Return an order of a task that reads a number."""
    current = CurrentTask("i", "e", path, attempt, None, lambda *_: None)
    return Order(
        "i", "g", "e", path, attempt, json.dumps({"number": number}).encode(), timeout, Task("t", double), current
    )


def double(view: Number) -> int:
    """Return twice the number, and say so."""
    if view.number < 0:
        raise ValueError("it is negative")
    current_task().log(f"doubles {view.number}")
    current_task().progress(0.5)
    return 2 * view.number


@pytest.fixture
async def backend(prefix: str, sqs: dict[str, Any]) -> AsyncIterator[SqsBackend]:
    """Open the backend of new queues."""
    found = SqsBackend(prefix, **sqs)
    yield found
    await found.close()


@asynccontextmanager
async def working(worker: SqsWorker) -> AsyncIterator[asyncio.Task[None]]:
    """Let a worker run until the block ends; it is stopped then."""
    task = asyncio.create_task(worker.run())
    try:
        yield task
    finally:
        worker.stop()
        async with asyncio.timeout(LONG):
            await task


async def returned(backend: SqsBackend, count: int, *, ack: bool = True) -> list[SqsReturned]:
    """Return the outcomes that come next."""
    found: list[SqsReturned] = []
    async with asyncio.timeout(LONG):
        async for one in backend.outcomes():
            if ack:
                await one.ack()
            found.append(one)
            if len(found) == count:
                break
    return found


async def test_orders_come_back_as_outcomes(backend: SqsBackend, prefix: str, sqs: dict[str, Any]) -> None:
    """Results, with the lines of the log; errors, with their classes; what does not fit the view."""
    async with working(SqsWorker(prefix, {"#.a.*": double, "#.b": double}, **sqs)):
        for one in (order("#.a.x", 2), order("#.b", -1, 3), order("#.b", "x", 4)):
            await backend.dispatch(one)
        found = {(one.path, one.attempt): one.outcome for one in await returned(backend, 3)}
    assert found["#.a.x", 1].result == b"4"
    assert [json.loads(line)["text"] for line in found["#.a.x", 1].lines] == ["doubles 2"]
    failed, unfit = found["#.b", 3], found["#.b", 4]
    assert failed.error is not None
    assert (failed.error.type, failed.error.message, failed.wish) == ("ValueError", "it is negative", "")
    assert "builtins.ValueError" in failed.classes or "ValueError" in failed.classes
    assert unfit.error is not None
    assert unfit.wish == "never"


async def test_progress_comes_before_the_outcome(
    backend: SqsBackend, prefix: str, sqs: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a function that has no storage; what it said last, at a pace."""
    monkeypatch.setattr("flows.tree.aws.sqs_calls._PACE", 0.05)
    go = asyncio.Event()

    async def slow(view: Number) -> int:
        current_task().progress(0.25, "a quarter")
        current_task().progress(0.5, "half")
        await go.wait()
        return view.number

    async with working(SqsWorker(prefix, {"*": slow}, **sqs)):
        await backend.dispatch(order("#.a", 3))
        [told] = await returned(backend, 1)
        go.set()
        [ended] = await returned(backend, 1)
    assert (told.path, told.attempt, told.outcome) == ("#.a", 1, Progress(0.5, "half"))
    assert isinstance(ended.outcome, Outcome)
    assert ended.outcome.result == b"3"


async def test_an_outcome_comes_again_until_it_is_taken(backend: SqsBackend, prefix: str, sqs: dict[str, Any]) -> None:
    """Whoever dies between the two has it again; then no more."""
    async with working(SqsWorker(prefix, {"*": double}, **sqs)):
        await backend.dispatch(order("#.a", 1))
        [first] = await returned(backend, 1, ack=False)
        [again] = await returned(backend, 1)
    assert (first.path, first.outcome) == (again.path, again.outcome)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(4):
            await returned(backend, 1)


async def test_an_order_that_runs_long_is_kept_from_others(
    backend: SqsBackend, prefix: str, sqs: dict[str, Any]
) -> None:
    """It takes longer than a message stays hidden, and runs once."""
    calls: list[int] = []

    async def slow(view: Number) -> int:
        calls.append(view.number)
        await asyncio.sleep(3)
        return view.number

    async with working(SqsWorker(prefix, {"*": slow}, **sqs)), working(SqsWorker(prefix, {"*": slow}, **sqs)):
        await backend.dispatch(order("#.a", 1))
        await returned(backend, 1)
    assert calls == [1]


async def test_a_worker_takes_no_more_than_it_can_run(backend: SqsBackend, prefix: str, sqs: dict[str, Any]) -> None:
    """What waits in the queue is for others too."""
    go, began, most = asyncio.Event(), asyncio.Semaphore(0), [0, 0]

    async def slow(view: Number) -> int:
        most[0] += 1
        most[1] = max(most)
        began.release()
        await go.wait()
        most[0] -= 1
        return view.number

    for number in range(5):
        await backend.dispatch(order(f"#.t{number}", number))
    async with working(SqsWorker(prefix, {"*": slow}, concurrency=2, **sqs)):
        async with asyncio.timeout(LONG):
            for _ in range(2):
                await began.acquire()
        go.set()
        found = await returned(backend, 5)
    assert sorted(json.loads(one.outcome.result or b"") for one in found) == [0, 1, 2, 3, 4]
    assert most[1] == 2


async def test_who_is_stopped_ends_what_runs(backend: SqsBackend, prefix: str, sqs: dict[str, Any]) -> None:
    """And who is cancelled leaves it to others at once."""
    go, began = asyncio.Event(), asyncio.Semaphore(0)

    async def slow(view: Number) -> int:
        began.release()
        await go.wait()
        return view.number

    await backend.dispatch(order("#.a", 1))
    worker = SqsWorker(prefix, {"*": slow}, **sqs)
    task = asyncio.create_task(worker.run())
    await began.acquire()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with working(SqsWorker(prefix, {"*": slow}, **sqs)):
        async with asyncio.timeout(LONG):
            await began.acquire()
        go.set()
        assert len(await returned(backend, 1)) == 1


@pytest.mark.parametrize("body", ["what is this", '{"v":9}', json.dumps({"v": 1, "path": "#.a"})])
async def test_what_nobody_can_run_ends_among_the_dead(
    prefix: str, sqs: dict[str, Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, body: str
) -> None:
    """After five deliveries: a message that is no order does not come for ever."""
    monkeypatch.setattr("flows.tree.aws.sqs_worker._OTHERS", 0)
    worker = SqsWorker(prefix, {"*": double}, **sqs)
    await worker._queues.send("orders", body)
    with caplog.at_level(logging.WARNING, "flows"):
        async with working(worker):
            looker = SqsWorker(prefix, {"*": double}, **sqs)._queues
            async with asyncio.timeout(LONG):
                while not (dead := await looker.receive("dead")):
                    pass
            await looker.close()
    assert [one.body for one in dead] == [body]
    assert "leaves an order to others" in caplog.text


async def test_an_order_without_a_function_here_is_left_to_others(
    backend: SqsBackend,
    prefix: str,
    sqs: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A worker of another release has it."""
    monkeypatch.setattr("flows.tree.aws.sqs_worker._OTHERS", 1)
    with caplog.at_level(logging.WARNING, "flows"):
        async with working(SqsWorker(prefix, {"#.b": double}, **sqs)):
            await backend.dispatch(order("#.a", 4))
            await until(lambda: "no function for #.a" in caplog.text)
    async with working(SqsWorker(prefix, {"#.a": double}, **sqs)):
        [found] = await returned(backend, 1)
    assert found.outcome.result == b"8"


async def test_nobody_runs_what_nobody_waits_for(
    backend: SqsBackend, prefix: str, sqs: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An order whose time is over by more than clocks differ is deleted."""
    monkeypatch.setattr("flows.tree.aws.sqs_worker._OVERDUE", 0)
    await backend.dispatch(order("#.late", 1, timeout=0.01))
    await backend.dispatch(order("#.now", 2))
    await asyncio.sleep(0.05)
    async with working(SqsWorker(prefix, {"*": double}, **sqs)):
        assert [one.path for one in await returned(backend, 1)] == ["#.now"]


async def test_a_foreign_message_among_the_outcomes_is_deleted(
    backend: SqsBackend, caplog: pytest.LogCaptureFixture
) -> None:
    """Anybody may send to the queue; what comes behind it is not kept waiting."""
    place = {"v": 1, "instance": "i", "execution": "e", "path": "#.a", "attempt": 1}
    with caplog.at_level(logging.WARNING, "flows"):
        for body in ("nonsense", json.dumps({**place, "result": 1})):
            await backend._queues.send("outcomes", body)
        [found] = await returned(backend, 1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3):
                await returned(backend, 1)
    assert found.outcome.result == b"1"
    assert "was deleted" in caplog.text


async def test_queues_that_nobody_made_are_an_error(sqs: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    """It says what makes them; a worker tries again and again."""
    backend = SqsBackend("nobody-made-them", **sqs)
    with pytest.raises(StoreUnavailable, match="create_queues"):
        await backend.dispatch(order("#.a", 1))
    await backend.close()
    with caplog.at_level(logging.WARNING, "flows"):
        async with working(SqsWorker("nobody-made-them", {"*": double}, **sqs)):
            await until(lambda: "cannot receive orders" in caplog.text)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (lambda: SqsBackend("a b"), DeclarationError),
        (lambda: SqsBackend("a" * 61), DeclarationError),
        (lambda: SqsWorker("a", {}), DeclarationError),
        (lambda: SqsWorker("a", {"*": lambda view: view}), DeclarationError),
        (lambda: SqsWorker("a", {"*": double}, concurrency=0), ValidationError),
    ],
)
def test_what_cannot_work_is_refused(wrong: Callable[[], object], error: type[Exception]) -> None:
    """When it is made."""
    with pytest.raises(error):
        wrong()

"""Pausing queues: what their state and their jobs say then, and what workers do."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flows import DeclarationError, ValidationError, WaitTimeout
from flows.store.jobs.turns import Turns
from tests.pipeline.parts import LONG, Order, Orders, Price, Priced, Ship, price, ship
from tests.waiting import patient, until

#: In seconds: an idle worker that nothing wakes looks after three to five, so what takes less has woken it.
AT_ONCE = 2.0


class Starts:
    """A worker function of `price`, which says when it starts and does not end before it may."""

    def __init__(self, orders: Orders) -> None:
        self.times: asyncio.Queue[float] = asyncio.Queue()
        self.may_end = asyncio.Event()
        orders.create_workers(Price, self.run, concurrency=2)
        orders.create_workers(Ship, ship)

    async def run(self, job: Price) -> Priced:
        """Price an order when it may."""
        self.times.put_nowait(time.monotonic())
        await self.may_end.wait()
        return await price(job)

    async def next(self) -> float:
        """Wait for the next start, and return when it was."""
        async with asyncio.timeout(LONG):
            return await self.times.get()


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect the queue of each turn that a worker takes."""
    taken: list[str] = []
    turn = Turns.turn

    async def counted(self: Turns, *arguments: Any, **named: Any) -> Any:
        taken.append(self.queue)
        return await turn(self, *arguments, **named)

    monkeypatch.setattr(Turns, "turn", counted)
    return taken


async def test_jobs_in_hand_go_on_and_no_other_starts(orders: Orders) -> None:
    """Of two that wait, the one that had started ends and is shipped; the other one starts with `resume`."""
    starts = Starts(orders)
    ids = [await orders.create_job(Order(user_id=1))]
    queue = orders.queue(Price)
    async with orders:
        await starts.next()
        await queue.pause(note="ops")
        ids.append(await orders.create_job(Order(user_id=2)))
        starts.may_end.set()
        assert (await orders.wait_for(ids[0], LONG)).status == "done"
        state = await queue.state()
        assert (state.waiting, state.processing) == (1, 0)
        explanation = await orders.explain(ids[1])
        assert explanation.reason == "paused"
        assert "(ops): flow.queue('price').resume() lets it go on" in explanation.sentence
        assert starts.times.empty()
        await queue.resume()
        assert (await orders.wait_for(ids[1], LONG)).status == "done"


async def test_an_idle_worker_sleeps_while_its_queue_is_paused(orders: Orders, turns: list[str]) -> None:
    """It takes no turn after turn, and starts a job at once when the queue goes on."""
    starts = Starts(orders)
    starts.may_end.set()
    queue = orders.queue(Price)
    await queue.pause()
    await orders.create_jobs(Order(user_id=number) for number in range(3))
    async with orders:
        await until(lambda: "price" in turns)
        before = len(turns)
        await asyncio.sleep(0.5)
        assert len(turns) - before <= 3
        resumed = time.monotonic()
        await queue.resume()
        assert await starts.next() - resumed < patient(AT_ONCE)
        await queue.drain(LONG)


async def test_a_pause_ends_at_its_time(orders: Orders, turns: list[str]) -> None:
    """The idle workers wake then, and not before; also where an earlier pause was to last longer."""
    starts = Starts(orders)
    starts.may_end.set()
    queue = orders.queue(Price)
    await queue.pause(datetime.now(UTC) + timedelta(hours=1))
    await orders.create_job(Order(user_id=1))
    async with orders:
        await until(lambda: "price" in turns)
        ends, before = time.monotonic() + 0.7, len(turns)
        await queue.pause(datetime.now(UTC) + timedelta(seconds=0.7))
        started = await starts.next()
        assert -0.05 < started - ends < patient(AT_ONCE)
        assert len(turns) - before <= 8
        assert not (await queue.state()).paused


async def test_a_delayed_job_that_is_due_waits_for_the_end_of_the_pause(orders: Orders) -> None:
    """And then starts at once."""
    starts = Starts(orders)
    starts.may_end.set()
    queue = orders.queue(Price)
    async with orders:
        await queue.pause()
        await orders.create_job(Order(user_id=1), delay=0.1)
        await asyncio.sleep(0.3)
        assert (await queue.state()).delayed == 1
        assert starts.times.empty()
        resumed = time.monotonic()
        await queue.resume()
        assert await starts.next() - resumed < patient(AT_ONCE)
        await queue.drain(LONG)


async def test_a_pause_is_seen_in_the_state_of_its_queue(orders: Orders) -> None:
    """Since when, until when and why; after `resume` nothing of it is left."""
    queue = orders.queue(Price)
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    await queue.pause(until, note="the price list is mended")
    state = await queue.state()
    assert (state.paused, state.paused_until, state.note) == (True, until, "the price list is mended")
    assert state.paused_at is not None
    assert abs(state.at - state.paused_at) < timedelta(minutes=1)
    await queue.pause()
    state = await queue.state()
    assert (state.paused, state.paused_until, state.note) == (True, None, "")
    assert not (await orders.queue("ship").state()).paused
    await queue.resume()
    await queue.resume()
    state = await queue.state()
    assert (state.paused, state.paused_at, state.paused_until) == (False, None, None)


async def test_what_is_no_time_or_no_note_is_refused(orders: Orders) -> None:
    """A naive time, one that is over, a note that is no text or a book; nothing is written."""
    queue, wrong = orders.queue(Price), "nonsense"
    refused: list[tuple[dict[str, Any], str]] = [
        ({"until": datetime(2099, 1, 1)}, "naive"),  # noqa: DTZ001 - that is what is refused
        ({"until": datetime.now(UTC) - timedelta(seconds=1)}, "is over, by the server's clock"),
        ({"until": datetime(1969, 1, 1, tzinfo=UTC)}, "is over, by the server's clock"),
        ({"until": wrong}, "give an aware datetime"),
        ({"note": 5}, "note"),
        ({"note": "\ud800"}, "note"),
        ({"note": "x" * 1001}, "1,001 characters: give at most 1,000"),
    ]
    for arguments, message in refused:
        with pytest.raises(ValidationError, match=message):
            await queue.pause(**arguments)
    assert not (await queue.state()).paused


async def test_a_drain_says_that_the_queue_is_paused(orders: Orders) -> None:
    """So that nobody waits for it in vain."""
    await orders.create_job(Order(user_id=1))
    await orders.queue(Price).pause()
    with pytest.raises(WaitTimeout, match="1 wait, 0 run, 0 await their children, and it is paused"):
        await orders.queue(Price).drain(0)


def test_plain_callers_pause_too(orders: Orders) -> None:
    """By `flow.sync.queue`."""
    queue = orders.sync.queue("price")
    queue.pause(note="ops")
    assert queue.state().note == "ops"
    queue.resume()
    assert not queue.state().paused
    with pytest.raises(DeclarationError, match="it has price, ship"):
        orders.sync.queue("prize")
    orders.sync.close()

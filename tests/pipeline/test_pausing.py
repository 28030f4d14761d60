"""Pausing queues: what their state and their jobs say then, and what workers do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flows import DeclarationError, ValidationError, WaitTimeout
from tests.pipeline.parts import Order, Orders, Price


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

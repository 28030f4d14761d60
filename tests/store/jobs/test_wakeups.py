"""Wake-ups: one wakes one listener, and none is lost for longer than to the next poll."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
import pytest_asyncio

from flows.errors import StoreError
from flows.store.client.connection import Connection
from flows.store.jobs import wakeups as wakeups_module
from flows.store.jobs.wakeups import Wakeups
from flows.telemetry.events import Event, Events
from tests.waiting import LONG, until
from tests.world import World


@pytest_asyncio.fixture
async def wakeups(redis_url: str, world: World) -> AsyncIterator[Wakeups]:
    """Start waiting for wake-ups with its two connections."""
    connections = [Connection(redis_url, f"test-wakeups-{number}") for number in range(2)]
    wakeups = Wakeups(*connections, world.keys, Events(logging.getLogger("flows")))
    wakeups.start()
    yield wakeups
    await wakeups.stop()
    await asyncio.gather(*(connection.close() for connection in connections))


def wake(world: World, queue: str) -> None:
    """Wake a worker of a queue, as the scripts do."""
    world.redis.zadd(world.keys.wake(queue), {"w": 0})


async def heard(*events: asyncio.Event) -> None:
    """Wait until all have been woken."""
    async with asyncio.timeout(LONG):
        await asyncio.gather(*(event.wait() for event in events))


async def listening(wakeups: Wakeups, world: World, *queues: str) -> None:
    """Wait until it blocks on these queues."""
    wanted = {world.keys.wake(queue) for queue in queues}
    await until(lambda: wanted <= wakeups._blocked_on)


def blocked(world: World) -> bool:
    """Whether the server makes it wait."""
    return any(client["name"] == "test-wakeups-0" and "b" in client["flags"] for client in world.redis.client_list())


async def test_a_wakeup_ends_the_listening(wakeups: Wakeups, world: World) -> None:
    """It is told once, and the key is empty again."""
    woken = asyncio.Event()
    wakeups.listen("pick", woken.set)
    wake(world, "pick")
    await heard(woken)
    assert world.redis.exists(world.keys.wake("pick")) == 0
    assert wakeups._listening == {}


async def test_a_wakeup_that_came_before_is_received(wakeups: Wakeups, world: World) -> None:
    """Work may come before anyone listens."""
    wake(world, "pick")
    woken = asyncio.Event()
    wakeups.listen("pick", woken.set)
    await heard(woken)


async def test_one_wakeup_wakes_one_listener(wakeups: Wakeups, world: World) -> None:
    """The one who listens longest; the others go on listening."""
    first, second = asyncio.Event(), asyncio.Event()
    wakeups.listen("pick", first.set)
    wakeups.listen("pick", second.set)
    wake(world, "pick")
    await heard(first)
    assert not second.is_set()
    wake(world, "pick")
    await heard(second)


async def test_each_queue_has_a_wakeup_of_its_own(wakeups: Wakeups, world: World) -> None:
    """A wake-up for one queue says nothing to the listeners of another."""
    pick, pack = asyncio.Event(), asyncio.Event()
    wakeups.listen("pick", pick.set)
    wakeups.listen("pack", pack.set)
    wake(world, "pack")
    await heard(pack)
    assert not pick.is_set()


async def test_a_listener_that_comes_later_is_heard_at_once(wakeups: Wakeups, world: World) -> None:
    """The wait that is under way is interrupted, so that the new queue is waited for too."""
    pick, pack = asyncio.Event(), asyncio.Event()
    wakeups.listen("pick", pick.set)
    await listening(wakeups, world, "pick")
    wakeups.listen("pack", pack.set)
    await listening(wakeups, world, "pick", "pack")
    wake(world, "pack")
    await heard(pack)
    assert not pick.is_set()


async def test_who_does_not_want_to_listen_any_more_is_not_woken(wakeups: Wakeups, world: World) -> None:
    """Taken back once, twice, or never asked for."""
    first, second = asyncio.Event(), asyncio.Event()
    wakeups.listen("pick", first.set)
    wakeups.listen("pick", second.set)
    wakeups.forget("pick", first.set)
    wakeups.forget("pick", first.set)
    wakeups.forget("ship", first.set)
    wake(world, "pick")
    await heard(second)
    assert not first.is_set()


async def test_that_nobody_can_wait_is_told_once(wakeups: Wakeups, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once a minute, by an event; who listens polls meanwhile."""
    told: list[Event] = []
    wakeups._events.subscribe(told.append)
    refused, tried = asyncio.Event(), 0

    async def refuses(*_command: object, **_options: object) -> None:
        nonlocal tried
        tried += 1
        if tried == 3:
            refused.set()
        raise StoreError("no")

    monkeypatch.setattr(wakeups._blocking, "call", refuses)
    monkeypatch.setattr("flows.store.jobs.wakeups.random.uniform", lambda _least, _most: 0.05)
    polled = asyncio.Event()
    for _ in range(3):
        wakeups.listen("pick", polled.set)
    await heard(refused, polled)
    assert [(event.name, event.fields) for event in told] == [
        ("store.unavailable", {"error": "waiting for work failed: no"})
    ]


async def test_without_a_wakeup_one_of_each_queue_polls_from_time_to_time(
    wakeups: Wakeups, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wake-up may be lost: it costs the time to the next poll, which wakes one at a time."""
    monkeypatch.setattr(wakeups_module, "POLL_SECONDS", 0.02)
    heard_of: list[str] = []
    again = asyncio.Event()

    def on_wake(name: str) -> None:
        heard_of.append(name)
        if len(heard_of) == 3:
            again.set()

    for name, queue in (("first", "pick"), ("second", "pick"), ("third", "pack")):
        wakeups.listen(queue, partial(on_wake, name))
    await heard(again)
    assert heard_of == ["first", "third", "second"]


async def test_a_queue_that_is_woken_often_puts_off_no_poll_of_another(
    wakeups: Wakeups, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wake-up that was lost costs the time to the next poll, whatever else the process listens for."""
    monkeypatch.setattr(wakeups_module, "POLL_SECONDS", 0.3)
    polled = asyncio.Event()
    wakeups.listen("pack", polled.set)

    def listen_again() -> None:
        wakeups.listen("pick", listen_again)
        wake(world, "pick")

    listen_again()
    await heard(polled)


async def test_a_lost_connection_is_opened_again(wakeups: Wakeups, world: World) -> None:
    """Who listens notices nothing."""
    woken = asyncio.Event()
    wakeups.listen("pick", woken.set)
    await listening(wakeups, world, "pick")
    for client in world.redis.client_list():
        if client["name"] == "test-wakeups-0":
            world.redis.client_kill_filter(_id=client["id"])
    wake(world, "pick")
    await heard(woken)


async def test_it_can_be_stopped_twice_and_started_again(wakeups: Wakeups, world: World) -> None:
    """Also while the server waits for it; that wait ends with the connection, which its owner closes."""
    woken = asyncio.Event()
    wakeups.listen("pick", woken.set)
    await until(lambda: blocked(world))
    await wakeups.stop()
    await wakeups.stop()
    await wakeups._blocking.close()
    await until(lambda: not blocked(world))  # it would take the wake-up
    wakeups.start()
    wakeups.start()
    wake(world, "pick")
    await heard(woken)


async def test_a_queue_that_is_only_heard_rides_along(wakeups: Wakeups, world: World) -> None:
    """It is waited for where another queue is, each of its wake-ups is told, and no poll is."""
    told: list[str] = []
    wakeups.hear("rare", lambda: told.append("rare"))
    wake(world, "rare")
    await asyncio.sleep(0)
    assert not wakeups._blocked_on
    woken = asyncio.Event()
    wakeups.listen("pick", woken.set)
    await until(lambda: told == ["rare"])
    await listening(wakeups, world, "pick", "rare")
    wake(world, "rare")
    await until(lambda: told == ["rare", "rare"])
    assert not woken.is_set()
    wake(world, "pick")
    await heard(woken)
    wakeups.hear_no_more("rare")
    wakeups.hear_no_more("rare")
    wakeups.listen("pick", lambda: None)
    await listening(wakeups, world, "pick")
    assert world.keys.wake("rare") not in wakeups._blocked_on
    assert len(told) == 2


async def test_a_poll_is_not_told_to_who_only_hears(wakeups: Wakeups, monkeypatch: pytest.MonkeyPatch) -> None:
    """It costs nothing while nothing happens."""
    monkeypatch.setattr(wakeups_module, "POLL_SECONDS", 0.05)
    told: list[str] = []
    wakeups.hear("rare", lambda: told.append("rare"))
    woken = asyncio.Event()
    wakeups.listen("pick", woken.set)
    await heard(woken)
    assert told == []


async def test_what_is_heard_besides_is_heard_where_nobody_listens(wakeups: Wakeups, world: World) -> None:
    """As in a process whose workers are all busy; again and again, until it is heard no more."""
    told = asyncio.Queue[None]()
    wakeups.hear("bulk", lambda: told.put_nowait(None))
    for _ in range(2):
        wake(world, "bulk")
        await asyncio.wait_for(told.get(), LONG)
    woken = asyncio.Event()
    await listening(wakeups, world, "bulk")
    wakeups.listen("pick", woken.set)  # the wait for the other one is interrupted
    await listening(wakeups, world, "bulk", "pick")
    wake(world, "pick")
    wake(world, "bulk")
    await heard(woken)
    await asyncio.wait_for(told.get(), LONG)
    wakeups.hear_no_more("bulk")


async def test_who_listens_again_soon_pays_nothing_for_it(redis_url: str, world: World) -> None:
    """A worker that is busy for moments: each of its wake-ups is one wait, as without what is heard besides."""
    sent: list[Any] = []

    class Told(Connection):
        async def call(self, *command: Any, **named: Any) -> Any:
            sent.append(command)
            return await super().call(*command, **named)

        async def together(self, commands: Any, **named: Any) -> Any:
            sent.extend(commands)
            return await super().together(commands, **named)

    connections = [Told(redis_url, f"test-wakeups-{number}") for number in range(2)]
    wakeups = Wakeups(*connections, world.keys, Events(logging.getLogger("flows")))
    wakeups.start()
    wakeups.hear("bulk", lambda: None)
    for _ in range(20):
        woken = asyncio.Event()
        wakeups.listen("pick", woken.set)
        wake(world, "pick")
        await asyncio.wait_for(woken.wait(), LONG)
    await wakeups.stop()
    await asyncio.gather(*(connection.close() for connection in connections))
    # Each one that is not in time, as where the machine stalls, takes a wait and an interruption more.
    assert len(sent) < 2 * 20

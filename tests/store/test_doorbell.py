"""The doorbell: one ring wakes one listener, and none is lost for longer than to the next poll."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest
import pytest_asyncio

from flows.store import doorbell as doorbell_module
from flows.store.connection import Connection
from flows.store.doorbell import Doorbell
from tests.waiting import until
from tests.world import World


@pytest_asyncio.fixture
async def bell(redis_url: str, world: World) -> AsyncIterator[Doorbell]:
    """Start a doorbell with its two connections."""
    connections = [Connection(redis_url, f"test-bell-{number}") for number in range(2)]
    bell = Doorbell(*connections, world.keys)
    bell.start()
    yield bell
    await bell.stop()
    await asyncio.gather(*(connection.close() for connection in connections))


def ring(world: World, queue: str) -> None:
    """Ring for a queue, as the scripts do."""
    world.redis.zadd(world.keys.wake(queue), {"w": 0})


async def heard(*events: asyncio.Event) -> None:
    """Wait until all have been rung."""
    async with asyncio.timeout(3):
        await asyncio.gather(*(event.wait() for event in events))


async def listening(bell: Doorbell, world: World, *queues: str) -> None:
    """Wait until the doorbell blocks on these queues."""
    wanted = {world.keys.wake(queue) for queue in queues}
    await until(lambda: wanted <= bell._blocked_on, 3)


def blocked(world: World) -> bool:
    """Whether the server makes a doorbell wait."""
    return any(client["name"] == "test-bell-0" and "b" in client["flags"] for client in world.redis.client_list())


async def test_a_ring_ends_the_listening(bell: Doorbell, world: World) -> None:
    """It is told once, and the bell is empty again."""
    rung = asyncio.Event()
    bell.listen("pick", rung.set)
    ring(world, "pick")
    await heard(rung)
    assert world.redis.exists(world.keys.wake("pick")) == 0
    assert bell._listening == {}


async def test_a_bell_that_was_rung_before_is_heard(bell: Doorbell, world: World) -> None:
    """Work may come before anyone listens."""
    ring(world, "pick")
    rung = asyncio.Event()
    bell.listen("pick", rung.set)
    await heard(rung)


async def test_one_ring_wakes_one_listener(bell: Doorbell, world: World) -> None:
    """The one who listens longest; the others go on listening."""
    first, second = asyncio.Event(), asyncio.Event()
    bell.listen("pick", first.set)
    bell.listen("pick", second.set)
    ring(world, "pick")
    await heard(first)
    assert not second.is_set()
    ring(world, "pick")
    await heard(second)


async def test_each_queue_has_a_bell_of_its_own(bell: Doorbell, world: World) -> None:
    """A ring for one queue says nothing to the listeners of another."""
    pick, pack = asyncio.Event(), asyncio.Event()
    bell.listen("pick", pick.set)
    bell.listen("pack", pack.set)
    ring(world, "pack")
    await heard(pack)
    assert not pick.is_set()


async def test_a_listener_that_comes_later_is_heard_at_once(bell: Doorbell, world: World) -> None:
    """The wait that is under way is interrupted, so that the new queue is waited for too."""
    pick, pack = asyncio.Event(), asyncio.Event()
    bell.listen("pick", pick.set)
    await listening(bell, world, "pick")
    bell.listen("pack", pack.set)
    await listening(bell, world, "pick", "pack")
    ring(world, "pack")
    await heard(pack)
    assert not pick.is_set()


async def test_who_does_not_want_to_listen_any_more_is_not_rung(bell: Doorbell, world: World) -> None:
    """Taken back once, twice, or never asked for."""
    first, second = asyncio.Event(), asyncio.Event()
    bell.listen("pick", first.set)
    bell.listen("pick", second.set)
    bell.forget("pick", first.set)
    bell.forget("pick", first.set)
    bell.forget("ship", first.set)
    ring(world, "pick")
    await heard(second)
    assert not first.is_set()


async def test_without_a_ring_one_of_each_queue_looks_from_time_to_time(
    bell: Doorbell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ring may be lost: it costs the time to the next poll, which wakes one at a time."""
    monkeypatch.setattr(doorbell_module, "POLL_SECONDS", 0.02)
    heard_of: list[str] = []
    again = asyncio.Event()

    def ring(name: str) -> None:
        heard_of.append(name)
        if len(heard_of) == 3:
            again.set()

    for name, queue in (("first", "pick"), ("second", "pick"), ("third", "pack")):
        bell.listen(queue, partial(ring, name))
    await heard(again)
    assert heard_of == ["first", "third", "second"]


async def test_a_lost_connection_is_opened_again(bell: Doorbell, world: World) -> None:
    """Who listens notices nothing."""
    rung = asyncio.Event()
    bell.listen("pick", rung.set)
    await listening(bell, world, "pick")
    for client in world.redis.client_list():
        if client["name"] == "test-bell-0":
            world.redis.client_kill_filter(_id=client["id"])
    ring(world, "pick")
    await heard(rung)


async def test_it_can_be_stopped_twice_and_started_again(bell: Doorbell, world: World) -> None:
    """Also while the server waits for it; that wait ends with the connection, which its owner closes."""
    rung = asyncio.Event()
    bell.listen("pick", rung.set)
    await until(lambda: blocked(world))
    await bell.stop()
    await bell.stop()
    await bell._bell.close()
    await until(lambda: not blocked(world))  # it would take the ring
    bell.start()
    bell.start()
    ring(world, "pick")
    await heard(rung)

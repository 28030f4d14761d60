"""Signals: what is published is heard by all who listen, on one connection that comes back when it was lost."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from redis import Redis

from flows.store.client import signals as module
from flows.store.client.signals import Signals
from flows.telemetry.events import Events
from flows.testing import private_server
from tests.waiting import LONG, until

EVENTS = Events(logging.getLogger("flows"))


class Heard:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[str | None] = []
        self._changed = asyncio.Event()

    def __call__(self, told: str | None) -> None:
        """Keep it."""
        self.told.append(told)
        self._changed.set()

    @property
    def messages(self) -> list[str]:
        """What was published, without the hints that something may have been missed."""
        return [told for told in self.told if told is not None]

    async def more(self) -> None:
        """Wait until more is told."""
        self._changed.clear()
        async with asyncio.timeout(LONG):
            await self._changed.wait()

    async def until(self, last: str | None) -> None:
        """Wait until this was told last."""
        async with asyncio.timeout(LONG):
            while not self.told or self.told[-1] != last:
                self._changed.clear()
                await self._changed.wait()


@pytest_asyncio.fixture
async def signals(redis_url: str) -> AsyncIterator[Signals]:
    """Listen to the tests' server."""
    signals = Signals(redis_url, EVENTS)
    yield signals
    await signals.close()


def own_connections(redis: Redis) -> list[dict[str, Any]]:
    """Return the connections of all signals on the server; other tests may have some on a shared one."""
    found: Any = redis.client_list()
    return [client for client in found if client["name"] == "flows-signals"]


def channels(redis: Redis, namespace: str) -> set[str]:
    """Return the channels of this test to which somebody is subscribed."""
    return set(redis.pubsub_shardchannels(f"{namespace}*"))


async def subscribed(redis: Redis, namespace: str, *names: str) -> None:
    """Wait until the server knows of these subscriptions and no others."""
    await until(lambda: channels(redis, namespace) == {namespace + name for name in names})


async def test_every_listener_of_a_channel_hears(signals: Signals, redis: Redis, namespace: str) -> None:
    """From the moment on in which subscribing returns; not what is told elsewhere, and one that came twice but once."""
    a, also_a, b = Heard(), Heard(), Heard()
    for name, listener in (("a", a), ("a", also_a), ("a", a), ("b", b)):
        await signals.subscribe(namespace + name, listener)
    assert [redis.spublish(f"{namespace}{name}", told) for name, told in (("a", "1"), ("b", "2"))] == [1, 1]
    await b.until("2")
    assert (a.messages, also_a.messages, b.messages) == (["1"], ["1"], ["2"])


async def test_the_server_is_told_when_the_last_listener_leaves(signals: Signals, redis: Redis, namespace: str) -> None:
    """As often as it has come; the channel is free then, and can be listened to again."""
    heard = Heard()
    channel = f"{namespace}a"
    await signals.subscribe(channel, heard)
    await signals.subscribe(channel, heard)
    await subscribed(redis, namespace, "a")
    signals.unsubscribe(channel, heard)
    redis.spublish(channel, "1")
    await heard.until("1")
    signals.unsubscribe(channel, heard)
    signals.unsubscribe(channel, heard)
    await subscribed(redis, namespace)
    await signals.subscribe(channel, heard)
    await subscribed(redis, namespace, "a")
    redis.spublish(channel, "2")
    await heard.until("2")


async def test_a_lost_connection_comes_back(namespace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is listened to again, and everyone is told that something may have been missed; at the start too.

    So is everyone when it is lost: whoever relies on it looks for himself. It comes back soon, also the second time.
    """
    pauses: list[float] = []

    def longest(_least: float, most: float) -> float:
        pauses.append(most)
        return most

    monkeypatch.setattr(module.random, "uniform", longest)
    with private_server() as url, Redis.from_url(url, decode_responses=True) as redis:
        signals = Signals(url, EVENTS)
        a, b = Heard(), Heard()
        await signals.subscribe(f"{namespace}a", a)
        await signals.subscribe(f"{namespace}b", b)
        await a.until(None)
        await subscribed(redis, namespace, "a", "b")
        for _ in range(2):
            redis.client_kill_filter(_type="pubsub")
            await asyncio.gather(a.more(), b.more())
            assert not signals.hears(f"{namespace}a")
            await asyncio.gather(a.more(), b.more())
            assert signals.hears(f"{namespace}a")
            redis.spublish(f"{namespace}a", "1")
            redis.spublish(f"{namespace}b", "2")
            await asyncio.gather(a.until("1"), b.until("2"))
        assert (a.told, b.messages) == ([None, None, None, "1", None, None, "1"], ["2", "2"])
        assert pauses == [0.1, 0.1]
        await signals.close()


async def test_without_a_server_it_is_tried_now_and_then(
    tmp_path_factory: pytest.TempPathFactory, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is held up, and the pauses between two tries grow up to the longest."""
    pauses: list[float] = []
    enough = asyncio.Event()

    async def no_time(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 12:
            enough.set()
            await asyncio.Event().wait()

    signals = Signals(f"unix://{tmp_path_factory.mktemp('none')}/no.sock", EVENTS)
    with monkeypatch.context() as patch:
        patch.setattr(module.asyncio, "sleep", no_time)
        async with asyncio.timeout(LONG):
            await signals.subscribe(f"{namespace}a", Heard())
            signals.unsubscribe(f"{namespace}a", Heard())
            await enough.wait()
    limits = [min(0.1 * 2**number, 10.0) for number in range(12)]
    assert all(limit / 2 <= pause <= limit for pause, limit in zip(pauses, limits, strict=True))
    await signals.close()


async def test_a_server_that_refuses_is_not_pressed(namespace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pub/sub is not allowed, the pauses grow all the same: that it can be connected to is no answer."""
    with private_server() as url, Redis.from_url(url, decode_responses=True) as redis:
        redis.execute_command("ACL", "SETUSER", "default", "resetchannels")
        monkeypatch.setattr(module, "_FIRST_PAUSE", 0.001)
        monkeypatch.setattr(module, "_LONGEST_PAUSE", LONG)
        before = redis.info("stats")["total_connections_received"]
        heard, signals, began = Heard(), Signals(url, EVENTS), time.monotonic()
        await signals.subscribe(f"{namespace}a", heard)
        await until(lambda: redis.info("stats")["total_connections_received"] - before >= 9)
        assert time.monotonic() - began >= 0.001 / 2 * (2**8 - 1)  # the least that eight growing pauses take
        assert heard.told == []
        redis.execute_command("ACL", "SETUSER", "default", "allchannels")
        await heard.until(None)
        await signals.close()


async def test_no_connection_before_somebody_listens(redis_url: str, redis: Redis) -> None:
    """Opening costs nothing, and closing what was never used is fine; closing twice too."""
    before = len(own_connections(redis))
    signals = Signals(redis_url, EVENTS)
    await asyncio.sleep(0)
    assert len(own_connections(redis)) <= before
    await signals.close()
    await signals.close()


async def test_listening_costs_no_commands(namespace: str) -> None:
    """A quiet channel is quiet: the server is asked nothing."""
    with private_server() as url, Redis.from_url(url, decode_responses=True) as redis:
        signals = Signals(url, EVENTS)
        await signals.subscribe(f"{namespace}a", Heard())
        await subscribed(redis, namespace, "a")
        before = redis.info("stats")["total_commands_processed"]
        await asyncio.sleep(1.2)
        assert redis.info("stats")["total_commands_processed"] - before == 1
        await signals.close()


async def test_closing_ends_it_while_it_connects(namespace: str) -> None:
    """A server that accepts and never answers does not hold up the end for longer than any answer may take."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        signals = Signals(f"redis://127.0.0.1:{silent.getsockname()[1]}/0", EVENTS)
        waits = asyncio.create_task(signals.subscribe(f"{namespace}a", Heard()))
        connected, _address = await asyncio.to_thread(silent.accept)
        async with asyncio.timeout(LONG):
            await signals.close()
            await waits
        connected.close()


async def test_a_cancellation_that_is_swallowed_while_it_connects(redis_url: str, monkeypatch: Any) -> None:
    """The task ends all the same, as `asyncio.run` asks at its end: else that would wait for ever."""
    signals, connecting = Signals(redis_url, EVENTS), asyncio.Event()
    connect = signals._opener.open

    async def swallows() -> Any:
        connecting.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return await connect()

    monkeypatch.setattr(signals._opener, "open", swallows)
    subscribing = asyncio.create_task(signals.subscribe("channel", Heard()))
    await connecting.wait()
    task = signals._service._task
    assert task is not None
    task.cancel()
    async with asyncio.timeout(LONG):
        await asyncio.wait({task})
    assert task.cancelled()
    await signals.close()
    await subscribing

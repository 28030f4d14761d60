"""Jobs that begin in another queue than the flow's first one: written there at once, together with others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio

from flows import KeyConflict
from flows.model.creation.job_options import Due
from flows.model.creation.keys import Condition
from flows.model.limits.rules import Rules
from flows.store.client.connection import Connection
from flows.store.jobs.creation import Creation
from flows.store.jobs.delayed_creation import DelayedCreation
from tests.world import World, finish

SHIP = {"a": b"1", "_queue": b"ship"}


@pytest_asyncio.fixture
async def connection(redis_url: str) -> AsyncIterator[Connection]:
    """Open a connection."""
    connection = Connection(redis_url, "test-own-queues")
    yield connection
    await connection.close()


async def test_a_job_begins_in_the_queue_that_it_names(connection: Connection, world: World) -> None:
    """Alone or among others, each queue is woken; its worker claims it and no other does."""
    creation = Creation(connection, world.settings)
    await creation.create(creation.prepare("1", SHIP, []))
    await creation.create(
        creation.prepare("2", {"a": b"2"}, []), creation.prepare("3", SHIP, []), creation.prepare("4", {"a": b"4"}, [])
    )
    assert world.snapshot()["waiting"] == {"pick": ["2", "4"], "ship": ["1", "3"]}
    assert all(world.redis.exists(world.key("wake", queue)) for queue in ("pick", "ship"))
    assert [job.id for job in world.claim(5, queue="ship")] == ["1", "3"]
    assert world.report(finish("1"), queue="ship") == ["ok"]


async def test_its_priority_is_that_of_the_queue(connection: Connection, world: World) -> None:
    """Each queue has its own lists."""
    creation = Creation(connection, replace(world.settings, rules={"ship": Rules(priorities=2)}))
    await creation.create(creation.prepare("1", {**SHIP, "_priority": b"5"}, []))
    assert world.snapshot()["waiting"] == {"ship/2": ["1"]}


@pytest.mark.parametrize("taken", ["waiting", "wake"])
async def test_a_key_of_another_type_refuses_those_of_its_queue(
    connection: Connection, world: World, taken: str
) -> None:
    """The error names it; jobs of other queues are created."""
    creation = Creation(connection, world.settings)
    world.redis.set(world.key(taken, "ship"), "mine")
    with pytest.raises(KeyConflict, match=world.key(taken, "ship")):
        await creation.create(creation.prepare("1", {"a": b"1"}, []), creation.prepare("2", SHIP, []))
    assert list(world.snapshot()["jobs"]) == ["shop:1"]


async def test_later_and_by_a_key(connection: Connection, world: World) -> None:
    """The script has the queue as well."""
    delayed = DelayedCreation(connection, world.settings)
    await delayed.create(Due(5000), [delayed.prepare("1", SHIP, [])])
    await delayed.create(None, [delayed.prepare("2", SHIP, [("#unique", "k")])], Condition("unique", "k"))
    assert [*world.snapshot()["delayed"]] == ["ship"]
    assert world.snapshot()["waiting"] == {"ship": ["2"]}
    assert world.job("shop:2")["_queue"] == "ship"
    assert timedelta(milliseconds=world.life("jobs", "shop:2")) > timedelta(0)

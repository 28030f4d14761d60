"""read_limits: what limiters and slots have given out, read by one script and told as it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest_asyncio

from flows import Limiter, LimitState
from flows.model.limits.rules import Rules
from flows.store.client.connection import Connection
from flows.store.rules.live import set_limit, set_share, set_slots, set_slots_of
from flows.store.rules.read_limits import Group, limits_of_job, read_limits, read_window
from tests.world import NOW, World

SECOND = timedelta(seconds=1)
GUILD = Group(7, "7")
RULES = Rules(
    group="guild",
    slots=10,
    slots_per_group=3,
    limiters=(Limiter(5, SECOND, group_key="guild"), Limiter(50, SECOND, id="api", smooth=True)),
)


@pytest_asyncio.fixture
async def connection(redis_url: str) -> AsyncIterator[Connection]:
    """Open a connection."""
    connection = Connection(redis_url, "test-limits")
    yield connection
    await connection.close()


def rows(world: World, *limiters: str, **named: str) -> list[Any]:
    """Call the script for `pick`, which is grouped by `guild`."""
    usual = {"group": "", "id": "", "field": "guild", "sharing": ""}
    found: list[Any] = world.run("read_limits", *limiters, **{**usual, **named})
    return found


def keep(world: World, window: str, *numbers: float) -> None:
    """Keep a window as the turn does, packed."""
    limiter, _, group = window.partition("/")
    command, key = ("'HSET'", "windows") if group else ("'SET'", "window")
    code = f"redis.call({command}, KEYS[1], {'ARGV[2], ' if group else ''}cmsgpack.pack(cjson.decode(ARGV[1])))"
    world.redis.eval(code, 1, world.key(key, limiter), str(list(numbers)), group)


def test_windows_are_read_with_their_times(world: World) -> None:
    """Of the whole queue, and of the group that is asked for; of none there is no window."""
    keep(world, "api", NOW, 2, NOW + 40, 1, NOW + 61.5)
    keep(world, "pick:1/7", NOW - 10, 3)
    now, limiters, *_slots = rows(world, "api", "q", "pick:1", "g", group="7")
    assert now == NOW
    assert [[float(number) for number in window] for _live, _of_group, window in limiters] == [
        [NOW, 2, NOW + 40, 1, NOW + 61.5],
        [NOW - 10, 3],
    ]
    assert rows(world, "pick:1", "g")[1] == [["", "", []]]
    assert len(rows(world, "api", "q")[1][0][2]) == 5


def test_what_was_set_is_read(world: World) -> None:
    """For all, and for the group."""
    world.redis.hset(world.key("limit", "api"), mapping={"live": "9/500", "live:7": "1/500", "live:": "1"})
    world.redis.hset(
        world.key("fair", "pick"), mapping={"slots": "4", "slots_per_group": "2", "slots_per_group:7": "1"}
    )
    world.redis.hset(world.key("load", "pick"), mapping={"": "3", "7": "2"})
    world.redis.zadd(world.key("processing", "pick"), {"1": NOW, "2": NOW})
    assert rows(world, "api", "q", group="7")[:7] == [NOW, [["9/500", "1/500", []]], 5, "4", "2", "2", "1"]
    assert rows(world, "api", "q")[:7] == [NOW, [["9/500", "", []]], 5, "4", "", "2", ""]


def test_shared_slots_are_summed_up(world: World) -> None:
    """Over the queues that take from them, as they stand there; the number that was set is of all."""
    world.redis.hset(world.key("sharing", "gpu"), mapping={"": "8", "pick": "0", "pack": "5"})
    world.redis.zadd(world.key("processing", "pick"), {"1": NOW})
    world.redis.zadd(world.key("processing", "pack"), {"2": NOW, "3": NOW})
    world.redis.hset(world.key("load", "pack"), mapping={"": "4"})
    assert rows(world, sharing="gpu")[2:4] == [7, "8"]


def test_what_is_none_of_ours_is_left_out(world: World) -> None:
    """A view stops at nothing that was edited."""
    for key in (("limit", "api"), ("windows", "pick:1"), ("sharing", "gpu"), ("load", "pick"), ("fair", "pick")):
        world.redis.rpush(world.key(*key), "not ours")
    world.redis.set(world.key("window", "api"), "not packed")
    assert rows(world, "api", "q", "pick:1", "g", group="7", sharing="gpu") == [
        NOW, [["", "", []], ["", "", []]], 0, "", "", "", "", "", "", "7", "",
    ]  # fmt: skip


def test_of_a_job_its_group_is_read(world: World) -> None:
    """With what it costs, and until when its queue and its group are held."""
    world.redis.hset(world.key("jobs", "shop:1"), mapping={"guild": "7", "_cost": "3"})
    world.redis.hset(world.key("jobs", "shop:2"), mapping={"guild": "null"})
    world.redis.zadd(world.key("parked", "pick"), {"1/7": NOW + 5, "3/7": NOW + 9.5, "4/7": NOW + 8})
    world.redis.hset(world.keys.meta("pick"), "held", str(NOW + 7))
    assert rows(world, id="1")[7:] == [str(NOW + 7), f"{NOW + 9}.5", "7", "3"]
    for other in ({"id": "2"}, {"id": "3"}, {"id": "1", "field": ""}):
        assert rows(world, **other)[9] == ""


async def test_what_keeps_a_job_is_read(connection: Connection, world: World) -> None:
    """A hold is told from what a limit parks."""
    settings = replace(world.settings, rules={"pick": RULES})
    world.redis.hset(world.key("jobs", "shop:1"), mapping={"guild": "7", "_cost": "3"})
    world.redis.zadd(world.key("parked", "pick"), {"1/7": NOW + 5})
    found = await limits_of_job(connection, settings, "pick", "1")
    assert (found.group, found.cost, found.held_ms, found.group_held_ms) == ("7", 3, None, None)
    assert [(state.id, state.used) for state in found.states] == [
        ("pick:1", 0), ("api", 0), ("slots", 0), ("slots_per_group", 0),
    ]  # fmt: skip
    world.redis.zadd(world.key("parked", "pick"), {"2/7": NOW + 9.5})
    assert (await limits_of_job(connection, settings, "pick", "1")).group_held_ms == NOW + 9.5


async def states(connection: Connection, world: World, group: Group | None = None) -> dict[str, LimitState]:
    """Return the states of the limits of `pick`."""
    settings = replace(world.settings, rules={"pick": RULES})
    return {state.id: state for state in await read_limits(connection, settings, "pick", group)}


async def test_the_states_of_a_queue(connection: Connection, world: World) -> None:
    """Limiters first; where each group has its own, what is used is not known of all of them."""
    found = await states(connection, world)
    assert list(found) == ["pick:1", "api", "slots", "slots_per_group"]
    assert found["pick:1"] == LimitState("pick:1", "limiter", 5, 5, interval=SECOND, per_group=True)
    assert found["api"] == LimitState("api", "limiter", 50, 50, interval=SECOND, smooth=True, used=0)
    assert found["slots"] == LimitState("slots", "slots", 10, 10, used=0)
    assert found["slots_per_group"] == LimitState("slots_per_group", "slots", 3, 3, per_group=True)
    assert [state.free for state in found.values()] == [None, 50, 10, None]


async def test_the_state_of_a_group(connection: Connection, world: World) -> None:
    """What it has used of its own, and when it may go on."""
    now: int = int(datetime.now(UTC).timestamp() * 1000)
    keep(world, "pick:1/7", now + 30_000, 5)
    world.redis.hset(world.key("load", "pick"), mapping={"7": "2"})
    found = await states(connection, world, GUILD)
    limiter, slots = found["pick:1"], found["slots_per_group"]
    assert (limiter.group, limiter.used, limiter.free) == (7, 5, 0)
    assert limiter.ready_at is not None
    assert limiter.ready_at > datetime.now(UTC)
    assert (slots.group, slots.used, slots.free) == (7, 2, 1)
    assert found["api"].group is None


async def test_live_numbers_are_told_and_taken_back(connection: Connection, world: World) -> None:
    """What is set for a group counts before what is set for all."""
    settings = replace(world.settings, rules={"pick": RULES})
    await set_limit(connection, settings, "pick:1", (9, timedelta(milliseconds=500)))
    await set_limit(connection, settings, "pick:1", (2, timedelta(seconds=3)), "7")
    await set_slots(connection, settings, "pick", 4, 2)
    await set_slots_of(connection, settings, "pick", "7", 1)
    await set_share(connection, settings, "pick", "7", 2.5)
    assert world.redis.hgetall(world.key("shares", "pick")) == {"7": "2.5"}
    of_all, of_group = await states(connection, world), await states(connection, world, GUILD)
    assert (of_all["pick:1"].live, of_all["pick:1"].interval) == (9, SECOND / 2)
    assert (of_group["pick:1"].live, of_group["pick:1"].interval) == (2, 3 * SECOND)
    assert [found["slots"].live for found in (of_all, of_group)] == [4, 4]
    assert [found["slots_per_group"].live for found in (of_all, of_group)] == [2, 1]
    assert {state.declared for state in of_all.values()} == {5, 50, 10, 3}
    await set_limit(connection, settings, "pick:1", None)
    await set_limit(connection, settings, "pick:1", None, "7")
    await set_slots(connection, settings, "pick", None, None)
    await set_slots_of(connection, settings, "pick", "7", None)
    await set_share(connection, settings, "pick", "7", 1)
    left = [world.redis.hgetall(world.key(*key)) for key in (("limit", "pick:1"), ("fair", "pick"), ("shares", "pick"))]
    assert left == [{"live:": "1"}, {"slots_per_group:": "1"}, {}]  # groups may have numbers of their own: turns ask
    assert (await states(connection, world, GUILD))["slots_per_group"].live == 3


def test_a_window_is_read_as_it_is_kept() -> None:
    """Pairs, and of an odd number the time of the next start at its end."""
    window = read_window(5, 1_000, [NOW, 2.0, NOW + 40.0, 1.0, NOW + 60.5], smooth=True)
    assert (window.taken, window.spaced) == ([(NOW, 2), (NOW + 40, 1)], NOW + 60.5)
    assert read_window(5, 1_000, [NOW, 2.0], smooth=False).spaced == 0

"""count_endings: how many jobs have ended on each day, and of which kind; and pages of a log, in both directions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from itertools import chain
from typing import Any

import pytest
import pytest_asyncio
from redis import Redis

from flows import KeyConflict, ValidationError
from flows.model.endings.days import day_borders
from flows.store.client.connection import Connection
from flows.store.views.endings import AskedEndings, LoggedEnding, count_endings, read_endings
from tests.scale import scaled
from tests.store.outbox.outbox_world import outbox_world
from tests.world import World

#: Midnight of a day, UTC.
DAY = 1_732_579_200_000
DAY_MS = 86_400_000
HOUR = 3_600_000


@pytest.fixture
def world(redis: Redis, namespace: str) -> World:
    """A flow that logs its endings."""
    return outbox_world(redis, namespace)


@pytest_asyncio.fixture
async def connection(redis_url: str) -> AsyncIterator[Connection]:
    """A connection to the server of this run."""
    connection = Connection(redis_url, "test-endings")
    yield connection
    await connection.close()


def log(world: World, at_ms: int, job: str, word: str = "done", **fields: str) -> None:
    """Write an entry as an ending does."""
    more: dict[str, str] = {"type": '"mail"', "tenant": '"acme"', **fields}
    entry: Any = {"id": job, **more}
    keys = [world.keys.endings("shop", word)]
    keys += [world.keys.errors("shop", fields["error"])] if "error" in fields else []
    for key in keys:
        world.redis.xadd(key, entry, id=f"{at_ms}-*")


async def pages(connection: Connection, world: World, asked: AskedEndings, limit: int) -> list[list[str]]:
    """Return the jobs of all pages."""
    found: list[list[str]] = []
    after = ""
    while True:
        page = await read_endings(connection, world.settings, asked, limit=limit, after=after)
        found.append([ending.job_id for ending in page.endings])
        after = page.next
        if not after:
            return found


async def test_an_ending_is_read_as_it_was_logged(world: World, connection: Connection) -> None:
    """With its copied fields; of one that was empty, or edited into nonsense, None."""
    log(world, DAY, "1", "failed", error="Gone", tenant="", more="{")
    page = await read_endings(connection, world.settings, AskedEndings("failed"))
    [ending] = page.endings
    when = datetime.fromtimestamp(DAY / 1000, UTC)
    fields = {"type": "mail", "tenant": None, "more": None}
    assert ending == LoggedEnding("1", "failed", when, fields, "Gone", f"{DAY}-0")
    assert page.next == ""


@pytest.mark.parametrize("newest_first", [True, False])
async def test_pages_have_each_ending_once(world: World, connection: Connection, newest_first: bool) -> None:  # noqa: FBT001
    """In both directions, also of one millisecond, and while new ones come: who reads from the newest misses those."""
    for number in range(7):
        log(world, DAY + number // 3, str(number))
    order = [str(number) for number in range(7)]
    asked = AskedEndings("done", newest_first=newest_first)
    found = await pages(connection, world, asked, 2)
    assert [*chain(*found)] == (order[::-1] if newest_first else order)
    first = await read_endings(connection, world.settings, asked, limit=2)
    log(world, DAY + 9, "new")
    second = await read_endings(connection, world.settings, asked, limit=10, after=first.next)
    rest = order[-3::-1] if newest_first else [*order[2:], "new"]
    assert [ending.job_id for ending in second.endings] == rest


async def test_some_endings_are_asked_for(world: World, connection: Connection) -> None:
    """By day, by a copied field and by the type of the error; the day's first millisecond is in it, its end is not."""
    for number, at_ms in enumerate((DAY - 1, DAY, DAY + DAY_MS - 1, DAY + DAY_MS)):
        log(world, at_ms, str(number), "failed", error="Gone" if number % 2 else "Late", type=f'"t{number}"')
    day = (DAY, DAY + DAY_MS)
    asked = {
        "day": AskedEndings("failed", between_ms=day),
        "error": AskedEndings("failed", error="Gone", newest_first=False),
        "type": AskedEndings("failed", fields={"type": "t2", "tenant": "acme"}),
        "both": AskedEndings("failed", error="Late", between_ms=day),
        "none": AskedEndings("failed", error="Never"),
    }
    found = {name: [*chain(*await pages(connection, world, one, 100))] for name, one in asked.items()}
    assert found == {"day": ["2", "1"], "error": ["1", "3"], "type": ["2"], "both": ["2"], "none": []}


async def test_a_page_looks_at_a_bounded_number(
    world: World, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where few fit, it comes back with what it has, and the next one goes on behind what it looked at."""
    monkeypatch.setattr("flows.store.views.endings.MOST_LOOKED", 500)
    entry: Any = {"id": "1", "type": '"mail"'}
    with world.redis.pipeline(transaction=False) as pipe:
        for number in range(1200):
            pipe.xadd(world.keys.endings("shop", "done"), {**entry, "type": '"rare"'} if number == 600 else entry)
        pipe.execute()
    asked = AskedEndings("done", fields={"type": "rare"}, newest_first=False)
    assert await pages(connection, world, asked, 10) == [[], ["1"], []]


async def test_a_key_of_another_type_is_named(world: World, connection: Connection) -> None:
    """Somebody else has written it."""
    world.redis.set(world.keys.endings("shop", "done"), "mine")
    with pytest.raises(KeyConflict):
        await read_endings(connection, world.settings, AskedEndings("done"))
    with pytest.raises(KeyConflict, match="holds a string where flows keeps a stream"):
        await count_endings(connection, world.settings, "done", [DAY, DAY + DAY_MS], "type")


async def test_endings_are_counted_by_day(
    world: World, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each on the day on which it ended, by what a field says, over as many calls as it takes; others are left out."""
    monkeypatch.setattr("flows.store.views.endings._COUNTED", 2)
    borders = [DAY, DAY + DAY_MS, DAY + 2 * DAY_MS, DAY + 3 * DAY_MS]
    first = [(DAY, '"mail"'), (DAY + 5, '"sms"'), (DAY + 6, '"mail"'), (DAY + 7, ""), (DAY + 8, '"mail"')]
    for at_ms, kind in ((DAY - 1, '"mail"'), *first, (DAY + 2 * DAY_MS, "7"), (DAY + 3 * DAY_MS, '"mail"')):
        log(world, at_ms, "1", type=kind)
    counted = await count_endings(connection, world.settings, "done", borders, "type")
    assert counted == [{"mail": 3, "sms": 1, None: 1}, {}, {"7": 1}]
    assert await count_endings(connection, world.settings, "done", borders) == [{None: 5}, {}, {None: 1}]
    assert await count_endings(connection, world.settings, "failed", borders) == [{}, {}, {}]


def test_a_call_counts_so_many_and_says_where_to_go_on(world: World) -> None:
    """Each day and value once, with how many there are."""
    for at_ms, kind in ((DAY, '"mail"'), (DAY + 1, '"mail"'), (DAY + 2, '"sms"'), (DAY + DAY_MS, '"mail"')):
        log(world, at_ms, "1", type=kind)
    borders = f"{DAY} {DAY + DAY_MS} {DAY + 2 * DAY_MS}"

    def count(begin: str, most: int) -> object:
        named = {"log": world.keys.endings("shop", "done"), "borders": borders, "field": "type", "from": begin}
        return world.run("count_endings", most=most, **named)

    assert count("", 3) == [[f"{DAY + DAY_MS}-0"], [[0, '"mail"', 2], [0, '"sms"', 1]]]
    assert count(f"{DAY + DAY_MS}-0", 3) == [[], [[1, '"mail"', 1]]]


@pytest.mark.parametrize(
    ("day", "zone", "hours", "begins"),
    [
        (date(2026, 11, 26), "UTC", 24, "2026-11-26T00:00:00+00:00"),
        (date(2026, 11, 26), "Asia/Kathmandu", 24, "2026-11-25T18:15:00+00:00"),
        (date(2026, 3, 29), "Europe/Paris", 23, "2026-03-28T23:00:00+00:00"),
        (date(2026, 10, 25), "Europe/Paris", 25, "2026-10-24T22:00:00+00:00"),
        # The clock goes from 24:00 to 01:00: the day has no midnight.
        (date(2026, 4, 24), "Africa/Cairo", 23, "2026-04-23T22:00:00+00:00"),
    ],
)
def test_days_of_a_time_zone(day: date, zone: str, hours: int, begins: str) -> None:
    """A day begins at its midnight, or with its first moment, and one of a clock change is shorter or longer."""
    begin, end = day_borders(day, zone)
    assert datetime.fromtimestamp(begin / 1000, UTC).isoformat() == begins
    assert end - begin == hours * HOUR
    week = day_borders(day, zone, days=7)
    assert (len(week), week[-2:]) == (8, [begin, end])
    assert week[-3] == day_borders(date.fromordinal(day.toordinal() - 1), zone)[0]


@pytest.mark.parametrize(
    ("day", "zone", "said"),
    [
        (date(2026, 1, 1), "Europe/Nowhere", "timezone='Europe/Nowhere': there is no such zone"),
        (date(2026, 1, 1), "../etc/passwd", "there is no such zone"),
        (date(2026, 1, 1), 5, "timezone=5"),
        (datetime(2026, 1, 1, tzinfo=UTC), "UTC", "give a datetime.date"),
        ("2026-01-01", "UTC", "give a datetime.date"),
        (date.max, "UTC", "beyond the calendar"),
    ],
)
def test_what_is_no_day_is_refused(day: Any, zone: Any, said: str) -> None:
    """With what to give instead."""
    with pytest.raises(ValidationError, match=said):
        day_borders(day, zone)


@pytest.mark.scale
async def test_any_page_of_a_long_log_costs_the_same(world: World, connection: Connection) -> None:
    """By the server's own time a page of 100 takes under a millisecond, wherever it begins; an entry takes 80 bytes."""
    many = scaled(20_000, full=1_000_000)
    key = world.keys.endings("shop", "failed")
    for start in range(0, many, 1000):
        with world.redis.pipeline(transaction=False) as pipe:
            for number in range(start, start + 1000):
                fields: Any = {"id": f"{number:08x}-0000-7000-8000-000000000000", "type": '"mail"', "tenant": '"acme"'}
                pipe.xadd(key, {**fields, "error": "Gone"}, id=f"{DAY + number}-0")
            pipe.execute()
    world.redis.config_resetstat()
    for at in range(20):
        first = DAY + many * at // 20
        for newest_first in (True, False):
            asked = AskedEndings("failed", between_ms=(first, DAY + many), newest_first=newest_first)
            page = await read_endings(connection, world.settings, asked)
            assert len(page.endings) == 100
    stats: Any = world.redis.info("commandstats")
    for command in ("cmdstat_xrange", "cmdstat_xrevrange"):
        assert stats[command]["usec_per_call"] < 1000
    used: Any = world.redis.memory_usage(key)
    assert used / many < 80

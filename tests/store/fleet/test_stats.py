"""stats: the history of a queue, which heartbeats write: by minutes, ten minutes and hours, and never too much."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest

from flows.model.fleet.histogram import BUCKETS, Histogram, read_histogram, write_histogram
from flows.model.fleet.statistics import TOTALS, QueueSample, Step, read_sample
from flows.store.client.connection import Connection
from flows.store.client.scripts import load
from flows.store.fleet.statistics import read_series
from tests.world import HOUR, World

MINUTE = 60_000
#: A time at which an hour begins.
START = 480_000 * HOUR
KEY = ("stats", "pick")
#: One job that began and ended.
ONE = ("0:1", "0:1")


def arguments(world: World, number: int, now: int, seen: tuple[str, ...], name: str = "p1") -> dict[str, Any]:
    """Return the arguments of a heartbeat."""
    keys = world.keys
    return {
        **world.settings.named(),
        "now": now,
        "processes": keys.processes("shop"),
        "process": keys.process("shop", name),
        "declarations": keys.declarations("shop"),
        "process_name": name,
        "number": number,
        "digest": "ab",
        "counts_ms": 30_000,
        "kept": HOUR,
        "totals": " ".join(TOTALS),
        "leaves": 0,
        "rest": ["{}", "pick", 1, *(seen or ("", ""))],
    }


def beat(world: World, number: int, now: int, *seen: str, name: str = "p1") -> None:
    """Send a heartbeat of a process that serves `pick`, with two histograms or none: how long jobs waited, and ran."""
    named = arguments(world, number, now, seen, name)
    world.run("heartbeat", *named.pop("rest"), **named)


def beats(world: World, many: Iterable[tuple[int, str]]) -> None:
    """Send many heartbeats, each at a time, a thousand to a write."""
    script = load("heartbeat")
    world.redis.script_load(script.text)
    pipeline = world.redis.pipeline(transaction=False)
    for number, (now, histogram) in enumerate(many, 1):
        named = arguments(world, number, now, (histogram, histogram))
        pipeline.execute_command(*script.command(named, named["rest"]))
        if number % 1000 == 0:
            pipeline.execute()
    pipeline.execute()


def history(world: World) -> dict[str, str]:
    """Return the fields."""
    found: dict[str, str] = world.redis.hgetall(world.key(*KEY))
    return found


def sample(world: World, field: str) -> QueueSample:
    """Return a field."""
    return read_sample(history(world)[field], "minute", int(field[1:]))


def test_totals_and_depths_of_the_moment(world: World) -> None:
    """What waits is the length of the list less what is stale; a later heartbeat of the same minute is what counts."""
    world.seed_damaged(
        meta={"pick": {"advance": 41, "misplaced": 99999, "failed": 7, "stale": 2, "owner": "shop"}},
        waiting={"pick": ["a", "b", "c"]},
        delayed={"pick": {"d": 1}},
        children={"pick": {"e": 1, "f": 1}},
    )
    minute = START // MINUTE
    beat(world, 1, START, *ONE)
    first = sample(world, f"m{minute}")
    assert first.totals == {"advance": 41, "failed": 7, "misplaced": 99999}
    assert (first.waiting, first.delayed, first.processing, first.children) == (1, 1, 0, 2)
    world.redis.hset(world.key("meta", "pick"), "advance", 42)
    beat(world, 2, START + 59_000, *ONE)
    assert sample(world, f"m{minute}").totals["advance"] == 42
    assert sample(world, f"m{minute}").looked_at == first.at + timedelta(seconds=59)
    assert set(history(world)) == {f"m{minute}", "last"}


def test_processes_add_up(world: World) -> None:
    """Each says what it has seen; a heartbeat that is sent again counts once."""
    for number, name in [(1, "p1"), (1, "p2"), (2, "p1"), (2, "p1"), (1, "p1")]:
        beat(world, number, START, "3:a,,1", "33:1", name=name)
    found = sample(world, f"m{START // MINUTE}")
    assert (found.waited.counts[3], found.waited.counts[5], found.ran.counts[33]) == (30, 3, 3)


def test_a_minute_that_is_over_is_folded_once(world: World) -> None:
    """By whoever opens the next, into its ten minutes and its hour; their totals are the last ones."""
    minute = START // MINUTE
    for number in range(4):
        world.redis.hset(world.key("meta", "pick"), "done", number + 1)
        world.redis.rpush(world.key("waiting", "pick"), f"j{number}")
        beat(world, 2 * number + 1, START + number * MINUTE, "0:1", "1:2")
        beat(world, 2 * number + 2, START + number * MINUTE + 30_000, "0:1", "1:2")
    fields = history(world)
    assert set(fields) == {*(f"m{minute + at}" for at in range(4)), f"t{minute // 10}", f"h{minute // 60}", "last"}
    for folded in (f"t{minute // 10}", f"h{minute // 60}"):
        assert sample(world, folded).waited.counts[0] == 6
        assert sample(world, folded).ran.counts[1] == 12
        assert sample(world, folded).totals == {"done": 3}
        assert sample(world, folded).waiting == 3
    beat(world, 9, START + 25 * MINUTE, *ONE)
    assert sample(world, f"t{minute // 10}").waited.counts[0] == 8
    assert f"t{minute // 10 + 2}" not in history(world)


def test_a_minute_that_somebody_took_out_is_not_folded(world: World) -> None:
    """What its ten minutes and its hour have had so far stays."""
    minute = START // MINUTE
    world.redis.hset(world.key("meta", "pick"), "done", 7)
    for number in range(2):
        beat(world, number + 1, START + number * MINUTE, *ONE)
    before = history(world)
    world.redis.hdel(world.key(*KEY), f"m{minute + 1}")
    beat(world, 3, START + 2 * MINUTE, *ONE)
    assert {field: history(world)[field] for field in (f"t{minute // 10}", f"h{minute // 60}")} == {
        field: text for field, text in before.items() if field[0] in "th"
    }


def test_where_nothing_happens_nothing_is_written(world: World) -> None:
    """One sample a minute of a queue that holds something, and none of an empty one that stands still."""
    minute = START // MINUTE
    beat(world, 1, START)
    assert history(world) == {}
    world.redis.hset(world.key("meta", "pick"), "done", 1)
    beat(world, 2, START)
    assert set(history(world)) == {f"m{minute}", "last"}
    beat(world, 3, START + MINUTE)
    assert set(history(world)) == {f"m{minute}", "last"}
    world.redis.rpush(world.key("waiting", "pick"), "a")
    beat(world, 4, START + 2 * MINUTE)
    assert sample(world, f"m{minute + 2}").waiting == 1
    world.redis.rpush(world.key("waiting", "pick"), "b")
    beat(world, 5, START + 2 * MINUTE + 30_000)
    later = sample(world, f"m{minute + 2}")
    assert (later.waiting, later.looked_at) == (1, later.at)  # and it says of when that is


def busy(minutes: int, draw: random.Random) -> str:
    """Return a histogram of 25,000 times a minute, over half of the buckets."""
    return write_histogram([draw.randrange(2, 3000) * minutes if 4 < at < 22 else 0 for at in range(BUCKETS)])


def test_a_month_takes_no_more_than_150_kilobytes(world: World) -> None:
    """Three weeks with gaps, then nine days in which the queue is busy all the time, with all kinds of ends."""
    draw = random.Random(7)  # noqa: S311 - the same each time
    world.redis.hset(world.key("meta", "pick"), mapping={word: 10**9 + at for at, word in enumerate(TOTALS)})
    day = 24 * 60
    times = [*((at, 1) for at in range(0, 21 * day, 61)), *((at, 10) for at in range(21 * day, 30 * day, 10))]
    times += [(at, 1) for at in range(30 * day, 30 * day + 150)]
    beats(world, ((START + at * MINUTE, busy(minutes, draw)) for at, minutes in times))
    fields = history(world)
    kinds = {letter: sum(field.startswith(letter) and field != "last" for field in fields) for letter in "mth"}
    assert kinds == {"m": 120, "t": 144, "h": 168}
    assert len(fields) == 433
    assert sum(len(field) + len(value) for field, value in fields.items()) <= 150_000
    assert world.redis.memory_usage(world.key(*KEY), samples=0) <= 200_000


def test_what_gaps_have_left_goes(world: World) -> None:
    """After days without a heartbeat nothing of before is left but what is still within its time."""
    for at in range(200):
        beat(world, at + 1, START + at * MINUTE, *ONE)
    last = START // MINUTE + 199
    beat(world, 300, START + 3 * 24 * HOUR, *ONE)
    minute = START // MINUTE + 3 * 24 * 60
    assert set(history(world)) == {f"m{minute}", "last", *(f"h{last // 60 - at}" for at in range(4))}


def test_a_clock_that_was_set_back(world: World) -> None:
    """What is later than now goes, and the history goes on."""
    beat(world, 1, START + 24 * HOUR, *ONE)
    beat(world, 2, START, *ONE)
    beat(world, 3, START + MINUTE, *ONE)
    minute = START // MINUTE
    assert set(history(world)) == {f"m{minute}", f"m{minute + 1}", f"t{minute // 10}", f"h{minute // 60}", "last"}


NONSENSE = [
    "",
    "|",
    "x|y|z|w",
    "|||||",
    "-1|-1|0:-1|99:1",
    "\u00e9|||",
    "zzzzzzzzzzzzzz|1|0:zzzzzzzzzz|33:1,1,1",
    "1|1|0:|:",
]


@pytest.mark.parametrize("text", NONSENSE)
@pytest.mark.parametrize("last", ["x", "-5", "1e999", "nan", "", str(START // MINUTE - 1)])
def test_what_was_edited_breaks_nothing(world: World, text: str, last: str) -> None:
    """Nonsense counts nothing, wherever it stands, and goes with its field."""
    minute = START // MINUTE
    fields = {f"m{minute}": text, f"m{minute - 1}": text, f"t{minute // 10}": text, f"h{minute // 60}": text}
    world.redis.hset(world.key(*KEY), mapping={**fields, "last": last, "mine": "7", "m": "1"})
    world.redis.hset(world.key("meta", "pick"), mapping={"done": "many", "failed": "inf", "retry": "-3", "stale": "x"})
    for number in range(4):
        beat(world, number + 1, START + number * MINUTE, "1:2", "1:2")
    assert sample(world, f"m{minute + 3}").waited.counts[1] == 2
    assert sample(world, f"h{minute // 60}").ran.counts[1] >= 6


def test_numbers_that_are_too_large_count_nothing(world: World) -> None:
    """Of a histogram the others count; a count of more than ten digits is no number of anything."""
    minute = START // MINUTE
    world.redis.hset(world.key(*KEY), f"m{minute}", "||0:zzzzzzzzzzz,1|")
    world.redis.hset(world.key("meta", "pick"), mapping={"advance": "1e300", "settle": 2**53, "done": 2**53 - 1})
    beat(world, 1, START, "0:1", "")
    assert history(world)[f"m{minute}"] == ",,2gosa7pa2gv||0:1,1|"


@pytest.mark.parametrize("kind", ["stats", "meta", "waiting", "delayed", "processing"])
def test_a_key_of_another_type(world: World, kind: str) -> None:
    """A history that is none is left alone; of a place that is none nothing is known."""
    world.redis.set(world.key(kind, "pick"), "not ours")
    beat(world, 1, START, *ONE)
    assert world.redis.get(world.key(kind, "pick")) == "not ours"
    assert kind == "stats" or sample(world, f"m{START // MINUTE}").waited.counts[0] == 1


async def series(world: World, redis_url: str, now: int, step: Step, count: int | None = None) -> list[QueueSample]:
    """Read the history, at a time."""
    connection = Connection(redis_url, "test")
    seconds, micro = world.redis.time()
    world.settings = type(world.settings)(
        **{
            **{name: getattr(world.settings, name) for name in world.settings.__slots__},
            "ahead_ms": now - seconds * 1000 - micro // 1000,
        }
    )
    try:
        return await read_series(connection, world.settings, "pick", step, count)
    finally:
        await connection.close()


async def test_the_series_of_each_step(world: World, redis_url: str) -> None:
    """Oldest first; the minute that is not folded yet is a part of its ten minutes and its hour."""
    now = START + 90 * MINUTE
    for at in range(91):
        world.redis.hset(world.key("meta", "pick"), "done", at + 1)
        beat(world, at + 1, START + at * MINUTE, "0:1", "1:2")
    minutes = await series(world, redis_url, now, "minute")
    assert len(minutes) == 91
    assert [one.totals["done"] for one in minutes] == list(range(1, 92))
    assert minutes[-1].at.timestamp() * 1000 == now
    for step, steps in (("ten minutes", [10] * 9 + [1]), ("hour", [60, 31])):
        found = await series(world, redis_url, now, step)  # type: ignore[arg-type]
        assert [one.waited.counts[0] for one in found] == steps
        assert [one.totals["done"] for one in found][-1] == 91
        assert sum((one.ran for one in found), Histogram()).counts[1] == 182
    assert len(await series(world, redis_url, now, "minute", 5)) == 5
    assert await series(world, redis_url, now + 30 * 24 * HOUR, "hour") == []


async def test_no_history_and_nonsense(world: World, redis_url: str) -> None:
    """Read as none, or as nothing counted."""
    assert await series(world, redis_url, START, "hour") == []
    world.redis.set(world.key(*KEY), "not ours")
    assert await series(world, redis_url, START, "hour") == []
    world.redis.delete(world.key(*KEY))
    minute = START // MINUTE
    for text in NONSENSE:
        world.redis.hset(world.key(*KEY), mapping={f"m{minute}": text, f"h{minute // 60}": text, "last": "9" * 30})
        assert len(await series(world, redis_url, START, "hour")) == 1
        world.redis.hset(world.key(*KEY), "last", minute)
        assert len(await series(world, redis_url, START, "hour")) == 1


def test_lua_and_python_add_alike(world: World) -> None:
    """Sums of any histograms, by either."""
    draw = random.Random(3)  # noqa: S311 - the same each time
    total = Histogram()
    for number in range(1, 40):
        counts = [draw.choice([0, 0, 1, draw.randrange(10**7)]) for _ in range(BUCKETS)]
        total += Histogram(tuple(counts))
        beat(world, number, START, write_histogram(counts), "")
        field = history(world)[f"m{START // MINUTE}"].split("|")[2]
        assert field == write_histogram(total.counts)
        assert read_histogram(field) == total

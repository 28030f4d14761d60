"""halve: from where in a long list jobs of a time are read, in how few steps, and what of a list in no order."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

import pytest

from tests.store.views.test_find import created, find, raw
from tests.store.views.test_positions import put
from tests.world import World

MINUTE = 60_000
#: Clocks may differ by so many ms; so many ids are looked at in vain for it.
CLOCKS, VAIN = 10_000, 250
EVENLY = [number * 1000 for number in range(1000)]
LATE = [*range(900), *(number * MINUTE for number in range(1, 901))]
EARLY = [*(number * MINUTE for number in range(900)), *(900 * MINUTE + number for number in range(900))]
AT_ONCE = [*range(400), *[5000] * 700, *range(90_000, 90_400)]
#: Its ends say nothing, or what is wrong.
IDS = list(map(created, range(0, 3_000_000, 1000)))
MARKED = ["?", *IDS[1:1999], "?"]
TURNED = [IDS[2990], *IDS[1:2999], IDS[5]]


def begins(world: World, time: int, newest: int) -> int | None:
    """Return where reading begins that asks for what was created since a time, or of newest until it."""
    want = {"since": 0, "until": time} if newest else {"since": time, "until": 1 << 47}
    last: list[list[Any]] = raw(world, "lookup", "a:1", "", newest=newest, most=1, **want)[2]
    return int(last[0][1]) if last else None


def in_minutes(*minutes: int) -> list[str]:
    """Return ids of these minutes."""
    return [created(minute * MINUTE) for minute in minutes]


@pytest.mark.parametrize("times", [EVENLY, LATE, EARLY, AT_ONCE, EVENLY[:256], EVENLY[:257], []])
def test_in_a_list_by_time_reading_begins_where_clocks_allow(world: World, times: list[int]) -> None:
    """As a search of the whole list says, at any time."""
    put(world, list(map(created, times)))
    ends = times[-1:] or [0]
    for time in {0, 1, 5000, *(ends[0] + add for add in (-CLOCKS, 0, 1, 9 * CLOCKS)), *times[::149]}:
        at = bisect_left(times, time)
        oldest = max(at - VAIN, bisect_left(times, time - CLOCKS), 0)
        newest = min(at + VAIN + 1, bisect_left(times, time + CLOCKS)) - 1
        # At the end of the list it says nothing.
        assert begins(world, time, 0) == (oldest if oldest < len(times) - 1 else None)
        assert begins(world, time, 1) == (newest if newest > 0 else None)


@pytest.mark.parametrize(
    ("ids", "time", "steps"),
    [
        (IDS[:1000], 700_000, 1),
        (list(map(created, LATE)), 3 * MINUTE, 2),
        (list(map(created, AT_ONCE)), 90_200, 1),
        (MARKED, 850_000, 3),
        (MARKED, 1_550_000, 2),
        (TURNED, 400_000, 3),
    ],
)
def test_in_how_few_steps(world: World, ids: list[str], time: int, steps: int) -> None:
    """At once where times are evenly spread; where they are not, by halving, and what was seen on the way helps."""
    put(world, ids)
    world.redis.config_resetstat()
    assert begins(world, time, 0) is not None
    stats: Any = world.redis.info("commandstats")
    # Beside these, one for what stands around it, and one to read it.
    assert stats["cmdstat_lrange"]["calls"] - 2 == steps


@pytest.mark.parametrize(
    ("ids", "minutes"),
    [
        (in_minutes(*range(300, 0, -1)), (1, 30, 299)),
        (in_minutes(*range(2000, 2600), *range(1400)), (30, 200)),
        (in_minutes(*range(1000, 2400), *range(600)), (2200, 2350)),
        (["?"] * 300, (30,)),
    ],
)
def test_a_list_in_no_order_is_read_as_a_whole(world: World, ids: list[str], minutes: tuple[int, ...]) -> None:
    """Wherever it is seen: within what is read at once, or between two parts."""
    put(world, ids)
    for minute in minutes:
        assert begins(world, minute * MINUTE, 0) == 0
        assert begins(world, minute * MINUTE, 1) == len(ids) - 1


def test_a_list_without_order_where_clocks_lead(world: World) -> None:
    """The time itself is found, but what stands out of order near it asks for what lies further, in no order."""
    put(world, in_minutes(*range(299, -1, -1), *range(300, 1000)))
    assert begins(world, 500 * MINUTE, 0) == 0


@pytest.mark.parametrize("newest", [0, 1])
def test_only_disorder_near_the_time_counts(world: World, newest: int) -> None:
    """Twice as much as the clocks differ there."""
    ids = in_minutes(*range(1000))
    ids[10:12] = ids[11], ids[10]
    put(world, ids)
    assert begins(world, 500 * MINUTE, newest) == 500
    for near in (480, 520):
        put(world, [*ids[:near], ids[near + 1], ids[near], *ids[near + 2 :]])
        assert begins(world, 500 * MINUTE, newest) == (502 if newest else 498)
    # What is no id hides nothing; the oldest of several late ones counts.
    put(world, [*ids[:480], ids[481], "!", ids[480], *ids[482:]])
    assert begins(world, 500 * MINUTE, newest) == (503 if newest else 499)
    put(world, [*ids[:480], ids[482], ids[481], ids[480], *ids[483:]])
    assert begins(world, 500 * MINUTE, newest) == (504 if newest else 496)


def test_nothing_stands_in_an_empty_list(world: World) -> None:
    """Nothing is looked at."""
    assert find(world, since=1, until=2) == ([], 0)

"""positions: where reading a list goes on behind an id: wherever that stands by now, or would if it is gone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.store.views.test_find import created, raw
from tests.world import World

KEY = "shop:a:1"


def like(ms: int, tail: str) -> str:
    """Return an id of this millisecond that stands before (`0`) or behind (`f`) the usual one of it."""
    return created(ms)[:-12].replace("-8000-", f"-{'8' if tail == 'f' else '7'}{tail * 3}-") + tail * 12


def begins(  # noqa: PLR0913 - what is known of the id
    world: World, job_id: str, index: int, time: int, *, newest: int = 0, before: str = ""
) -> int | None:
    """Return the index of the first id that is looked at behind this one; None where it was the last."""
    last: list[list[Any]] = raw(world, "lookup", "a:1", "", newest=newest, most=1, at=[job_id, index, time, before])[2]
    if last:
        return int(last[0][1])
    looked = raw(world, "lookup", "a:1", "", newest=newest, at=[job_id, index, time, before])[1]
    assert looked < 2
    length = world.redis.llen(world.key("lookups", KEY))
    return None if not looked else 0 if newest else length - 1


def put(world: World, ids: list[str]) -> None:
    """Let the lookup list have these ids."""
    world.redis.delete(world.key("lookups", KEY))
    for start in range(0, len(ids), 5000):
        world.redis.rpush(world.key("lookups", KEY), *ids[start : start + 5000])


@pytest.mark.parametrize("newest", [0, 1])
@pytest.mark.parametrize("place", [10, 1500, 3000, 4500, 6900])
def test_an_id_far_from_its_place_by_time_is_found(world: World, place: int, newest: int) -> None:
    """On both sides of it, to either end of the list."""
    ids = [created(number) for number in range(7000)]
    odd = like(4000, "f")
    put(world, [*ids[:place], odd, *ids[place:]])
    assert begins(world, odd, 3000 if place > 4000 else 6999, 4000, newest=newest) == place + (-1 if newest else 1)


@pytest.mark.parametrize(("time", "place"), [(500, 20_000), (20_000, 500)])
def test_an_id_too_far_from_its_place_is_not_looked_for(world: World, time: int, place: int) -> None:
    """Over 10,000 ids further on: reading goes on by the time."""
    ids = [created(number) for number in range(25_000)]
    odd = like(time, "f")
    put(world, [*ids[:place], odd, *ids[place:]])
    assert begins(world, odd, 12_000, time) == time + 1 + (place < time)


def test_an_id_that_is_gone_is_passed_by_its_time(world: World) -> None:
    """In the direction of reading; of one millisecond, by the rest of the id; what is no id has no time."""
    put(world, [*map(created, range(100))])
    for index in (50, 0, 99):
        assert begins(world, like(50, "f"), index, 50) == 51
        assert begins(world, like(50, "0"), index, 50) == 50
        assert begins(world, like(50, "f"), index, 50, newest=1) == 50
        assert begins(world, like(50, "0"), index, 50, newest=1) == 49
    assert begins(world, like(99, "f"), 99, 99) is None
    assert begins(world, like(0, "0"), 0, 0, newest=1) is None
    world.redis.lset(world.key("lookups", KEY), 51, "?")
    assert begins(world, like(50, "f"), 50, 50) == 52
    assert begins(world, like(52, "0"), 50, 52, newest=1) == 50


def test_behind_a_gone_id_of_a_list_out_of_order_none_is_left_out(world: World) -> None:
    """Reading goes on at the first one that may have stood behind it: some come again."""
    put(world, [*map(created, [0, 1, 2, 5, 3, 6, 7, 8])])
    assert begins(world, like(4, "0"), 4, 4) == 2
    assert begins(world, like(4, "0"), 4, 4, newest=1) == 5


def test_behind_a_gone_id_the_one_before_it_tells(world: World) -> None:
    """Where that is gone too, the time does."""
    put(world, [*map(created, [0, 1, 2, 5, 3, 6, 7, 8])])
    assert begins(world, like(4, "0"), 5, 4, before=created(3)) == 5
    assert begins(world, like(4, "0"), 5, 4, newest=1, before=created(6)) == 4
    assert begins(world, like(4, "0"), 5, 4, before=like(3, "f")) == 2


def test_at_the_ends_of_a_long_list_nothing_is_left(world: World) -> None:
    """Behind a gone id that was the last one there."""
    put(world, [*map(created, range(1200))])
    assert begins(world, like(1199, "f"), 1199, 1199) is None
    assert begins(world, like(0, "0"), 0, 0, newest=1) is None


def test_an_id_that_stands_there_several_times_is_passed_where_it_is_nearest(world: World) -> None:
    """To where it was read, then to its time."""
    ids = [created(number) for number in range(4000)]
    odd = like(1500, "f")
    put(world, [*ids[:60], odd, *ids[60:1490], odd, *ids[1490:3000], odd, *ids[3000:]])
    assert begins(world, odd, 50, 1500) == 61
    assert begins(world, odd, 300, 1500) == 1492


def test_in_a_list_in_no_order_a_gone_id_is_passed_where_it_was_read(world: World) -> None:
    """Its time says nothing."""
    put(world, [created((1500 - number) * 60_000) for number in range(1500)])
    assert begins(world, like(1400 * 60_000, "f"), 100, 1400 * 60_000) == 0
    assert begins(world, like(100 * 60_000, "f"), 1400, 100 * 60_000) == 400
    assert begins(world, like(100 * 60_000, "f"), 9000, 100 * 60_000) == 500


@pytest.mark.parametrize(
    ("since", "time", "place"), [([10, 11, 12, 14, 15], 13, 3), ([10, 14, 20, 15, 30], 18, 1), ([1, 2, 3, 4, 5], 9, 5)]
)
def test_where_jobs_wait_ids_say_nothing_of_the_order(world: World, since: list[int], time: int, place: int) -> None:
    """Behind a gone one, jobs come by since when they wait, whichever order their ids have."""
    for ids in ([created(number) for number in range(5)], [created(number) for number in range(5, 0, -1)]):
        world.redis.delete(world.key("waiting", "pick"))
        world.redis.rpush(world.key("waiting", "pick"), *ids)
        for job_id, moment in zip(ids, since, strict=True):
            world.redis.hset(
                world.key("jobs", f"shop:{job_id}"),
                mapping={"_status": "waiting", "_queue": "pick", "_attempt": f"1 w 1 0 0 {moment} -"},
            )
        found = raw(world, "waiting", "pick", "waiting", at=[created(100), 3, time, ""])[0]
        assert [job[1] for job in found] == list(range(place, 5))

"""position: how far a job is from its turn, in lists of any length."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.scale import scaled
from tests.store.views.costs import MOST, cost
from tests.world import NOW, World

#: Above so many, a list is no longer searched as a whole.
LONG = 10_000


def job_id(ms: int, number: int = 0) -> str:
    """Return an id that was made in a millisecond."""
    return f"{ms >> 16:08x}-{ms & 0xFFFF:04x}-7000-8000-{number:012x}"


def position(world: World, which: str, **named: Any) -> tuple[int, bool]:
    """Call the script; return how many are ahead, and whether that is exact."""
    ahead, exact, _due, _in_group = world.run("position", "pick", "pack", "pack:label", "ship", id=which, **named)
    return ahead, bool(exact)


def fill(world: World, queue: str, ids: list[str], *, since: int | None = None) -> None:
    """Let jobs wait in a queue; with `since`, each has been passed on to it, one a millisecond from then."""
    with world.redis.pipeline(transaction=False) as pipeline:
        for start in range(0, len(ids), 1000):
            pipeline.rpush(world.key("waiting", queue), *ids[start : start + 1000])
        for number, which in enumerate(ids if since is not None else ()):
            fields = {"_status": "waiting", "_queue": queue, "_attempt": f"1 w1 0 1 0 {(since or 0) + number} -"}
            pipeline.hset(world.key("jobs", f"shop:{which}"), mapping=fields)
            if number % 10_000 == 0:
                pipeline.execute()
        pipeline.execute()


@pytest.mark.scale
def test_in_a_long_list_it_is_found_by_halving(world: World) -> None:
    """By the times in the ids where jobs enter, by `since` where they were passed on to; at most 2 ms a call."""
    count = scaled(25_000, full=1_000_000)
    fresh = [job_id(NOW + number // 3, number) for number in range(count)]
    fill(world, "pick", fresh)
    # Jobs are passed on in another order than they were created in.
    passed = [job_id(NOW + number, 1 << 40 | number) for number in range(count)]
    random.Random(1).shuffle(passed)  # noqa: S311
    fill(world, "ship", passed, since=NOW)
    places = [0, 1, 9999, 12_345, count // 3, count // 2, count - 10_001, count - 1]
    for place in places:
        world.redis.hset(world.key("jobs", f"shop:{fresh[place]}"), "a", "1")
    for place in places:
        for which in (fresh[place], passed[place]):
            assert position(world, which) == (place, True)
            least, sent = cost(world, lambda which=which: position(world, which))
            assert least <= MOST
            assert not sent.keys() & {"scan", "keys", "sort"}


def test_of_who_does_not_wait_only_a_delayed_job_has_a_place(world: World) -> None:
    """How many are due before it, and when it is; where it does not stand there, or something else does, none."""

    def answer(which: str) -> list[Any]:
        found: list[Any] = world.run("position", "pick", "pack", "pack:label", "ship", id=which)
        return found

    delayed = {"_status": "delayed", "_queue": "ship"}
    world.seed_damaged(
        jobs={"shop:1": delayed, "shop:2": delayed, "shop:3": {"_status": "done", "_queue": "ship"}, "shop:4": "x"},
        delayed={"ship": {"0": NOW, "1": NOW + 9}},
        waiting={"ship": ["3", "4"]},
    )
    nowhere = [-1, 1, "", -1]
    assert answer("1") == [1, 1, str(NOW + 9), -1]
    assert [answer(which) for which in ("2", "3", "4", "5")] == [nowhere] * 4
    world.redis.delete(world.key("delayed", "ship"))
    world.redis.set(world.key("delayed", "ship"), "not ours")
    assert answer("1") == nowhere


def test_where_it_stands_counts_more_than_where_it_should(world: World) -> None:
    """Of two queues that may have it and are too long to be searched."""
    ids = [job_id(NOW + number, number) for number in range(2 * LONG + 2)]
    one = ids[LONG]
    world.seed(jobs={f"shop:{one}": {"a": "1"}}, queues={"shop": {"old": "first", "pick": "first"}})
    fill(world, "old", [which for which in ids if which != one])
    fill(world, "pick", ids)
    assert position(world, one) == (LONG, True)


def test_what_was_put_at_the_head_or_came_late_is_found_at_the_ends(world: World) -> None:
    """A job that was handed back, or whose producer's clock is wrong."""
    ids = [job_id(NOW + number, number) for number in range(2 * LONG + 5000)]
    back, late, early = job_id(NOW + 9, 1 << 40), job_id(1, 1), job_id(NOW * 2, 2)
    fill(world, "pick", [back, *ids, late, early])
    world.seed(
        jobs={
            f"shop:{back}": {"_status": "waiting", "_queue": "pick", "a": "1"},
            f"shop:{late}": {"a": "1"},
            f"shop:{early}": {"a": "1"},
        }
    )
    world.redis.hset(world.key("jobs", f"shop:{back}"), "_attempt", f"1 w1 0 0 1 {NOW + len(ids)} -")
    assert position(world, back) == (0, True)
    assert position(world, late) == (len(ids) + 1, True)
    assert position(world, early) == (len(ids) + 2, True)


def test_what_is_not_at_its_place_is_said_to_be_about_there(world: World) -> None:
    """In a list that is too long to be searched; in one that the ends cover it is known that it is not there."""
    ids = [job_id(NOW + number, number) for number in range(2 * LONG + 5000)]
    hidden = job_id(NOW + 20_000, 1 << 40)
    fill(world, "pick", [*ids[:12_000], hidden, *ids[12_000:]])
    world.seed(jobs={f"shop:{hidden}": {"a": "1"}})
    ahead, exact = position(world, hidden)
    assert (abs(ahead - 20_000) < 10, exact) == (True, False)
    world.redis.lrem(world.key("waiting", "pick"), 1, hidden)
    world.redis.ltrim(world.key("waiting", "pick"), 0, 2 * LONG - 1)
    assert position(world, hidden) == (-1, True)


def test_edited_hashes_on_the_way_do_not_mislead(world: World) -> None:
    """Jobs of the list that are gone, are elsewhere by now, or hold nonsense, do not say where others stand."""
    ids = [job_id(NOW - number, number) for number in range(LONG + 5000)]
    fill(world, "ship", ids, since=NOW)
    for which in ids[::3]:
        world.redis.delete(world.key("jobs", f"shop:{which}"))
    for which in ids[1::12]:
        world.redis.hset(world.key("jobs", f"shop:{which}"), "_status", "done")
    for which in ids[2::12]:
        world.redis.hset(world.key("jobs", f"shop:{which}"), "_attempt", "x" * 99)
    target = ids[11_998]
    world.redis.hset(
        world.key("jobs", f"shop:{target}"),
        mapping={"_status": "waiting", "_queue": "ship", "_attempt": f"1 w1 0 1 0 {NOW + 11_998} -"},
    )
    assert position(world, target) == (11_998, True)


def test_of_jobs_that_are_gone_the_ids_tell(world: World) -> None:
    """In a long list of them it is found in a few steps, or said to be where the first of its time stands."""
    ids = [job_id(NOW + number, number) for number in range(2 * LONG + 5000)]
    shifted, hidden, lost = (job_id(NOW + ms, 1 << 40) for ms in (13_500, 18_000, 90_000))
    fill(world, "ship", [*ids[:12_000], hidden, *ids[12_000:12_400], shifted, *ids[12_400:]])
    for which in (ids[0], ids[14_000], shifted, hidden, lost):
        world.redis.hset(world.key("jobs", f"shop:{which}"), mapping={"_status": "waiting", "_queue": "ship"})
    world.redis.config_resetstat()
    assert position(world, ids[0]) == (0, True)
    assert position(world, ids[14_000]) == (14_002, True)
    assert position(world, shifted) == (12_401, True)
    stats: Any = world.redis.info("commandstats")
    assert "cmdstat_lpos" not in stats
    assert stats["cmdstat_hmget"]["calls"] < 400
    assert position(world, hidden) == (18_002, False)
    assert position(world, lost) == (len(ids) + 2, False)


def test_what_says_nothing_of_the_time_stands_at_the_ends(world: World) -> None:
    """Neither the other ids do, nor that of the job itself; a short list is searched without a look at any job."""
    late, fresh = job_id(NOW, 1), job_id(NOW + 6000, 6000)
    fill(world, "ship", [*["?"] * 12_000, late])
    fill(world, "pick", [*(job_id(NOW + number, number) for number in range(12_000)), "odd"])
    fill(world, "pack", ["?", "low"])
    for which, queue in ((late, "ship"), ("odd", "pick"), ("low", "pack"), (fresh, "pick")):
        world.redis.hset(world.key("jobs", f"shop:{which}"), mapping={"_status": "waiting", "_queue": queue})
    assert position(world, late) == (12_000, True)
    assert position(world, "odd") == (12_000, True)
    world.redis.config_resetstat()
    assert position(world, "low") == (1, True)
    stats: Any = world.redis.info("commandstats")
    assert "cmdstat_lrange" not in stats
    # Where all wait, one job says for each step how far it is.
    world.redis.config_resetstat()
    assert position(world, fresh) == (6000, True)
    stats = world.redis.info("commandstats")
    assert stats["cmdstat_hmget"]["calls"] < 20

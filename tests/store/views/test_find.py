"""find: which jobs of one source fit, what is never looked at, and where reading goes on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flows.model.find.conjunction import Conjunction
from flows.model.find.query import JobQuery
from flows.model.state import JobState
from flows.store.views.source import Sources
from tests.world import World

#: Ids of jobs, by when they were created: `created(7)` after the epoch.
TAIL = "7000-8000-000000000000"


def created(ms: int) -> str:
    """Return an id."""
    return f"{ms >> 16:08x}-{ms & 0xFFFF:04x}-{TAIL}"


def find(world: World, kind: str = "lookup", name: str = "a:1", state: str = "", **asked: Any) -> tuple[list[str], int]:
    """Read one source; which jobs were found, by their times, and how many ids were looked at."""
    found, looked, _last = raw(world, kind, name, state, **asked)
    return [int(job[0].replace("-", "")[:12], 16) for job in found], looked


def raw(  # noqa: PLR0913 - what the script is asked
    world: World,
    kind: str,
    name: str,
    state: str,
    *,
    newest: int = 0,
    at: list[Any] | None = None,
    most: int = 500,
    limit: int = 100,
    but: list[dict[str, Any]] | None = None,
    **want: Any,
) -> Any:
    """Call the script."""
    sources = Sources(world.settings, ["pick", "pack", "ship"])
    place = sources.place(JobState(state), name) if state else sources.lookup(*name.split(":"))
    at_id, index, time, before = at or ["", 0, 0, ""]
    return world.run(
        "find",
        source=place.key,
        source_kind=kind,
        place_state=state,
        place_queue=name,
        query=json.dumps({"want": {"where": [], **want}, "but": [{"where": [], **other} for other in but or []]}),
        newest_first=newest,
        at_id=at_id,
        at_index=index,
        at_time=time,
        at_before=before,
        most_looked=most,
        most_found=limit,
    )


def seed(world: World, **jobs: dict[str, str]) -> None:
    """Write jobs that a lookup lists, by the times of their ids: `_7` is the one of 7."""
    ids = {name: created(int(name[1:])) for name in jobs}
    world.seed_damaged(
        jobs={f"shop:{ids[name]}": {"a": "1", "_lookups": "a:1\nb:2", **fields} for name, fields in jobs.items()},
        lookups={"shop:a:1": [ids[name] for name in jobs]},
    )


def test_conditions_are_read_from_the_hash(world: World) -> None:
    """State, queue, other lookups by their lines, and the time in the id; without a state a job waits in the first."""
    seed(
        world,
        _1={},
        _2={"_status": "failed", "_queue": "pick"},
        _3={"_status": "failed", "_queue": "pack", "_lookups": "a:1\nb:22"},
        _4={"_status": "done", "_queue": "ship"},
        _5={"_status": "nonsense"},
    )
    assert find(world) == ([1, 2, 3, 4, 5], 5)
    assert find(world, status=["failed"])[0] == [2, 3, 5]
    assert find(world, status=["waiting"], queue=["pick"])[0] == [1]
    assert find(world, queue=["pack", "ship"])[0] == [3, 4]
    assert find(world, where=["b:2"])[0] == [1, 2, 4, 5]
    assert find(world, where=["b:2", "b:22"])[0] == []
    assert find(world, since=2, until=4)[0] == [2, 3]
    assert find(world, but=[{"status": ["failed"]}, {"queue": ["ship"]}])[0] == [1]


def test_an_id_that_is_not_of_a_job_is_passed_over(world: World) -> None:
    """Its hash is gone, or no hash, or the job has left the place whose list has it still."""
    seed(world, _1={}, _2={}, _3={}, _4={})
    world.redis.delete(world.key("jobs", f"shop:{created(2)}"), world.key("jobs", f"shop:{created(3)}"))
    world.redis.set(world.key("jobs", f"shop:{created(3)}"), "a text")
    world.redis.rpush(world.key("lookups", "shop:a:1"), "", "?", created(5))
    world.redis.hset(world.key("jobs", "shop:?"), "a", "1")
    assert find(world) == ([1, 4], 7)
    world.redis.rpush(world.key("waiting", "pick"), *map(created, (4, 1, 2, 5)), "?")
    world.edit(f"shop:{created(1)}", _status="failed", _queue="pick")
    world.seed_damaged(jobs={f"shop:{created(5)}": {"_status": "waiting", "_queue": "pack"}})
    assert find(world, "waiting", "pick", "waiting")[0] == [4]
    world.redis.delete(world.key("waiting", "pick"))
    world.redis.set(world.key("waiting", "pick"), "no list")
    assert find(world, "waiting", "pick", "waiting") == ([], 0)


def test_reading_goes_on_behind_the_last_one(world: World) -> None:
    """From either end, by so many found or so many looked at; and nothing comes back at the end."""
    seed(world, **{f"_{number}": {} for number in range(1, 8)})
    found, looked, [last] = raw(world, "lookup", "a:1", "", limit=3)
    assert (len(found), looked, last[0]) == (3, 3, created(3))
    assert last[1:] == [2, "3", created(2)]
    assert find(world, at=last, most=2) == ([4, 5], 2)
    assert find(world, at=last) == ([4, 5, 6, 7], 4)
    assert raw(world, "lookup", "a:1", "", at=last)[2] == []
    assert find(world, newest=1, at=last)[0] == [2, 1]
    assert find(world, newest=1, limit=3)[0] == [7, 6, 5]
    [last] = raw(world, "lookup", "a:1", "", newest=1, limit=3)[2]
    assert find(world, newest=1, at=last, most=5)[0] == [4, 3, 2, 1]
    assert raw(world, "lookup", "a:1", "", newest=1, at=last)[2] == []
    world.redis.lrem(world.key("lookups", "shop:a:1"), 0, created(5))
    assert find(world, newest=1, at=last) == ([4, 3, 2, 1], 4)
    world.redis.linsert(world.key("lookups", "shop:a:1"), "BEFORE", created(6), created(5))
    _found, looked, [last] = raw(world, "lookup", "a:1", "", status=["done"], most=5)
    assert (looked, last[0]) == (5, created(5))
    world.redis.lrem(world.key("lookups", "shop:a:1"), 0, created(5))
    assert find(world, at=last) == ([6, 7], 2)


@pytest.mark.parametrize("newest", [0, 1])
def test_reading_goes_on_behind_an_id_that_is_none(world: World, newest: int) -> None:
    """By its index, since it has no time."""
    seed(world, **{f"_{number}": {} for number in range(1, 6)})
    world.redis.linsert(world.key("lookups", "shop:a:1"), "AFTER", created(3), "?" * 40)
    found, looked, [last] = raw(world, "lookup", "a:1", "", newest=newest, most=3 if newest else 4)
    assert (len(found), looked, last) == (looked - 1, looked, ["-", 3, "0", created(4 if newest else 3)])
    assert find(world, newest=newest, at=last) == (([3, 2, 1], 3) if newest else ([4, 5], 2))


def minutes(world: World, count: int, *jobs: int) -> None:
    """Let a lookup list an id of each of so many minutes; some of them have jobs, claimed a day later."""
    seed(world, **{f"_{number * 60_000}": {"_attempt": "1 w1 1 0 0 86400000 -"} for number in jobs})
    world.redis.delete(world.key("lookups", "shop:a:1"))
    world.redis.rpush(world.key("lookups", "shop:a:1"), *(created(number * 60_000) for number in range(count)))


@pytest.mark.parametrize("newest", [0, 1])
def test_in_a_list_by_creation_only_a_part_is_looked_at(world: World, newest: int) -> None:
    """From where jobs of a time can stand, in steps of 200 ids, until one ends with an id that is beyond that time."""
    minutes(world, 1000, 500, 550, 600)
    want = {"since": 500 * 60_000, "until": 600 * 60_000}
    found = [550 * 60_000, 500 * 60_000] if newest else [500 * 60_000, 550 * 60_000]
    assert find(world, newest=newest, **want) == (found, 200)
    assert raw(world, "lookup", "a:1", "", newest=newest, **want)[2] == []
    [last] = raw(world, "lookup", "a:1", "", newest=newest, limit=1, **want)[2]
    assert last[1] == (550 if newest else 500)
    assert last[2] == str(last[1] * 60_000)
    assert find(world, newest=newest, at=last, **want) == (found[1:], 200)
    assert find(world, newest=newest, most=1000)[1] == 1000
    more = {"since": 350 * 60_000, "until": 650 * 60_000}
    assert find(world, newest=newest, most=1000, **more)[1] == 400
    world.redis.lset(world.key("lookups", "shop:a:1"), 251 if newest else 749, "?")
    assert find(world, newest=newest, most=1000, **more)[1] == 600


def test_times_of_jobs_in_a_sorted_set(world: World) -> None:
    """It is not sorted by creation, so all of it is looked at."""
    seed(world, **{f"_{number}": {"_status": "failed", "_queue": "pack"} for number in (3, 1, 2)})
    key = world.settings.keys.ended_jobs("pack", "failed")
    world.redis.zadd(key, {created(number): 9 - number for number in (1, 2, 3)})
    assert find(world, "set", "pack", "failed", since=2, until=4) == ([3, 2], 3)


def test_sorted_sets_are_read_by_score_and_id(world: World) -> None:
    """Ended jobs stand by when they ended; those of one millisecond by their ids."""
    ids = [created(number) for number in range(1, 7)]
    seed(world, **{f"_{number}": {"_status": "failed", "_queue": "pack"} for number in range(1, 7)})
    key = world.settings.keys.ended_jobs("pack", "failed")
    world.redis.zadd(key, dict(zip(ids, [30, 20, 20, 20, 10, 5], strict=True)))
    assert find(world, "set", "pack", "failed")[0] == [6, 5, 2, 3, 4, 1]
    found, _looked, [last] = raw(world, "set", "pack", "failed", newest=1, limit=2)
    assert [job[2] for job in found] == ["30", "20"]
    world.redis.zrem(key, last[0])
    assert find(world, "set", "pack", "failed", newest=1, at=last)[0] == [3, 2, 5, 6]
    assert find(world, "set", "pick", "failed") == ([], 0)
    stand = [(5, 6), (10, 5), (20, 2), (20, 3), (20, 4), (30, 1)]
    for gone in (False, True):
        for at, (score, number) in enumerate(stand):
            world.redis.zadd(key, {created(other): its for its, other in stand})
            _ = gone and world.redis.zrem(key, created(number))
            behind = [created(number), at, score, ""]
            later, earlier = ([other for _, other in part] for part in (stand[at + 1 :], stand[:at][::-1]))
            assert find(world, "set", "pack", "failed", at=behind)[0] == later
            assert find(world, "set", "pack", "failed", newest=1, at=behind)[0] == earlier


def test_the_sample_of_done_jobs_has_the_newest_at_its_head(world: World) -> None:
    """Newer ones come to the head between two pages, and old ones go at the tail."""
    ids = [created(number) for number in range(1, 7)]
    seed(
        world,
        **{f"_{number}": {"_status": "done", "_queue": "ship", "_ended": str(90 + number)} for number in range(1, 7)},
    )
    key = world.settings.keys.ended_jobs("ship", "done")
    world.redis.lpush(key, *ids[:5])
    found, _looked, [last] = raw(world, "sample", "ship", "done", newest=1, limit=2)
    assert [job[2] for job in found] == ["95", "94"]
    world.redis.lpush(key, ids[5])
    assert find(world, "sample", "ship", "done", newest=1, at=last)[0] == [3, 2, 1]
    assert find(world, "sample", "ship", "done")[0] == [1, 2, 3, 4, 5, 6]
    [oldest] = raw(world, "sample", "ship", "done", limit=2)[2]
    assert find(world, "sample", "ship", "done", at=oldest)[0] == [3, 4, 5, 6]
    [last] = raw(world, "sample", "ship", "done", newest=1, limit=4)[2]
    world.redis.ltrim(key, 0, 1)
    assert find(world, "sample", "ship", "done", newest=1, at=last)[0] == []
    assert find(world, "sample", "ship", "done", at=oldest)[0] == [5, 6]


def test_a_sample_is_searched_as_far_as_one_can_be_long(world: World) -> None:
    """Whatever somebody has written to its end; a time of an end that is no number counts as none."""
    seed(world, _1={"_status": "done", "_queue": "ship", "_ended": "nan"})
    key = world.settings.keys.ended_jobs("ship", "done")
    world.redis.rpush(key, created(1), *["?"] * 4999, created(2), created(1))
    assert raw(world, "sample", "ship", "done", newest=1)[0] == [[created(1), 0, "0", ""]]
    assert find(world, "sample", "ship", "done", newest=1, at=[created(2), 5000, 0, ""]) == ([], 0)


def test_jobs_in_a_list_are_timed_by_since_when_they_wait(world: World) -> None:
    """That is in `_attempt`; a new job has none, and waits since it was created."""
    seed(world, _1={}, _2={"_status": "waiting", "_queue": "pick", "_attempt": "1 w 1 0 0 77 -"}, _3={"_attempt": "?"})
    world.redis.rpush(world.key("waiting", "pick"), *map(created, (1, 2, 3)))
    found, _looked, _last = raw(world, "waiting", "pick", "waiting")
    assert [job[2] for job in found] == ["1", "77", "3"]


def test_jobs_in_a_list_whose_fields_say_nothing(world: World) -> None:
    """A job without any of the kernel's fields waits where it stands; what has no time stands at 0."""
    other = "?" * 36
    world.seed_damaged(jobs={f"shop:{created(1)}": {"a": "1"}, f"shop:{created(2)}": "x", f"shop:{other}": {"a": "1"}})
    world.redis.rpush(world.key("waiting", "pack"), created(1), created(2), other)
    found, looked, [last] = raw(world, "waiting", "pack", "waiting", most=2)
    assert (found, looked, last) == ([[created(1), 0, "1", ""]], 2, [created(2), 1, "2", created(1)])
    assert raw(world, "waiting", "pack", "waiting", since=0, until=9)[:2] == [found, 3]
    assert raw(world, "waiting", "pack", "waiting", at=last)[0] == [[other, 2, "0", created(2)]]


def test_in_a_queue_of_several_flows_only_the_own_jobs_are_found(world: World) -> None:
    """Also where another flow has a job of the same id there."""
    one, two = created(1), created(2)
    shared = World(world.redis, world.namespace, shared={"pick": "= pick pack -1 2"})
    shared.seed(jobs={f"shop:{one}": {"a": "1"}, f"shop:{two}": {"a": "1"}})
    shared.seed(waiting={"pick": [f"shop:{one}", f"farm:{two}"]}, meta={"pick": {"flows": "shop farm"}})
    assert raw(shared, "waiting", "pick", "waiting")[:2] == [[[f"shop:{one}", 0, "1", ""]], 2]


def test_the_cheapest_source_holds_all_that_fits(world: World) -> None:
    """Done jobs stand in no place for long: where a lookup is asked for, its list is read."""
    sources = Sources(world.settings, ["pick", "pack", "pack:label"])
    lookups = frozenset({("a", "1"), ("b", "2")})
    failed = frozenset({JobState.FAILED})

    def names(asked: Conjunction) -> list[list[str]]:
        return [[source.name for source in choice] for choice in sources._choices(asked)]

    assert names(Conjunction(lookups)) == [["a:1"], ["b:2"]]
    assert names(Conjunction(lookups, failed)) == [["a:1"], ["b:2"], ["pick", "pack"]]
    assert names(Conjunction(states=failed)) == [["pick", "pack"]]
    assert names(Conjunction(states=failed, queues=frozenset({"pack:label"}))) == [["pack:label"]]
    assert names(Conjunction(lookups, queues=frozenset({"pack:label"}))) == [[]]
    assert JobQuery().of_ended is False

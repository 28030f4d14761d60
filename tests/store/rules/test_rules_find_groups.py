"""Jobs that wait in lists of priorities and groups are found, a page at a time, whatever comes and goes meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator
from random import Random

import pytest
from redis import Redis

from flows.model.find.conjunction import Conjunction
from flows.model.find.query import JobQuery
from flows.model.state import JobState
from flows.store.client.connection import Connection
from flows.store.jobs.places import depths, standing
from flows.store.views.count import count
from flows.store.views.find import Finder
from tests.store.rules.ruled_world import ruled_world
from tests.world import NOW, World

WAITING = JobQuery((Conjunction(states=frozenset({JobState.WAITING}), queues=frozenset({"pick"})),))


def job_id(number: int) -> str:
    """Return an id."""
    return f"00000000-{number:04x}-7000-8000-000000000000"


@pytest.fixture
def world(redis: Redis, namespace: str) -> World:
    """Make a world in which `pick` and `pack` have rules."""
    return ruled_world(redis, namespace)


@pytest.fixture
async def connection(redis_url: str) -> AsyncIterator[Connection]:
    """Open a connection."""
    connection = Connection(redis_url, "test")
    yield connection
    await connection.close()


def named(group: int, *, long: bool = False) -> str:
    """Return the text of a group; through a set of long ones the server walks in many steps."""
    return f"{group:070}" if long else str(group)


def fill(world: World, *, jobs: int = 600, groups: int = 150, long: bool = False) -> set[str]:
    """Let jobs wait in lists of priorities and groups, of which some are parked; return their ids."""
    random = Random(7)  # noqa: S311 - no secret
    ids = [job_id(number) for number in range(1, jobs + 1)]
    for each in ids:
        band, group = random.randint(1, 3), random.randint(0, groups)
        fields = {"_priority": str(band), **({"user": named(group, long=long)} if group else {})}
        world.redis.hset(world.key("jobs", f"shop:{each}"), mapping=fields)
        kind, name = ("waiting", f"pick/{band}" if band > 1 else "pick")
        if group:
            kind, name = "group", f"pick/{band}/{named(group, long=long)}"
        world.redis.rpush(world.key(kind, name), each)
        if group:
            world.redis.hincrby(world.key("fair", "pick"), f"n{band}", 1)
        if group % 3 == 1:
            world.redis.zadd(world.key("parked", "pick"), {f"{band}/{named(group, long=long)}": NOW})
        elif group:
            world.redis.zadd(world.key("ring", f"pick/{band}"), {named(group, long=long): number_of(each)})
    return set(ids)


def number_of(each: str) -> int:
    """Return the number that an id was made of."""
    return int(each[9:13], 16)


@pytest.mark.parametrize("limit", [7, 100, 1000])
@pytest.mark.parametrize("newest_first", [False, True])
async def test_every_job_is_found_once(*, limit: int, newest_first: bool, world: World, connection: Connection) -> None:
    """Page after page, in lists of priorities and of groups, whether those take part or are parked."""
    ids = fill(world)
    finder, cursor, found = Finder(connection, world.settings, ["pick"]), "", list[str]()
    while True:
        page = await finder.page(WAITING, cursor=cursor, limit=limit, newest_first=newest_first)
        found += [each for _flow, each in page.jobs]
        cursor = page.cursor
        if not cursor:
            break
    assert (len(found), set(found)) == (len(ids), ids)


async def test_jobs_that_stay_are_found_while_others_go(world: World, connection: Connection) -> None:
    """Heads of lists are taken between pages, and groups are parked and come back: none is left out."""
    ids, gone = fill(world, long=True), set[str]()
    finder, cursor, found = Finder(connection, world.settings, ["pick"]), "", set[str]()
    random = Random(3)  # noqa: S311 - no secret
    while True:
        page = await finder.page(WAITING, cursor=cursor, limit=20, newest_first=False)
        found |= {each for _flow, each in page.jobs}
        cursor = page.cursor
        if not cursor:
            break
        for _ in range(5):
            key = world.key("group", f"pick/{random.randint(1, 3)}/{named(random.randint(1, 150), long=True)}")
            head = world.redis.lpop(key)
            if head:
                gone.add(str(head))
                world.redis.delete(world.key("jobs", f"shop:{head}"))
    assert gone
    assert ids - gone <= found


async def test_jobs_that_were_left_in_lists_are_not_found(world: World, connection: Connection) -> None:
    """They are cancelled, or wait in another queue."""
    world.seed_damaged(
        jobs={
            f"shop:{job_id(1)}": {"user": "7"},
            f"shop:{job_id(2)}": {"user": "7", "_status": "cancelled", "_queue": "pick"},
            f"shop:{job_id(3)}": {"user": "7", "_status": "waiting", "_queue": "ship"},
        },
        group={"pick/1/7": [job_id(3), job_id(2), job_id(1), "nothing"]},
        ring={"pick/1": {"7": 0, "": 1, "empty": 2}},
        fair={"pick": {"n1": "4"}},
    )
    page = await Finder(connection, world.settings, ["pick"]).page(WAITING, limit=9, newest_first=False)
    assert (page.jobs, page.cursor) == ([("shop", job_id(1))], "")


async def test_keys_that_hold_something_else_count_as_empty(world: World, connection: Connection) -> None:
    """The lists beside them are read."""
    world.seed(jobs={f"shop:{job_id(1)}": {"_priority": "2"}}, waiting={"pick/2": [job_id(1)]})
    for kind, name in (("ring", "pick/1"), ("parked", "pick"), ("group", "pick/2/7")):
        world.redis.set(world.key(kind, name), "something")
    world.seed(ring={"pick/2": {"7": 0}}, fair={"pick": {"n1": "5", "n2": "x", "n3": "2"}})
    page = await Finder(connection, world.settings, ["pick"]).page(WAITING, limit=9, newest_first=False)
    assert (page.jobs, page.cursor) == ([("shop", job_id(1))], "")


async def test_a_group_that_holds_something_else_hides_no_other(world: World, connection: Connection) -> None:
    """Its turn comes to nothing."""
    world.seed(
        jobs={f"shop:{job_id(1)}": {"user": "8"}},
        group={"pick/1/8": [job_id(1)]},
        ring={"pick/1": {"7": 0, "8": 1}},
        fair={"pick": {"n1": "2"}},
    )
    world.redis.set(world.key("group", "pick/1/7"), "something")
    page = await Finder(connection, world.settings, ["pick"]).page(WAITING, limit=9, newest_first=False)
    assert (page.jobs, page.cursor) == ([("shop", job_id(1))], "")


async def test_a_group_that_holds_something_else_by_now_is_left(world: World, connection: Connection) -> None:
    """Between two pages that stop within it; the next group follows."""
    world.seed(
        jobs={f"shop:{job_id(n)}": {"user": "7" if n < 3 else "8"} for n in (1, 2, 3)},
        group={"pick/1/7": [job_id(1), job_id(2)], "pick/1/8": [job_id(3)]},
        ring={"pick/1": {"7": 0, "8": 1}},
        fair={"pick": {"n1": "3"}},
    )
    finder = Finder(connection, world.settings, ["pick"])
    page = await finder.page(WAITING, limit=1, newest_first=False)
    assert page.jobs == [("shop", job_id(1))]
    world.redis.delete(world.key("group", "pick/1/7"))
    world.redis.set(world.key("group", "pick/1/7"), "something")
    page = await finder.page(WAITING, cursor=page.cursor, limit=9, newest_first=False)
    assert (page.jobs, page.cursor) == ([("shop", job_id(3))], "")


def test_a_call_looks_at_no_more_than_it_is_asked_for(world: World) -> None:
    """Wherever it stops, within a group or behind one, and among those that are parked: the next one goes on there."""
    ids = fill(world, long=True)
    band_two = {each for each in ids if world.job(f"shop:{each}").get("_priority") == "2"}
    grouped = {each for each in band_two if world.job(f"shop:{each}").get("user")}
    place = {"source": world.key("ring", "pick/2"), "source_kind": "groups", "place_state": "waiting"}
    asked = {**place, "place_queue": "pick", "query": '{"want":{"where":[]},"but":[]}', "newest_first": 0}
    for most_looked, most_found in ((30, 10), (30, 1000), (1, 1000)):
        found, at = set[str](), ["", 0, 0, ""]
        while at:
            behind = dict(zip(("at_id", "at_index", "at_time", "at_before"), at, strict=True))
            some, looked, last = world.run("find", most_looked=most_looked, most_found=most_found, **asked, **behind)
            assert len(some) <= most_found
            assert looked <= most_looked + 2, "a group counts as one, and so does a step of the scan"
            found |= {each for each, *_ in some}
            at = last[0] if last else None
        assert found == grouped


def test_jobs_in_groups_are_timed_by_since_when_they_wait(world: World) -> None:
    """As those in lists are."""
    fields = {"_status": "waiting", "_queue": "pick", "_attempt": "1 w 1 0 0 77 -", "user": "7"}
    world.seed_damaged(jobs={f"shop:{job_id(1)}": fields}, group={"pick/1/7": [job_id(1)]}, ring={"pick/1": {"7": 0}})
    place = {"source": world.key("ring", "pick/1"), "source_kind": "groups", "place_state": "waiting"}
    asked = {"place_queue": "pick", "query": '{"want":{"where":[]},"but":[]}', "newest_first": 0}
    behind = {"at_id": "", "at_index": 0, "at_time": 0, "at_before": "", "most_looked": 9, "most_found": 9}
    [[_id, _index, time, _before]], *_ = world.run("find", **place, **asked, **behind)
    assert time == "77"


async def test_all_lists_are_counted(world: World, connection: Connection) -> None:
    """Without a look at any job; what was left in them by jobs that are gone is taken off once."""
    ids = fill(world, jobs=90)
    world.seed(meta={"pick": {"stale": "4"}})
    finder = Finder(connection, world.settings, ["pick"])
    counted = await count(finder, connection, WAITING, newest_first=False)
    assert (counted.number, counted.exact) == (len(ids) - 4, True)


async def test_the_kit_for_tests_knows_all_lists(world: World, connection: Connection) -> None:
    """How many wait, and which."""
    ids = fill(world, jobs=90)
    world.seed(waiting={"ship": ["1"], "pack/2": ["2"]})
    assert (await depths(connection, world.settings, ["pick", "pack", "ship"])).waiting == len(ids) + 2
    assert {each for each, _due in await standing(connection, world.settings, "pick")} == ids
    assert await standing(connection, world.settings, "pack") == [("2", None)]

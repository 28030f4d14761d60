"""Lookup lists lose the ids of jobs that are gone: which are noted for that, and how the reconciler takes them out."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.scale import SCALE, scaled
from tests.world import HOUR, KEPT, NOW, QUEUES, TTL, World, fail, finish

DAY = 24 * HOUR
LIST = "shop:team:1"
LINE = "team:1"


def uuid(number: int) -> str:
    """Return a job id."""
    return f"{number:08x}-0000-7000-8000-000000000000"


def seed(world: World, count: int, **fields: str) -> list[str]:
    """Write jobs that a list names, all claimed by `w1`, and return their ids."""
    ids = [uuid(number) for number in range(1, count + 1)]
    for start in range(0, count, 5000):
        some = ids[start : start + 5000]
        with world.redis.pipeline(transaction=False) as pipeline:
            for job_id in some:
                hashed = {"_lookups": LINE, "_status": "processing", "_queue": "ship", "_attempt": "1 w1 1 0 0 1 -"}
                pipeline.hset(world.key("jobs", f"shop:{job_id}"), mapping={**hashed, **fields})
                pipeline.pexpire(world.key("jobs", f"shop:{job_id}"), TTL)
            pipeline.rpush(world.key("lookups", LIST), *some)
            pipeline.execute()
    world.redis.pexpire(world.key("lookups", LIST), TTL)
    world.redis.zadd(world.key("processing", "ship"), dict.fromkeys(ids[:1000], NOW + HOUR))
    return ids


def left(world: World) -> list[str]:
    """Return what stands in the list."""
    found: list[str] = world.redis.lrange(world.key("lookups", LIST), 0, -1)
    return found


def noted(world: World) -> dict[str, int]:
    """Return which lists are noted, and when they are to be looked at."""
    return {line: int(at) for line, at in world.redis.zrange(world.key("prune", "shop"), 0, -1, withscores=True)}


def note(world: World, at: int = NOW) -> None:
    """Have the list looked at."""
    world.redis.zadd(world.key("prune", "shop"), {LINE: at})


def remove(world: World, *ids: str) -> None:
    """Let jobs be gone, as if they had expired."""
    for start in range(0, len(ids), 1000):
        world.redis.unlink(*(world.key("jobs", f"shop:{job_id}") for job_id in ids[start : start + 1000]))


def end(world: World, *ids: str, verb: str = "finish") -> None:
    """End jobs, one turn each."""
    for job_id in ids:
        attempt = finish(job_id) if verb == "finish" else fail(job_id)
        assert world.turn(attempt, queue="ship").words == ["ok"]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 0, 2)])
def test_a_shared_list_is_noted_whatever_the_order_in_which_its_jobs_end(world: World, order: tuple[int, ...]) -> None:
    """By the one at its head, for when its hash goes; those behind it cost nothing more."""
    ids = seed(world, 3)
    for number in order:
        before = noted(world)
        end(world, ids[number])
        assert (noted(world) != before) == (number == 0)
    assert noted(world) == {LINE: NOW + KEPT[0]}


def test_who_finds_the_head_dead_notes_the_list(world: World) -> None:
    """The new head has ended before, and will not say so again."""
    ids = seed(world, 3)
    end(world, ids[1])
    remove(world, ids[0])
    assert noted(world) == {}
    end(world, ids[2], verb="fail")
    assert left(world) == ids[1:]
    assert noted(world) == {LINE: NOW + KEPT[1]}


def test_a_list_of_one_job_goes_with_it(world: World) -> None:
    """It has a time to live of its own; without `job_ttl` it has none, and is noted."""
    [one] = seed(world, 1)
    end(world, one)
    assert noted(world) == {}
    for_ever = World(world.redis, world.namespace, ttl_ms=0)
    world.redis.delete(world.key("lookups", LIST))
    [one] = seed(for_ever, 1)
    for_ever.redis.persist(world.key("lookups", LIST))
    for_ever.turn(finish(one), queue="ship", number=99)
    assert noted(world) == {LINE: NOW + KEPT[0]}


def test_deleting_a_job_notes_its_lists(world: World) -> None:
    """Of those that are left: what is behind it may have ended long ago."""
    ids = seed(world, 2, _status="done")
    world.run("delete", id=ids[0])
    assert noted(world) == {LINE: NOW}
    world.run("delete", id=ids[1])
    assert left(world) == []
    world.reconcile()
    assert noted(world) == {}


def test_a_list_whose_jobs_are_all_gone_is_found_and_removed(world: World) -> None:
    """No hash names it any more: it was noted when its jobs ended."""
    ids = seed(world, 2500)
    end(world, *ids[:10])
    remove(world, *ids)
    world.now += KEPT[0] - 1
    world.reconcile()
    assert left(world) == ids
    world.now += 1
    world.reconcile()
    assert left(world) == []
    assert noted(world) == {}


def test_what_is_gone_is_taken_out_from_everywhere(world: World) -> None:
    """Behind a head that lives on, too, and the others keep their order; the list is looked at again."""
    ids = seed(world, 3000, _status="done")
    draw = random.Random(7)  # noqa: S311
    gone = set(draw.sample(ids[1:], 1700))
    remove(world, *gone)
    world.redis.rpush(world.key("lookups", LIST), "", "not an id")
    note(world)
    world.reconcile()
    assert left(world) == [job_id for job_id in ids if job_id not in gone]
    again = noted(world)[LINE]
    assert 60_000 <= again - world.now <= DAY
    assert world.life("lookups", LIST) > 0


def test_a_list_that_changes_between_two_steps(world: World) -> None:
    """Its head is trimmed and its tail grows while it is looked at: nobody who lives is taken out."""
    ids = seed(world, 3000, _status="done")
    gone = ids[500:2500:2]
    remove(world, *gone)
    note(world)
    goes_on, steps = 1, 0
    while goes_on:
        world.redis.hdel(world.keys.reconcile("shop"), "at")
        _wait, goes_on, _repairs = world.run("reconcile", *QUEUES)
        if (steps := steps + 1) < 10:
            world.redis.lpop(world.key("lookups", LIST))
            world.redis.rpush(world.key("lookups", LIST), ids[0])
    living = [job_id for job_id in ids[9:] if job_id not in set(gone)]
    assert [job_id for job_id in left(world) if job_id not in set(gone)][: len(living)] == living
    assert len(set(gone) & set(left(world))) < 20


def test_blanks_are_taken_out_before_they_are_many(world: World) -> None:
    """A thousand together, over many steps; the list is looked at again by its length, or when its head may go."""
    [one] = seed(world, 1, _status="done")
    world.redis.pexpire(world.key("jobs", f"shop:{one}"), HOUR)
    world.redis.rpush(world.key("lookups", LIST), *map(uuid, range(2, 3000)), *([one] * 300))
    note(world)
    blanks, goes_on = list[int](), 1
    while goes_on:
        world.redis.hdel(world.keys.reconcile("shop"), "at")
        _wait, goes_on, _repairs = world.run("reconcile", *QUEUES)
        blanks.append(left(world).count(""))
    assert 300 < max(blanks) <= 1100
    assert sum(count > 0 for count in blanks) > 4
    assert left(world) == [one] * 301
    assert 0 <= world.now + HOUR - noted(world)[LINE] < 60_000


@pytest.mark.parametrize(
    ("left_ms", "length", "again"),
    [(50_000, 3, 60_000), (50_000, 3000, 3000 * 36), (0, 3, DAY), (3 * DAY, 3, DAY)],
)
def test_when_a_list_is_looked_at_again(world: World, left_ms: int, length: int, again: int) -> None:
    """When its first job may be gone, in a minute at the earliest and a day at the latest; a long one not so soon."""
    [one] = seed(world, 1, _status="done")
    world.redis.rpush(world.key("lookups", LIST), *([one] * (length - 1)))
    key = world.key("jobs", f"shop:{one}")
    _ = world.redis.pexpire(key, left_ms) if left_ms else world.redis.persist(key)
    note(world)
    world.reconcile()
    assert noted(world) == {LINE: world.now + again}


def worked(world: World) -> float:
    """Return how many seconds of a processor the server has taken."""
    cpu: Any = world.redis.info("cpu")
    return float(cpu["used_cpu_user"] + cpu["used_cpu_sys"])


@pytest.mark.scale
def test_a_step_is_bounded_however_long_the_list_is(world: World) -> None:
    """Each takes 10 ms of the server's processor at most, as all scripts do; blanks far inside a long list may stay."""
    count = scaled(20_000, full=1_000_000)
    ids = seed(world, count, _status="done")
    gone = ids[1::2]
    remove(world, *gone)
    note(world)
    times, goes_on = list[float](), 1
    while goes_on:
        world.redis.hdel(world.keys.reconcile("shop"), "at")
        before = worked(world)
        _wait, goes_on, _repairs = world.run("reconcile", *QUEUES)
        if world.redis.hget(world.keys.reconcile("shop"), "place") == "jobs":
            break
        times.append(worked(world) - before)
    # All but a tenth, since what else the machine does slows the server's memory too, and only in `make scale`.
    assert SCALE == 1 or sorted(times)[len(times) * 9 // 10] < 0.010
    assert [job_id for job_id in left(world) if job_id] == ids[::2]
    assert left(world).count("") <= max(0, count - 50_000)


def test_what_is_noted_by_mistake_is_dropped(world: World) -> None:
    """No list of that name, or something else at its key; and a key of ours that is no sorted set hinders nothing."""
    [one] = seed(world, 1, _status="done")
    world.redis.zadd(world.key("prune", "shop"), {one: 1, "no:list": 1, "": 1})
    world.reconcile()
    assert noted(world) == {}
    world.redis.set(world.key("prune", "shop"), "not ours")
    assert world.reconcile() == []
    ids = [*seed(world, 3)]
    end(world, *ids)


def test_the_reconciler_notes_lists_of_jobs_that_do_not_end(world: World) -> None:
    """One that expires while it waits says nothing at its end; it is noted while it is there, as the head of a list."""
    ids = seed(world, 3)
    world.reconcile()
    assert noted(world) == {LINE: NOW}
    world.reconcile()
    assert noted(world)[LINE] > NOW
    assert left(world) == ids

"""create: jobs that start later, many by one script that can be sent twice."""

from __future__ import annotations

from typing import Any

import pytest
from redis import Redis
from redis.exceptions import OutOfMemoryError

from flows.store.client.scripts import Argument
from flows.testing import private_server
from tests.world import KEPT, NOW, TTL, World

DAY = 24 * 3_600_000


def new(job_id: str, lookups: tuple[str, ...] = (), **fields: str) -> list[Argument]:
    """Return the arguments of one job."""
    lines = "\n".join(lookups)
    values = {**fields, **({"_lookups": lines} if lines else {})}
    return [job_id, lines, 2 * len(values), *(part for pair in values.items() for part in pair)]


def create(world: World, *jobs: list[Argument], delay_ms: int = -1, until_ms: int = -1) -> Any:
    """Call the script."""
    rest = [argument for job in jobs for argument in job]
    return world.run("create", *rest, delay_ms=delay_ms, until_ms=until_ms, lookup_ttl=max(TTL, *KEPT))


@pytest.mark.parametrize("when", [{"delay_ms": 700}, {"until_ms": NOW + 700}], ids=["a delay", "a time"])
def test_writes_a_delayed_job_whole(world: World, when: dict[str, int]) -> None:
    """Hash, state, queue, lookup lists, place and times to live: until it is due, and then as long as any other."""
    assert create(world, new("1", ("user:7", "tag:a"), a="1"), **when) == [["created"]]
    never = {"_fence": "0", "_attempts": "0"}
    job = {"_status": "delayed", "_queue": "pick", "_lookups": "user:7\ntag:a", "a": "1", **never}
    assert world.snapshot(unseen=frozenset()) == {
        "jobs": {"shop:1": job},
        "delayed": {"pick": {"1": NOW + 700}},
        "lookups": {"shop:user:7": ["1"], "shop:tag:a": ["1"]},
        "wake": {"pick": {"w": 0}},
    }
    assert world.lives("jobs", "shop:1", TTL + 700)
    assert world.lives("lookups", "shop:user:7", TTL + 700)


def test_a_job_is_claimed_when_it_is_due_and_not_before(world: World) -> None:
    """It is a job as any other then: on its first attempt, and first in line before what comes later."""
    create(world, new("1", a="1"), delay_ms=700)
    answer = world.turn(want=1)
    assert (answer.claimed, answer.due) == ([], 700)
    world.now += 700
    [job] = world.claim()
    assert (job.id, job.attempt, job.visit) == ("1", 1, 0)


@pytest.mark.parametrize("until_ms", [NOW, NOW - 5000])
def test_what_is_due_already_waits_at_once(world: World, until_ms: int) -> None:
    """As if it had been created without a time."""
    create(world, new("1", ("user:7",), a="1"), until_ms=until_ms)
    assert world.snapshot() == {
        "jobs": {"shop:1": {"_lookups": "user:7", "a": "1"}},
        "waiting": {"pick": ["1"]},
        "lookups": {"shop:user:7": ["1"]},
    }
    assert world.lives("jobs", "shop:1", TTL)
    assert [job.id for job in world.claim()] == ["1"]


@pytest.mark.parametrize("delay_ms", [0, 700])
def test_sent_twice_it_creates_once(world: World, delay_ms: int) -> None:
    """Also where a worker has finished the job meanwhile; what is new in the second call is created."""
    create(world, new("1", ("user:7",), a="1"), delay_ms=delay_ms)
    before = world.snapshot()
    assert create(world, new("1", ("user:7",), a="2"), delay_ms=delay_ms) == [["created"]]
    assert world.snapshot() == before
    assert create(world, new("1", a="2"), new("2", a="2"), delay_ms=delay_ms) == [["created"], ["created"]]
    assert world.job("shop:1")["a"] == "1"
    assert world.redis.lrange(world.key("lookups", "shop:user:7"), 0, -1) == ["1"]
    world.now += 700
    assert [job.id for job in world.claim(5)] == ["1", "2"]


def test_a_key_that_is_not_ours_keeps_out_one_job_alone(world: World) -> None:
    """The answer names it; the jobs beside are created."""
    key = world.key("lookups", "shop:user:5")
    world.redis.set(key, "theirs")
    answers = create(world, new("1", ("user:7",)), new("2", ("user:7", "user:5")), new("3", a="1"), delay_ms=9)
    assert answers == [
        ["created"],
        ["conflict", f"{key} holds a string where flows keeps a list"],
        ["created"],
    ]
    assert world.snapshot()["delayed"] == {"pick": {"1": NOW + 9, "3": NOW + 9}}
    assert world.redis.lrange(world.key("lookups", "shop:user:7"), 0, -1) == ["1"]


def test_a_lookup_list_keeps_the_longer_life(world: World) -> None:
    """A job that is due in a month stands in the list with one that is due tomorrow."""
    create(world, new("1", ("user:7",)), delay_ms=30 * DAY)
    create(world, new("2", ("user:7",)), delay_ms=DAY)
    assert world.lives("lookups", "shop:user:7", TTL + 30 * DAY)


def test_without_a_job_ttl_nothing_expires(redis: Redis, namespace: str) -> None:
    """Jobs are kept until they end."""
    world = World(redis, namespace, ttl_ms=0)
    create(world, new("1", ("user:7",)), delay_ms=9)
    assert world.life("jobs", "shop:1") == world.life("lookups", "shop:user:7") == -1


def test_only_a_new_earliest_due_time_wakes_a_worker(world: World) -> None:
    """One that is due later changes no alarm."""
    create(world, new("1"), delay_ms=700)
    world.redis.delete(world.key("wake", "pick"))
    create(world, new("2"), delay_ms=900)
    assert "wake" not in world.snapshot(unseen=frozenset())
    create(world, new("3"), delay_ms=500)
    assert world.snapshot(unseen=frozenset())["wake"] == {"pick": {"w": 0}}


def test_a_full_server_takes_no_delayed_jobs() -> None:
    """The script is refused before it starts."""
    with private_server() as url, Redis.from_url(url, decode_responses=True) as redis:
        world = World(redis, "t:")
        redis.config_set("maxmemory", 1)
        with pytest.raises(OutOfMemoryError):
            create(world, new("1", a="1"), delay_ms=9)
        redis.config_set("maxmemory", 0)
        assert world.snapshot() == {}

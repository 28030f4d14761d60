"""renew: a worker keeps the leases of the jobs that it runs."""

from __future__ import annotations

import pytest
from redis.exceptions import ResponseError

from tests.world import LEASE, NOW, TTL, World, processing


def test_extends_what_is_its_own_and_says_why_not(world: World) -> None:
    """A word for each: kept, to be cancelled, or why it is lost; of the lost nothing changes."""
    jobs = {
        "shop:1": processing(),
        "shop:2": processing(_cancel="why"),
        "shop:3": processing(_worker="w2"),
        "shop:4": processing(_fence="2"),
        "shop:5": processing() | {"_status": "done"},
    }
    leases = dict.fromkeys("123456", NOW + 9)
    world.seed(jobs=jobs, processing={"pick": leases})
    rest = [part for job_id in "123456" for part in (job_id, 1)]
    assert world.run("renew", *rest) == ["kept", "cancel", "stale", "stale", "stale", "gone"]
    assert world.snapshot() == {
        "jobs": jobs,
        "processing": {"pick": leases | {"1": NOW + LEASE, "2": NOW + LEASE}},
    }


def test_what_a_turn_has_claimed_is_kept(world: World) -> None:
    """By the number of the turn: its claims that the worker still has are kept, those of an earlier turn are not."""
    world.seed(jobs={f"shop:{job_id}": {"a": "1"} for job_id in "123"}, waiting={"pick": [*"123"]})
    call = world.keys.call("w1")
    assert len(world.claim(1, number=7, call=call)) == 1
    assert len(world.claim(2, number=8, call=call)) == 2
    world.redis.hset(world.key("jobs", "shop:3"), "_attempt", "2 w2 1 0 0")
    world.redis.zadd(world.keys.processing("pick"), dict.fromkeys("123", NOW + 9))
    for number, kept in ((7, ""), (9, ""), (8, "2")):
        assert world.run("renew", number=number, call=call) == []
        leases = {job_id: NOW + (LEASE if job_id in kept else 9) for job_id in "123"}
        assert world.snapshot()["processing"] == {"pick": leases}


def test_gives_a_lease_that_was_lost_again(world: World) -> None:
    """The job is the worker's, whatever has become of its place: it is taken back when the worker dies."""
    world.seed(jobs={"shop:1": processing()})
    assert world.run("renew", "1", 1) == ["kept"]
    assert world.snapshot()["processing"] == {"pick": {"1": NOW + LEASE}}


def test_gives_the_job_its_time_anew(world: World) -> None:
    """A job that runs for days does not expire under its worker, nor do its lookup lists."""
    world.seed(jobs={"shop:1": processing(_lookups="user:7")}, lookups={"shop:user:7": ["1"]})
    for kind, name in (("jobs", "shop:1"), ("lookups", "shop:user:7")):
        world.redis.pexpire(world.key(kind, name), TTL // 2)
    world.run("renew", "1", 1)
    assert world.lives("jobs", "shop:1", TTL)
    assert world.lives("lookups", "shop:user:7", TTL)


def test_a_list_that_lives_longer_is_not_shortened(world: World) -> None:
    """Others stand in it, who need it longer."""
    world.seed(jobs={"shop:1": processing(_lookups="user:7")}, lookups={"shop:user:7": ["1", "2"]})
    world.redis.pexpire(world.key("lookups", "shop:user:7"), 9 * TTL)
    world.run("renew", "1", 1)
    assert world.lives("lookups", "shop:user:7", 9 * TTL)


def test_what_is_renewed_lives_two_leases_at_least(world: World) -> None:
    """And what stands beside it: its log, and lists in which others stand too."""
    world.seed(
        jobs={"shop:1": processing(_lookups="user:7\n#log:1")},
        lookups={"shop:user:7": ["1", "2"]},
        log={"shop:1": ["a line"]},
    )
    kept = (("jobs", "shop:1"), ("lookups", "shop:user:7"), ("log", "shop:1"))
    for kind, name in kept:
        world.redis.pexpire(world.key(kind, name), 2000)
    world.run("renew", "1", 1, ttl=2000)
    assert all(world.lives(kind, name, 2 * LEASE) for kind, name in kept)


@pytest.mark.parametrize("ttl", [TTL, 0], ids=["a TTL", "no TTL"])
def test_what_has_no_ttl_gets_none(world: World, ttl: int) -> None:
    """A child has none while its parent waits; else it could expire while it waits to be run again."""
    world.seed(jobs={"shop:1": processing()})
    world.redis.persist(world.key("jobs", "shop:1"))
    world.run("renew", "1", 1, ttl=ttl)
    assert world.life("jobs", "shop:1") == -1


def test_renews_five_hundred(world: World) -> None:
    """The most of one call."""
    ids = [str(number) for number in range(500)]
    world.seed(jobs={f"shop:{job_id}": processing() for job_id in ids}, processing={"pick": dict.fromkeys(ids, NOW)})
    assert world.run("renew", *(part for job_id in ids for part in (job_id, 1))) == ["kept"] * 500
    assert set(world.snapshot()["processing"]["pick"].values()) == {NOW + LEASE}


@pytest.mark.parametrize(("kind", "name"), [("processing", "pick"), ("call", "w1")])
def test_a_key_of_another_type_is_named(world: World, kind: str, name: str) -> None:
    """Nothing is written."""
    world.seed(jobs={"shop:1": processing()})
    world.redis.pexpire(world.key("jobs", "shop:1"), TTL // 2)
    world.redis.hset(world.key(kind, name), "not", "ours")
    with pytest.raises(ResponseError, match=f"FLOWSCONFLICT {world.key(kind, name)} holds a hash"):
        world.run("renew", "1", 1, number=1, call=world.keys.call("w1"))
    assert world.lives("jobs", "shop:1", TTL // 2)
    assert world.snapshot().get("processing") == ({"pick": {"not": "ours"}} if kind == "processing" else None)

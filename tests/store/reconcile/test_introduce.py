"""introduce: what reconcilers must know of a process, told at a connect."""

from __future__ import annotations

from tests.world import HOUR, LEASE, NOW, World, processing


def test_a_lease_that_another_process_gives_is_none_too_long(world: World) -> None:
    """Each process tells how long its leases are, also while another one walks; that is remembered for an hour."""
    world.seed(jobs={"shop:1": processing()}, processing={"pick": {"1": NOW + 9 * LEASE}})
    before = world.snapshot()
    world.run("introduce", lease=10 * LEASE)
    assert world.reconcile() == []
    assert world.snapshot() == before
    world.redis.zadd(world.key("processing", "pick"), {"1": NOW + 21 * LEASE})
    assert world.reconcile() == [("pick", "1", "lease")]
    assert world.snapshot()["processing"]["pick"] == {"1": NOW + 10 * LEASE}
    world.now += HOUR - 1
    world.run("introduce", lease=10 * LEASE)
    world.now += HOUR - 1
    world.redis.zadd(world.key("processing", "pick"), {"1": world.now + 20 * LEASE})
    assert world.reconcile() == []
    world.now += 1
    world.redis.zadd(world.key("processing", "pick"), {"1": world.now + 9 * LEASE})
    assert world.reconcile() == [("pick", "1", "lease")]
    assert world.snapshot()["processing"]["pick"] == {"1": world.now + LEASE}


def test_a_longer_lease_is_known_at_once(world: World) -> None:
    """Also where the shorter one of another process was told a moment ago."""
    world.seed(jobs={"shop:1": processing()}, processing={"pick": {"1": NOW + 9 * LEASE}})
    world.run("introduce")
    world.run("introduce", lease=10 * LEASE)
    assert world.reconcile() == []


def test_what_is_known_is_not_written_again(world: World) -> None:
    """Only when half of its hour is over: any number of processes may tell the same."""
    key = world.keys.reconcile("shop")
    world.run("introduce")
    before = world.redis.hgetall(key)
    world.now += HOUR // 2
    world.run("introduce")
    assert world.redis.hgetall(key) == before
    world.now += 1
    world.run("introduce")
    assert world.redis.hgetall(key) == before | {"lease_until": str(world.now + HOUR)}

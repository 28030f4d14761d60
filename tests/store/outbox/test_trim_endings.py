"""trim_endings: at the end of each pass the reconciler drops what logs of endings have kept for long enough."""

from __future__ import annotations

from typing import Any

from redis import Redis

from flows.model.endings.outbox import Outbox
from tests.store.outbox.outbox_world import FIELDS, REPORTS, job_id, logged, logged_as, outbox_world
from tests.world import NOW, World, fail, finish, processing

DAY = 86_400_000


def end_many(world: World, count: int) -> None:
    """End so many jobs as done, and as many as failed."""
    for number in range(0, 2 * count, 2):
        ids = [job_id(number), job_id(number + 1)]
        world.seed(jobs={f"shop:{one}": processing() for one in ids}, processing={"pick": dict.fromkeys(ids, NOW + 9)})
        world.report(finish(ids[0]), fail(ids[1], error='{"type":"Old"}'))


def test_what_is_older_than_its_days_is_dropped(world: World) -> None:
    """By whole nodes of up to 100 entries; what is younger stays, and so does its type of error."""
    end_many(world, 150)
    world.now += 2 * DAY + 1
    end_many(world, 1)
    world.reconcile()
    for entries in (logged(world, "done"), logged(world, "failed"), logged_as(world, "Old")):
        assert 1 <= len(entries) <= 101
    assert logged(world, "done")[-1]["id"] == job_id(0)
    assert world.redis.smembers(world.key("error_types", "shop")) == {"Old"}


def test_a_type_of_error_without_a_log_is_forgotten(world: World, redis: Redis) -> None:
    """Its stream has ended, so long after its last entry: another type may have its place."""
    end_many(world, 1)
    redis.delete(world.key("errors", "shop:Old"))
    world.reconcile()
    assert not redis.exists(world.key("error_types", "shop"))


def test_keys_of_another_type_hinder_no_pass(world: World, redis: Redis) -> None:
    """They are nobody's logs."""
    end_many(world, 1)
    for kind, name in (("errors", "shop:Old"), ("endings", "pack:label:failed")):
        redis.delete(world.key(kind, name))
        redis.set(world.key(kind, name), "mine")
    found: Any = world.reconcile()
    assert found == []


def test_only_the_flows_own_logs_are_trimmed(world: World, redis: Redis) -> None:
    """Those of its child queues too; not that of a flow which is called as one of its queues."""
    child, other = world.key("endings", "pack:label:failed"), world.key("endings", "pick:failed")
    for key in (child, other):
        with redis.pipeline(transaction=False) as pipe:
            for number in range(250):
                pipe.xadd(key, {"id": str(number)}, id=f"{NOW + number}-0")
            pipe.execute()
    world.now += 3 * DAY
    world.reconcile()
    assert redis.xlen(child) < 150
    assert redis.xlen(other) == 250


def test_without_a_log_nothing_is_trimmed(world: World, redis: Redis, namespace: str) -> None:
    """What an earlier release has logged ends by its own time to live."""
    end_many(world, 150)
    telling = outbox_world(redis, namespace, Outbox(None, REPORTS, FIELDS))
    telling.now = world.now + 1
    telling.reconcile()
    assert len(logged(world, "done")) == 150

"""rules/many_fields: what many jobs hold is kept as a table, in which servers need not search."""

# redis-py leaves some results untyped
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from redis import Redis

from tests.store.ruled.ruled_world import GROUP, Ruled
from tests.world import finish

MANY = 12


def test_what_many_jobs_hold_is_a_table_from_the_first_on(redis: Redis, namespace: str) -> None:
    """With nothing else in it than that, also when some of them have ended; with the last one it is gone."""
    world = Ruled(redis, namespace, group=GROUP, slots_per_group=5)
    ids = [f"{n:02d}" for n in range(MANY)]
    for job_id in ids:
        world.wait(job_id, group=f"g{job_id}")
    assert len(world.take(MANY).ids) == MANY
    keys = [world.key("slots", "pick"), world.key("load", "pick")]
    assert [redis.object("encoding", key) for key in keys] == ["hashtable", "hashtable"]
    found = world.snapshot()
    assert found["slots"]["pick"] == {job_id: f'1 "g{job_id}"' for job_id in ids}
    assert found["load"]["pick"] == {f'"g{job_id}"': "1" for job_id in ids}
    world.report(*map(finish, ids[1:]))
    assert world.snapshot()["slots"]["pick"] == {"00": '1 "g00"'}
    world.report(finish("00"))
    assert redis.exists(*keys) == 0

"""tell_stacks: what a process was asked for stands there for a minute."""

from __future__ import annotations

from flows.store.keys.operators import OperatorKeys
from tests.world import NOW, World


def test_stacks_stand_for_a_minute(world: World) -> None:
    """With the server's time, in place of whatever stood there."""
    dump = OperatorKeys(world.keys.namespace).dump("p1")
    world.redis.lpush(dump, "not ours")
    assert world.run("tell_stacks", text='{"tasks":1}', dump=dump) == "told"
    assert world.redis.get(dump) == f'{{"at":{NOW},"tasks":1}}'
    assert 0 < world.redis.pttl(dump) <= 60_000

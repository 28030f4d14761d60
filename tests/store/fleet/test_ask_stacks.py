"""ask_stacks: a process finds with its next heartbeat that somebody has asked for its stacks."""

from __future__ import annotations

from typing import Any

from tests.store.fleet.test_heartbeat import call
from tests.world import NOW, World


def test_finds_that_somebody_asks_for_stacks(world: World) -> None:
    """Once, however often it was asked, and by what it reads anyway; a process that is gone is not asked."""
    world.seed_damaged(flow={"shop": {"ab": "{}"}})
    process = world.keys.process("shop", "p1")

    def ask() -> list[Any]:
        answer: list[Any] = world.run("ask_stacks", process=process)
        return answer

    assert ask() == ["gone", NOW]
    call(world, 1, "pick")
    before = world.redis.pttl(process)
    assert [ask(), ask()] == [["asked", NOW]] * 2
    assert world.redis.get(process) == f'{{"at":{NOW},"n":1,"ask":1,"host":"h"}}'
    assert 0 < world.redis.pttl(process) <= before
    assert [call(world, 1), call(world, 2, "pick"), call(world, 3, "pick")] == ["again", "asked", "beat"]
    world.redis.delete(process)
    world.redis.lpush(process, "not ours")
    assert ask() == ["gone", NOW]

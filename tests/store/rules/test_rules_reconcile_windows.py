"""rules/reconcile_windows: what groups were given tokens long ago is forgotten, however busy the others are."""

from __future__ import annotations

import json

from redis import Redis

from flows.model.limits.limiter import Limiter
from flows.model.limits.rules import Rules
from tests.store.rules.ruled_world import ruled_world
from tests.world import NOW, World

MINUTE = 60_000
SECOND = 1_000


def keep(world: World, limiter: str, group: str, *numbers: float | str, count: int = 1) -> None:
    """Keep the window of a group, packed as a turn does; `count` of such groups."""
    code = """
    local text = cmsgpack.pack(cjson.decode(ARGV[2]))
    for n = 1, ARGV[3] do redis.call('HSET', KEYS[1], n == 1 and ARGV[1] or ARGV[1] .. '-' .. n, text) end
    """
    world.redis.eval(code, 1, world.key("windows", limiter), group, json.dumps(numbers), count)


def test_windows_that_are_over_for_a_minute_are_forgotten(redis: Redis, namespace: str) -> None:
    """By the longest interval that is declared or was in use, and by the last start that even spaces allow."""
    each, second = Limiter(5, 1.0, group_key="user"), Limiter(5, 2.0, group_key="user", smooth=True)
    world = ruled_world(redis, namespace, pick=Rules(limiters=(Limiter(9, 1.0), each, second, each), group="user"))
    over = NOW - MINUTE - SECOND
    keep(world, "pick:2", "over", over - 900, 2, over - 1, 1)
    keep(world, "pick:2", "kept", over - 900, 2, over, 1)
    world.redis.hset(world.key("windows", "pick:2"), "nonsense", "x")
    keep(world, "pick:3", "spaced", over - SECOND - 1, 1, over - 1_100)
    keep(world, "pick:3", "just over", over - 1_101, 1)
    world.redis.hset(world.key("windows", "pick:3"), "", 2_100)
    keep(world, "pick:3", "no numbers", "x")
    keep(world, "pick:3", "over", over - SECOND - 101, 1, count=600)  # more than a page
    keep(world, "pick:4", "kept", NOW, 1, count=600)
    assert world.reconcile() == []
    left = {name: sorted(world.redis.hkeys(world.key("windows", name))) for name in ("pick:2", "pick:3")}
    assert left == {"pick:2": ["kept"], "pick:3": ["", "spaced"]}
    assert world.redis.hlen(world.key("windows", "pick:4")) == 600


def test_windows_of_another_type_are_told(redis: Redis, namespace: str) -> None:
    """The pass goes on behind them; a limiter of the whole queue has none."""
    each = Limiter(5, 1.0, group_key="user")
    world = ruled_world(redis, namespace, pick=Rules(limiters=(each, each, Limiter(5, 1.0), each), group="user"))
    for name in ("pick:2", "pick:3"):
        world.redis.set(world.key("windows", name), "x")
    for name in ("pick:1", "pick:4"):
        keep(world, name, "over", NOW - 2 * MINUTE, 1)
    [(queue, job_id, word)] = world.reconcile()
    assert (queue, job_id) == ("pick", "")
    assert word.startswith(f"error {world.key('windows', 'pick:2')} holds a string")
    assert redis.exists(world.key("windows", "pick:1"), world.key("windows", "pick:4")) == 0

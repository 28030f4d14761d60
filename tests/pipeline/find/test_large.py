"""What a page and a count cost the server where a million jobs have failed and a lookup lists a million."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis import Redis

from flows import Query
from tests.pipeline.find.parts import THEN, Shelf, Stood, ids_of
from tests.pipeline.parts import Order, Orders
from tests.scale import SCALE, scaled

#: Writes jobs that have failed, one each 7 ms; every hundredth is of another user, whose list it stands in too.
SEED = """
local ns, base, from, count = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
for i = from, from + count - 1 do
  local ms = base + i * 7
  local id = string.format('%08x-%04x-7000-8000-%012x', math.floor(ms / 65536), ms % 65536, i)
  local lookups, rare = 'user_id:1', i % 100 == 0
  if rare then lookups = lookups .. '\\ntags:rare' end
  redis.call('HSET', ns .. 'job:orders:' .. id, 'user_id', 1, '_status', 'failed', '_queue', 'price', '_ended', ms,
    '_attempt', '1 w 1 0 0 ' .. ms .. ' -', '_lookups', lookups)
  redis.call('RPUSH', ns .. 'job:orders:user_id:1', id)
  redis.call('ZADD', ns .. 'flows:ended:price:failed', ms, id)
  if rare then redis.call('RPUSH', ns .. 'job:orders:tags:rare', id) end
end
"""
#: What is sent by itself; the commands inside scripts are counted with their scripts.
SENT = ("evalsha", "eval", "hgetall", "zcount", "time")


def spent(redis: Redis) -> float:
    """Return how many ms the server has worked since its statistics were reset."""
    stats: Any = redis.info("commandstats")
    return sum(float(stats.get(f"cmdstat_{name}", {}).get("usec", 0)) for name in SENT) / 1000


async def cheapest(redis: Redis, query: Query[Order, Any], cursor: str = "", **how: Any) -> float:
    """Return what a page of 100 costs, in ms: the least of some, since other programs run on this machine too."""
    costs: list[float] = []
    for _ in range(scaled(5, full=30)):
        redis.config_resetstat()
        page = await query.page(cursor, **how)
        costs.append(spent(redis))
        assert len(page.jobs) == 100
    return min(costs)


@pytest.mark.scale
async def test_a_page_costs_the_server_no_more_in_lists_of_a_million(
    orders: Orders, shelf: Shelf, redis: Redis, namespace: str
) -> None:
    """By lookup and state, from either end, and of few among many: 2 ms; far inside a list it walks there first: 4."""
    count = scaled(20_000, full=1_000_000)
    base = THEN - 7 * count
    for start in range(0, count, 10_000):
        redis.eval(SEED, 0, namespace, base, start, 10_000)
    shelf.put(Stood(user_id=1, state="waiting"), Stood(user_id=2, state="failed"))

    def moment(part: float) -> datetime:
        return datetime.fromtimestamp(base / 1000, UTC) + timedelta(milliseconds=7 * count * part)

    async with orders:
        query = orders.jobs.where("user_id", 1).status("failed")
        middle = query.created(since=moment(0.4), until=moment(0.6))
        costs = {
            "by lookup and state": await cheapest(redis, query),
            "newest first": await cheapest(redis, query, newest_first=True),
            "by state": await cheapest(redis, orders.jobs.status("failed")),
            "between two times": await cheapest(redis, middle),
            "of one in a hundred": await cheapest(redis, query.where("tags", "rare")),
            "the next page": await cheapest(redis, query, (await query.page()).cursor),
            "a page in the middle": await cheapest(redis, middle, (await middle.page()).cursor),
        }
        costs["count"] = 1_000_000.0
        for _ in range(scaled(5, full=30)):
            redis.config_resetstat()
            assert (await orders.jobs.status("failed").count()).number == count + 1
            costs["count"] = min(costs["count"], spent(redis))
        shift = (await middle.page()).cursor
        redis.ltrim(f"{namespace}job:orders:user_id:1", count // 5, -1)
        costs["after a fifth of the list has gone"] = await cheapest(redis, middle, shift)
        assert ids_of((await middle.page(shift)).jobs)[0] > ids_of((await middle.page()).jobs)[-1]
    far = ("between two times", "a page in the middle", "after a fifth of the list has gone")
    assert SCALE == 1 or {what: cost for what, cost in costs.items() if cost > (4 if what in far else 2)} == {}, costs

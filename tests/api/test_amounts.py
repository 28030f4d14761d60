"""However much a server holds, what is asked of it stays small: no operation reads a queue, a list or the keyspace."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any, Final

import pytest
from redis import Redis

from flows.api import bulk, jobs, operations
from flows.api.reading.query import JobQuery
from flows.testing import private_server
from tests.api.callers import PARAMS, given
from tests.api.conftest import Left
from tests.api.shop import leave_all
from tests.scale import SCALE, scaled

#: No script may take longer, in microseconds, and no operation, in seconds: only where it is measured.
_SCRIPT_US: Final = 10_000
_ANSWER_S: Final = 0.2
_AT_ONCE: Final = 5_000

#: Writes jobs of the flow `shop` that wait in its first queue, or have failed there, as transitions leave them.
_SEED: Final = """
local state, first, count, now = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
for i = first, first + count - 1 do
  local at = now - 3600000 + i
  local id = string.format('%08x-%04x-7000-8%03x-%012x', math.floor(at / 65536), at % 65536, #state, i)
  local key, user = 'job:shop:' .. id, 1000 + i % 1000
  redis.call('HSET', key, 'user_id', user, 'email', '"a@b"', 'due', 'null', '_lookups', 'user_id:' .. user)
  redis.call('RPUSH', 'job:shop:user_id:' .. user, id)
  if state == 'failed' then
    redis.call('HSET', key, '_status', state, '_queue', 'shop-price', '_attempt', '1 w 1 0 0 0 -', '_ended', at,
      '_error', '{"type":"' .. (i % 2 == 0 and 'TimeoutError' or 'ValueError') .. '","message":"no"}')
    redis.call('ZADD', 'flows:ended:shop-price:failed', at, id)
  else
    redis.call('RPUSH', 'queue:shop-price:waiting', id)
  end
end
"""


def seed(redis: Redis, state: str, count: int) -> None:
    """Write so many jobs in a moment."""
    answer: Any = redis.time()
    now = int(answer[0]) * 1000
    for first in range(0, count, _AT_ONCE):
        redis.eval(_SEED, 0, state, first, min(_AT_ONCE, count - first), now)


@pytest.mark.scale
async def test_what_is_shown_takes_no_longer_of_a_million_jobs() -> None:
    """Every operation that looks, with long queues and many failed jobs: a short script, and an answer at once."""
    many = scaled(3_000, full=1_000_000)
    # A file that is rewritten meanwhile would be what is measured.
    settings = {"slowlog-log-slower-than": str(_SCRIPT_US), "appendonly": "no"}
    with private_server(settings=settings) as url, Redis.from_url(url) as redis:
        left = Left(url, "", await leave_all(url, ""))
        seed(redis, "waiting", many)
        seed(redis, "failed", many)
        async with left.admin() as admin:
            left.ids["bulk"] = (await bulk.apply(admin, "delete", JobQuery.parse("flow:shop user_id:7"), 2)).id
            middle = (await jobs.find(admin, JobQuery.parse("flow:shop user_id:1500 state:waiting"))).jobs[0].id
            asked = {name: given(name, left.ids) for name in PARAMS}
            more = [
                ("jobs.find", {"query": "flow:shop state:waiting"}),
                ("jobs.find", {"query": "flow:shop state:failed error:ValueError since:1d"}),
                ("jobs.find", {"query": "flow:shop user_id:1500"}),
                ("bulk.preview", {"verb": "retry", "query": "flow:shop state:failed"}),
                ("jobs.position", {"id": middle}),
                ("jobs.explain", {"id": middle}),
            ]
            looks = [(name, asked[name]) for name, one in operations().items() if not one.acts]
            redis.slowlog_reset()
            took: dict[str, float] = {}
            for name, params in [*looks, *more]:
                if not name.endswith("wait"):
                    best = 9.9
                    for _again in range(3 if SCALE > 1 else 1):
                        began = time.perf_counter()
                        await operations()[name].call(admin, params)
                        best = min(best, time.perf_counter() - began)
                    took[f"{name} {params}"] = best
            page = await jobs.find(admin, JobQuery.parse("flow:shop state:failed"), limit=100)
            assert (page.total, len(page.jobs)) == (many + 2, 100)
            found: Any = redis.slowlog_get(100)
            # Once may be the machine's doing: what is slow is so each of the three times.
            slow = Counter(one["command"] for one in found)
            if SCALE > 1:
                assert {name: seconds for name, seconds in took.items() if seconds > _ANSWER_S} == {}
                assert [command[:60] for command, times in slow.items() if times > 2] == []

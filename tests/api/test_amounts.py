"""However much a server holds, what is asked of it stays small: no operation reads a queue, a list or the keyspace."""

from __future__ import annotations

import time
from collections import Counter
from datetime import timedelta
from typing import Any, Final

import pytest
from redis import Redis

from flows.api import bulk, jobs, operations
from flows.api.reading.query import JobQuery
from flows.server import create_app
from flows.store.client.scripts import compositions, load
from flows.testing import private_server
from tests.api.callers import given
from tests.api.conftest import Left
from tests.api.shop import leave_all
from tests.scale import SCALE, scaled
from tests.server.serving import serving

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
async def test_what_is_shown_takes_no_longer_of_a_million_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every operation that looks, over HTTP, beside long queues and many failed jobs: short scripts, soon answered.

    The server's user may neither KEYS nor SCAN.
    """
    monkeypatch.setattr("flows.server.guard.MOST_READS", 1_000_000)
    many = scaled(3_000, full=1_000_000)
    # A file that is rewritten meanwhile would be what is measured.
    settings = {"slowlog-log-slower-than": str(_SCRIPT_US), "appendonly": "no"}
    with private_server(settings=settings) as url, Redis.from_url(url) as redis:
        left = Left(url, "", await leave_all(url, ""))
        seed(redis, "waiting", many)
        seed(redis, "failed", many)
        async with left.admin() as admin:
            query = JobQuery.parse("flow:shop user_id:7")
            left.ids["bulk"] = (await bulk.apply(admin, "delete", query, 2, undo=timedelta(hours=1))).id
            middle = (await jobs.find(admin, JobQuery.parse("flow:shop user_id:1500 state:waiting"))).jobs[0].id
        redis.execute_command("ACL", "SETUSER", "pages", "on", ">secret", "~*", "&*", "+@all", "-keys", "-scan")
        looks = [(name, given(name, left.ids)) for name, one in operations().items() if not one.acts]
        more: list[tuple[str, dict[str, Any]]] = [
            ("jobs.find", {"query": "flow:shop state:waiting"}),
            ("jobs.find", {"query": "flow:shop state:failed error:ValueError since:1d"}),
            ("jobs.find", {"query": "flow:shop user_id:1500"}),
            ("bulk.preview", {"verb": "retry", "query": "flow:shop state:failed"}),
            ("jobs.position", {"id": middle}),
            ("jobs.explain", {"id": middle}),
        ]
        asked = [(f"/api/v1/{name.replace('.', '/')}", params) for name, params in [*looks, *more]]
        asked = [(path, params) for path, params in asked if not path.endswith("/wait")]
        asked += [
            ("/scale", {"queue": "shop-price"}),
            ("/metrics", {}),
            ("/export/jobs", {"q": "flow:shop state:delayed"}),
        ]
        app = create_app(url.replace("unix://", "unix://pages:secret@"))
        async with serving(app) as server, server.client() as client:
            page = (
                await client.get("/api/v1/jobs/find", params={"query": "flow:shop state:failed", "limit": 100})
            ).json()
            assert (page["total"], len(page["jobs"])) == (many + 2, 100)
            took: dict[str, float] = {}
            slow: Counter[tuple[str, str]] = Counter()
            # What the machine does meanwhile makes this or that slow once or twice; what is slow is so each time.
            rounds = 5 if SCALE > 1 else 1
            for path, params in asked * rounds:
                redis.slowlog_reset()
                began = time.perf_counter()
                answer = await client.get(path, params=params)
                which, seconds = f"{path} {params}", time.perf_counter() - began
                assert answer.status_code == 200, (which, answer.text)
                took[which] = min(seconds, took.get(which, seconds))
                found: Any = redis.slowlog_get(100)
                slow.update({(which, name_of(one["command"])) for one in found})
        assert redis.execute_command("ACL", "LOG") == []
        if SCALE > 1:
            assert {which: seconds for which, seconds in took.items() if seconds > _ANSWER_S} == {}
            assert [one for one, times in slow.items() if times == rounds] == []


def name_of(command: bytes) -> str:
    """Return the name of the script that a command of the slow log has sent, or the command."""
    words = command.decode("utf-8", "replace").split(" ")
    return next((" ".join(one) for one in compositions() if load(*one).sha == words[1]), words[0])

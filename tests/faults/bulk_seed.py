"""Many jobs at once, in the shape in which transitions leave them, written in a moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

import redis

from flows.model.ids import new_job_id
from flows.store.jobs.claimed import ClaimedJob

_MANY: Final = 1000
_TTL_MS: Final = 86_400_000
#: Writes jobs that stand in a sorted set of the queue `pick`; whoever runs them lets them fail there.
_JOBS: Final = """
local state, worker, life = ARGV[1], ARGV[2], ARGV[3]
for i = 4, #ARGV, 2 do
  local id, customer = ARGV[i], i % 10
  local key = 'job:orders:' .. id
  redis.call('HSET', key, 'number', i, 'kind', '"fail"', 'customer', customer, '_lookups', 'customer:' .. customer,
    '_status', state, '_queue', 'pick', '_attempt', '1 ' .. worker .. ' 1 0 0 0 -')
  redis.call('PEXPIRE', key, life)
  redis.call('RPUSH', 'job:orders:customer:' .. customer, id)
  redis.call('ZADD', 'queue:pick:' .. state, ARGV[i + 1], id)
end
"""
#: Writes children that one worker has, of the parent ARGV[1].
_CHILDREN: Final = """
local parent, worker, due = ARGV[1], ARGV[2], ARGV[3]
for i = 4, #ARGV do
  local id = ARGV[i]
  redis.call('HSET', 'job:pack:label:' .. id, 'number', i, 'kind', '"plain"', '_parent', 'orders:' .. parent,
    '_status', 'processing', '_queue', 'pack:label', '_attempt', '1 ' .. worker .. ' 1 0 0 0 -')
  redis.call('SADD', 'flows:pending:orders:' .. parent, id)
  redis.call('HSET', 'flows:parents:pack:label', id, 'orders:' .. parent)
  redis.call('ZADD', 'queue:pack:label:processing', due, id)
end
"""
#: Returns the states of jobs.
_STATES: Final = """
local states = {}
for i, id in ipairs(ARGV) do states[i] = redis.call('HGET', 'job:orders:' .. id, '_status') or 'gone' end
return states
"""


def now_ms(client: redis.Redis) -> int:
    """Return the server's time in milliseconds."""
    answer: Any = client.time()
    return int(answer[0]) * 1000 + int(answer[1]) // 1000


def seed_jobs(client: redis.Redis, state: str, scores: Sequence[int], worker: str = "w") -> list[str]:
    """Write a delayed or a processing job for each score, and return their ids."""
    ids = [new_job_id() for _ in scores]
    for some in _pages([*zip(ids, scores, strict=True)]):
        client.eval(_JOBS, 0, state, worker, _TTL_MS, *(part for pair in some for part in pair))
    client.slowlog_reset()
    return ids


def seed_children(client: redis.Redis, parent: str, count: int, worker: str) -> list[str]:
    """Write a parent that waits for so many children, all of which `worker` has, and return their ids."""
    ids = [new_job_id() for _ in range(count)]
    jobs = ",".join(f'"job:pack:label:{job_id}"' for job_id in ids)
    key, now = f"job:orders:{parent}", now_ms(client)
    client.hset(key, mapping={"_status": "children", "_queue": "pack", "_attempt": "2 w 1 1 0 0 -"})
    client.hset(key, mapping={"_policy": "continue", "_next": "ship", "children:pack:jobs": f"[{jobs}]"})
    client.persist(key)
    client.lrem("queue:pick:waiting", 0, parent)
    client.zadd("queue:pack:children", {parent: now})
    for some in _pages(ids):
        client.eval(_CHILDREN, 0, parent, worker, now + 600_000, *some)
    client.slowlog_reset()
    return ids


def states(client: redis.Redis, ids: Sequence[str]) -> Counter[str]:
    """Count jobs by their states."""
    found: Counter[str] = Counter()
    for some in _pages(ids):
        found.update(client.eval(_STATES, 0, *some))  # type: ignore[arg-type]
    return found


def forget(client: redis.Redis, keys: Sequence[str]) -> None:
    """Delete keys, a thousand at a time."""
    for some in _pages(keys):
        client.unlink(*some)


def held(ids: Sequence[str]) -> list[ClaimedJob]:
    """Return what a worker knows of seeded jobs that it has."""
    return [ClaimedJob([job_id.encode(), 1, 1, 0, 0, 0, None]) for job_id in ids]


def _pages(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), _MANY):
        yield items[start : start + _MANY]

"""Claim, position and explain in a ruled queue of a million jobs in groups, beside a million delayed ones."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.faults.rules.plan import Limit, QueuePlan
from tests.faults.rules.ruled_world import GROUP, Call, RuledWorld
from tests.scale import SCALE, scaled
from tests.store.views.costs import MOST, cost
from tests.world import NOW, QUEUES, World, finish

_GROUPS: Final = 1_000
_PRIORITIES: Final = 3
#: So many jobs are made by one call.
_PART: Final = 20_000
#: Writes jobs as they stand when they wait in groups, or are delayed: by name, so that it takes seconds.
_FILL: Final = """
local ns, from, upto, now, groups = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
for number = from, upto - 1 do
  local ms = now + math.floor(number / 1000)
  local id = string.format('%08x-%04x-7000-8000-%012x', math.floor(ms / 65536), ms % 65536, number)
  local group, priority = '"g' .. number % groups .. '"', 1 + math.floor(number / groups) % PRIORITIES
  local key = ns .. 'job:shop:' .. id
  redis.call('HSET', key, 'n', '1', 'GROUP', group)
  if priority > 1 then redis.call('HSET', key, '_priority', priority) end
  if ARGV[6] == 'delayed' then
    redis.call('HSET', key, '_status', 'delayed', '_queue', 'pick', '_attempt', '0 - 0 0 0 ' .. ms .. ' -')
    redis.call('ZADD', ns .. 'queue:pick:delayed', now * 10 + number, id)
  else
    redis.call('RPUSH', ns .. 'flows:group:pick/' .. priority .. '/' .. group, id)
    redis.call('ZADD', ns .. 'flows:ring:pick/' .. priority, 'NX', 0, group)
    redis.call('HINCRBY', ns .. 'flows:fair:pick', 'n' .. priority, 1)
  end
end
""".replace("GROUP", GROUP).replace("PRIORITIES", str(_PRIORITIES))


def job_id(number: int) -> str:
    """Return the id of the job with this number."""
    ms = NOW + number // 1000
    return f"{ms >> 16:08x}-{ms & 0xFFFF:04x}-7000-8000-{number:012x}"


def filled(world: World, count: int) -> RuledWorld:
    """Let so many jobs wait in groups, and as many be delayed."""
    limits = (Limit("pick:1", 1_000, 1_000, grouped=True), Limit("pick:2", 100_000, 1_000))
    queue = QueuePlan("pick", (), _PRIORITIES, grouped=True, limits=limits, slots=100_000, slots_per_group=1_000)
    made = RuledWorld(world.redis, world.namespace, [queue])
    made.now = NOW + 1_000_000
    send: Any = world.redis.eval
    for state, begin in (("waiting", 0), ("delayed", count)):
        for at in range(begin, begin + count, _PART):
            send(_FILL, 0, world.namespace, at, min(at + _PART, begin + count), NOW, _GROUPS, state)
    return made


@pytest.mark.scale
@pytest.mark.timeout(1_800)
def test_nothing_takes_longer_in_a_queue_of_a_million(world: World) -> None:
    """A claim, an end, a position and an explanation take two milliseconds at most, with rules of every kind."""
    count = scaled(20_000, full=1_000_000)
    made, number = filled(world, count), 0

    def claim() -> None:
        nonlocal number
        number += 1
        [job] = made.take_turn("pick", "w1", Call(number, [], 1, busy=False)).claimed
        number += 1
        ended = [(job, finish(job.id, job.fence))]
        assert made.take_turn("pick", "w1", Call(number, ended, 0, busy=False)).words == ["ok"]

    def explain(which: str) -> dict[str, Any]:
        facts: Any = made.run("explain", *QUEUES, id=which)[1]
        return dict(facts)

    least, sent = cost(made, claim)
    assert SCALE == 1 or least <= 2 * MOST  # of a claim and an end
    assert not sent.keys() & {"scan", "keys", "sort", "lpos", "lrem"}
    for of in (_GROUPS * 6, count // 2, count - 1, count, count + count // 2):
        which = job_id(of)
        for name, call in (
            ("position", lambda which=which: made.run("position", *QUEUES, id=which)),
            ("explain", lambda which=which: explain(which)),
        ):
            least, sent = cost(made, call)
            assert SCALE == 1 or least <= MOST, f"{name} of {which} takes {least} µs"
            assert not sent.keys() & {"scan", "keys", "sort"}, f"{name} sends {sent}"
    ahead, _, due, in_group = made.run("position", *QUEUES, id=job_id(count // 2))
    assert (due, in_group) == ("", count // 2 // _GROUPS // _PRIORITIES)
    assert ahead >= in_group
    assert made.run("position", *QUEUES, id=job_id(count))[2]

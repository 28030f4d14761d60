"""The window of the scripts does what its reference in Python does, step by step, over random loads."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from redis import Redis

from flows.model.limits.window import AHEAD_MS, Window
from flows.store.client import scripts

NOW = 1_800_000_000_000
#: What comes before the include, which reads the clock, and behind it: jobs of one turn, each of a cost, that start
#: where their window allows it, or so many ms from now, as another limiter wants it. Answers when each could start.
BEFORE = "local time = tonumber(ARGV[1])\n"
BEHIND = """
local most, interval, smooth, ready = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] == '1', {}
local window = open_window(KEYS[1], redis.call('GET', KEYS[1]), terms_of(most, interval, smooth))
for i = 5, #ARGV, 2 do
  local cost = tonumber(ARGV[i])
  local soonest = ready_at(window, cost)
  ready[#ready + 1] = string.format('%.17g', soonest)
  local at_ms = math.max(soonest, time + tonumber(ARGV[i + 1]))
  if at_ms - time > AHEAD then break end
  take_tokens(window, cost, at_ms)
end
write_windows()
return ready
"""


def script() -> str:
    """Return the include, ready to be run by itself."""
    place = scripts._folder().joinpath("ruled", "include", "window.lua")
    return f"{BEFORE}{place.read_text('utf-8')}{BEHIND}"


@pytest.mark.parametrize("smooth", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_each_start_is_where_the_reference_has_it(redis: Redis, namespace: str, seed: int, *, smooth: bool) -> None:
    """Several in a turn, later than they could, with costs and reservoirs of all sizes, when clock and limit change."""
    draw = random.Random(seed)  # noqa: S311 - loads, the same in each run
    reservoir, interval = draw.randint(1, draw.choice((5, 50, 500))), draw.randint(10, draw.choice((60, 1_000, 60_000)))
    smooth = smooth and interval >= reservoir
    run, key = redis.register_script(script()), f"{namespace}flows:window:x"
    window, now, starts = Window(reservoir, interval, smooth=smooth), NOW, 0
    for _step in range(250):
        now += (
            draw.choice((0, 0, 0, 1, 7, interval // 3, interval)) if draw.random() < 0.99 else -draw.randint(0, 9_999)
        )
        if draw.random() < 0.01:
            window.reservoir = reservoir = draw.randint(max(1, reservoir // 2), reservoir * 2)
            window.interval = interval = draw.randint(max(10, interval // 2, reservoir if smooth else 10), interval * 2)
        same = draw.choice((1, 1, 1, 2, draw.randint(1, reservoir)))
        jobs = [
            (draw.choice((same, same, same, 1)), draw.choice((0, 0, 0, 0, draw.randint(1, AHEAD_MS))))
            for _job in range(draw.choice((1, 1, 2, 3)))
        ]
        answer = run([key], [now, reservoir, interval, int(smooth), *(number for job in jobs for number in job)])
        tried, ready = replace(window, taken=[*window.taken]), list[int]()
        for cost, later in jobs:
            ready.append(tried.ready_at(now, cost))
            at = max(ready[-1], now + later)
            if at - now > AHEAD_MS:
                break
            tried.take(at, now, cost)
            window = tried  # what starts nothing writes nothing
            starts += 1
        assert [*map(float, answer)] == ready, (now, jobs, window)
    assert starts

"""The window of the scripts does what its reference in Python does, step by step, over random loads."""

from __future__ import annotations

import random
from dataclasses import replace
from importlib import resources

import pytest
from redis import Redis

from flows.model.limits.window import AHEAD_MS, Window

NOW = 1_800_000_000_000
#: What comes before the include, which reads the clock, and behind it: one job that starts where its window allows it.
BEFORE = "local time = tonumber(ARGV[1])\n"
BEHIND = """
local most, interval, smooth, cost = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] == '1', tonumber(ARGV[5])
local window = open_window(KEYS[1], redis.call('GET', KEYS[1]), terms_of(most, interval, smooth))
local at_ms = ready_at(window, cost)
if at_ms - time <= AHEAD then
  take_tokens(window, cost, at_ms)
  write_windows()
end
return string.format('%.17g', at_ms)
"""


def script() -> str:
    """Return the include, ready to be run by itself."""
    place = resources.files("flows.store").joinpath("lua/ruled/include/window.lua")
    return f"{BEFORE}{place.read_text('utf-8')}{BEHIND}"


@pytest.mark.parametrize("smooth", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_each_start_is_where_the_reference_has_it(redis: Redis, namespace: str, seed: int, *, smooth: bool) -> None:
    """Also with costs, ahead of time, with reservoirs of all sizes, when the clock is set back and a limit changed."""
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
        cost = draw.choice((1, 1, 1, 2, draw.randint(1, reservoir)))
        tried = replace(window, taken=[*window.taken])
        at = tried.ready_at(now, cost)
        answer = run([key], [now, reservoir, interval, int(smooth), cost])
        assert float(answer) == at, (now, cost, window)
        if at - now <= AHEAD_MS:
            tried.take(at, now, cost)
            window = tried  # what starts nothing writes nothing
            starts += 1
    assert starts > 2

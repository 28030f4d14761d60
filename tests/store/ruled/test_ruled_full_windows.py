"""ruled/window: no interval is over its limit, and none is used less than it could be; the same as in Python."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from redis import Redis

from flows import Limiter
from flows.model.limits.window import AHEAD_MS, Window
from tests.store.ruled.ruled_world import GROUP, Ruled, fullest
from tests.world import NOW


@pytest.mark.parametrize("seed", range(12))
def test_it_is_the_window_of_the_model(redis: Redis, namespace: str, seed: int) -> None:
    """Random costs at random times: the same starts, the same alarms, and the same pairs at the end of each turn."""
    lot = Random(seed)  # noqa: S311 - chance, not secrets
    reservoir, interval = lot.randint(1, 40), lot.choice((20, 100, 333, 1_000, 5_000))
    world = Ruled(redis, namespace, Limiter(reservoir, interval / 1000))
    window = Window(reservoir, interval)
    costs = [lot.choice((1, 1, 1, 2, 5, 50)) for _ in range(60)]
    for number, cost in enumerate(costs):
        world.wait(f"{number:02}", cost=cost)
    done = 0
    while done < len(costs):
        want = lot.randint(1, 9)
        wanted = costs[done : done + want]
        starts: list[float] = []
        at: float = world.now
        for cost in wanted:
            at = window.ready_at(world.now, cost)
            if at > world.now + AHEAD_MS:
                break
            window.take(at, world.now, cost)
            starts.append(at)
        turn = world.take(want)
        assert [job.at for job in turn.jobs] == starts
        assert turn.ids == [f"{done + number:02}" for number in range(len(starts))]
        if len(starts) < len(wanted):
            assert (turn.left, turn.due) == (0, at - AHEAD_MS - world.now)
        if starts:
            held = world.window("pick:1")
            assert [*zip(held[::2], held[1::2], strict=True)] == window.taken
        done += len(starts)
        world.now += lot.choice((0, 1, 7, turn.due or 30, interval // 3))


@pytest.mark.parametrize(("reservoir", "interval"), [(1, 20), (5, 100), (50, 1_000), (7, 333)])
def test_it_is_full_and_never_over(redis: Redis, namespace: str, reservoir: int, interval: int) -> None:
    """A queue that always has work uses its limit, and no window of any phase holds more than that."""
    world = Ruled(redis, namespace, Limiter(reservoir, interval / 1000))
    count = reservoir * 6
    world.wait(*(f"{number:03}" for number in range(count)))
    starts = world.starts(interval * 10)
    assert (len(starts), fullest(starts, interval)) == (count, reservoir)
    assert max(starts) - NOW <= 5 * interval + 6 + interval // 16


def test_smooth_starts_are_spaced_evenly(redis: Redis, namespace: str) -> None:
    """300 a second: each 3 or 4 ms after the one before, and what is rounded up is not lost."""
    world = Ruled(redis, namespace, Limiter(300, 1.0, smooth=True))
    world.wait(*(f"{number:03}" for number in range(301)))
    starts = world.starts(5_000)
    gaps = [later - before for before, later in pairwise(starts)]
    assert set(gaps[1:-1]) <= {3, 4}
    assert (len(starts), fullest(starts, 1_000)) == (301, 300)
    assert starts[299] - NOW in {997, 998, 999}
    assert gaps[-1] <= 4 + 1_000 // 64


def test_smooth_costs_take_so_many_spaces(redis: Redis, namespace: str) -> None:
    """After a job of three tokens the next one comes three spaces later, and the window is not over either."""
    world = Ruled(redis, namespace, Limiter(10, 1.0, smooth=True))
    world.wait("1", cost=3)
    world.wait("2")
    world.wait("3", cost=10)
    assert [at - NOW for at in world.starts(3_000)] == [0, 301, 1_301]


def test_tokens_within_a_part_of_the_interval_stand_together(redis: Redis, namespace: str) -> None:
    """So that a window stays short: they come back together, with the last of them."""
    world = Ruled(redis, namespace, Limiter(3, 6.4))
    world.wait("1", "2", "3", "4")
    for _ in range(3):
        world.take(1)
        world.now += 60
    assert world.window("pick:1") == [NOW + 61, 2, NOW + 121, 1]
    assert world.take().due == 6_400 + 61 - 180 - 50


def test_a_window_stays_a_minute_longer_than_its_tokens(redis: Redis, namespace: str) -> None:
    """And is gone then."""
    world = Ruled(redis, namespace, Limiter(3, 5.0), Limiter(9, 90.0), Limiter(9, 90.0, smooth=True))
    world.wait("1")
    world.take()
    for name, interval in (("pick:1", 5_000), ("pick:2", 90_000), ("pick:3", 90_000)):
        assert 0 <= interval + 60_001 - world.life("window", name) < 30_000


def test_a_clock_that_was_set_back_stops_nobody(redis: Redis, namespace: str) -> None:
    """Tokens of the time after now count as the last that could have been given out."""
    for number, smooth in enumerate((False, True)):
        world = Ruled(redis, f"{namespace}{number}:", Limiter(2, 1.0, smooth=smooth))
        world.now += 3_600_000
        world.wait("1", "2", "3")
        assert world.take().ids
        world.now -= 3_600_000
        turn = world.take()
        waits = turn.due or turn.jobs[0].at - world.now
        assert 0 < waits <= 1_051


@pytest.mark.parametrize("text", [b"not packed", b"\xc3", b"\x05", b"\x92\xa1x\x01", b"\x92\x01\xa1x"])
def test_a_window_of_nonsense_begins_anew(redis: Redis, namespace: str, text: bytes) -> None:
    """Somebody has edited it: the queue goes on."""
    world = Ruled(redis, namespace, Limiter(2, 1.0))
    world.redis.set(world.key("window", "pick:1"), text)
    world.wait("1", "2", "3")
    assert world.take().ids == ["1", "2"]


def test_a_window_of_parts_of_tokens_holds_up_nobody(redis: Redis, namespace: str) -> None:
    """Their sums need not be exact; whoever has edited them so waits for them."""
    world = Ruled(redis, namespace, Limiter(1, 1.0))
    pack = "redis.call('SET', KEYS[1], cmsgpack.pack({ tonumber(ARGV[1]), 0.1, tonumber(ARGV[1]), 0.2 }))"
    world.redis.eval(pack, 1, world.key("window", "pick:1"), NOW + 1)
    world.wait("1")
    assert world.take().due == 951


def test_a_window_of_another_type_is_written_over(redis: Redis, namespace: str) -> None:
    """It is ours by its name, and holds the queue up otherwise."""
    world = Ruled(redis, namespace, Limiter(2, 1.0))
    world.redis.rpush(world.key("window", "pick:1"), "x")
    world.wait("1", "2", "3")
    assert world.take().ids == ["1", "2"]
    assert world.window("pick:1") == [NOW + 1, 2]


def test_the_windows_of_groups_stay_as_long_as_the_longest(redis: Redis, namespace: str) -> None:
    """Also where that is not the one that was written last."""
    world = Ruled(redis, namespace, Limiter(3, 5.0, group_key=GROUP), group=GROUP)
    world.redis.hset(world.key("limit", "pick:1"), mapping={'live:"a"': "3/90000", "live:": "1"})
    for number, interval in enumerate((5_000, 90_000, 90_000)):
        world.wait(f"{number}", group="ba"[number % 2])
        world.take()
        assert 0 <= interval + 60_001 - world.life("windows", "pick:1") < 30_000
    assert world.redis.hget(world.key("windows", "pick:1"), "") == "90000"
    assert (world.window('pick:1/"a"'), world.window('pick:1/"b"')) == ([NOW + 1, 1], [NOW + 1, 2])


def test_windows_of_groups_of_one_turn_are_written_together(redis: Redis, namespace: str) -> None:
    """Each is kept, and the hash stays as long as the one that stays longest, whichever is the last."""
    for longer in "ab":
        world = Ruled(redis, f"{namespace}{longer}:", Limiter(3, 5.0, group_key=GROUP), group=GROUP)
        world.redis.hset(world.key("limit", "pick:1"), mapping={f'live:"{longer}"': "3/90000", "live:": "1"})
        world.wait("1", group="a")
        world.wait("2", group="b")
        assert world.take().ids == ["1", "2"]
        assert 0 <= 150_001 - world.life("windows", "pick:1") < 30_000
        assert world.redis.hget(world.key("windows", "pick:1"), "") == "90000"
        assert [world.window(f'pick:1/"{group}"') for group in "ab"] == [[NOW + 1, 1]] * 2


def test_windows_of_groups_of_another_type_stop_a_turn_before_it_writes(redis: Redis, namespace: str) -> None:
    """They cannot be written over one by one."""
    world = Ruled(redis, namespace, Limiter(2, 1.0, group_key=GROUP), group=GROUP)
    world.redis.set(world.key("windows", "pick:1"), "x")
    world.wait("1", group="a")
    before = world.snapshot()
    with pytest.raises(Exception, match=f"FLOWSCONFLICT {world.key('windows', 'pick:1')} holds a string"):
        world.take()
    assert world.snapshot() == before
    other = Ruled(redis, f"{namespace}other:", Limiter(2, 1.0))
    other.redis.set(other.key("windows", "pick:1"), "x")  # not the limiter's
    other.wait("1")
    assert other.take().ids == ["1"]

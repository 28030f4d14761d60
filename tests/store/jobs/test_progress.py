"""progress: what running functions report is written on behalf of their attempts."""

from __future__ import annotations

import pytest
from redis.exceptions import ResponseError

from tests.world import HOUR, NOW, World, processing


def test_writes_progress_and_lines_of_its_own_jobs(world: World) -> None:
    """A word for each; what a lost attempt reports is dropped, and nothing is written to a missing hash."""
    world.seed(jobs={"shop:1": processing(), "shop:2": processing(_fence="2")})
    rest = ["1", 1, "0.5", 2, "first", "second", "2", 1, "0.9", 1, "lost", "3", 1, "1", 1, "gone"]
    assert world.run("progress", *rest) == ["ok", "stale", "gone"]
    assert world.snapshot() == {
        "jobs": {"shop:1": processing(_progress="0.5", _lookups="#log:1"), "shop:2": processing(_fence="2")},
        "log": {"shop:1": ["first", "second"]},
    }


def test_what_was_not_reported_stays(world: World) -> None:
    """Lines without progress leave the last progress; progress without lines writes no log."""
    world.seed(jobs={"shop:1": processing(_progress="0.5"), "shop:2": processing()})
    assert world.run("progress", "1", 1, "", 1, "line", "2", 1, "0.1", 0) == ["ok", "ok"]
    assert world.job("shop:1")["_progress"] == "0.5"
    assert world.snapshot()["log"] == {"shop:1": ["line"]}


def test_keeps_the_last_lines_only(world: World) -> None:
    """The log is bounded, over all calls."""
    world.seed(jobs={"shop:1": processing()}, log={"shop:1": ["a", "b", "c"]})
    world.run("progress", "1", 1, "", 2, "d", "e", most_lines=3)
    assert world.snapshot()["log"] == {"shop:1": ["c", "d", "e"]}


@pytest.mark.parametrize("life", [HOUR, -1])
def test_a_log_lives_as_long_as_its_job(world: World, life: int) -> None:
    """Its hash says so once, beside the lists that it stands in; one such line may look like it."""
    key = world.key("jobs", "shop:1")
    world.seed(jobs={"shop:1": processing(_lookups="tag:#log:1")})
    world.redis.persist(key)
    if life > 0:
        world.redis.pexpire(key, life)
    for _ in range(2):
        world.run("progress", "1", 1, "", 1, "line")
        assert world.lives("log", "shop:1", life) if life > 0 else world.life("log", "shop:1") == -1
    assert world.job("shop:1")["_lookups"] == "tag:#log:1\n#log:1"


def test_a_key_of_another_type_is_named(world: World) -> None:
    """Nothing is written where the log is not ours."""
    world.seed(jobs={"shop:1": processing()})
    world.redis.set(world.key("log", "shop:1"), "not ours")
    before = world.snapshot()
    with pytest.raises(ResponseError, match=f"FLOWSCONFLICT {world.key('log', 'shop:1')} holds a string"):
        world.run("progress", "1", 1, "0.5", 1, "line")
    assert world.snapshot() == before


def test_a_call_that_is_sent_twice_adds_its_lines_once(world: World) -> None:
    """An answer that was lost leaves no line in the log twice."""
    world.seed(jobs={"shop:1": processing()}, processing={"pick": {"1": NOW + 9}})
    call = world.settings.new_call()
    for _ in range(2):
        assert world.run("progress", "1", 1, "", 1, "a line", call=call) == ["ok"]
    assert world.snapshot()["log"] == {"shop:1": ["a line"]}

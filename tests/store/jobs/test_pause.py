"""pause: a queue gives out no jobs until it is resumed, or until the pause is over."""

from __future__ import annotations

import pytest
from redis.exceptions import ResponseError

from tests.world import NOW, World


def pause(world: World, until_ms: object = "inf", note: str = "") -> str:
    """Call the script for `pick`."""
    word: str = world.run("pause", until_ms=str(until_ms), note=note)
    return word


def meta(world: World) -> dict[str, str]:
    """Return what the queue's `meta` says."""
    found: dict[str, str] = world.redis.hgetall(world.key("meta", "pick"))  # type: ignore[assignment]
    return found


def woken(world: World) -> bool:
    """Return whether a worker is woken, and forget it."""
    return bool(world.redis.delete(world.key("wake", "pick")))


def test_a_pause_is_written_into_meta_and_resuming_takes_it_out(world: World) -> None:
    """Counts and the owner stay as they are, and each time a worker is woken to look."""
    world.seed(meta={"pick": {"owner": "shop", "finish": "7"}})
    assert pause(world, note="ops") == "paused"
    assert meta(world) == {
        "owner": "shop", "finish": "7", "paused": "inf", "paused_at": str(NOW), "paused_note": "ops",
    }  # fmt: skip
    assert woken(world)
    assert pause(world, 0) == "resumed"
    assert meta(world) == {"owner": "shop", "finish": "7"}
    assert woken(world)
    assert pause(world, 0) == "not paused"


def test_a_pause_is_replaced_by_the_next(world: World) -> None:
    """By a later or an earlier end, and by its own note."""
    assert pause(world, note="a") == "paused"
    world.now += 5
    assert pause(world, NOW + 10, note="b") == "paused"
    assert meta(world) == {"paused": str(NOW + 10), "paused_at": str(NOW + 5), "paused_note": "b"}


def test_a_pause_that_is_over_is_refused(world: World) -> None:
    """And changes nothing."""
    assert pause(world, NOW + 10) == "paused"
    before = world.snapshot(unseen=frozenset())
    for until_ms in (NOW, NOW - 1, 1):
        assert pause(world, until_ms) == "over"
    assert world.snapshot(unseen=frozenset()) == before


def test_a_meta_of_another_type_is_named(world: World) -> None:
    """Nothing is written over what is not ours."""
    world.redis.set(world.key("meta", "pick"), "not ours")
    for until_ms in ("inf", 0):
        with pytest.raises(ResponseError, match="holds a string where flows keeps a hash"):
            pause(world, until_ms)

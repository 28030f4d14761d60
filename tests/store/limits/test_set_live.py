"""set_live: numbers of limits, slots and shares are set while workers run, and taken back."""

from __future__ import annotations

import pytest
from redis.exceptions import ResponseError

from tests.world import NOW, World

NEVER = float("inf")


def set_live(
    world: World, fields: dict[str, str], *queues: tuple[str, str], kind: str = "limit", name: str = "api"
) -> None:
    """Set fields of a hash by the script."""
    pairs = [part for pair in fields.items() for part in pair]
    rest = [part for queue in queues for part in queue]
    assert world.run("set_live", len(pairs), *pairs, *rest, hash_kind=kind, hash_name=name) == "set"


def park(world: World, groups: dict[str, float]) -> None:
    """Park groups of `pick` until some times."""
    world.redis.zadd(world.key("parked", "pick"), groups)


def parked(world: World) -> dict[str, float]:
    """Return which groups are parked, until when."""
    return dict(world.redis.zrange(world.key("parked", "pick"), 0, -1, withscores=True))


def live(world: World, kind: str = "limit", name: str = "api") -> dict[str, str]:
    """Return what is set."""
    found: dict[str, str] = world.redis.hgetall(world.key(kind, name))  # type: ignore[assignment]
    return found


@pytest.mark.parametrize(("kind", "name"), [("limit", "api"), ("shares", "pick"), ("fair", "pick"), ("sharing", "gpu")])
def test_numbers_are_set_and_taken_back(world: World, kind: str, name: str) -> None:
    """Several at once; the others stay as they are."""
    set_live(world, {"live": "5/1000", "live:7": "1/1000"}, kind=kind, name=name)
    set_live(world, {"live": "6/1000", "": "3"}, kind=kind, name=name)
    assert live(world, kind, name) == {"live": "6/1000", "live:7": "1/1000", "": "3"}
    set_live(world, {"live": "", "live:8": ""}, kind=kind, name=name)
    assert live(world, kind, name) == {"live:7": "1/1000", "": "3"}


def test_each_queue_that_has_the_limit_is_woken(world: World) -> None:
    """A worker that sleeps until an earlier time looks again."""
    set_live(world, {"live": "5/1000"}, ("pick", ""), ("pack", ""))
    assert [world.redis.exists(world.key("wake", name)) for name in ("pick", "pack", "ship")] == [1, 1, 0]


def test_parked_groups_are_looked_at_again(world: World) -> None:
    """Those that wait for a token and those that wait for a slot; one that is held waits on."""
    park(world, {"1/a": NOW + 500, "2/b": NEVER, "1/c": NOW + 500.5, "1/d": NOW - 5})
    set_live(world, {"live": "5/1000"}, ("pick", ""))
    assert parked(world) == {"1/a": 0, "2/b": 0, "1/c": NOW + 500.5, "1/d": NOW - 5}


def test_more_than_one_page_is_looked_at_again(world: World) -> None:
    """Held groups among them are passed over, and no other."""
    groups = {f"1/{n}": NOW + n + (0.5 if n % 3 == 0 else 0) for n in range(1, 3_001)}
    park(world, groups)
    set_live(world, {"live": "5/1000"}, ("pick", ""))
    held = {name: score for name, score in groups.items() if score % 1}
    assert parked(world) == dict.fromkeys(groups, 0) | held


def test_it_is_bounded(world: World) -> None:
    """A script takes no longer than some milliseconds: of more groups, the others come back when their time does."""
    park(world, {f"1/{n}": NOW + n for n in range(1, 10_502)})
    set_live(world, {"live": "5/1000"}, ("pick", ""))
    left = {name: score for name, score in parked(world).items() if score}
    assert left == {f"1/{n}": NOW + n for n in range(10_001, 10_502)}


def test_one_group_is_looked_at_again_alone(world: World) -> None:
    """In each of its priorities; what is set for it changes nothing for the others."""
    park(world, {"1/a": NOW + 500, "8/a": NEVER, "2/a": NOW + 500.5, "1/b": NOW + 500})
    set_live(world, {"live:a": "5/1000"}, ("pick", "a"))
    assert parked(world) == {"1/a": 0, "8/a": 0, "2/a": NOW + 500.5, "1/b": NOW + 500}


@pytest.mark.parametrize("key", [("limit", "api"), ("parked", "pack")])
def test_a_key_of_another_type_is_named(world: World, key: tuple[str, str]) -> None:
    """And nothing is written."""
    world.redis.set(world.key(*key), "not ours")
    before = world.snapshot(unseen=frozenset())
    with pytest.raises(ResponseError, match=r"FLOWSCONFLICT .* holds a string"):
        set_live(world, {"live": "5/1000"}, ("pick", ""), ("pack", ""))
    assert world.snapshot(unseen=frozenset()) == before

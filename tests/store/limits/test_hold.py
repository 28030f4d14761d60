"""hold: nothing of a queue, or of one group of it, starts until a time."""

from __future__ import annotations

from typing import Any

import pytest
from redis.exceptions import ResponseError

from tests.world import NOW, World, processing

NEVER = float("inf")


def hold(world: World, delay_ms: int = 1_000, *, until_ms: int = 0, **named: Any) -> str:
    """Hold `pick`, which has rules, by the script."""
    usual = {"scope": "queue", "group": "", "id": "", "field": "guild", "priorities": 1}
    word: str = world.run("hold", **{**usual, "delay_ms": delay_ms, "until_ms": until_ms, **named})
    return word


def meta(world: World) -> dict[str, str]:
    """Return what the queue's `meta` says."""
    found: dict[str, str] = world.redis.hgetall(world.key("meta", "pick"))  # type: ignore[assignment]
    return found


def parked(world: World) -> dict[str, float]:
    """Return which groups are parked, until when."""
    return dict(world.redis.zrange(world.key("parked", "pick"), 0, -1, withscores=True))


def ring(world: World, n: int = 1) -> list[str]:
    """Return the groups of a priority whose turn may come."""
    found: list[str] = world.redis.zrange(world.key("ring", f"pick/{n}"), 0, -1)
    return found


def woken(world: World) -> bool:
    """Return whether a worker is woken, and forget it."""
    return bool(world.redis.delete(world.key("wake", "pick")))


def test_a_queue_is_held_until_a_time(world: World) -> None:
    """By a delay, or a time of the server; a worker looks again, to set its alarm."""
    assert hold(world) == "held"
    assert meta(world) == {"held": str(NOW + 1_000)}
    assert woken(world)
    assert hold(world, -1, until_ms=NOW + 5_000) == "held"
    assert meta(world) == {"held": str(NOW + 5_000)}


def test_of_two_holds_the_later_one_counts(world: World) -> None:
    """Both jobs that were told to wait were told so by the same provider."""
    hold(world, 5_000)
    assert hold(world, 1_000) == "held"
    assert meta(world) == {"held": str(NOW + 5_000)}


def test_a_hold_is_ended(world: World) -> None:
    """At once, and a worker goes on."""
    hold(world)
    woken(world)
    assert hold(world, 0) == "ended"
    assert meta(world) == {}
    assert woken(world)


def test_a_group_is_parked_in_each_priority(world: World) -> None:
    """Also where it has no job yet: those that come are parked too. The half of a millisecond says that it is held."""
    for n in (1, 2):
        world.redis.zadd(world.key("ring", f"pick/{n}"), {"7": 3, "8": 4})
    assert hold(world, scope="group", group="7", priorities=2) == "held"
    assert parked(world) == {"1/7": NOW + 1_000.5, "2/7": NOW + 1_000.5}
    assert (ring(world, 1), ring(world, 2)) == (["8"], ["8"])
    assert meta(world) == {}
    assert woken(world)


@pytest.mark.parametrize(
    ("before", "after"),
    [(NOW + 500, NOW + 1_000.5), (NOW + 5_000, NOW + 5_000), (NEVER, NOW + 1_000.5), (0, NOW + 1_000.5)],
)
def test_a_group_that_is_parked_is_held_if_that_is_longer(world: World, before: float, after: float) -> None:
    """One that waits for a slot looks for it when the hold is over."""
    world.redis.zadd(world.key("parked", "pick"), {"1/7": before})
    hold(world, scope="group", group="7")
    assert parked(world) == {"1/7": after}


def test_the_hold_of_a_group_is_ended(world: World) -> None:
    """The next turn looks at it; what a limit has parked stays parked."""
    world.redis.zadd(world.key("parked", "pick"), {"1/8": NOW + 300, "2/7": NOW + 300})
    world.redis.zadd(world.key("parked", "pick"), {"1/7": NOW + 1_000.5})
    assert hold(world, 0, scope="group", group="7", priorities=2) == "ended"
    assert hold(world, 0, scope="group", group="8", priorities=2) == "ended"
    assert parked(world) == {"1/7": 0, "1/8": NOW + 300, "2/7": NOW + 300}


LONG = '"' + "x" * 300 + '"'


@pytest.mark.parametrize(
    ("value", "group"), [("7", "7"), ('"a b"', '"a b"'), (LONG, "f771a9703bf5d697a90c95730715befbe55069ad")]
)
def test_a_group_is_named_by_a_job_of_it(world: World, value: str, group: str) -> None:
    """By what its hash says; a long text stands as its digest."""
    world.seed(jobs={"shop:1": processing(guild=value)}, processing={"pick": {"1": NOW + 1}})
    assert hold(world, scope="group", id="1") == "held"
    assert list(parked(world)) == [f"1/{group}"]


@pytest.mark.parametrize("fields", [{}, {"guild": "null"}])
def test_a_job_of_no_group_holds_none(world: World, fields: dict[str, str]) -> None:
    """Nothing is written."""
    world.seed(jobs={"shop:1": processing(**fields)}, processing={"pick": {"1": NOW + 1}})
    before = world.snapshot(unseen=frozenset())
    assert hold(world, scope="group", id="1") == "no group"
    assert world.snapshot(unseen=frozenset()) == before


def test_something_else_at_the_key_of_a_job_holds_none(world: World) -> None:
    """The job was edited away meanwhile: its function has asked for nothing that could be done."""
    world.redis.set(world.key("jobs", "shop:1"), "not ours")
    assert hold(world, scope="group", id="1") == "no group"
    assert parked(world) == {}


def plain(world: World, delay_ms: int = 1_000) -> str:
    """Hold `pick` as a queue without rules."""
    return hold(world, delay_ms, priorities=0)


def test_a_queue_without_rules_is_paused(world: World) -> None:
    """Its plain turn knows pauses; resuming, or the end of the hold, lets it go on."""
    assert plain(world) == "held"
    assert meta(world) == {"paused": str(NOW + 1_000), "paused_at": str(NOW), "paused_note": "held"}
    assert plain(world, 0) == "ended"
    assert meta(world) == {}


@pytest.mark.parametrize("until", ["inf", str(NOW + 5_000)])
def test_a_longer_pause_is_left_alone(world: World, until: str) -> None:
    """Somebody has paused it by hand: the end of a hold does not end that."""
    by_hand = {"paused": until, "paused_at": "5", "paused_note": "ops"}
    world.seed(meta={"pick": by_hand})
    assert plain(world) == "held"
    assert plain(world, 0) == "ended"
    assert meta(world) == by_hand


@pytest.mark.parametrize(
    ("key", "named"),
    [
        (("meta", "pick"), {}),
        (("meta", "pick"), {"priorities": 0}),
        (("parked", "pick"), {"scope": "group", "group": "7"}),
        (("ring", "pick/2"), {"scope": "group", "group": "7", "priorities": 2}),
    ],
)
def test_a_key_of_another_type_is_named(world: World, key: tuple[str, str], named: dict[str, Any]) -> None:
    """And nothing is written."""
    world.redis.set(world.key(*key), "not ours")
    before = world.snapshot(unseen=frozenset())
    with pytest.raises(ResponseError, match=r"FLOWSCONFLICT .* holds a string"):
        hold(world, **named)
    assert world.snapshot(unseen=frozenset()) == before

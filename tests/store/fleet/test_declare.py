"""declare: what a release declares is written once, and the five that were seen last are kept."""

from __future__ import annotations

import pytest

from tests.world import NOW, World

FIVE = [f"{number:016x}" for number in range(5)]


def call(world: World, digest: str, *text: str, now: int = NOW) -> str:
    """Call the script."""
    named = {"declarations": world.keys.declarations("shop"), "digest": digest, "most": 5}
    answer: str = world.run("declare", *text, now=now, **named)
    return answer


def fields(world: World) -> dict[str, str]:
    """Return the hash."""
    found: dict[str, str] = world.redis.hgetall(world.keys.declarations("shop"))
    return found


def test_the_text_is_asked_for_once(world: World) -> None:
    """Whoever comes later only says that it was seen."""
    assert call(world, "ab") == "wanted"
    assert fields(world) == {}
    assert call(world, "ab", "{}") == "written"
    assert fields(world) == {"ab": "{}", "ab:seen": str(NOW)}
    assert call(world, "ab", now=NOW + 1) == "known"
    assert fields(world) == {"ab": "{}", "ab:seen": str(NOW + 1)}
    assert call(world, "ab", '{"other": 1}', now=NOW + 2) == "known"
    assert fields(world)["ab"] == "{}"


def test_the_five_that_were_seen_last_are_kept(world: World) -> None:
    """One that an old release still uses stays, however many have come since."""
    for at, digest in enumerate(FIVE):
        call(world, digest, "{}", now=NOW + at)
    call(world, FIVE[0], now=NOW + 10)
    call(world, "aa", "{}", now=NOW + 11)
    assert {name for name in fields(world) if ":" not in name} == {"aa", *FIVE} - {FIVE[1]}
    assert len(fields(world)) == 10


def test_times_that_were_edited_count_as_long_ago(world: World) -> None:
    """And what is no declaration stays where somebody has put it."""
    for at, digest in enumerate(FIVE):
        call(world, digest, "{}", now=NOW + at)
    world.redis.hset(world.keys.declarations("shop"), mapping={f"{FIVE[4]}:seen": "yesterday", "note": "mine"})
    call(world, "aa", "{}", now=NOW + 10)
    assert FIVE[4] not in fields(world)
    assert fields(world)["note"] == "mine"


@pytest.mark.parametrize("text", [(), ("{}",)])
def test_a_key_of_another_type_is_left_alone(world: World, text: tuple[str, ...]) -> None:
    """No flow is kept from working by it."""
    world.redis.set(world.keys.declarations("shop"), "not ours")
    assert call(world, "ab", *text) == "conflict"
    assert world.redis.get(world.keys.declarations("shop")) == "not ours"

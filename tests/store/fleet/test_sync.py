"""sync: what an app defines is written once; what its earlier releases did goes when nobody has seen it for 30 s."""

from __future__ import annotations

import pytest

from tests.world import NOW, World

KEPT = 30_000


def call(world: World, digest: str, *text: str, app: str = "billing", now: int = NOW, written: int = 0) -> str:
    """Call the script."""
    named = {
        "declarations": world.keys.declarations("run"),
        "app": app,
        "digest": f"{app}:{digest}",
        "most": 5,
        "alive_ms": KEPT,
        "written": written,
    }
    answer: str = world.run("sync", *text, now=now, **named)
    return answer


def digests(world: World) -> set[str]:
    """Return which declarations there are."""
    found = world.redis.hkeys(world.keys.declarations("run"))
    return {name for name in found if not name.endswith((":seen", ":written"))}


def test_the_text_is_asked_for_once(world: World) -> None:
    """Whoever comes later only says that it was seen."""
    assert call(world, "ab") == "wanted"
    assert digests(world) == set()
    assert call(world, "ab", "{}") == "written"
    assert call(world, "ab", now=NOW + 1) == "known"
    assert world.redis.hgetall(world.keys.declarations("run")) == {
        "billing:ab": "{}",
        "billing:ab:seen": str(NOW + 1),
    }


def test_an_earlier_release_goes_when_nobody_has_seen_it_for_30_s(world: World) -> None:
    """One that still works stays, and so does what other apps define, however old it is."""
    call(world, "aa", "{}")
    call(world, "bb", "{}", app="bill")
    call(world, "bb", "{}", app="mailing")
    call(world, "bc", "{}", now=NOW + KEPT - 1)
    assert digests(world) == {"billing:aa", "billing:bc", "bill:bb", "mailing:bb"}
    call(world, "bc", now=NOW + KEPT)
    assert digests(world) == {"billing:bc", "bill:bb", "mailing:bb"}
    assert world.redis.hlen(world.keys.declarations("run")) == 6


def test_what_a_deploy_script_has_written_stays_until_the_next_one(world: World) -> None:
    """Without a process that has it; the next `sync` of the app takes its place, that of another app does not."""
    call(world, "aa", "{}", written=1)
    call(world, "cc", "{}", app="other", written=1, now=NOW + 2 * KEPT)
    call(world, "bb", "{}", now=NOW + 2 * KEPT)
    assert digests(world) == {"billing:aa", "billing:bb", "other:cc"}
    call(world, "bb", written=1, now=NOW + 2 * KEPT)
    assert digests(world) == {"billing:bb", "other:cc"}


def test_of_releases_that_work_at_once_five_are_kept(world: World) -> None:
    """The five that were seen last."""
    for at in range(7):
        call(world, f"a{at}", "{}", now=NOW + at)
    assert digests(world) == {f"billing:a{at}" for at in range(2, 7)}


def test_a_time_that_was_edited_counts_as_long_ago(world: World) -> None:
    """As does one that is missing."""
    for digest in ("aa", "bb"):
        call(world, digest, "{}")
    world.redis.hset(world.keys.declarations("run"), "billing:aa:seen", "yesterday")
    world.redis.hdel(world.keys.declarations("run"), "billing:bb:seen")
    call(world, "cc", "{}")
    assert digests(world) == {"billing:cc"}


@pytest.mark.parametrize("text", [(), ("{}",)])
def test_a_key_of_another_type_is_left_alone(world: World, text: tuple[str, ...]) -> None:
    """No app is kept from working by it."""
    world.redis.set(world.keys.declarations("run"), "not ours")
    assert call(world, "ab", *text) == "conflict"
    assert world.redis.get(world.keys.declarations("run")) == "not ours"

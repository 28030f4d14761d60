"""build: a parent's many children are written in parts, which no worker sees yet."""

from __future__ import annotations

import pytest
from redis.exceptions import ResponseError

from tests.world import LEASE, NOW, TTL, World, packed, processing


def build(world: World, *ids: str, offset: int = 0, **named: str | int) -> list[object]:
    """Build one part of the children of job `9` in `pack`."""
    part = packed(tuple(("box", child_id) for child_id in ids))
    answer: list[object] = world.run("build", *part, queue="pack", id="9", **{"fence": 1, "offset": offset, **named})
    return answer


def seed(world: World, **fields: str) -> None:
    """Let worker `w1` have the job `9` of `pack`."""
    world.seed(jobs={"shop:9": processing("pack", **fields)}, processing={"pack": {"9": NOW + 9}})


def test_writes_a_part_that_no_worker_sees(world: World) -> None:
    """Hashes and what is pending; no child waits, nobody is told whose it is, and the parent runs on."""
    seed(world)
    assert build(world, "1", "2") == ["ok", 2]
    assert build(world, "3", offset=2) == ["ok", 3]
    of = f"{world.namespace}job:pack:box:"
    children = {f"pack:box:{number}": {"n": f'"{number}"', "_parent": "shop:9"} for number in "123"}
    assert world.snapshot(unseen=frozenset()) == {
        "jobs": {"shop:9": processing("pack", _building="0"), **children},
        "processing": {"pack": {"9": NOW + 9}},
        "pending": {"shop:9": {"1", "2", "3"}},
        "building": {"shop:9": [f"{of}1", f"{of}2", f"{of}3"]},
    }


def test_a_part_that_is_sent_twice_is_written_once(world: World) -> None:
    """The offset tells: the answer says how many there are, and nothing is written."""
    seed(world)
    build(world, "1", "2")
    once = world.snapshot()
    assert build(world, "1", "2") == ["ok", 2]
    assert build(world, "7", offset=1) == ["ok", 2]
    assert world.snapshot() == once


def test_a_later_attempt_goes_on_where_the_former_stopped(world: World) -> None:
    """Children are created once per parent, however often it is tried: the answer says what is there."""
    seed(world)
    build(world, "1", "2")
    world.edit("shop:9", _fence="2", _attempts="2")
    assert build(world, "a", "b", fence=2) == ["ok", 2]
    assert build(world, "c", offset=2, fence=2) == ["ok", 3]
    assert set(world.snapshot()["pending"]["shop:9"]) == {"1", "2", "c"}


def test_after_the_last_part_was_let_out_nothing_is_built(world: World) -> None:
    """An attempt that died between publishing and waiting is repeated without new children."""
    seed(world)
    build(world, "1")
    world.run("publish", queue="pack", id="9", fence=1)
    assert build(world, "2") == ["built", 0]
    assert "pack:box:2" not in world.snapshot()["jobs"]


def test_what_another_visit_left_over_is_dropped(world: World) -> None:
    """Children that an attempt in another queue, or in a former life, began to build are not taken for these."""
    seed(world, _visit="3", _building="2", _built="1")
    world.seed(building={"shop:9": ["x"]}, pending={"shop:9": {"x"}}, settled={"shop:9:children:pack": {"y": "{}"}})
    assert build(world, "1") == ["ok", 1]
    found = world.snapshot()
    assert (found["pending"], "settled" in found) == ({"shop:9": {"1"}}, False)
    assert found["building"] == {"shop:9": [f"{world.namespace}job:pack:box:1"]}
    assert found["jobs"]["shop:9"] == processing("pack", _visit="3", _building="3")


def test_parts_that_were_lost_are_written_anew(world: World) -> None:
    """The list of what was written is gone: who was in it is not waited for."""
    seed(world)
    build(world, "1", "2")
    world.redis.delete(world.key("building", "shop:9"))
    assert build(world, "3") == ["ok", 1]
    assert world.snapshot()["pending"] == {"shop:9": {"3"}}


@pytest.mark.parametrize("ttl", [TTL, 0], ids=["a TTL", "no TTL"])
def test_what_is_never_let_out_expires(world: World, ttl: int) -> None:
    """If the parent never goes on, nothing of its children stays; a flow without a TTL has none here either."""
    seed(world)
    build(world, "1", ttl=ttl)
    for kind, name in (("jobs", "pack:box:1"), ("building", "shop:9"), ("pending", "shop:9")):
        assert world.lives(kind, name, TTL) if ttl else world.life(kind, name) == -1


def test_what_is_built_lives_two_leases_at_least(world: World) -> None:
    """As the parent that builds it, however short the flow's TTL is."""
    seed(world)
    build(world, "1", ttl=2000)
    for kind, name in (("jobs", "pack:box:1"), ("building", "shop:9"), ("pending", "shop:9")):
        assert world.lives(kind, name, 2 * LEASE)


@pytest.mark.parametrize("fields", [{"_fence": "2"}, {"_worker": "w2"}, {"_status": "waiting"}])
def test_a_stranger_writes_nothing(world: World, fields: dict[str, str]) -> None:
    """The token decides, here too."""
    seed(world, **fields)
    before = world.snapshot()
    assert build(world, "1") == ["stale", 0]
    assert world.snapshot() == before


def test_of_a_missing_parent_nothing_is_written(world: World) -> None:
    """No hash comes into being."""
    assert build(world, "1") == ["gone", 0]
    assert world.snapshot() == {}


SIDES = [("waiting", "pack:box"), ("parents", "pack:box"), ("pending", "shop:9"), ("building", "shop:9")]


@pytest.mark.parametrize(("kind", "name"), SIDES)
def test_a_key_of_another_type_is_named(world: World, kind: str, name: str) -> None:
    """Nothing is written."""
    seed(world)
    world.redis.set(world.key(kind, name), "not ours")
    before = world.snapshot()
    with pytest.raises(ResponseError, match=f"FLOWSCONFLICT {world.key(kind, name)} holds a string"):
        build(world, "1")
    assert world.snapshot() == before

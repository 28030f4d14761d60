"""withdraw: a job whose creation met an error is taken back."""

from __future__ import annotations

import pytest

from tests.world import World, processing


def call(world: World, *lookups: str) -> str:
    """Call the script of job `1`."""
    word: str = world.run("withdraw", *(world.key("lookups", name) for name in lookups), id="1")
    return word


def test_nothing_of_the_job_stays(world: World) -> None:
    """Its hash, its place and its entries go; those of others stay."""
    world.seed(
        jobs={"shop:1": {"a": "1"}, "shop:2": {"a": "2"}},
        waiting={"pick": ["2", "1"]},
        lookups={"shop:user:7": ["2", "1"], "shop:team:a": ["1"]},
    )
    assert call(world, "shop:user:7", "shop:team:a") == "withdrawn"
    assert world.snapshot() == {
        "jobs": {"shop:2": {"a": "2"}},
        "waiting": {"pick": ["2"]},
        "lookups": {"shop:user:7": ["2"]},
    }


def test_a_job_that_a_worker_has_had_stays(world: World) -> None:
    """The state is answered and nothing changes: the job was created after all."""
    world.seed(jobs={"shop:1": processing()}, lookups={"shop:user:7": ["1"]})
    before = world.snapshot()
    assert call(world, "shop:user:7") == "processing"
    assert world.snapshot() == before


@pytest.mark.parametrize("kind", ["jobs", "lookups", "waiting"])
def test_what_is_not_ours_is_left_alone(world: World, kind: str) -> None:
    """The key that spoilt the creation holds somebody's data: it is neither deleted nor an error here."""
    name = {"jobs": "shop:1", "lookups": "shop:user:7", "waiting": "pick"}[kind]
    if kind != "jobs":
        world.seed(jobs={"shop:1": {"a": "1"}})
    world.redis.set(world.key(kind, name), "not ours")
    assert call(world, "shop:user:7") == "withdrawn"
    assert world.redis.get(world.key(kind, name)) == "not ours"
    assert world.redis.dbsize() >= 1
    assert "a" not in world.job("shop:1") if kind != "jobs" else True


def test_sent_twice_changes_nothing_more(world: World) -> None:
    """There is nothing left to withdraw."""
    world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"pick": ["1"]})
    assert [call(world), call(world)] == ["withdrawn", "withdrawn"]
    assert world.snapshot() == {}

"""locate: where jobs wait that were never claimed."""

from __future__ import annotations

from tests.world import World, processing


def located(world: World, *ids: str) -> list[str]:
    """Call the script."""
    answer: list[str] = world.run("locate", *ids)
    return answer


def test_a_job_waits_in_the_first_queue(world: World) -> None:
    """Where the flow has had no other, no list is looked at."""
    world.seed(jobs={"shop:1": {"a": "1"}}, queues={"shop": {"pick": "first", "pack": "later"}})
    assert located(world, "1") == ["pick"]
    world.redis.delete(world.key("queues", "shop"))
    assert located(world, "1") == ["pick"]


def test_after_the_first_queue_was_renamed_it_is_where_its_id_stands(world: World) -> None:
    """In whatever list is the longest, for either version of the flow."""
    world.seed(
        jobs={f"shop:{number}": {"a": "1"} for number in range(5)},
        queues={"shop": {"pick": "first", "old": "first", "pack": "later"}},
        waiting={"pick": ["0"], "old": ["1", "2", "3"], "pack": ["4"]},
    )
    assert located(world, "0", "1", "2") == ["pick", "old", "old"]
    assert world.run("locate", "0", "3", first="old") == ["pick", "old"]
    world.redis.rpush(world.key("waiting", "pick"), "a", "b", "c")
    assert located(world, "0", "1") == ["pick", "old"]
    world.redis.delete(world.key("waiting", "pick"))
    assert located(world, "1") == ["old"]
    world.redis.delete(world.key("waiting", "old"))
    assert located(world, "1") == ["pick"]


def test_a_job_that_was_claimed_meanwhile_is_read_again(world: World) -> None:
    """Its own hash says where it is, or it is gone."""
    world.seed(jobs={"shop:1": processing(), "shop:2": {"_queue": "pack"}}, queues={"shop": {"pick": "first"}})
    world.redis.set(world.key("jobs", "shop:3"), "not ours")
    assert located(world, "1", "2", "3", "4") == ["", "", "", ""]

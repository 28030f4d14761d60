"""undeclared: queues that the flow has had, and in which jobs are left."""

from __future__ import annotations

from tests.world import NOW, World


def test_counts_what_is_left_in_each_place(world: World) -> None:
    """Of queues that are not declared, and not empty; nothing is changed."""
    world.seed(
        queues={"shop": {"pick": "first", "old": "later", "older": "first", "empty": "later"}},
        waiting={"pick": ["1"], "old": ["2", "3"], "strange": ["9"]},
        processing={"old": {"4": NOW}},
        delayed={"older": {"5": NOW, "6": NOW}},
        children={"older": {"7": NOW}},
    )
    before = world.snapshot()
    assert sorted(world.run("undeclared", "pick")) == [["old", 2, 1, 0, 0], ["older", 0, 0, 2, 1]]
    assert world.run("undeclared", "pick", "old", "older") == []
    assert world.snapshot() == before


def test_keys_of_other_types_count_as_empty(world: World) -> None:
    """It is the claim that names them: whoever connects is not kept from it."""
    world.seed(queues={"shop": {"old": "first"}}, delayed={"old": {"1": NOW}})
    world.redis.set(world.key("waiting", "old"), "not ours")
    assert world.run("undeclared", "pick") == [["old", 0, 0, 1, 0]]
    world.redis.set(world.key("queues", "shop"), "not ours")
    assert world.run("undeclared", "pick") == []

"""await_children: a parent's children are created, and it waits until they have settled."""

from __future__ import annotations

import pytest

from tests.world import NOW, TTL, World, await_children, processing

TWO = (("label", "c1"), ("box", "c2"))


def seed(world: World, **fields: str) -> None:
    """Let worker `w1` have the job `9` of `pack`."""
    world.seed(jobs={"shop:9": processing("pack", a="1", **fields)}, processing={"pack": {"9": NOW + 9}})


def test_creates_the_children_and_lets_the_parent_wait(world: World) -> None:
    """The whole of it: hashes, places, who is whose parent, what is pending, and a wake-up for each child queue."""
    seed(world, _rescues="1", _built="7", _building="7")
    assert world.report(await_children("9", children=TWO, to="ship", b="2"), queue="pack") == ["ok"]
    of = f"{world.namespace}job:pack:"
    waits = {"_status": "children", "_policy": "continue", "_next": "ship", "b": "2"}
    assert world.snapshot(unseen=frozenset()) == {
        "jobs": {
            "shop:9": processing("pack", a="1") | waits | {"children:pack:jobs": f'["{of}label:c1","{of}box:c2"]'},
            "pack:label:c1": {"n": '"c1"', "_parent": "shop:9"},
            "pack:box:c2": {"n": '"c2"', "_parent": "shop:9"},
        },
        "children": {"pack": {"9": NOW}},
        "waiting": {"pack:label": ["c1"], "pack:box": ["c2"]},
        "pending": {"shop:9": {"c1", "c2"}},
        "parents": {"pack:label": {"c1": "shop:9"}, "pack:box": {"c2": "shop:9"}},
        "wake": {"pack:label": {"w": 0}, "pack:box": {"w": 0}},
    }


def test_neither_the_parent_nor_its_children_expire(world: World) -> None:
    """Nobody knows how long they have to wait for each other."""
    seed(world)
    world.report(await_children("9", children=TWO), queue="pack")
    names = ("shop:9", "pack:label:c1", "pack:box:c2")
    assert [world.life("jobs", name) for name in names] == [-1, -1, -1]
    assert world.life("pending", "shop:9") == -1


def test_children_of_one_queue_wait_in_their_order(world: World) -> None:
    """Two hundred, the most of one call."""
    children = tuple(("box", f"c{number}") for number in range(200))
    seed(world)
    world.report(await_children("9", children=children), queue="pack")
    assert world.snapshot()["waiting"] == {"pack:box": [child_id for _box, child_id in children]}


@pytest.mark.parametrize("to", ["ship", ""])
def test_without_children_the_job_goes_on_at_once(world: World, to: str) -> None:
    """Nobody has to settle: it waits in the next queue, or is done where there is none."""
    seed(world)
    world.report(await_children("9", to=to, b="2"), queue="pack")
    found = world.snapshot()
    job = found.pop("jobs")["shop:9"]
    assert (job["b"], "children:pack:jobs" in job) == ("2", False)
    if to:
        assert (job["_status"], job["_queue"], job["_visit"], found) == ("waiting", to, "1", {"waiting": {to: ["9"]}})
        assert world.lives("jobs", "shop:9", TTL)
    else:
        assert (job["_status"], found) == ("done", {})


def test_children_of_an_earlier_visit_are_not_taken_for_new_ones(world: World) -> None:
    """A job that comes to a parent queue again, without children now, has no results of the last time."""
    seed(world, **{"children:pack:jobs": '["job:pack:box:old"]', "children:pack:results": "{}"})
    world.seed(settled={"shop:9:children:pack": {"old": "{}"}})
    world.report(await_children("9", to="ship"), queue="pack")
    assert not [field for field in world.job("shop:9") if field.startswith("children:")]


def test_what_a_former_attempt_left_over_does_not_count(world: World) -> None:
    """A former attempt began to build many children; this one has a few, and waits for those alone."""
    seed(world, _building="0")
    world.seed(building={"shop:9": ["x"]}, pending={"shop:9": {"x"}}, settled={"shop:9:children:pack": {"y": "{}"}})
    world.report(await_children("9", children=TWO), queue="pack")
    found = world.snapshot()
    assert found["pending"] == {"shop:9": {"c1", "c2"}}
    assert {"building", "settled"}.isdisjoint(found)


def test_where_to_go_is_that_of_this_attempt(world: World) -> None:
    """What an earlier visit wanted next is forgotten."""
    seed(world, _result='{"old":1}')
    world.edit("shop:9", _next="ship")
    world.report(await_children("9", children=TWO), queue="pack")
    assert {"_next", "_result"}.isdisjoint(world.job("shop:9"))


def test_children_of_a_former_attempt_that_were_let_out_do_not_count(world: World) -> None:
    """It had more than one script takes; this one has two, and waits for these alone."""
    seed(world, _built="1", _building="0")
    world.seed(pending={"shop:9": {"old"}}, jobs={"pack:box:old": {"_parent": "shop:9"}})
    world.report(await_children("9", children=TWO), queue="pack")
    assert world.snapshot()["pending"] == {"shop:9": {"c1", "c2"}}

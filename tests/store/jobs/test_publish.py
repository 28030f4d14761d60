"""publish: children that were written in parts are let into their queues."""

from __future__ import annotations

import json

import pytest
from redis.exceptions import ResponseError

from tests.counted import counted_world
from tests.world import NOW, TTL, World, await_children, fail, finish, packed, processing


def build(world: World, count: int, *, at_once: int = 200) -> list[str]:
    """Build the children of job `9` in `pack`, which worker `w1` has."""
    world.seed(jobs={"shop:9": processing("pack")}, processing={"pack": {"9": NOW + 9}})
    ids = [f"c{number}" for number in range(count)]
    for start in range(0, count, at_once):
        part = packed(tuple(("box", child_id) for child_id in ids[start : start + at_once]))
        answer = world.run("build", *part, queue="pack", id="9", fence=1, offset=start)
        assert answer == ["ok", min(start + at_once, count)]
    return ids


def publish(world: World, fence: int = 1) -> list[object]:
    """Let the next children out."""
    answer: list[object] = world.run("publish", queue="pack", id="9", fence=fence)
    return answer


def test_lets_two_hundred_out_at_a_time(world: World) -> None:
    """In the order of creation, and the first call records the job keys of all."""
    ids = build(world, 450)
    assert [publish(world) for _ in range(3)] == [["ok", 250], ["ok", 50], ["ok", 0]]
    found = world.snapshot(unseen=frozenset())
    assert found["waiting"] == {"pack:box": ids}
    assert (found["wake"], "building" in found) == ({"pack:box": {"w": 0}}, False)
    of = f"{world.namespace}job:pack:box:"
    assert json.loads(found["jobs"]["shop:9"]["children:pack:jobs"]) == [of + child_id for child_id in ids]


def test_children_that_are_let_out_have_no_ttl(world: World) -> None:
    """Their parent is about to wait for them."""
    build(world, 2)
    publish(world)
    assert [world.life("jobs", f"pack:box:c{number}") for number in range(2)] == [-1, -1]


def test_called_again_lets_out_what_is_left(world: World) -> None:
    """No child is let out twice, also when a later attempt goes on."""
    ids = build(world, 250)
    publish(world)
    world.edit("shop:9", _fence="2")
    assert publish(world) == ["stale", 0]
    assert [publish(world, 2) for _ in range(2)] == [["ok", 0], ["ok", 0]]
    assert world.snapshot()["waiting"] == {"pack:box": ids}


def test_then_the_parent_waits_without_new_children(world: World) -> None:
    """The children that were let out are the ones that it waits for; all of them settle."""
    ids = build(world, 3, at_once=2)
    publish(world)
    world.report(await_children("9", to="ship"), queue="pack")
    found = world.snapshot()
    assert (found["pending"], found["children"]) == ({"shop:9": set(ids)}, {"pack": {"9": NOW}})
    assert {"_built", "_building"}.isdisjoint(found["jobs"]["shop:9"])
    assert (world.life("jobs", "shop:9"), world.life("pending", "shop:9")) == (-1, -1)
    world.claim(3, queue="pack:box")
    world.report(*(finish(child_id, result="{}") for child_id in ids), queue="pack:box")
    results = json.loads(world.job("shop:9")["children:pack:results"])
    assert ([child["id"] for child in results["box"]], world.job("shop:9")["_queue"]) == (ids, "ship")


def test_an_attempt_with_children_of_its_own_does_not_wait_for_those(world: World) -> None:
    """One that died had let its children out; the next has other ones, few enough for one call."""
    build(world, 2)
    publish(world)
    world.edit("shop:9", _fence="2")
    assert world.report(await_children("9", 2, children=(("box", "n1"),), to="ship"), queue="pack") == ["ok"]
    found = world.snapshot()
    assert found["pending"] == {"shop:9": {"n1"}}
    assert found["jobs"]["shop:9"]["children:pack:jobs"] == f'["{world.namespace}job:pack:box:n1"]'


@pytest.mark.parametrize("ttl", [TTL, 0], ids=["a TTL", "no TTL"])
@pytest.mark.parametrize("policy", ["continue", "fail"])
def test_children_may_settle_before_the_parent_waits(world: World, ttl: int, policy: str) -> None:
    """They count, and the parent goes on at once; should it never wait, what is known of them goes with it."""
    build(world, 1)
    if not ttl:
        world.redis.persist(world.key("jobs", "shop:9"))
    publish(world)
    world.claim(queue="pack:box")
    world.report(finish("c0", result="{}"), queue="pack:box", ttl=ttl)
    assert world.job("shop:9")["_status"] == "processing"
    assert (
        world.lives("settled", "shop:9:children:pack", TTL)
        if ttl
        else (world.life("settled", "shop:9:children:pack") == -1)
    )
    world.report(await_children("9", to="ship", policy=policy), queue="pack")
    assert world.job("shop:9")["children:pack:results"] == '{"box":[{"id":"c0","status":"done","result":{}}]}'
    assert world.snapshot()["waiting"] == {"ship": ["9"]}


def test_a_key_beside_the_parent_of_another_type_hinders_no_end(world: World) -> None:
    """How the child ended cannot be kept there: to its parent it is as one that was deleted."""
    build(world, 1)
    publish(world)
    world.redis.set(world.key("settled", "shop:9:children:pack"), "not ours")
    world.claim(queue="pack:box")
    assert world.report(finish("c0", result="{}"), queue="pack:box") == ["ok"]
    world.report(await_children("9", to="ship"), queue="pack")
    assert world.job("shop:9")["children:pack:results"] == '{"box":[{"id":"c0","status":"deleted"}]}'


def test_while_the_parent_waits_nothing_of_it_expires(world: World) -> None:
    """What settled before it began to wait is kept as long as it waits."""
    build(world, 2)
    publish(world)
    world.claim(queue="pack:box")
    world.report(finish("c0", result="{}"), queue="pack:box")
    world.report(await_children("9", to="ship"), queue="pack")
    assert world.life("settled", "shop:9:children:pack") == -1


@pytest.mark.parametrize("count", [1, 2])
def test_a_failure_before_the_parent_waits_fails_it_too(world: World, count: int) -> None:
    """With the policy `fail` it makes no difference whether the child failed a moment earlier."""
    build(world, count)
    publish(world)
    world.claim(queue="pack:box")
    world.report(fail("c0"), queue="pack:box")
    world.report(await_children("9", to="ship", policy="fail"), queue="pack")
    parent = world.job("shop:9")
    assert (parent["_status"], json.loads(parent["_error"])["message"]) == ("failed", "the child c0 is failed")
    assert "children" not in world.snapshot()


@pytest.mark.parametrize(("kind", "name"), [("waiting", "pack:box"), ("parents", "pack:box"), ("building", "shop:9")])
def test_a_key_of_another_type_is_named(world: World, kind: str, name: str) -> None:
    """No child is lost: none is taken from the list before all queues were looked at."""
    build(world, 3)
    world.redis.delete(world.key(kind, name))
    world.redis.set(world.key(kind, name), "not ours")
    before = world.snapshot()
    with pytest.raises(ResponseError, match=f"FLOWSCONFLICT {world.key(kind, name)} holds a string"):
        publish(world)
    assert world.snapshot() == before


def test_ten_thousand_children_hold_nobody_up() -> None:
    """No script of the largest fan-out does more than it does for its own 200 children, however many have ended."""
    with counted_world() as world:
        ids = build(world, 10_000)
        while publish(world)[1]:
            pass
        world.report(await_children("9", to="ship"), queue="pack")
        while jobs := world.claim(200, queue="pack:box"):
            world.report(*(finish(job.id, result='{"ok":true}') for job in jobs), queue="pack:box")
        parent = world.job("shop:9")
        assert (parent["_status"], parent["_queue"]) == ("waiting", "ship")
        assert world.redis.hlen(world.key("settled", "shop:9:children:pack")) == len(ids)
        # For each child: two commands to build it, one to let it out, four to claim it and three to end it.
        assert world.most("build") < 2.5 * 200
        assert world.most("publish") < 1.5 * 200
        assert world.most("turn") < 4.5 * 200
        assert world.most("report") < 3.5 * 200

"""cascade: the children of a parent that was cancelled are cancelled too, some at each call, by whoever calls."""

from __future__ import annotations

from itertools import count

import pytest
from redis.exceptions import ResponseError

from tests.counted import counted_world
from tests.waiting import LONG
from tests.world import KEPT, LEASE, NOW, TTL, World, attempt, await_children, finish, packed, processing, retry

BOX = "pack:box"
NOTHING = ["", 0, 0, []]


def cascade(world: World, parent: str = "shop:9", **named: str) -> list[object]:
    """Call the script once."""
    answer: list[object] = world.run("cascade", parent=parent, **named)
    return answer


def seed_parent(world: World, *children: str, number: int = 0) -> list[str]:
    """Let the job `9` wait in `pack` for these children in `box`, or for so many."""
    ids = list(children) or [f"c{n}" for n in range(number)]
    world.seed(jobs={"shop:9": processing("pack")})
    if len(ids) <= 200:
        built = tuple(("box", child_id) for child_id in ids)
        assert world.report(await_children("9", children=built, to="ship"), queue="pack") == ["ok"]
        return ids
    build(world, ids)
    while world.run("publish", queue="pack", id="9", fence=1)[1]:
        pass
    assert world.report(await_children("9", to="ship"), queue="pack") == ["ok"]
    return ids


def build(world: World, ids: list[str]) -> None:
    """Let the job `9`, which worker `w1` has, write children in parts."""
    for start in range(0, len(ids), 200):
        part = packed(tuple(("box", child_id) for child_id in ids[start : start + 200]))
        world.run("build", *part, queue="pack", id="9", fence=1, offset=start)


def cancel_parent(world: World) -> None:
    """Cancel the job `9`, and leave its children to others."""
    assert world.run("cancel", id="9", reason="why")[0] == "cancelled"


def states(world: World) -> dict[str, str]:
    """Return the states of all jobs, and whether they are asked to end."""
    jobs = world.snapshot()["jobs"]
    return {name: job.get("_status", "waiting") + (" asked" if "_cancel" in job else "") for name, job in jobs.items()}


def test_each_child_is_cancelled_as_its_state_has_it(world: World) -> None:
    """Waiting or delayed at once; one that runs is asked; one with children of its own is noted in its turn."""
    seed_parent(world, "run", "later", "nested", "wait")
    world.claim(3, queue=BOX)
    world.report(retry("later", 1), await_children("nested", children=(("lid", "5"),)), queue=BOX)
    cancel_parent(world)
    assert cascade(world) == ["shop:9", 0, 4, ["pack:box:nested"]]
    assert states(world) == {
        "shop:9": "cancelled",
        "pack:box:run": "processing asked",
        "pack:box:later": "cancelled",
        "pack:box:nested": "cancelled",
        "pack:box:wait": "cancelled",
        "pack:box:lid:5": "waiting",
    }
    found = world.snapshot()
    assert (found["cancelling"], found["pending"]) == (
        {"shop": {"pack:box:nested": "1"}},
        {"shop:9": {"run"}, "pack:box:nested": {"5"}},
    )
    assert found["waiting"] == {"pack:box:lid": ["5"]}
    assert cascade(world, "pack:box:nested") == ["pack:box:nested", 0, 1, []]
    world.report(finish("run", result="{}"), queue=BOX)
    found = world.snapshot()
    assert {"cancelling", "pending", "parents", "waiting", "delayed", "children", "processing"}.isdisjoint(found)
    assert {job.get("_reason") for name, job in found["jobs"].items() if name != "pack:box:run"} == {"why"}


def test_the_worker_of_a_child_that_runs_is_told(world: World) -> None:
    """By the same message as that of any job."""
    seed_parent(world, "1")
    world.claim(queue=BOX)
    with world.redis.pubsub(ignore_subscribe_messages=True) as listener:
        listener.ssubscribe(world.keys.cancel(BOX))
        listener.get_message(timeout=LONG)
        cancel_parent(world)
        cascade(world)
        message = listener.get_message(timeout=LONG)
    assert message is not None
    assert (message["channel"], message["data"]) == (world.keys.cancel(BOX), "1")


def test_the_parent_stays_as_long_as_it_is_needed(world: World) -> None:
    """It expires only when all children were come to, and so does what is left beside it."""
    seed_parent(world, number=201)
    world.claim(queue=BOX)
    cancel_parent(world)
    assert cascade(world) == ["shop:9", 1, 100, []]
    assert (world.life("jobs", "shop:9"), world.life("pending", "shop:9")) == (-1, -1)
    assert [cascade(world)[1] for _ in range(2)] == [1, 0]
    assert world.lives("jobs", "shop:9", KEPT[2])
    assert world.lives("pending", "shop:9", KEPT[2])
    assert states(world)["pack:box:c0"] == "processing asked"


def test_nothing_is_done_twice(world: World) -> None:
    """However many call at once or again: what is done is done, and what is not noted is not touched."""
    seed_parent(world, "1", "2")
    before = world.snapshot()
    assert cascade(world) == NOTHING
    assert world.snapshot() == before
    cancel_parent(world)
    cascade(world)
    once = world.snapshot()
    assert cascade(world) == NOTHING
    assert cascade(world, "") == NOTHING
    assert world.snapshot() == once


def test_without_a_name_any_parent_is_gone_on_with(world: World) -> None:
    """So a rescuer finishes what a client has begun, knowing nothing but the flow."""
    seed_parent(world, "1")
    world.claim(queue=BOX)
    world.report(await_children("1", children=(("lid", "5"),)), queue=BOX)
    cancel_parent(world)
    assert [cascade(world, "")[0] for _ in range(3)] == ["shop:9", "pack:box:1", ""]
    assert set(states(world).values()) == {"cancelled"}


def test_with_a_name_no_other_parent_is_gone_on_with(world: World) -> None:
    """Who names one that is done with is told so: the children of another are for whoever asks for them."""
    seed_parent(world, "1")
    cancel_parent(world)
    before = world.snapshot()
    assert cascade(world, "shop:8") == NOTHING
    assert world.snapshot() == before


@pytest.mark.parametrize("out", [0, 200], ids=["none was let out", "some were let out"])
def test_children_that_were_not_let_out_are_deleted(world: World, out: int) -> None:
    """A parent whose attempt is cancelled while its children are being written leaves no orphans."""
    ids = [f"c{n}" for n in range(250)]
    world.seed(jobs={"shop:9": processing("pack", _cancel="why")}, processing={"pack": {"9": NOW + 9}})
    build(world, ids)
    if out:
        world.run("publish", queue="pack", id="9", fence=1)
    assert world.report(attempt("cancel", "9", 1, ""), queue="pack") == ["cancelled"]
    while cascade(world)[1]:
        pass
    left = {f"pack:box:{child_id}": "cancelled" for child_id in ids[:out]}
    assert states(world) == {"shop:9": "cancelled asked", **left}
    assert set(world.snapshot()) == {"jobs"}
    assert world.lives("jobs", "shop:9", KEPT[2])


def test_a_parent_that_lost_its_worker_leaves_no_children(world: World) -> None:
    """The rescue that carries out the flag notes them, as a worker does."""
    world.seed(jobs={"shop:9": processing("pack", _cancel="why")}, processing={"pack": {"9": NOW + 9}})
    build(world, ["1", "2"])
    world.now += LEASE
    assert world.run("rescue", queue="pack") == [["9", "cancelled"]]
    assert cascade(world, "") == ["shop:9", 1, 2, []]
    assert cascade(world, "") == ["shop:9", 0, 0, []]
    assert set(world.snapshot()) == {"jobs"}
    assert states(world) == {"shop:9": "cancelled asked"}


def test_what_another_has_put_at_a_childs_key_stays(world: World) -> None:
    """Only what is this parent's child is deleted."""
    world.seed(jobs={"shop:9": processing("pack", _cancel="why"), "pack:box:2": {"_parent": "shop:8"}})
    of = f"{world.namespace}job:pack:box:"
    world.seed(processing={"pack": {"9": NOW}}, building={"shop:9": [f"{of}1", f"{of}2", f"{of}3"]})
    world.redis.set(f"{of}1", "not ours")
    world.run("rescue", queue="pack")
    cascade(world)
    jobs = world.snapshot()["jobs"]
    assert (jobs["pack:box:1"], jobs["pack:box:2"]) == ("not ours", {"_parent": "shop:8"})


def test_what_has_settled_is_left_alone(world: World) -> None:
    """A child that is done stays done, and one that was given a life of its own keeps it."""
    seed_parent(world, "done", "again", "open")
    world.claim(queue=BOX)
    world.report(finish("done", result="{}"), queue=BOX)
    world.run("cancel", id="again", flow=BOX, first=BOX, reason="no")
    world.run("retry_job", id="again", flow=BOX, first=BOX)
    cancel_parent(world)
    assert cascade(world) == ["shop:9", 0, 1, []]
    assert states(world) == {
        "shop:9": "cancelled",
        "pack:box:done": "done",
        "pack:box:again": "waiting",
        "pack:box:open": "cancelled",
    }


def test_one_call_looks_at_a_bounded_part_of_the_children(world: World) -> None:
    """Most of a large family may have settled: what is left of it is not looked for in one go."""
    of = f"{world.namespace}job:pack:box:"
    jobs = "[" + ",".join(f'"{of}c{number}"' for number in range(5_000)) + "]"
    parent = {"_status": "cancelled", "_queue": "pack", "_reason": "why", "children:pack:jobs": jobs}
    world.seed(
        jobs={"shop:9": parent, "pack:box:c4999": {"_parent": "shop:9"}},
        pending={"shop:9": {"c4999"}},
        cancelling={"shop": {"shop:9": "1"}},
    )
    assert [cascade(world)[1:3] for _ in range(3)] == [[1, 0], [1, 0], [0, 1]]
    assert states(world)["pack:box:c4999"] == "cancelled"


@pytest.mark.parametrize("other", [None, "not ours"], ids=["gone", "another type"])
def test_a_child_that_is_lost_hinders_nothing(world: World, other: str | None) -> None:
    """Nothing waits for it, and no hash comes into being."""
    seed_parent(world, "1", "2")
    world.redis.delete(world.key("jobs", "pack:box:1"))
    if other:
        world.redis.set(world.key("jobs", "pack:box:1"), other)
    cancel_parent(world)
    assert cascade(world) == ["shop:9", 0, 1, []]
    found = world.snapshot()
    assert {"pending", "parents"}.isdisjoint(found)
    assert found["jobs"].get("pack:box:1") == other


@pytest.mark.parametrize("kind", ["waiting", "delayed"])
def test_a_place_of_another_type_hinders_nothing(world: World, kind: str) -> None:
    """The children are cancelled all the same: there is nobody here whom an error would help."""
    seed_parent(world, "1", "2")
    if kind == "delayed":
        world.claim(queue=BOX)
        world.report(retry("1", 1), queue=BOX)
    world.redis.set(world.key(kind, BOX), "not ours")
    cancel_parent(world)
    assert cascade(world) == ["shop:9", 0, 2, []]
    assert set(states(world).values()) == {"cancelled"}


def test_a_parent_that_is_lost_is_forgotten(world: World) -> None:
    """Its hash alone named its children: they are on their own, and nothing of it stays for ever."""
    seed_parent(world, "1")
    cancel_parent(world)
    world.redis.delete(world.key("jobs", "shop:9"))
    assert cascade(world) == ["shop:9", 0, 0, []]
    assert "cancelling" not in world.snapshot()
    assert world.lives("pending", "shop:9", KEPT[2])


@pytest.mark.parametrize("out", [True, False], ids=["let out", "not let out"])
def test_a_pending_set_of_another_type_hinders_nothing(world: World, out: bool) -> None:  # noqa: FBT001 - a parameter
    """Who is waited for is not known then: the other children are left to end by themselves."""
    if out:
        seed_parent(world, "1")
        cancel_parent(world)
    else:
        world.seed(jobs={"shop:9": processing("pack", _cancel="why")}, processing={"pack": {"9": NOW}})
        build(world, ["1"])
        world.run("rescue", queue="pack")
    world.redis.delete(world.key("pending", "shop:9"))
    world.redis.set(world.key("pending", "shop:9"), "not ours")
    while cascade(world)[1]:
        pass
    assert "cancelling" not in world.snapshot()
    left = {"shop:9": "cancelled", "pack:box:1": "waiting"} if out else {"shop:9": "cancelled asked"}
    assert states(world) == left


def test_what_settled_early_goes_with_a_parent_that_was_cancelled(world: World) -> None:
    """It was building its children, and some had ended before it could wait for them."""
    world.seed(jobs={"shop:9": processing("pack", _cancel="why")}, processing={"pack": {"9": NOW}})
    build(world, ["1"])
    world.seed(settled={"shop:9:children:pack": {"0": "{}"}})
    world.run("rescue", queue="pack")
    while cascade(world)[1]:
        pass
    assert world.lives("settled", "shop:9:children:pack", KEPT[2])


def test_a_parent_of_another_type_is_forgotten(world: World) -> None:
    """What stands at its key is not ours, and gets no TTL from us."""
    seed_parent(world, "1")
    cancel_parent(world)
    world.redis.delete(world.key("jobs", "shop:9"))
    world.redis.set(world.key("jobs", "shop:9"), "not ours")
    assert cascade(world) == ["shop:9", 0, 0, []]
    assert "cancelling" not in world.snapshot()
    assert world.life("jobs", "shop:9") == -1


def test_a_parent_without_a_reason_cancels_its_children(world: World) -> None:
    """Somebody has edited it: its children are asked to end without one."""
    seed_parent(world, "1")
    world.claim(queue=BOX)
    cancel_parent(world)
    world.redis.hdel(world.key("jobs", "shop:9"), "_reason")
    assert cascade(world) == ["shop:9", 0, 1, []]
    assert world.job("pack:box:1")["_cancel"] == ""


def test_names_of_children_that_were_edited_are_passed_over(world: World) -> None:
    """What is no job's key names no child, and one that was moved by hand is cancelled where it is."""
    seed_parent(world, "1", "2")
    jobs = world.job("shop:9")["children:pack:jobs"].replace("[", '["nonsense",')
    world.redis.hset(world.key("jobs", "shop:9"), "children:pack:jobs", jobs)
    world.redis.hset(world.key("jobs", "pack:box:1"), "_queue", "ship")
    cancel_parent(world)
    assert cascade(world) == ["shop:9", 0, 2, []]
    assert set(states(world).values()) == {"cancelled"}


@pytest.mark.parametrize(("kind", "name"), [("cancelling", "shop"), ("building", "shop:9")])
def test_a_key_of_another_type_is_named(world: World, kind: str, name: str) -> None:
    """Nothing is written."""
    seed_parent(world, "1")
    cancel_parent(world)
    world.redis.delete(world.key(kind, name))
    world.redis.set(world.key(kind, name), "not ours")
    before = world.snapshot()
    with pytest.raises(ResponseError, match=f"FLOWSCONFLICT {world.key(kind, name)} holds a string"):
        cascade(world)
    assert world.snapshot() == before


def test_a_long_list_is_not_searched(world: World) -> None:
    """The ids stay in it and are dropped at their turn, as everywhere."""
    seed_parent(world, "1", "2")
    world.redis.rpush(world.key("waiting", BOX), *(str(n) for n in range(3, 10_003)))
    cancel_parent(world)
    assert cascade(world) == ["shop:9", 0, 2, []]
    assert world.redis.llen(world.key("waiting", BOX)) == 10_002
    assert world.claim(queue=BOX) == []


@pytest.mark.parametrize("number", [2, 40])
def test_the_other_ids_of_a_list_stay_in_order(world: World, number: int) -> None:
    """However the list is searched: for a few ids, for many, and for many of which one stands in it twice."""
    ids = seed_parent(world, number=number)
    key = world.key("waiting", BOX)
    world.redis.delete(key)
    mixed = [one for pair in zip(count(), ids, strict=False) for one in pair]
    world.redis.rpush(key, *mixed, ids[0], "last")
    cancel_parent(world)
    cascade(world)
    assert world.snapshot()["waiting"][BOX] == [*map(str, range(number)), "last"]


def test_ids_that_somebody_took_from_the_list_are_not_missed(world: World) -> None:
    """Where the first of many is not in it, the others are found all the same."""
    ids = seed_parent(world, number=40)
    world.redis.lrem(world.key("waiting", BOX), 0, ids[0])
    world.redis.rpush(world.key("waiting", BOX), "last")
    cancel_parent(world)
    assert cascade(world) == ["shop:9", 0, 40, []]
    assert world.snapshot()["waiting"] == {BOX: ["last"]}


def test_the_lists_of_several_queues_share_what_one_call_searches(world: World) -> None:
    """Two lists that are long together take two calls."""
    world.seed(jobs={"shop:9": processing("pack")})
    world.report(await_children("9", children=(("box", "1"), ("label", "2"), ("box", "3"))), queue="pack")
    for queue in (BOX, "pack:label"):
        world.redis.rpush(world.key("waiting", queue), *(f"other-{n}" for n in range(6_000)))
    cancel_parent(world)
    assert [cascade(world)[1:3] for _ in range(2)] == [[1, 1], [1, 1]]
    assert cascade(world) == ["shop:9", 0, 1, []]
    assert [world.redis.llen(world.key("waiting", queue)) for queue in (BOX, "pack:label")] == [6_000, 6_000]


def test_a_grandparent_hears_once(world: World) -> None:
    """When the parent is cancelled; what its children do then is no news."""
    world.seed(jobs={"shop:9": processing("pack")})
    world.report(await_children("9", children=(("box", "1"), ("box", "2")), to="ship"), queue="pack")
    world.claim(queue=BOX)
    world.report(await_children("1", children=(("lid", "5"), ("lid", "6"))), queue=BOX)
    assert world.run("cancel", id="1", flow=BOX, first=BOX, reason="why") == ["cancelled", 1]
    pending = world.snapshot()["pending"]["shop:9"]
    assert cascade(world, "pack:box:1")[1:3] == [0, 2]
    assert (pending, world.snapshot()["pending"]) == ({"2"}, {"shop:9": {"2"}})
    world.claim(queue=BOX)
    world.report(finish("2", result="{}"), queue=BOX)
    assert world.snapshot()["waiting"] == {"ship": ["9"]}


def test_a_parent_is_not_retried_before(world: World) -> None:
    """Its new life begins when the children of the former one were come to."""
    seed_parent(world, "1")
    cancel_parent(world)
    before = world.snapshot()
    assert world.run("retry_job", id="9") == "cancelling"
    assert world.snapshot() == before
    cascade(world)
    assert world.run("retry_job", id="9") == "retried"
    assert world.lives("jobs", "shop:9", TTL)


def test_a_parent_that_is_deleted_is_forgotten(world: World) -> None:
    """Whoever deletes it deletes its children."""
    seed_parent(world, "1")
    cancel_parent(world)
    world.run("delete", id="9")
    assert {"cancelling", "pending"}.isdisjoint(world.snapshot())


def test_ten_thousand_children_hold_nobody_up() -> None:
    """Each call cancels a hundred of them, and costs no more for the rest."""
    with counted_world() as world:
        ids = seed_parent(world, number=10_000)
        world.claim(200, queue=BOX)
        cancel_parent(world)
        while cascade(world)[1]:
            pass
        assert len(world.sent["cascade"]) == 101
        assert world.most("cascade") < 7.5 * 100
        found = states(world)
        assert len(found) == len(ids) + 1
        assert list(found.values()).count("processing asked") == 200
        assert list(found.values()).count("cancelled") == 9_801
        assert "waiting" not in world.snapshot()

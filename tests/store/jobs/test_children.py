"""Children settle: each exactly once, however it ends, and the last lets its parent go on."""

from __future__ import annotations

import json

import pytest

from tests.world import KEPT, LEASE, NOW, TTL, World, await_children, cancel, fail, finish, processing, retry

BOX = "pack:box"


def seed_parent(world: World, *children: tuple[str, str], to: str = "ship", policy: str = "continue") -> None:
    """Let the job `9` wait in `pack` for these children."""
    world.seed(jobs={"shop:9": processing("pack")})
    ended = await_children("9", children=children or (("box", "1"),), to=to, policy=policy)
    assert world.report(ended, queue="pack") == ["ok"]


def results(world: World, name: str = "shop:9", queue: str = "pack") -> object:
    """Return the results that the parent's next queue sees."""
    return json.loads(world.job(name)[f"children:{queue}:results"])


def by_finish(world: World) -> None:
    """Let the child be done."""
    world.claim(queue=BOX)
    assert world.report(finish("1", result='{"b":[]}'), queue=BOX) == ["ok"]


def by_fail(world: World) -> None:
    """Let the child fail."""
    world.claim(queue=BOX)
    assert world.report(fail("1"), queue=BOX) == ["ok"]


def by_cancel(world: World) -> None:
    """Cancel the child while it waits."""
    assert world.run("cancel", id="1", reason="why", flow=BOX, first=BOX)[0] == "cancelled"


def by_cancelled_attempt(world: World) -> None:
    """Let the child's attempt end as cancelled."""
    world.claim(queue=BOX)
    assert world.report(cancel("1"), queue=BOX) == ["cancelled"]


def by_delete(world: World) -> None:
    """Delete the child."""
    assert world.run("delete", id="1", flow=BOX, first=BOX) == ["deleted", []]


def by_loss_while_waiting(world: World) -> None:
    """Lose the hash of a child that waits."""
    world.redis.delete(world.key("jobs", "pack:box:1"))
    assert world.claim(queue=BOX) == []


def by_loss_while_processing(world: World) -> None:
    """Lose the hash of a child whose attempt ends."""
    world.claim(queue=BOX)
    world.redis.delete(world.key("jobs", "pack:box:1"))
    assert world.report(finish("1", result="{}"), queue=BOX) == ["gone"]


def by_loss_while_delayed(world: World) -> None:
    """Lose the hash of a child that is delayed."""
    world.claim(queue=BOX)
    world.report(retry("1", delay_ms=10), queue=BOX)
    world.redis.delete(world.key("jobs", "pack:box:1"))
    world.now += 10
    assert world.claim(queue=BOX) == []


def by_poison(world: World) -> None:
    """Let the child kill each of its workers."""
    for _ in range(5):
        world.claim(queue=BOX)
        world.now += LEASE
        world.run("rescue", queue=BOX)


def by_malformed_fields(world: World) -> None:
    """Spoil the child's hash."""
    world.edit("pack:box:1", _fence="x")
    assert world.claim(queue=BOX) == []


ENDINGS = {
    by_finish: ("done", {"b": []}),
    by_fail: ("failed", {"type": "E"}),
    by_cancel: ("cancelled", None),
    by_cancelled_attempt: ("cancelled", None),
    by_delete: ("deleted", None),
    by_loss_while_waiting: ("expired", None),
    by_loss_while_processing: ("expired", None),
    by_loss_while_delayed: ("expired", None),
    by_poison: ("failed", "Poison"),
    by_malformed_fields: ("failed", "MalformedJob"),
}
EVERY_ENDING = pytest.mark.parametrize("end", ENDINGS, ids=lambda end: end.__name__.removeprefix("by_"))


@EVERY_ENDING
def test_every_ending_lets_the_parent_go_on_once(world: World, end: object) -> None:
    """The parent sees how the child ended, waits in its next queue, and nothing of its waiting is left."""
    assert callable(end)
    seed_parent(world)
    end(world)
    found = world.snapshot()
    assert found["waiting"] == {"ship": ["9"]}
    assert {"pending", "parents", "children"}.isdisjoint(found)
    parent = found["jobs"]["shop:9"]
    assert (parent["_status"], parent["_queue"], parent["_attempts"], parent["_visit"]) == ("waiting", "ship", "0", "1")
    assert {"_next", "_policy"}.isdisjoint(parent)
    status, detail = ENDINGS[end]
    [child] = json.loads(parent["children:pack:results"])["box"]
    assert (child["id"], child["status"]) == ("1", status)
    seen = child.get("result", child.get("error"))
    assert (seen["type"] if isinstance(detail, str) else seen) == detail
    assert world.lives("jobs", "shop:9", TTL)
    assert "settled" not in found


@EVERY_ENDING
def test_a_parent_that_wants_all_fails_with_the_first_that_did_not_end_well(world: World, end: object) -> None:
    """The policy `fail`: the parent does not wait for the others, who go on and find that it has ended."""
    assert callable(end)
    seed_parent(world, ("box", "1"), ("label", "2"), policy="fail")
    end(world)
    status, _detail = ENDINGS[end]
    parent = world.job("shop:9")
    if status == "done":
        assert parent["_status"] == "children"
        return
    assert (parent["_status"], world.lives("jobs", "shop:9", KEPT[1])) == ("failed", True)
    error = json.loads(parent["_error"])
    assert (error["type"], error["message"]) == ("ChildFailed", f"the child 1 is {status}")
    assert world.snapshot().get("children") is None
    world.claim(queue="pack:label")
    assert world.report(finish("2", result="{}"), queue="pack:label") == ["ok"]
    found = world.snapshot()
    assert {"pending", "parents", "children", "waiting"}.isdisjoint(found)
    assert found["jobs"]["shop:9"] == parent
    assert 0 < world.life("settled", "shop:9:children:pack") <= TTL


def test_results_are_in_the_order_of_creation(world: World) -> None:
    """However the children end, the lists are in the order in which they were created, by child queue."""
    seed_parent(world, ("box", "1"), ("label", "2"), ("box", "3"), ("label", "4"))
    for queue, ids in ((BOX, "13"), ("pack:label", "24")):
        world.claim(2, queue=queue)
        for child_id in reversed(ids):
            world.report(finish(child_id, result=f'{{"n":{child_id}}}'), queue=queue)
    assert results(world) == {
        "box": [{"id": "1", "status": "done", "result": {"n": 1}}, {"id": "3", "status": "done", "result": {"n": 3}}],
        "label": [{"id": "2", "status": "done", "result": {"n": 2}}, {"id": "4", "status": "done", "result": {"n": 4}}],
    }


def test_results_are_the_childrens_own_text(world: World) -> None:
    """No JSON is read and written on the way: empty lists and large integers stay what they are."""
    seed_parent(world)
    world.claim(queue=BOX)
    world.report(finish("1", result='{"a":[],"n":12345678901234567890,"t":"\\u00e9"}'), queue=BOX)
    assert '"result":{"a":[],"n":12345678901234567890,"t":"\\u00e9"}' in world.job("shop:9")["children:pack:results"]


def test_the_parent_waits_for_all(world: World) -> None:
    """Until the last has settled the parent stays, and what has settled is kept beside it."""
    seed_parent(world, ("box", "1"), ("box", "2"))
    world.claim(2, queue=BOX)
    world.report(finish("2", result="{}"), queue=BOX)
    found = world.snapshot()
    assert (found["jobs"]["shop:9"]["_status"], found["children"]) == ("children", {"pack": {"9": NOW}})
    assert (found["pending"], found["parents"]) == ({"shop:9": {"1"}}, {BOX: {"1": "shop:9"}})
    assert found["settled"] == {"shop:9:children:pack": {"2": '{"id":"2","status":"done","result":{}}'}}


@pytest.mark.parametrize("again", [by_delete, by_fail], ids=["deleted later", "run again"])
def test_a_child_settles_once(world: World, again: object) -> None:
    """A child that has settled and is deleted, or gets a new life, does not count for its sibling."""
    assert callable(again)
    seed_parent(world, ("box", "1"), ("label", "2"))
    by_cancel(world)
    if again is by_fail:
        assert world.run("retry_job", id="1", flow=BOX, first=BOX) == "retried"
    again(world)
    found = world.snapshot()
    assert (found["jobs"]["shop:9"]["_status"], found["pending"]) == ("children", {"shop:9": {"2"}})
    assert '"status":"cancelled"' in found["settled"]["shop:9:children:pack"]["1"]


def test_children_that_end_in_one_script_count_in_their_order(world: World) -> None:
    """They settle together; the parent fails with the first that did not end well, and the rest is known too."""
    seed_parent(world, ("box", "1"), ("box", "2"), ("box", "3"), policy="fail")
    world.claim(3, queue=BOX)
    assert world.report(finish("1", result="{}"), fail("2"), cancel("3"), queue=BOX) == ["ok", "ok", "cancelled"]
    assert json.loads(world.job("shop:9")["_error"])["message"] == "the child 2 is failed"
    found = world.snapshot()
    assert sorted(found["settled"]["shop:9:children:pack"]) == ["1", "2", "3"]
    assert {"pending", "parents", "children", "waiting"}.isdisjoint(found)


def test_a_child_that_has_settled_does_not_count_beside_others(world: World) -> None:
    """Of those that end in one script only those count that the parent waits for."""
    seed_parent(world, ("box", "1"), ("box", "2"), ("label", "3"))
    by_cancel(world)
    assert world.run("retry_job", id="1", flow=BOX, first=BOX) == "retried"
    world.claim(2, queue=BOX)
    assert world.report(finish("1", result="{}"), finish("2", result="{}"), queue=BOX) == ["ok", "ok"]
    found = world.snapshot()
    assert (found["jobs"]["shop:9"]["_status"], found["pending"]) == ("children", {"shop:9": {"3"}})
    assert [json.loads(child)["status"] for _, child in sorted(found["settled"]["shop:9:children:pack"].items())] == [
        "cancelled",
        "done",
    ]


def test_five_hundred_results_are_inlined_and_more_are_not(world: World) -> None:
    """Above that, or a mebibyte, the next queue's worker reads them in pages from the hash beside the parent."""
    for count, size, inlined in ((500, 1, True), (501, 1, False), (3, 400_000, False)):
        ids = [f"{count}-{number}" for number in range(count)]
        jobs = json.dumps([f"{world.namespace}job:pack:box:{child_id}" for child_id in ids])
        child_result = json.dumps({"status": "done", "result": "x" * size})
        world.seed(
            jobs={
                "shop:9": {**processing("pack"), "_status": "children", "_next": "ship", "children:pack:jobs": jobs}
                | {"children:pack:results": "of an earlier visit"},
                f"pack:box:{ids[0]}": processing(BOX, _parent="shop:9"),
            },
            pending={"shop:9": {ids[0]}},
            settled={"shop:9:children:pack": dict.fromkeys(ids[1:], child_result)},
        )
        assert world.report(finish(ids[0], result=json.dumps("x" * size)), queue=BOX) == ["ok"]
        assert ("children:pack:results" in world.job("shop:9")) is inlined
        assert world.job("shop:9")["_status"] == "waiting"
        assert world.redis.hlen(world.key("settled", "shop:9:children:pack")) == (0 if inlined else count)
        world.redis.delete(world.key("settled", "shop:9:children:pack"))


def test_nested_parents_settle_upwards(world: World) -> None:
    """A child that has children of its own is done with the last of them, and its results are in its result."""
    seed_parent(world)
    world.claim(queue=BOX)
    deeper = await_children("1", children=(("lid", "5"),), result='{"own":1}', own="1")
    assert world.report(deeper, queue=BOX) == ["ok"]
    assert world.snapshot()["children"] == {"pack": {"9": NOW}, BOX: {"1": NOW}}
    world.claim(queue="pack:box:lid")
    assert world.report(finish("5", result='{"l":2}'), queue="pack:box:lid") == ["ok"]
    found = world.snapshot()
    assert {"pending", "parents", "children"}.isdisjoint(found)
    assert (found["jobs"]["pack:box:1"]["_status"], found["waiting"]) == ("done", {"ship": ["9"]})
    lid = {"lid": [{"id": "5", "status": "done", "result": {"l": 2}}]}
    box = {"id": "1", "status": "done", "result": {"own": 1}, "children": lid}
    assert results(world) == {"box": [box]}
    assert world.lives("jobs", "pack:box:1", KEPT[0])


@pytest.mark.parametrize(("result", "own"), [("", None), ("{}", {})], ids=["none", "empty"])
def test_a_nested_parent_without_a_result_of_its_own(world: World, result: str, own: object) -> None:
    """What its parent sees is still one JSON object."""
    seed_parent(world)
    world.claim(queue=BOX)
    world.report(await_children("1", children=(("lid", "5"),), result=result), queue=BOX)
    world.claim(queue="pack:box:lid")
    world.report(fail("5"), queue="pack:box:lid")
    lid = {"lid": [{"id": "5", "status": "failed", "error": {"type": "E"}}]}
    assert results(world) == {"box": [{"id": "1", "status": "done", "result": own, "children": lid}]}


def test_a_nested_parent_that_fails_settles_upwards(world: World) -> None:
    """With the policy `fail` at both levels the failure goes all the way up in one script."""
    seed_parent(world, policy="fail")
    world.claim(queue=BOX)
    world.report(await_children("1", children=(("lid", "5"),), policy="fail"), queue=BOX)
    world.claim(queue="pack:box:lid")
    world.report(fail("5"), queue="pack:box:lid")
    assert [world.job(name)["_status"] for name in ("pack:box:1", "shop:9")] == ["failed", "failed"]
    assert {"pending", "parents", "children"}.isdisjoint(world.snapshot())


def test_a_nested_parent_whose_hash_is_gone_settles_with_its_last_child(world: World) -> None:
    """Nobody claims a parent that waits, so its children are the ones to find that it is gone."""
    seed_parent(world)
    world.claim(queue=BOX)
    world.report(await_children("1", children=(("lid", "5"), ("lid", "6"))), queue=BOX)
    world.redis.delete(world.key("jobs", "pack:box:1"))
    world.claim(2, queue="pack:box:lid")
    world.report(finish("5", result="{}"), finish("6", result="{}"), queue="pack:box:lid")
    assert results(world) == {"box": [{"id": "1", "status": "expired"}]}
    found = world.snapshot()
    assert {"pending", "parents", "children", "processing", "settled"}.isdisjoint(found)


def test_a_child_that_is_retried_has_no_ttl_while_its_parent_waits(world: World) -> None:
    """Through claim, renewal, retry, promotion, rescue and release: none, until it has ended."""
    seed_parent(world)
    name = ("jobs", "pack:box:1")
    world.claim(queue=BOX)
    world.run("renew", "1", 1, queue=BOX)
    world.report(retry("1", 1, delay_ms=10), queue=BOX)
    assert world.life(*name) == -1
    world.now += 10
    world.claim(queue=BOX)
    world.now += LEASE
    world.run("rescue", queue=BOX)
    assert world.life(*name) == -1
    world.claim(queue=BOX)
    assert world.life(*name) == -1
    world.report(finish("1", 3, result="{}"), queue=BOX)
    assert world.lives(*name, KEPT[0])


@pytest.mark.parametrize("end", [by_finish, by_loss_while_waiting, by_delete], ids=["settle", "turn", "delete"])
def test_a_next_queue_of_another_type_fails_the_parent_and_is_named(world: World, end: object) -> None:
    """The parent cannot go on and no call may stop half way: it fails, says which key it is, and can be retried."""
    assert callable(end)
    seed_parent(world)
    key = world.key("waiting", "ship")
    world.redis.set(key, "not ours")
    end(world)
    parent = world.job("shop:9")
    error = json.loads(parent["_error"])
    assert (parent["_status"], error["type"], error["queue"]) == ("failed", "KeyConflict", "pack")
    assert error["message"] == f"{key} holds a string where flows keeps a list"
    found = world.snapshot()
    assert {"pending", "parents", "children", "processing"}.isdisjoint(found)
    assert found["waiting"] == {"ship": "not ours"}


def test_side_keys_of_another_type_do_not_stop_the_join(world: World) -> None:
    """What stands beside the parent is not worth a half written end: such a child counts as deleted."""
    seed_parent(world)
    world.redis.set(world.key("settled", "shop:9:children:pack"), "not ours")
    world.redis.delete(world.key("children", "pack"))
    world.redis.set(world.key("children", "pack"), "not ours")
    by_finish(world)
    assert results(world) == {"box": [{"id": "1", "status": "deleted"}]}
    assert world.snapshot()["waiting"] == {"ship": ["9"]}


def test_late_children_of_a_cancelled_parent_find_that_it_has_ended(world: World) -> None:
    """They end as any job does, and the parent stays as it ended."""
    seed_parent(world, ("box", "1"), ("box", "2"))
    world.claim(2, queue=BOX)
    world.report(finish("1", result="{}"), queue=BOX)
    world.run("cancel", id="9", reason="why")
    parent = world.job("shop:9")
    world.report(finish("2", result="{}"), queue=BOX)
    assert world.job("shop:9") == parent
    assert {"pending", "parents", "children"}.isdisjoint(world.snapshot())
    assert world.lives("settled", "shop:9:children:pack", KEPT[2])


def test_late_children_of_a_former_life_do_not_count_in_the_next(world: World) -> None:
    """A parent that failed with its first child is retried and has new children; the old one changes nothing."""
    seed_parent(world, ("box", "1"), ("label", "2"), policy="fail")
    by_fail(world)
    world.run("retry_job", id="9")
    [again] = world.claim(queue="pack")
    world.report(await_children("9", again.fence, children=(("box", "3"),), to="ship", policy="fail"), queue="pack")
    before = world.job("shop:9")
    world.claim(queue="pack:label")
    world.report(fail("2"), queue="pack:label")
    assert world.job("shop:9") == before
    assert world.snapshot()["pending"] == {"shop:9": {"3"}}


@pytest.mark.parametrize("state", ["done", "failed", "cancelled"])
def test_a_parent_that_has_ended_hears_nothing(world: World, state: str) -> None:
    """Whatever is still pending: its hash stays as it ended, and nothing comes to lie beside it."""
    parent = {**processing("pack"), "_status": state}
    world.seed(jobs={"shop:9": parent, f"{BOX}:1": processing(BOX, _parent="shop:9")}, pending={"shop:9": {"1"}})
    assert world.report(fail("1"), queue=BOX) == ["ok"]
    found = world.snapshot()
    assert (found["jobs"]["shop:9"], "settled" in found, "pending" in found) == (parent, False, False)


def test_where_jobs_live_for_ever_a_parent_goes_on_for_ever(world: World) -> None:
    """Nothing of its waiting is left beside it."""
    seed_parent(world)
    world.claim(queue=BOX)
    assert world.report(finish("1", result="{}"), queue=BOX, ttl=0) == ["ok"]
    assert world.snapshot()["waiting"] == {"ship": ["9"]}
    assert world.life("jobs", "shop:9") == -1
    assert "settled" not in world.snapshot()


def test_a_nested_parent_that_goes_on_has_no_ttl_while_its_own_parent_waits(world: World) -> None:
    """It is a child as any other."""
    seed_parent(world)
    world.claim(queue=BOX)
    world.report(await_children("1", children=(("lid", "5"),), to=BOX), queue=BOX)
    world.claim(queue="pack:box:lid")
    world.report(finish("5", result="{}"), queue="pack:box:lid")
    assert world.snapshot()["waiting"] == {BOX: ["1"]}
    assert world.life("jobs", f"{BOX}:1") == -1


def test_results_that_are_too_large_live_as_long_as_the_lookups(world: World) -> None:
    """The hash that holds them is named beside the lists that the job stands in already."""
    seed_parent(world)
    world.edit("shop:9", _lookups="user:7\nteam:a")
    world.claim(queue=BOX)
    world.report(finish("1", result=json.dumps("x" * (1 << 20))), queue=BOX)
    assert world.job("shop:9")["_lookups"] == "user:7\nteam:a\n#side:9:children:pack"
    assert world.lives("settled", "shop:9:children:pack", TTL)


@pytest.mark.parametrize(("kind", "name"), [("parents", BOX), ("pending", "shop:9")])
@pytest.mark.parametrize("end", [by_fail, by_loss_while_waiting], ids=["an end", "a loss"])
def test_what_says_whose_a_child_is_may_be_anything(world: World, kind: str, name: str, end: object) -> None:
    """Of another type it hinders no end: without the map a lost child is not heard, without the set none is."""
    assert callable(end)
    seed_parent(world)
    world.redis.delete(world.key(kind, name))
    world.redis.set(world.key(kind, name), "not ours")
    end(world)
    found = world.snapshot()
    assert found[kind] == {name: "not ours"}
    settles = kind == "parents" and end is by_fail
    assert found["jobs"]["shop:9"]["_status"] == ("waiting" if settles else "children")


@pytest.mark.parametrize("end", [by_finish, by_fail])
@pytest.mark.parametrize("other", [None, "not ours"], ids=["gone", "another type"])
def test_a_parent_that_is_lost_hinders_no_end(world: World, end: object, other: str | None) -> None:
    """Nor does the place in which it waited; what its children left beside it is deleted."""
    assert callable(end)
    seed_parent(world, ("box", "1"), ("box", "2"))
    world.seed(settled={"shop:9:children:pack": {"0": "{}"}})
    for kind, name in (("jobs", "shop:9"), ("children", "pack")):
        world.redis.delete(world.key(kind, name))
        if other:
            world.redis.set(world.key(kind, name), other)
    end(world)
    found = world.snapshot()
    assert (found["jobs"].get("shop:9"), found.get("children", {}).get("pack")) == (other, other)
    assert {"settled", "processing"}.isdisjoint(found)


def test_a_parent_whose_state_was_deleted_may_wait_yet(world: World) -> None:
    """Its hash is there: how its children ended stays beside it for a while."""
    world.seed(
        jobs={"shop:9": {"a": "1"}, f"{BOX}:1": processing(BOX, _parent="shop:9")},
        pending={"shop:9": {"1"}},
    )
    world.report(finish("1", result="{}"), queue=BOX)
    found = world.snapshot()
    assert found["jobs"]["shop:9"] == {"a": "1"}
    assert world.lives("settled", "shop:9:children:pack", TTL)

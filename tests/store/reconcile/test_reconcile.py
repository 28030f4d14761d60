"""reconcile: what no transition leaves behind is found, step by step, and repaired; what is healthy is not touched."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from redis.exceptions import ResponseError

from flows.errors import KeyConflict
from flows.store.client.connection import Connection
from flows.store.jobs.reconcile import Reconciliation, Repair
from tests.counted import counted_world
from tests.world import (
    HOUR,
    KEPT,
    LEASE,
    NOW,
    QUEUES,
    TTL,
    World,
    await_children,
    fail,
    finish,
    packed,
    processing,
    retry,
)

BOX = "pack:box"


def uuid(number: int) -> str:
    """Return a job id: the reconciler looks only at hashes whose keys end in one."""
    return f"{number:08x}-0000-7000-8000-000000000000"


A, B, C = uuid(1), uuid(2), uuid(3)
#: A job that was claimed once and waits for its children.
PARENT = {
    "_status": "children",
    "_queue": "pack",
    "_policy": "continue",
    "_fence": "1",
    "_worker": "w1",
    "_attempts": "1",
}
#: Children that have ended.
ENDED = {**processing(BOX), "_status": "done", "_ended": str(NOW)}
FAILED = {**ENDED, "_status": "failed"}


def step(world: World, **named: Any) -> tuple[int, bool, list[tuple[str, str, str]]]:
    """Take one step: how long to wait, whether the pass goes on, what was repaired."""
    wait, goes_on, repairs = world.run("reconcile", *QUEUES, **named)
    return wait, bool(goes_on), [(queue, job_id, word) for queue, job_id, word in repairs]


def parent(*children: str, pending: bool = True, world: World, **fields: str) -> dict[str, Any]:
    """Return what is there of the parent `9` in `pack`, which waits for these boxes and goes to `ship`."""
    keys = ",".join(f'"{world.namespace}job:{BOX}:{child}"' for child in children)
    job = {**PARENT, "_next": "ship", **fields}
    state: dict[str, Any] = {
        "jobs": {"shop:9": {"children:pack:jobs": f"[{keys}]", **job}},
        "children": {"pack": {"9": NOW}},
    }
    if children and pending:
        state["pending"] = {"shop:9": set(children)}
    return state


# Leases and due times


def test_cuts_leases_that_no_process_gives(world: World) -> None:
    """The server's clock was set back, or somebody wrote a score: the lease is over soon, or its worker renews it."""
    world.seed(
        jobs={f"shop:{job_id}": processing() for job_id in "12"},
        processing={"pick": {"1": NOW + 2 * LEASE, "2": NOW + 2 * LEASE + 1}},
    )
    before = world.snapshot()
    assert world.reconcile() == [("pick", "2", "lease")]
    assert world.snapshot() == before | {"processing": {"pick": {"1": NOW + 2 * LEASE, "2": NOW + LEASE}}}
    assert world.reconcile() == []


def test_cuts_any_number_of_leases(world: World) -> None:
    """Also where the server hands out all of them at once."""
    ids = [str(number) for number in range(120)]
    world.seed(jobs={f"shop:{job_id}": processing() for job_id in ids}, processing={"pick": dict.fromkeys(ids, 10**9)})
    assert len(world.reconcile()) == 120
    assert set(world.snapshot()["processing"]["pick"].values()) == {NOW + LEASE}


@pytest.mark.parametrize("fields", [{}, {"lease_until": "soon", "at": "now", "first:pick": ""}])
def test_what_it_knows_may_be_edited(world: World, fields: dict[str, str]) -> None:
    """What is missing, or no number, is written anew."""
    world.seed(reconcile={"shop": {"lease": str(LEASE), **fields}}, processing={"pick": {"1": 1}})
    assert world.reconcile() == [("pick", "1", "gone")]
    assert world.redis.hget(world.keys.reconcile("shop"), "lease_until") == str(NOW + HOUR)


@pytest.mark.parametrize("place", ["processing", "delayed"])
def test_takes_out_what_is_somewhere_else(world: World, place: str) -> None:
    """Ended, waiting, or in another queue: the id goes, and the job stays as it is."""
    jobs = {
        "shop:1": processing() | {"_status": "done"},
        "shop:2": processing("pack") | {"_status": place},
        "shop:3": {"a": "it waits, and was never claimed"},
        "shop:4": processing() | {"_status": place},
    }
    world.seed(jobs=jobs, **{place: {"pick": dict.fromkeys("1234", NOW + LEASE)}})
    assert sorted(world.reconcile()) == [("pick", job_id, "misplaced") for job_id in "123"]
    assert world.snapshot() == {"jobs": jobs, place: {"pick": {"4": NOW + LEASE}}}


@pytest.mark.parametrize("place", ["processing", "delayed"])
@pytest.mark.parametrize(("other", "word"), [(None, "expired"), ("not ours", "deleted")], ids=["gone", "another type"])
def test_takes_out_what_is_gone(world: World, place: str, other: str | None, word: str) -> None:
    """The parent of a child hears of it, here by the entry beside the hash that is gone."""
    job = {**PARENT, "_next": "ship"}
    world.seed(
        jobs={"shop:9": job},
        pending={"shop:9": {"1"}},
        parents={BOX: {"1": "shop:9"}},
        **{place: {BOX: {"1": NOW + LEASE}}},
    )
    if other:
        world.redis.set(world.key("jobs", f"{BOX}:1"), other)
    assert world.reconcile() == [(BOX, "1", "gone")]
    found = world.snapshot()
    assert found["settled"]["shop:9:children:pack"] == {"1": f'{{"id":"1","status":"{word}"}}'}
    assert found["waiting"] == {"ship": ["9"]}
    assert {place, "pending", "parents"}.isdisjoint(found)


# Parents


def test_a_parent_that_is_gone_is_taken_out(world: World) -> None:
    """Its own parent hears of it, and what its children left beside it is deleted."""
    world.seed(
        **parent("7", world=world),
        settled={f"{BOX}:7:children:{BOX}": {"1": "{}"}},
        parents={BOX: {"7": "shop:9"}},
    )
    world.seed(children={BOX: {"7": NOW}}, pending={f"{BOX}:7": {"2"}})
    assert ("pack:box", "7", "gone") in world.reconcile()
    found = world.snapshot()
    assert found["waiting"] == {"ship": ["9"]}
    assert found["jobs"]["shop:9"]["children:pack:results"] == '{"box":[{"id":"7","status":"expired"}]}'
    assert {"children", "parents", "settled"}.isdisjoint(found)
    assert world.lives("pending", f"{BOX}:7", KEPT[1])


def test_a_parent_of_another_type_is_taken_out(world: World) -> None:
    """As one that is gone; what stands at its key stays."""
    world.seed(children={"pack": {"9": NOW}}, settled={"shop:9:children:pack": {"1": "{}"}})
    world.redis.set(world.key("jobs", "shop:9"), "not ours")
    assert world.reconcile() == [("pack", "9", "gone")]
    assert world.snapshot() == {"jobs": {"shop:9": "not ours"}, "meta": {"pack": {"expired": "1"}}}


def test_what_a_parent_that_is_gone_waited_for_is_kept_a_while(world: World) -> None:
    """Those who settle find it, also in a flow in which jobs on their way live for ever."""
    world.seed(children={"pack": {"9": NOW}}, pending={"shop:9": {"2"}})
    assert world.reconcile(ttl=0) == [("pack", "9", "gone")]
    assert world.lives("pending", "shop:9", KEPT[1])


def test_what_does_not_wait_for_children_is_taken_out(world: World) -> None:
    """The job stays as it is."""
    jobs = {"shop:1": processing("pack"), "shop:2": {**PARENT, "_queue": "pick"}}
    world.seed(jobs=jobs, children={"pack": {"1": NOW, "2": NOW}})
    assert world.reconcile() == [("pack", "1", "misplaced"), ("pack", "2", "misplaced")]
    assert world.snapshot() == {"jobs": jobs}


def test_an_edited_parent_without_a_state_is_taken_out(world: World) -> None:
    """Its hash is there and names its children: nothing of it is deleted."""
    jobs = {"shop:9": {"_queue": "pack", "children:pack:jobs": "[]"}}
    world.seed(jobs=jobs, children={"pack": {"9": NOW}}, settled={"shop:9:children:pack": {"1": "{}"}})
    assert world.reconcile() == [("pack", "9", "misplaced")]
    assert world.snapshot() == {"jobs": jobs, "settled": {"shop:9:children:pack": {"1": "{}"}}}


@pytest.mark.parametrize("children", [(), ("1", "2")], ids=["none named", "all have settled"])
def test_a_parent_for_which_nothing_is_left_goes_on_once(world: World, children: tuple[str, ...]) -> None:
    """With the results that it has; a second pass finds nothing to do."""
    settled = {child: f'{{"id":"{child}","status":"done","result":null}}' for child in children}
    world.seed(**parent(*children, pending=False, world=world))
    if settled:
        world.seed(settled={"shop:9:children:pack": settled})
    assert world.reconcile() == [("pack", "9", "joined")]
    once = world.snapshot()
    assert (once["waiting"], "children" in once, "pending" in once) == ({"ship": ["9"]}, False, False)
    assert once["jobs"]["shop:9"]["_status"] == "waiting"
    if settled:
        assert once["jobs"]["shop:9"]["children:pack:results"] == f'{{"box":[{",".join(settled.values())}]}}'
    assert world.reconcile() == []
    assert world.snapshot() == once


def test_a_pending_set_that_was_lost_is_made_again(world: World) -> None:
    """The parent waits for the children that have not settled, and goes on with the last, as it would have."""
    world.seed(**parent("1", "2", "3", pending=False, world=world))
    world.seed(
        jobs={f"{BOX}:2": {"_parent": "shop:9"}, f"{BOX}:3": {"_parent": "shop:9"}},
        waiting={BOX: ["2", "3"]},
        settled={"shop:9:children:pack": {"1": '{"id":"1","status":"done","result":null}'}},
    )
    before = world.snapshot()
    assert world.reconcile() == [(BOX, "2", "pending"), (BOX, "3", "pending")]
    assert world.snapshot() == before | {"pending": {"shop:9": {"2", "3"}}}
    assert world.reconcile() == []
    for job in world.claim(2, queue=BOX):
        assert world.report(finish(job.id, 1, '{"a":1}'), queue=BOX) == ["ok"]
    assert world.snapshot()["waiting"] == {"ship": ["9"]}


def test_a_pending_set_is_made_again_whatever_stands_beside_it(world: World) -> None:
    """How the children settled is at a key of another type, and one of those that it names is no child of its queue."""
    world.seed(**parent("1", pending=False, world=world))
    jobs = world.job("shop:9")["children:pack:jobs"].replace("[", f'["nonsense","{world.namespace}job:pick:box:2",')
    world.edit("shop:9", **{"children:pack:jobs": jobs})
    world.redis.set(world.key("settled", "shop:9:children:pack"), "not ours")
    world.seed(jobs={f"{BOX}:1": {"_parent": "shop:9"}}, waiting={BOX: ["1"]})
    assert world.reconcile() == [(BOX, "1", "pending")]
    assert world.snapshot()["pending"] == {"shop:9": {"1"}}
    assert world.reconcile() == []


def test_a_pending_set_that_is_lost_between_two_steps_is_made_again_as_a_whole(world: World) -> None:
    """By the next pass: the rest of this one would leave out the children that it has looked at before."""
    ids = [str(number) for number in range(300)]
    world.seed(**parent(*ids, world=world))
    world.seed(jobs={f"{BOX}:{child}": {"_parent": "shop:9"} for child in ids}, waiting={BOX: ids})
    assert step(world)[1:] == (True, [])
    world.redis.delete(world.key("pending", "shop:9"))
    assert world.reconcile() == []
    assert len(world.reconcile()) == 300
    assert world.snapshot()["pending"] == {"shop:9": set(ids)}


def test_while_a_pending_set_is_made_again_no_child_is_the_last(world: World) -> None:
    """Of so many children that it takes several steps, those who end between two of them do not let the parent go."""
    ids = [str(number) for number in range(300)]
    world.seed(**parent(*ids, pending=False, world=world))
    world.seed(jobs={f"{BOX}:{child}": {"_parent": "shop:9"} for child in ids}, waiting={BOX: ids})
    _wait, goes_on, first = step(world)
    assert goes_on
    for job in world.claim(len(first), queue=BOX):
        world.report(finish(job.id, 1, "{}"), queue=BOX)
    assert world.snapshot()["pending"] == {"shop:9": {""}}
    assert world.job("shop:9")["_status"] == "children"
    assert len(first) + len(world.reconcile()) == 300
    assert world.snapshot()["pending"] == {"shop:9": set(ids[len(first) :])}


UNREADABLE = (
    '{"id":"1","status":"failed","error":{"type":"MalformedJob","message":"its error cannot be read",'
    f'"traceback":"","queue":"{BOX}","attempt":0}}}}'
)
ENDINGS = {
    "gone": (None, '{"id":"1","status":"expired"}'),
    "not its child any more": ({"_parent": "shop:8"}, '{"id":"1","status":"deleted"}'),
    "nobody's child": ({"a": "1"}, '{"id":"1","status":"deleted"}'),
    "done": ({**ENDED, "_parent": "shop:9"}, '{"id":"1","status":"done","result":null}'),
    "cancelled": ({"_status": "cancelled", "_parent": "shop:9"}, '{"id":"1","status":"cancelled"}'),
    "failed": (
        {**FAILED, "_parent": "shop:9", "_error": '{"type":"E","message":"m"}'},
        '{"id":"1","status":"failed","error":{"type":"E","message":"m"}}',
    ),
    "failed, nobody knows why": ({**FAILED, "_parent": "shop:9", "_error": '{"type'}, UNREADABLE),
    "failed, for no reason": ({**FAILED, "_parent": "shop:9", "_error": '{"type":"E"}'}, UNREADABLE),
    "failed, of no type": ({**FAILED, "_parent": "shop:9", "_error": '{"message":"m"}'}, UNREADABLE),
    "failed, with a number": ({**FAILED, "_parent": "shop:9", "_error": "5"}, UNREADABLE),
    "another type": ("not ours", '{"id":"1","status":"deleted"}'),
}


@pytest.mark.parametrize("case", ENDINGS)
def test_a_child_that_ended_unheard_settles(world: World, case: str) -> None:
    """The parent waits on for the other one, and sees how this one ended."""
    child, seen = ENDINGS[case]
    other = processing(BOX, _parent="shop:9")
    world.seed(**parent("1", "2", world=world), parents={BOX: {"1": "shop:9", "2": "shop:9"}})
    world.seed(jobs={f"{BOX}:2": other, **({f"{BOX}:1": child} if child else {})}, processing={BOX: {"2": NOW + 9}})
    before = world.snapshot()
    assert world.reconcile() == [(BOX, "1", "settled")]
    after = {
        "pending": {"shop:9": {"2"}},
        "parents": {BOX: {"2": "shop:9"}},
        "settled": {"shop:9:children:pack": {"1": seen}},
    }
    assert world.snapshot() == before | after
    assert world.reconcile() == []


@pytest.mark.parametrize(("status", "policy"), [("done", "fail"), ("cancelled", "continue")])
def test_the_last_child_lets_the_parent_go_on(world: World, status: str, policy: str) -> None:
    """As if it had been heard."""
    world.seed(**parent("1", world=world, _policy=policy))
    world.seed(jobs={f"{BOX}:1": {**ENDED, "_status": status, "_parent": "shop:9"}})
    assert world.reconcile() == [(BOX, "1", "settled")]
    assert world.snapshot()["waiting"] == {"ship": ["9"]}


def test_a_child_that_is_gone_fails_its_parent(world: World) -> None:
    """Where the parent's queue says so; children after it are left alone."""
    world.seed(**parent("1", "2", world=world, _policy="fail"))
    assert world.reconcile() == [(BOX, "1", "settled")]
    job = world.job("shop:9")
    assert (job["_status"], '"the child 1 is expired"' in job["_error"]) == ("failed", True)
    assert world.snapshot()["pending"] == {"shop:9": {"2"}}
    assert world.lives("pending", "shop:9", KEPT[1])


@pytest.mark.parametrize("gone", ["0", "250"], ids=["by this step", "between two steps"])
def test_a_parent_may_leave_while_its_pending_set_is_made_again(world: World, gone: str) -> None:
    """What marks the set as incomplete does not stay."""
    ids = [str(number) for number in range(300)]
    world.seed(**parent(*ids, pending=False, world=world, _policy="fail"))
    world.seed(jobs={f"{BOX}:{child}": {"_parent": "shop:9"} for child in ids if child != gone}, waiting={BOX: ids})
    step(world)
    if gone != "0":
        [job] = world.claim(queue=BOX)
        world.report(fail(job.id), queue=BOX)
        assert "" in world.snapshot()["pending"]["shop:9"]
        world.reconcile()
    assert world.job("shop:9")["_status"] == "failed"
    assert "" not in world.snapshot().get("pending", {}).get("shop:9", ())


def test_big_families_are_looked_at_in_steps(world: World) -> None:
    """A step is bounded; the next one goes on in the middle of a parent's children."""
    ids = [str(number) for number in range(1000)]
    world.seed(**parent(*ids, world=world))
    world.seed(jobs={f"{BOX}:{child}": {"_parent": "shop:9"} for child in ids if int(child) % 100})
    steps, found, goes_on = 0, list[tuple[str, str, str]](), True
    while goes_on:
        wait, goes_on, repairs = step(world)
        world.now += wait
        steps, found = steps + 1, found + repairs
    assert found == [(BOX, str(number), "settled") for number in range(0, 1000, 100)]
    assert steps >= 8
    assert world.snapshot()["pending"] == {"shop:9": {child for child in ids if int(child) % 100}}


def test_every_parent_is_looked_at(world: World) -> None:
    """Also of those that began to wait in the same millisecond, while others leave between two steps."""
    ids = [f"{number:03}" for number in range(400)]
    job = {**PARENT, "_next": "ship"}
    world.seed(
        jobs={
            f"shop:{job_id}": {**job, "children:pack:jobs": f'["{world.namespace}job:{BOX}:c{job_id}"]'}
            for job_id in ids
        },
        children={"pack": {job_id: NOW + int(job_id) // 150 for job_id in ids}},
        pending={f"shop:{job_id}": {f"c{job_id}"} for job_id in ids},
    )
    world.seed(jobs={f"{BOX}:c{job_id}": {"_parent": f"shop:{job_id}"} for job_id in ids if int(job_id) % 3})
    assert world.reconcile() == [(BOX, f"c{number:03}", "settled") for number in range(0, 400, 3)]
    assert world.snapshot()["waiting"]["ship"] == [f"{number:03}" for number in range(0, 400, 3)]


def test_what_is_no_child_is_not_waited_for(world: World) -> None:
    """Once the children that the parent names have settled, it goes on, whatever else is pending."""
    world.seed(**parent("1", world=world))
    world.seed(jobs={f"{BOX}:1": {"_parent": "shop:9"}}, waiting={BOX: ["1"]})
    world.redis.sadd(world.key("pending", "shop:9"), "a stranger")
    assert world.reconcile() == []
    world.claim(queue=BOX)
    world.report(finish("1", 1, "{}"), queue=BOX)
    assert world.job("shop:9")["_status"] == "children"
    assert world.reconcile() == [("pack", "9", "joined")]
    found = world.snapshot()
    assert (found["waiting"], "pending" in found) == ({"ship": ["9"]}, False)


STRANGERS: dict[str, tuple[str, str, dict[str, str] | str]] = {
    "of another queue, by name": ("pick:box:1", f"{BOX}:2", {"_parent": "shop:9"}),
    "of another queue": ("pack:box:2", "pick:label:1", {"_parent": "shop:9"}),
    "over": ("pack:box:2", f"{BOX}:1", {**ENDED, "_parent": "shop:9"}),
    "of another type": ("pack:box:2", f"{BOX}:1", "not ours"),
}


@pytest.mark.parametrize("case", STRANGERS)
def test_an_id_that_is_pending_and_no_child_on_its_way_is_not_waited_for(world: World, case: str) -> None:
    """Whatever the parent names instead, and whatever else has this id; how it ended is of no interest."""
    named, there, job = STRANGERS[case]
    world.seed(**parent(world=world, **{"children:pack:jobs": f'["{world.namespace}job:{named}"]'}))
    world.seed(jobs={there: job}, pending={"shop:9": {"1"}})
    _wait, _goes_on, repairs = world.run("reconcile", *QUEUES, "pick:label")
    assert repairs == [["pack", "9", "joined"]]
    found = world.snapshot()
    assert (found["waiting"], "pending" in found, "settled" in found) == ({"ship": ["9"]}, False, False)


def test_children_that_the_parent_does_not_name_any_more_are_waited_for(world: World) -> None:
    """Its list of them was edited: as long as one of them is on its way, it does not go on without it."""
    world.seed(**parent("1", world=world))
    world.seed(jobs={f"{BOX}:1": {"_parent": "shop:9"}}, waiting={BOX: ["1"]})
    world.redis.hdel(world.key("jobs", "shop:9"), "children:pack:jobs")
    assert world.reconcile() == []
    world.redis.delete(world.key("jobs", f"{BOX}:1"))
    assert world.reconcile() == [("pack", "9", "joined")]


def test_children_in_a_queue_of_another_version_are_waited_for(world: World) -> None:
    """The parent names them, and so it is seen that they are on their way, also when they fill several steps."""
    bag, boxes = ([f"{kind}{number}" for number in range(200)] for kind in ("bag", "box"))
    keys = [f"{world.namespace}job:pack:bag:{child}" for child in bag]
    keys += [f"{world.namespace}job:{BOX}:{child}" for child in boxes]
    world.seed(**parent(world=world, **{"children:pack:jobs": "[" + ",".join(f'"{key}"' for key in keys) + "]"}))
    world.seed(jobs={f"pack:bag:{child}": {"_parent": "shop:9"} for child in bag}, pending={"shop:9": set(bag)})
    before = world.snapshot()
    assert world.reconcile() == []
    assert world.snapshot() == before


def test_parents_that_are_looked_at_quickly_are_all_looked_at(world: World) -> None:
    """A step may come to more of them than it reads at once: here they name no child, and one is on its way."""
    ids = [f"{number:03}" for number in range(60)]
    world.seed(
        jobs={f"shop:{job_id}": {**PARENT, "_next": "ship"} for job_id in ids},
        children={"pack": dict.fromkeys(ids, NOW)},
        pending={f"shop:{job_id}": {job_id} for job_id in ids},
    )
    world.seed(jobs={f"{BOX}:{job_id}": {"_parent": f"shop:{job_id}"} for job_id in ids[:-1]})
    _wait, _goes_on, repairs = world.run("reconcile", "pack", BOX)
    assert repairs == [["pack", "059", "joined"]]


def test_a_step_looks_at_a_bounded_number_of_parents(world: World) -> None:
    """Also of those that do not wait, of which each is done with quickly."""
    ids = [f"{number:02}" for number in range(48)]
    world.seed(jobs={f"shop:{job_id}": processing("pack") for job_id in ids}, children={"pack": dict.fromkeys(ids, 1)})
    _wait, goes_on, repairs = step(world)
    assert goes_on
    assert 20 < len(repairs) < 40
    assert len(repairs) + len(world.reconcile()) == 48


def test_the_children_of_one_parent_do_not_hold_back_the_next(world: World) -> None:
    """A step goes on in the middle of a parent of which some children are on their way; after it comes one of none."""
    job = {**PARENT, "_next": "ship", "children:pack:jobs": "[]"}
    world.seed(jobs={"shop:8": job, "shop:9": job}, children={"pack": {"8": NOW, "9": NOW}})
    world.seed(reconcile={"shop": {"place": "children pack", "cursor": f"{NOW} 2 3 8"}})
    assert world.reconcile() == [("pack", "9", "joined")]


def test_a_pass_goes_on_after_a_parent_that_has_left(world: World) -> None:
    """Between two steps the one at which the pass had come goes on: the others are looked at, and none twice."""
    ids = [f"{number:03}" for number in range(200)]
    job, key = {**PARENT, "_next": "ship"}, f"{world.namespace}job:{BOX}:c"
    world.seed(
        jobs={f"shop:{job_id}": {**job, "children:pack:jobs": f'["{key}{job_id}"]'} for job_id in ids},
        children={"pack": {job_id: NOW + int(job_id) for job_id in ids}},
        pending={f"shop:{job_id}": {f"c{job_id}"} for job_id in ids},
    )
    world.seed(jobs={f"{BOX}:c{job_id}": {"_parent": f"shop:{job_id}"} for job_id in ids[:-1]})
    steps, goes_on, found = 0, True, list[tuple[str, str, str]]()
    while goes_on:
        wait, goes_on, repairs = step(world)
        world.now += wait
        steps, found = steps + 1, found + repairs
        at = world.redis.hget(world.keys.reconcile("shop"), "cursor")
        if at and (last := at.rpartition(" ")[2]) in ids:
            world.redis.zrem(world.key("children", "pack"), last)
    assert found == [(BOX, "c199", "settled")]
    assert steps < 8


def test_a_pass_goes_on_after_a_parent_whose_pending_set_is_none(world: World) -> None:
    """The parent has left, and the key is somebody else's by now."""
    world.seed(reconcile={"shop": {"place": "children pack", "cursor": f"{NOW} 5 0 9"}})
    world.redis.set(world.key("pending", "shop:9"), "not ours")
    assert world.reconcile() == []
    assert world.snapshot() == {"pending": {"shop:9": "not ours"}}


def test_the_lookups_of_a_parent_live_as_long_as_it_waits(world: World) -> None:
    """Its own hash has no time to live, and nothing else happens to it."""
    world.seed(**parent("1", world=world, _lookups="user:1"), lookups={"shop:user:1": ["9"]})
    world.seed(jobs={f"{BOX}:1": {"_parent": "shop:9"}})
    world.redis.pexpire(world.key("lookups", "shop:user:1"), 1000 * 60)
    assert world.reconcile() == []
    assert world.lives("lookups", "shop:user:1", TTL)


def test_the_lookups_of_a_parent_keep_their_time_where_jobs_live_for_ever(world: World) -> None:
    """Those that have one, from before, keep it; the others have none."""
    world.seed(**parent("1", world=world, _lookups="user:1\nuser:2"))
    world.seed(jobs={f"{BOX}:1": {"_parent": "shop:9"}}, lookups={"shop:user:1": ["9"], "shop:user:2": ["9"]})
    world.redis.pexpire(world.key("lookups", "shop:user:1"), HOUR)
    assert world.reconcile(ttl=0) == []
    assert world.lives("lookups", "shop:user:1", HOUR)
    assert world.life("lookups", "shop:user:2") == -1


# Hashes


@pytest.mark.parametrize(("place", "at"), [("processing", NOW + LEASE), ("delayed", NOW)])
def test_a_job_that_stands_nowhere_is_put_where_it_says(world: World, place: str, at: int) -> None:
    """With a lease that its worker renews if it has the job still; or due now, which an idle worker hears of."""
    jobs = {f"shop:{A}": processing("pack") | {"_status": place}, f"shop:{B}": processing("pack") | {"_status": place}}
    world.seed(jobs=jobs, **{place: {"pack": {A: NOW + 1}}})
    assert world.reconcile() == [("pack", B, f"placed_{place}")]
    woken = {"wake": {"pack": {"w": 0}}} if place == "delayed" else {}
    after = {"jobs": jobs, place: {"pack": {A: NOW + 1, B: at}}, **woken}
    assert world.snapshot(unseen=frozenset({"reconcile"})) == after
    assert world.reconcile() == []


def test_a_parent_that_stands_nowhere_is_put_among_those_that_wait(world: World) -> None:
    """The next pass looks at its children: this one has none."""
    job = {**PARENT, "_next": "ship"}
    world.seed(jobs={f"shop:{A}": job})
    world.redis.persist(world.key("jobs", f"shop:{A}"))
    assert world.reconcile() == [("pack", A, "placed_children")]
    assert world.snapshot() == {"jobs": {f"shop:{A}": job}, "children": {"pack": {A: NOW}}}
    assert world.reconcile() == [("pack", A, "joined")]
    assert world.snapshot()["waiting"] == {"ship": [A]}


def test_a_job_that_lost_its_lease_is_taken_back(world: World) -> None:
    """Unless its worker renews: to that one, nothing has happened."""
    world.seed(jobs={f"shop:{A}": processing(), f"shop:{B}": processing()})
    world.reconcile()
    assert world.run("renew", A, 1) == ["kept"]
    world.now += LEASE
    world.redis.zadd(world.key("processing", "pick"), {A: world.now + 1})
    assert world.run("rescue") == [[B, "rescued"]]


@pytest.mark.parametrize(
    "fields", [{"a": "1"}, {"_status": "waiting", "_queue": "ship", "_fence": "1", "_worker": "w1"}]
)
@pytest.mark.parametrize("others", [0, 1, 1500], ids=["an empty list", "a short list", "a longer list"])
def test_a_job_that_waits_in_no_list_is_pushed_again(world: World, fields: dict[str, str], others: int) -> None:
    """Behind all others, which are not touched, also where so many are looked for that the list is read at once."""
    queue = fields.get("_queue", "pick")
    ids = [uuid(number) for number in range(others)]
    lost = [uuid(number) for number in range(2000, 2000 + max(1, others // 20))]
    world.seed(jobs={f"shop:{job_id}": fields for job_id in ids + lost})
    if ids:
        world.seed(waiting={queue: ids})
    before = world.snapshot()
    assert sorted(world.reconcile()) == [(queue, job_id, "placed_waiting") for job_id in lost]
    found = world.snapshot(unseen=frozenset({"reconcile"}))
    waiting = found.pop("waiting")[queue]
    assert found.pop("wake") == {queue: {"w": 0}}
    assert (waiting[:others], sorted(waiting[others:])) == (ids, lost)
    assert found == {"jobs": before["jobs"]}
    assert world.reconcile() == []


def test_a_job_that_is_named_twice_is_pushed_once(world: World) -> None:
    """The server may name a key twice while it moves its keys about."""
    key = world.key("jobs", f"shop:{A}")
    world.seed(jobs={f"shop:{A}": {"a": "1"}}, reconcile={"shop": {"place": "jobs", "cursor": f"end\n{key}\n{key}"}})
    assert world.reconcile() == [("pick", A, "placed_waiting")]
    assert world.snapshot()["waiting"] == {"pick": [A]}


def test_a_list_that_is_too_long_is_not_looked_through(world: World) -> None:
    """Over 10,000 ids; with one less the job is found to be missing."""
    world.seed(jobs={f"shop:{A}": {"a": "1"}}, waiting={"pick": ["x"] * 10_001})
    assert world.reconcile() == []
    world.redis.lpop(world.key("waiting", "pick"))
    assert world.reconcile() == [("pick", A, "placed_waiting")]


def test_many_long_lists_are_looked_through_in_several_steps(world: World) -> None:
    """One step reads so many ids as one list has; the jobs of the other lists are left to the next."""
    queues = ("pick", "pack", "ship")
    jobs = {f"shop:{uuid(n)}": {"_status": "waiting", "_queue": queues[n % 3]} for n in range(48)}
    world.seed(jobs=jobs, waiting={queue: ["x"] * 9_000 for queue in queues})
    answers = []
    for _ in range(3):
        wait, goes_on, repairs = step(world)
        world.now += wait
        answers.append((goes_on, len(repairs)))
    assert answers == [(True, 16), (True, 16), (False, 16)]
    assert world.reconcile() == []


def test_short_lists_are_looked_through_in_one_step(world: World) -> None:
    """All of them, as long as they are short together, however little else there is time for."""
    queues = ("pick", "pack")
    jobs = {f"shop:{uuid(n)}": {"_status": "waiting", "_queue": queues[n % 2]} for n in range(32)}
    world.seed(jobs=jobs, waiting={queue: ["x"] * 4_000 for queue in queues})
    _wait, goes_on, repairs = step(world)
    assert (goes_on, len(repairs)) == (False, 32)


COSTS = {
    "a job": ({"_status": "delayed", "_queue": "pick"}, 100),
    "a child, whose parent is asked": ({"_status": "delayed", "_queue": "pick", "_parent": "shop:9"}, 150),
    "a job in a long list, which is read once": ({"_status": "waiting", "_queue": "pick"}, 400),
}


@pytest.mark.parametrize("case", COSTS)
def test_a_step_rests_as_long_as_its_looks_take(world: World, case: str) -> None:
    """What takes longer counts for more; here it looks at one job a hundred times."""
    fields, cost = COSTS[case]
    keys = "\n".join([world.key("jobs", f"shop:{A}")] * 100)
    world.seed(jobs={f"shop:{A}": fields}, delayed={"pick": {A: NOW}}, waiting={"pick": [A] * 9_000})
    world.seed(reconcile={"shop": {"place": "jobs", "cursor": f"0\n{keys}"}})
    assert step(world) == (5 + cost, True, [])


def test_children_that_are_not_let_out_yet_are_left_alone(world: World) -> None:
    """They are written in parts and wait in no queue: neither those that are to come, nor those that nobody wants."""
    ids = [uuid(number) for number in range(4)]
    world.seed(jobs={"shop:9": processing("pack")}, processing={"pack": {"9": NOW + LEASE}})
    named: dict[str, Any] = {"queue": "pack", "id": "9", "fence": 1}
    world.run("build", *packed(tuple(("box", child) for child in ids[:2])), offset=0, **named)
    world.run("build", *packed(tuple(("box", child) for child in ids[2:])), offset=2, **named)
    before = world.snapshot()
    assert world.reconcile() == []
    assert world.snapshot() == before
    world.run("publish", **named)
    assert world.reconcile() == []
    assert world.life("jobs", f"{BOX}:{ids[0]}") == -1
    # Its parent goes elsewhere: they belong to nobody, and the one that loses its place gets none again.
    world.redis.delete(world.key("pending", "shop:9"))
    world.redis.lrem(world.key("waiting", BOX), 0, ids[1])
    assert world.reconcile() == []
    assert world.snapshot()["waiting"] == {BOX: [ids[0], *ids[2:]]}


def test_a_child_that_lost_its_place_is_pushed_again(world: World) -> None:
    """Its parent waits for it."""
    world.seed(**parent(A, world=world))
    world.seed(jobs={f"{BOX}:{A}": {"_parent": "shop:9"}})
    assert world.reconcile() == [(BOX, A, "placed_waiting")]
    assert world.snapshot()["waiting"] == {BOX: [A]}


def test_a_job_may_wait_in_the_first_queue_of_another_version(world: World) -> None:
    """Who creates jobs tells where, before it does: a job that was never claimed is not moved to our first queue."""
    world.run("introduce", first="entry")
    world.seed(jobs={f"shop:{A}": {"a": "1"}, f"shop:{B}": {"a": "1"}}, waiting={"entry": [A]})
    assert world.reconcile() == [("pick", B, "placed_waiting")]
    assert world.snapshot()["waiting"] == {"entry": [A], "pick": [B]}
    world.redis.rpush(world.key("waiting", "entry"), *["x"] * 10_000)
    world.seed(jobs={f"shop:{C}": {"a": "1"}})
    assert world.reconcile() == []


@pytest.mark.parametrize("kind", ["claimed before", "a child"])
def test_only_new_jobs_may_wait_in_the_first_queue_of_another_version(world: World, kind: str) -> None:
    """One that was claimed waits where it says, and a child in its own queue, however long the other list is."""
    world.run("introduce", first="entry")
    world.redis.rpush(world.key("waiting", "entry"), *["x"] * 10_001)
    queue = "pick" if kind == "claimed before" else BOX
    if kind == "a child":
        world.seed(jobs={f"{BOX}:{A}": {"a": "1"}})
    else:
        world.seed(jobs={f"shop:{A}": {"_status": "waiting", "_queue": "pick", "_fence": "1", "_worker": "w1"}})
    assert world.reconcile() == [(queue, A, "placed_waiting")]


def test_a_list_of_another_version_that_is_none_may_hold_anything(world: World) -> None:
    """Rather is a job left where it may be than pushed twice."""
    world.run("introduce", first="entry")
    world.redis.set(world.key("waiting", "entry"), "not ours")
    world.seed(jobs={f"shop:{A}": {"a": "1"}})
    assert world.reconcile() == []


def test_few_jobs_of_a_step_are_looked_for_in_other_lists(world: World) -> None:
    """The others are left as they are, until a pass comes by that has time for them."""
    world.run("introduce", first="entry")
    world.seed(jobs={f"shop:{uuid(number)}": {"a": "1"} for number in range(60)})
    world.seed(waiting={"entry": ["x"]})
    _wait, goes_on, repairs = step(world)
    assert (goes_on, len(repairs)) == (False, 25)


def test_any_number_of_jobs_is_looked_for_where_there_is_no_other_list(world: World) -> None:
    """The first queue of our own version is no other."""
    world.seed(jobs={f"shop:{uuid(number)}": {"a": "1"} for number in range(60)})
    _wait, goes_on, repairs = step(world)
    assert (goes_on, len(repairs)) == (False, 60)


@pytest.mark.parametrize(("status", "life"), [*zip(["done", "failed", "cancelled"], KEPT, strict=True)])
def test_a_job_that_has_ended_does_not_stay_for_ever(world: World, status: str, life: int) -> None:
    """It gets its retention; one that has a time to live keeps it."""
    ended = processing() | {"_status": status}
    world.seed(jobs={f"shop:{A}": ended, f"shop:{B}": ended})
    world.redis.persist(world.key("jobs", f"shop:{A}"))
    before = world.snapshot()
    assert world.reconcile() == [("pick", A, "lifetime")]
    assert world.snapshot() == before
    assert world.lives("jobs", f"shop:{A}", life)
    assert world.lives("jobs", f"shop:{B}", TTL)


def test_a_job_that_has_ended_is_told_by_its_queue(world: World) -> None:
    """By the one that it ended in, or by the first where it says none; notes that are none hinder nothing."""
    world.seed(jobs={f"shop:{A}": {"_status": "cancelled", "_queue": "ship"}, f"shop:{B}": {"_status": "cancelled"}})
    for job_id in (A, B):
        world.redis.persist(world.key("jobs", f"shop:{job_id}"))
    world.redis.set(world.key("cancelling", "shop"), "not ours")
    assert sorted(world.reconcile()) == [("pick", B, "lifetime"), ("ship", A, "lifetime")]


def test_a_cancelled_parent_stays_until_its_children_are_cancelled(world: World) -> None:
    """Its hash names them: nothing of it may expire before `cascade` has come to all."""
    world.seed(
        jobs={f"shop:{A}": processing("pack") | {"_status": "cancelled"}}, cancelling={"shop": {f"shop:{A}": "1"}}
    )
    world.redis.persist(world.key("jobs", f"shop:{A}"))
    assert world.reconcile() == []
    assert world.life("jobs", f"shop:{A}") == -1


def test_a_job_on_its_way_gets_its_time_to_live(world: World) -> None:
    """A delayed one from when it is due; its lookup lists live as long."""
    states = {
        A: ("waiting", "waiting", ["x", A]),
        B: ("processing", "processing", {B: NOW + LEASE}),
        C: ("delayed",) * 3,
    }
    world.seed(
        jobs={f"shop:{job_id}": processing(_lookups="a:1") | {"_status": states[job_id][0]} for job_id in states},
        waiting={"pick": [A]},
        processing={"pick": {B: NOW + LEASE}},
        delayed={"pick": {C: NOW + HOUR}},
        lookups={"shop:a:1": [A]},
    )
    world.redis.pexpire(world.key("lookups", "shop:a:1"), HOUR)
    for job_id in states:
        world.redis.persist(world.key("jobs", f"shop:{job_id}"))
    before = world.snapshot()
    assert sorted(world.reconcile()) == [("pick", job_id, "lifetime") for job_id in (A, B, C)]
    assert world.snapshot() == before
    assert world.lives("jobs", f"shop:{A}", TTL)
    assert world.lives("jobs", f"shop:{B}", TTL)
    assert world.lives("jobs", f"shop:{C}", TTL + HOUR)
    assert world.lives("lookups", "shop:a:1", TTL + HOUR)


def test_a_delayed_job_that_is_overdue_gets_its_whole_time_to_live(world: World) -> None:
    """It counts from now, where the due time has passed."""
    world.seed(jobs={f"shop:{A}": processing() | {"_status": "delayed"}}, delayed={"pick": {A: NOW - HOUR}})
    world.redis.persist(world.key("jobs", f"shop:{A}"))
    assert world.reconcile() == [("pick", A, "lifetime")]
    assert world.lives("jobs", f"shop:{A}", TTL)


def test_a_time_to_live_needs_no_key_but_the_jobs_own(world: World) -> None:
    """Of a job that waits nobody asks when it is due, and a pending set that is none waits for nobody."""
    world.seed(
        jobs={f"shop:{A}": {"a": "1"}, f"{BOX}:{B}": processing(BOX, _parent="shop:9")},
        waiting={"pick": [A]},
        processing={BOX: {B: NOW + LEASE}},
    )
    for job in (f"shop:{A}", f"{BOX}:{B}"):
        world.redis.persist(world.key("jobs", job))
    world.redis.set(world.key("delayed", "pick"), "not ours")
    world.redis.set(world.key("pending", "shop:9"), "not ours")
    error = f"error {world.key('delayed', 'pick')} holds a string where flows keeps a zset"
    assert world.reconcile() == [("pick", "", error), ("pick", A, "lifetime")]
    assert world.lives("jobs", f"shop:{A}", TTL)
    assert world.lives("jobs", f"{BOX}:{B}", TTL)


def test_a_child_that_waits_for_children_has_no_time_to_live(world: World) -> None:
    """That is told of it, as of any parent."""
    job = {**PARENT, "_queue": BOX, "_parent": "shop:9", "children:pack:box:jobs": "[]"}
    world.seed(jobs={f"{BOX}:{A}": job}, children={BOX: {A: NOW}}, pending={f"{BOX}:{A}": {"1"}, "shop:9": {A}})
    world.seed(jobs={f"{BOX}:lid:1": {"_parent": f"{BOX}:{A}"}}, meta={f"{BOX}:lid": {"owner": "shop"}})
    _wait, _goes_on, repairs = world.run("reconcile", *QUEUES, f"{BOX}:lid")
    assert repairs == [[BOX, A, "lifetime"]]
    assert world.life("jobs", f"{BOX}:{A}") == -1


def test_what_is_processing_lives_two_leases_at_least(world: World) -> None:
    """Also where the reconciler gives it its time to live."""
    world.seed(jobs={f"shop:{A}": processing()}, processing={"pick": {A: NOW + LEASE}})
    world.redis.persist(world.key("jobs", f"shop:{A}"))
    assert world.reconcile(ttl=2000) == [("pick", A, "lifetime")]
    assert world.lives("jobs", f"shop:{A}", 2 * LEASE)


def test_where_jobs_live_for_ever_they_do(world: World) -> None:
    """A flow whose job_ttl is None gives no job a time to live before it ends."""
    world.seed(jobs={f"shop:{A}": {"a": "1"}}, waiting={"pick": [A]})
    world.redis.persist(world.key("jobs", f"shop:{A}"))
    assert world.reconcile(ttl=0) == []
    assert world.life("jobs", f"shop:{A}") == -1


def test_who_waits_for_children_has_no_time_to_live(world: World) -> None:
    """Nor has a child while its parent waits for it; when that has ended, it has one like any job, without a word."""
    child = {"_parent": f"shop:{A}"}
    world.seed(
        jobs={f"shop:{A}": {**PARENT, "children:pack:jobs": "[]"}, f"{BOX}:{B}": child},
        children={"pack": {A: NOW}},
        pending={f"shop:{A}": {B}},
        waiting={BOX: [B]},
    )
    world.redis.persist(world.key("jobs", f"{BOX}:{B}"))
    assert world.reconcile() == [("pack", A, "lifetime")]
    assert world.life("jobs", f"shop:{A}") == world.life("jobs", f"{BOX}:{B}") == -1
    world.redis.delete(world.key("pending", f"shop:{A}"), world.key("jobs", f"shop:{A}"), world.key("children", "pack"))
    assert world.reconcile() == []
    assert world.lives("jobs", f"{BOX}:{B}", TTL)


EDITS = {
    "no such state": {"_status": "asleep", "_queue": "pick"},
    "no such queue": {"_status": "waiting", "_queue": "pik"},
    "no such queue, never claimed": {"_queue": "pik"},
    "no queue": {"_status": "waiting"},
    "a queue of children": {"_status": "waiting", "_queue": BOX},
    "processing nowhere": {"_status": "processing", "_queue": "pik"},
    "delayed nowhere": {"_status": "delayed", "_queue": "pik"},
    "a parent nowhere": {"_status": "children", "_queue": "pik"},
}


@pytest.mark.parametrize("case", EDITS)
def test_what_no_worker_would_ever_take_fails(world: World, case: str) -> None:
    """As a job that cannot be read; a new life begins in the first queue."""
    world.seed_damaged(jobs={f"shop:{A}": {**EDITS[case], "a": "1"}})
    assert world.reconcile() == [("pick", A, "malformed")]
    error = (
        '{"type":"MalformedJob","message":"its hash names a state or a queue that does not exist","traceback":"",'
        '"queue":"pick","attempt":0}'
    )
    after = {"_status": "failed", "_queue": "pick", "_error": error, "_ended": str(NOW), "a": "1"}
    assert world.snapshot() == {"jobs": {f"shop:{A}": after}}
    assert world.lives("jobs", f"shop:{A}", KEPT[1])
    assert world.reconcile() == []
    assert world.run("retry_job", id=A) == "retried"
    assert world.snapshot()["waiting"] == {"pick": [A]}


def test_a_parent_that_fails_so_leaves_nothing_for_ever(world: World) -> None:
    """Its children run on, and what it waited for is forgotten with it."""
    world.seed_damaged(jobs={f"shop:{A}": EDITS["a parent nowhere"]}, pending={f"shop:{A}": {"1"}})
    assert world.reconcile() == [("pick", A, "malformed")]
    assert world.lives("pending", f"shop:{A}", KEPT[1])


def test_a_parent_of_no_state_leaves_nothing_for_ever(world: World) -> None:
    """Nobody knows any more that it was one."""
    world.seed_damaged(jobs={f"shop:{A}": EDITS["no such state"]}, pending={f"shop:{A}": {"1"}})
    assert world.reconcile() == [("pick", A, "malformed")]
    assert world.lives("pending", f"shop:{A}", KEPT[1])


def test_a_parent_hears_of_a_child_that_was_edited(world: World) -> None:
    """It settles as failed."""
    world.seed(**parent(A, world=world))
    world.seed_damaged(jobs={f"{BOX}:{A}": {"_parent": "shop:9", "_status": "nonsense"}})
    assert (BOX, A, "malformed") in world.reconcile()
    assert world.snapshot()["waiting"] == {"ship": ["9"]}


def test_a_queue_of_another_version_is_a_queue(world: World) -> None:
    """Whoever has it recorded that; its jobs are looked after too, and so are those of its children."""
    jobs = {
        f"shop:{A}": {"_status": "waiting", "_queue": "wrap"},
        f"wrap:bow:{B}": processing("wrap:bow"),
        f"theirs:bow:{C}": processing("nonsense"),
    }
    world.seed(
        jobs=jobs, meta={"wrap": {"owner": "shop"}, "wrap:bow": {"owner": "shop"}, "theirs:bow": {"owner": "farm"}}
    )
    assert sorted(world.reconcile()) == [("wrap", A, "placed_waiting"), ("wrap:bow", B, "placed_processing")]
    assert world.snapshot()["jobs"] == jobs


def test_a_queue_whose_owner_cannot_be_read_is_not_ours(world: World) -> None:
    """Its jobs are passed over, and the rest is looked at."""
    world.seed(jobs={f"wrap:bow:{A}": processing("wrap:bow"), f"shop:{B}": processing()})
    world.redis.set(world.key("meta", "wrap:bow"), "not ours")
    assert world.reconcile() == [("pick", B, "placed_processing")]


def test_what_is_no_job_of_ours_is_left_alone(world: World) -> None:
    """Keys without an id in the end, of other flows, of other types, side hashes, lookups."""
    odd = {"_status": "nonsense", "_queue": "nowhere"}
    world.seed_damaged(
        jobs={
            "shop:1": odd,
            "shop:1-2-3-4-5": odd,
            f"shop:{'x' * 36}": odd,
            f"farm:{A}": odd,
            f"pick:{A}": odd,
            "nonsense": odd,
            f"shop:user:{A}": odd,
            f"shop:{A}:x": odd,
        },
        settled={f"shop:{A}:children:pack": {A: "{}"}},
        lookups={f"shop:user:{B}": ["1"]},
    )
    world.redis.set(world.key("jobs", f"shop:{C}"), "not ours")
    before = world.snapshot()
    assert world.reconcile() == []
    assert world.snapshot() == before


# The way through it


def test_one_process_takes_the_steps(world: World) -> None:
    """Each step says when the next may begin; whoever comes before is sent away, and so it is between two passes."""
    world.seed(
        jobs={f"shop:{uuid(number)}": processing() for number in range(300)},
        processing={"pick": {uuid(number): NOW + LEASE for number in range(300)}},
    )
    wait, goes_on, _ = step(world)
    assert goes_on
    assert 50 < wait < 1000
    assert step(world) == (wait, False, [])
    world.now += wait - 1
    assert step(world) == (1, False, [])
    world.now += 1
    steps = 2
    while (answer := step(world))[1]:
        world.now += answer[0]
        steps += 1
    assert answer == (2 * LEASE, False, [])
    assert 4 < steps < 20
    world.now += 2 * LEASE - 1
    assert step(world) == (1, False, [])
    world.redis.zadd(world.key("processing", "pick"), {"x": 10**9})
    world.now += 1
    assert step(world)[2][0] == ("pick", "x", "lease")


def test_a_clock_that_was_set_back_does_not_stop_it(world: World) -> None:
    """Nobody waits for a time that is further away than any pause."""
    world.now = 100 * HOUR
    assert step(world)[0] == 2 * LEASE
    world.now -= 10 * HOUR
    world.seed(processing={"pick": {"x": 1}})
    assert step(world)[2] == [("pick", "x", "gone")]


def test_a_pause_may_be_longer_than_a_minute(world: World) -> None:
    """It is twice a lease, and whoever has shorter ones waits for a minute at most."""
    assert step(world, lease=4 * LEASE)[0] == 8 * LEASE
    world.now += 1
    assert step(world, lease=4 * LEASE) == (8 * LEASE - 1, False, [])
    assert step(world)[0] == 2 * LEASE


def test_a_pass_goes_on_where_another_version_stopped(world: World) -> None:
    """The place in which it stopped may be of a queue that we do not have: what follows are the hashes."""
    world.seed(
        reconcile={"shop": {"place": "delayed wrap", "cursor": "0"}}, delayed={"wrap": {"x": 1}, "pick": {"y": 1}}
    )
    world.seed(jobs={f"shop:{A}": processing()})
    assert step(world) == (2 * LEASE, False, [("pick", A, "placed_processing")])
    assert world.reconcile() == [("pick", "y", "gone")]


def test_what_was_repaired_is_counted(world: World) -> None:
    """By kind, for ever, or as long as anybody walks."""
    world.seed(processing={"pick": {"1": 1, "2": 10**9}})
    world.reconcile()
    counts = world.snapshot(unseen=frozenset())["reconcile"]["shop"]
    assert {name: count for name, count in counts.items() if name.startswith("repaired:")} == {
        "repaired:gone": "2",
        "repaired:lease": "1",
    }
    assert world.lives("reconcile", "shop", 7 * 24 * HOUR)


def test_what_cannot_be_repaired_stops_nothing_else(world: World) -> None:
    """A key of another type is told by name at each pass, and all that comes after it is looked at."""
    jobs = {f"shop:{A}": processing(), f"shop:{B}": processing("ship"), f"shop:{C}": {"a": "1"}}
    world.seed(jobs=jobs, waiting={"pack": ["x"]})
    world.redis.set(world.key("processing", "pick"), "not ours")
    world.redis.set(world.key("waiting", "pick"), "not ours")
    before = world.snapshot()
    found = sorted(world.reconcile())
    assert found[0] == ("pick", "", f"error {world.key('processing', 'pick')} holds a string where flows keeps a zset")
    assert found[1][:2] == ("pick", A)
    assert "WRONGTYPE" in found[1][2]
    assert found[2:] == [("ship", B, "placed_processing")]
    assert world.snapshot() == before | {"processing": {"pick": "not ours", "ship": {B: NOW + LEASE}}}
    counts = world.snapshot(unseen=frozenset())["reconcile"]["shop"]
    assert [name for name in counts if name.startswith("repaired:")] == ["repaired:placed_processing"]


def test_its_own_key_of_another_type_is_named(world: World) -> None:
    """Nothing is looked at."""
    world.seed(processing={"pick": {"1": 1}})
    world.redis.set(world.key("reconcile", "shop"), "not ours")
    with pytest.raises(ResponseError, match=f"FLOWSCONFLICT {world.key('reconcile', 'shop')} holds a string"):
        step(world)
    assert world.snapshot() == {"processing": {"pick": {"1": 1}}}


def test_a_busy_flow_is_left_as_it_is(world: World) -> None:
    """Jobs in all states, families of all kinds, leftovers in lists: one pass changes nothing and tells nothing."""
    ids = iter([uuid(number) for number in range(1000)])
    first = [next(ids) for _ in range(12)]
    world.seed(jobs={f"shop:{job_id}": {"a": "1", "_lookups": "a:1"} for job_id in first}, waiting={"pick": first})
    world.seed(lookups={"shop:a:1": first})
    a, b, c, d, e, _f = world.claim(6)
    world.turn(finish(a.id), fail(b.id), retry(c.id), want=0)
    parents = [next(ids) for _ in range(4)]
    waits = {"_status": "waiting", "_queue": "pack", "_fence": "1", "_worker": "w1"}
    world.seed(jobs={f"shop:{job_id}": waits for job_id in parents}, waiting={"pack": parents})
    children = [next(ids) for _ in range(9)]
    for number, job in enumerate(world.claim(3, queue="pack")):
        mine = tuple(("box", child) for child in children[3 * number : 3 * number + 3])
        policy = "fail" if number == 1 else "continue"
        world.report(await_children(job.id, job.fence, mine, "ship", policy), queue="pack")
    for job, verb in zip(world.claim(6, queue=BOX), (finish, fail, retry, finish, fail, finish), strict=True):
        world.report(verb(job.id, job.fence), queue=BOX)
    named: dict[str, Any] = {"root": "shop", "reason": "why"}
    world.run("cancel", id=d.id, **named)
    world.run("cancel", id=first[7], **named)
    world.run("cancel", id=parents[2], queue="pack", **named)
    world.redis.rpush(world.key("waiting", "ship"), a.id, e.id)
    before, lives = world.snapshot(), {job: world.life("jobs", job) < 0 for job in world.snapshot()["jobs"]}
    assert {job.get("_status") for job in before["jobs"].values()} >= {
        None,
        "waiting",
        "processing",
        "delayed",
        "children",
        "done",
        "failed",
        "cancelled",
    }
    assert world.reconcile() == []
    assert world.snapshot() == before
    alive = {job: world.life("jobs", job) < 0 for job in world.snapshot()["jobs"]}
    # Children of the parent that has failed are on their own from now on.
    assert {job for job in lives if lives[job] != alive[job]} <= {f"{BOX}:{child}" for child in children[3:6]}


def test_no_step_is_long() -> None:
    """Over 20,000 jobs, all lost, in all states: each step sends a bounded number of commands."""
    with counted_world() as world:
        seed_lost(world, 20_000)
        found, waits = 0, [0]
        goes_on = True
        while goes_on:
            wait, goes_on, repairs = step(world)
            world.now += wait
            assert len(repairs) <= 300
            found += len(repairs)
            waits.append(wait if goes_on else 0)
        assert found == 35_000
        assert max(waits) < 1_000
        assert len(world.sent["reconcile"]) > 100
        assert world.most("reconcile") < 500


def seed_lost(world: World, count: int) -> None:
    """Write hashes of jobs that stand nowhere and live for ever."""
    states = ("waiting", "processing", "delayed", "done")
    with world.redis.pipeline(transaction=False) as pipeline:
        for number in range(count):
            fields = processing() | {"_status": states[number % 4], "payload": "x" * 100}
            pipeline.hset(world.key("jobs", f"shop:{uuid(number)}"), mapping=fields)
        pipeline.execute()


# From Python


@pytest_asyncio.fixture
async def connection(redis_url: str) -> AsyncIterator[Connection]:
    """Open the connection of the reconciler."""
    connection = Connection(redis_url, "test-reconcile")
    yield connection
    await connection.close()


async def test_the_answers_are_typed(connection: Connection, world: World) -> None:
    """A repair for each thing that was wrong, with the error where there was one; the server's own time counts."""
    world.seed(jobs={f"shop:{A}": processing()}, processing={"pick": {"1": 1}})
    world.redis.set(world.key("delayed", "pick"), "not ours")
    reconcile, other = (Reconciliation(connection, world.settings, QUEUES) for _ in range(2))
    await reconcile.introduce()
    assert world.lives("reconcile", "shop", 7 * 24 * HOUR)
    done = await reconcile.step()
    assert (done.wait_ms, done.goes_on) == (2 * LEASE, False)
    error = f"{world.key('delayed', 'pick')} holds a string where flows keeps a zset"
    assert done.repairs == [
        Repair("pick", "1", "gone"),
        Repair("pick", "", "error", error),
        Repair("pick", A, "placed_processing"),
    ]
    late = await other.step()
    assert (late.goes_on, late.repairs) == (False, [])
    assert 0 < late.wait_ms <= 2 * LEASE


async def test_a_foreign_key_is_told_by_name(connection: Connection, world: World) -> None:
    """As any conflict."""
    world.redis.set(world.key("reconcile", "shop"), "not ours")
    with pytest.raises(KeyConflict, match=world.key("reconcile", "shop")):
        await Reconciliation(connection, world.settings, QUEUES).introduce()

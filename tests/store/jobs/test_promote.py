"""promote: delayed jobs that are due wait again, before the claim of the same turn looks."""

from __future__ import annotations

import pytest

from tests.world import NOW, TTL, World, processing

DELAYED = {"_status": "delayed", "_queue": "pick", "_fence": "1", "_worker": "w1", "_attempts": "1"}


def test_lets_due_jobs_wait_in_the_order_in_which_they_are_due(world: World) -> None:
    """What is due at this very millisecond waits, behind those who wait already; what is not stays."""
    due = {"1": NOW, "2": NOW - 5, "3": NOW + 1}
    world.seed(
        jobs={"shop:0": {"a": "0"}} | {f"shop:{job_id}": DELAYED for job_id in due},
        delayed={"pick": due},
        waiting={"pick": ["0"]},
    )
    assert [job.id for job in world.claim(want=1)] == ["0"]
    found = world.snapshot()
    assert (found["waiting"], found["delayed"]) == ({"pick": ["2", "1"]}, {"pick": {"3": NOW + 1}})
    assert found["jobs"]["shop:1"] == DELAYED | {"_status": "waiting"}
    assert found["jobs"]["shop:3"] == DELAYED
    assert world.lives("jobs", "shop:1", TTL)


def test_a_due_job_is_claimed_by_the_same_turn(world: World) -> None:
    """No second round trip is needed; the attempt is the next one."""
    world.seed(jobs={"shop:1": DELAYED}, delayed={"pick": {"1": NOW}})
    [job] = world.claim()
    assert (job.id, job.fence, job.attempt) == ("1", 2, 2)


@pytest.mark.parametrize(("count", "want", "woken"), [(2, 2, False), (2, 1, True), (99, 99, False), (100, 100, True)])
def test_it_wakes_nobody_for_what_the_same_turn_claims(
    world: World,
    count: int,
    want: int,
    woken: bool,  # noqa: FBT001 - a parameter of cases
) -> None:
    """One worker wakes for a due job; where jobs are left, or more may be due than one turn promotes, another does."""
    ids = [f"{number:03}" for number in range(count)]
    world.seed(jobs={f"shop:{job_id}": DELAYED for job_id in ids}, delayed={"pick": dict.fromkeys(ids, NOW)})
    assert len(world.claim(want)) == want
    assert ("wake" in world.snapshot(unseen=frozenset())) == woken


def test_a_turn_that_wants_nothing_promotes_nothing(world: World) -> None:
    """A worker that is full leaves due jobs to others."""
    world.seed(jobs={"shop:1": DELAYED}, delayed={"pick": {"1": NOW}})
    assert world.turn(want=0).claimed == []
    assert world.snapshot()["delayed"] == {"pick": {"1": NOW}}


def test_what_is_not_delayed_here_is_dropped(world: World) -> None:
    """An id whose job is gone, ended, or elsewhere leaves the set; nothing is written to a missing hash."""
    world.seed(
        jobs={"shop:2": {**DELAYED, "_status": "done"}, "shop:3": {**DELAYED, "_queue": "pack"}},
        delayed={"pick": {"1": NOW, "2": NOW, "3": NOW, "4": NOW}},
    )
    world.redis.set(world.key("jobs", "shop:4"), "not ours")
    before = world.snapshot()["jobs"]
    assert world.turn(want=5).claimed == []
    counted = {"meta": {"pick": {"expired": "1", "malformed": "1"}}}
    assert world.snapshot() == {"jobs": before, **counted}


def test_takes_a_hundred_at_most(world: World) -> None:
    """A script is bounded: of 150 due jobs the first 100 wait, and the next turn takes the rest."""
    ids = [f"{number:03}" for number in range(150)]
    world.seed(
        jobs={f"shop:{job_id}": DELAYED for job_id in ids},
        delayed={"pick": {job_id: NOW - 150 + number for number, job_id in enumerate(ids)}},
    )
    world.turn(want=1)
    assert world.snapshot()["waiting"]["pick"] == ids[1:100]
    assert len(world.snapshot()["delayed"]["pick"]) == 50
    world.turn(want=1)
    assert "delayed" not in world.snapshot()


def test_a_child_that_was_lost_while_delayed_settles(world: World) -> None:
    """A child whose hash is gone, or holds something else, does not keep its parent waiting."""
    parent = {**processing("pack"), "_status": "children", "_policy": "continue", "_next": "ship"}
    world.seed(
        jobs={"shop:9": parent},
        children={"pack": {"9": NOW}},
        pending={"shop:9": {"1", "2"}},
        parents={"pack:box": {"1": "shop:9", "2": "shop:9"}},
        delayed={"pack:box": {"1": NOW, "2": NOW}},
    )
    world.redis.set(world.key("jobs", "pack:box:2"), "not ours")
    world.turn(want=1, queue="pack:box")
    found = world.snapshot()
    assert found["waiting"] == {"ship": ["9"]}
    assert {"delayed", "pending", "parents", "children"}.isdisjoint(found)
    assert found["settled"]["shop:9:children:pack"] == {
        "1": '{"id":"1","status":"expired"}',
        "2": '{"id":"2","status":"deleted"}',
    }


def test_a_child_that_is_elsewhere_has_not_settled(world: World) -> None:
    """Whatever stands in the set by mistake: a child that was never claimed, or that runs, is still waited for."""
    world.seed(
        jobs={"pack:box:1": {"n": "1"}, "pack:box:2": processing("pack:box")},
        pending={"shop:9": {"1", "2"}},
        parents={"pack:box": {"1": "shop:9", "2": "shop:9"}},
        delayed={"pack:box": {"1": NOW, "2": NOW}},
    )
    world.turn(want=1, queue="pack:box")
    assert world.snapshot()["pending"] == {"shop:9": {"1", "2"}}

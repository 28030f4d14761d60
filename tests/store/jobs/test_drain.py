"""drain: what stands under a queue's former name comes to the queue."""

from __future__ import annotations

import pytest
from redis.exceptions import ResponseError

from tests.world import HOUR, NOW, TTL, World, processing

OWNED = {"meta": {"old": {"owner": "shop"}}}


def drain(world: World) -> list[int]:
    """Call the script for `pick`, which was called `old`."""
    answer: list[int] = world.run("drain", former="old")
    return answer


def test_moves_what_waits_behind_what_waits_already(world: World) -> None:
    """In its order: a job that was never claimed, one that was, and one that an advance has brought."""
    jobs = {
        "shop:1": {"a": "1"},
        "shop:2": {"_status": "waiting", "_queue": "old", "_attempts": "1", "_fence": "1", "_worker": "w1"},
        "shop:7": {"a": "7"},
    }
    world.seed(jobs=jobs, waiting={"old": ["1", "2"], "pick": ["7"]}, **OWNED)
    assert drain(world) == [2, 0]
    moved = {"shop:1": {"a": "1", "_queue": "pick"}, "shop:2": jobs["shop:2"] | {"_queue": "pick"}}
    assert world.snapshot(unseen=frozenset()) == {
        "jobs": {**jobs, **moved},
        "waiting": {"pick": ["7", "1", "2"]},
        "wake": {"pick": {"w": 0}},
        **OWNED,
    }
    assert [job.id for job in world.claim(3)] == ["7", "1", "2"]


def test_a_delayed_job_stays_due_when_it_was(world: World) -> None:
    """It waits in the other queue then, and lives as long as before."""
    world.seed(jobs={"shop:1": {"_status": "delayed", "_queue": "old"}}, delayed={"old": {"1": NOW + HOUR}}, **OWNED)
    world.redis.pexpire(world.key("jobs", "shop:1"), TTL + HOUR)
    assert drain(world) == [1, 0]
    assert world.snapshot() == {
        "jobs": {"shop:1": {"_status": "delayed", "_queue": "pick"}},
        "delayed": {"pick": {"1": NOW + HOUR}},
        **OWNED,
    }
    assert world.lives("jobs", "shop:1", TTL + HOUR)


def test_a_job_that_a_worker_has_stays_with_it(world: World) -> None:
    """What it reports counts as ever; a job that it gives back is moved then."""
    world.seed(
        jobs={"shop:1": processing("old"), "shop:2": processing("old")},
        processing={"old": {"1": NOW + HOUR, "2": NOW + HOUR}},
        **OWNED,
    )
    assert drain(world) == [0, 0]
    assert world.report(["release", "1", 1, 0], ["retry", "2", 1, 3, 5000, "{}", "{}"], queue="old") == ["ok", "ok"]
    assert drain(world) == [2, 0]
    after = world.snapshot()
    assert (after["waiting"], after["delayed"]) == ({"pick": ["1"]}, {"pick": {"2": NOW + 5000}})


def test_ids_of_jobs_that_are_gone_or_elsewhere_are_dropped(world: World) -> None:
    """As a claim would drop them; a creation that is sent again puts an id there twice."""
    world.seed(
        jobs={
            "shop:2": {"_status": "waiting", "_queue": "pack"},
            "shop:3": processing("old", _status="done", _ended="5"),
        },
        waiting={"old": ["1", "2", "3"]},
        delayed={"old": {"2": NOW, "4": NOW}},
        **OWNED,
    )
    assert drain(world) == [0, 0]
    assert set(world.snapshot()) == {"jobs", "meta"}


def test_a_hundred_at_a_time(world: World) -> None:
    """So that a script stays short; sent again, it goes on."""
    ids = [str(number) for number in range(250)]
    world.seed(jobs={f"shop:{job_id}": {"a": "1"} for job_id in ids}, waiting={"old": ids}, **OWNED)
    assert [drain(world) for _ in range(4)] == [[100, 150], [100, 50], [50, 0], [0, 0]]
    assert world.snapshot()["waiting"] == {"pick": ids}


def test_a_moved_job_is_as_young_as_any_that_something_happened_to(world: World) -> None:
    """Its time to live starts anew."""
    world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"old": ["1"]}, **OWNED)
    world.redis.pexpire(world.key("jobs", "shop:1"), HOUR)
    drain(world)
    assert world.lives("jobs", "shop:1", TTL)


@pytest.mark.parametrize("meta", [{}, {"old": {"owner": "farm"}}])
def test_a_queue_that_is_not_the_flows_is_left_alone(world: World, meta: dict[str, dict[str, str]]) -> None:
    """Whatever stands there is another flow's."""
    world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"old": ["1"]}, meta=meta)
    before = world.snapshot()
    assert drain(world) == [0, 0]
    assert world.snapshot() == before


@pytest.mark.parametrize("kind", ["waiting", "delayed"])
@pytest.mark.parametrize("queue", ["pick", "old"])
def test_a_key_of_another_type_is_named(world: World, kind: str, queue: str) -> None:
    """Nothing is written."""
    world.seed(jobs={"shop:1": {"a": "1"}}, **OWNED)
    world.redis.set(world.key(kind, queue), "not ours")
    before = world.snapshot()
    with pytest.raises(ResponseError, match=f"FLOWSCONFLICT {world.key(kind, queue)} holds a string"):
        drain(world)
    assert world.snapshot() == before

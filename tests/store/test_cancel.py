"""cancel: a job is ended from outside, or asked to end while it runs."""

from __future__ import annotations

import pytest
from redis.exceptions import ResponseError

from tests.world import KEPT, NOW, World, cancel, processing

CANCELLED = {"_status": "cancelled", "_ended": str(NOW), "_reason": "why"}


def call(world: World, job_id: str = "1", **named: str) -> list[object]:
    """Call the script with a reason."""
    answer: list[object] = world.run("cancel", id=job_id, reason="why", **named)
    return answer


def test_takes_a_new_job_out_of_its_queue(world: World) -> None:
    """A job that no worker has had is cancelled at once."""
    world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"pick": ["0", "1", "2"]})
    assert call(world) == ["cancelled", []]
    assert world.snapshot() == {"jobs": {"shop:1": {"a": "1", **CANCELLED}}, "waiting": {"pick": ["0", "2"]}}
    assert world.lives("jobs", "shop:1", KEPT[2])


@pytest.mark.parametrize("state", ["waiting", "delayed"])
def test_takes_a_job_out_of_the_place_of_its_state(world: World, state: str) -> None:
    """It leaves the queue where it is, and only that structure."""
    job = {"_status": state, "_queue": "pack", "_fence": "1"}
    world.seed(jobs={"shop:1": job}, waiting={"pack": ["1", "2"]}, delayed={"pack": {"1": 5, "2": 6}})
    assert call(world) == ["cancelled", []]
    found = world.snapshot()
    assert found["jobs"] == {"shop:1": job | CANCELLED}
    waits, delayed = (["2"], {"1": 5, "2": 6}) if state == "waiting" else (["1", "2"], {"2": 6})
    assert (found["waiting"], found["delayed"]) == ({"pack": waits}, {"pack": delayed})


def test_asks_the_worker_of_a_job_that_runs(world: World) -> None:
    """The job keeps its worker, who sees the flag when it renews or ends."""
    world.seed(jobs={"shop:1": processing()}, processing={"pick": {"1": NOW + 9}})
    assert call(world) == ["requested", []]
    assert world.snapshot() == {
        "jobs": {"shop:1": processing(_cancel="why")},
        "processing": {"pick": {"1": NOW + 9}},
    }


def test_hands_over_the_children_that_have_not_settled(world: World) -> None:
    """A parent that waits is cancelled at once; the caller cancels its children, who find that it has ended."""
    of = f"{world.namespace}job:pack:box:"
    parent = {"_status": "children", "_queue": "pack", "children:pack:jobs": f'["{of}1","{of}2","{of}3"]'}
    world.seed(
        jobs={"shop:1": parent},
        children={"pack": {"1": NOW}},
        pending={"shop:1": {"1", "3"}},
        settled={"shop:1:children:pack": {"2": "{}"}},
    )
    assert call(world) == ["cancelled", [f"{of}1", f"{of}3"]]
    assert world.snapshot()["jobs"] == {"shop:1": parent | CANCELLED}
    assert "children" not in world.snapshot()
    assert world.lives("settled", "shop:1:children:pack", KEPT[2])


@pytest.mark.parametrize("state", ["done", "failed", "cancelled"])
def test_comes_too_late_for_what_has_ended(world: World, state: str) -> None:
    """An ending stands."""
    world.seed(jobs={"shop:1": {"_status": state, "_queue": "pick"}})
    before = world.snapshot()
    assert call(world) == ["too late", []]
    assert world.snapshot() == before


def test_of_a_missing_job_nothing_is_written(world: World) -> None:
    """No hash comes into being, and what is of another type is left alone."""
    assert call(world) == ["gone", []]
    world.redis.set(world.key("jobs", "shop:1"), "not ours")
    assert call(world) == ["malformed", []]
    assert world.snapshot() == {"jobs": {"shop:1": "not ours"}}


def test_sent_twice_changes_nothing_more(world: World) -> None:
    """The second call finds a job that has ended."""
    world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"pick": ["1"]})
    call(world)
    once = world.snapshot()
    world.now += 1
    assert call(world) == ["too late", []]
    assert world.snapshot() == once


def test_a_key_of_the_queue_of_another_type_is_named(world: World) -> None:
    """Nothing is written."""
    world.seed(jobs={"shop:1": {"a": "1"}})
    world.redis.set(world.key("waiting", "pick"), "not ours")
    before = world.snapshot()
    with pytest.raises(ResponseError, match=f"FLOWSCONFLICT {world.key('waiting', 'pick')} holds a string"):
        call(world)
    assert world.snapshot() == before


def test_an_id_in_a_very_long_list_stays_and_is_dropped_at_its_turn(world: World) -> None:
    """Searching a long list would hold up everybody: the id stays and the claim drops it."""
    world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"pick": ["1", *(str(n) for n in range(2, 10_002))]})
    assert call(world) == ["cancelled", []]
    assert world.redis.llen(world.key("waiting", "pick")) == 10_001
    assert world.claim() == []
    assert world.job("shop:1")["_status"] == "cancelled"


def test_an_attempt_may_end_as_cancelled(world: World) -> None:
    """What a function's own cancelling writes is the same."""
    world.seed(jobs={"shop:1": processing()}, processing={"pick": {"1": NOW + 9}})
    assert world.settle(cancel("1")) == ["cancelled"]
    assert world.snapshot() == {"jobs": {"shop:1": processing() | CANCELLED}}

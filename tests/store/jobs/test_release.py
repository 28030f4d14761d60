"""release: a worker stops and hands its job back."""

from __future__ import annotations

from tests.world import NOW, TTL, World, line, processing, release


def test_hands_the_job_back_to_the_head_of_its_queue(world: World) -> None:
    """It is the next to be claimed, the attempt does not count, and an idle worker is woken."""
    world.seed(
        jobs={"shop:1": processing(a="1", _fence="2", _attempts="2")},
        processing={"pick": {"1": NOW + 9}},
        waiting={"pick": ["7"]},
    )
    assert world.report(release("1", 2)) == ["ok"]
    assert world.snapshot(unseen=frozenset()) == {
        "jobs": {"shop:1": processing(a="1", _fence="2") | {"_status": "waiting", "_history": line("release", 2)}},
        "waiting": {"pick": ["1", "7"]},
        "wake": {"pick": {"w": 0}},
    }
    assert world.lives("jobs", "shop:1", TTL)


def test_the_next_claim_has_a_higher_fence(world: World) -> None:
    """The worker that handed the job back is a stranger to the next attempt, even if it is its own."""
    world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"pick": ["1"]})
    world.claim()
    world.report(release("1", 1))
    [again] = world.claim()
    assert (again.fence, again.attempt) == (2, 1)
    assert world.report(release("1", 1)) == ["stale"]


def test_no_attempt_can_be_given_back_twice(world: World) -> None:
    """The count was edited: it does not fall below none, and the job goes on."""
    world.seed_damaged(jobs={"shop:1": processing(_attempts="0")}, processing={"pick": {"1": NOW + 9}})
    assert world.report(release("1")) == ["ok"]
    assert world.job("shop:1")["_attempts"] == "0"
    assert [job.attempt for job in world.claim()] == [1]

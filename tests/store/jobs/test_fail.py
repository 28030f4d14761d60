"""fail: a job has failed for good."""

from __future__ import annotations

from tests.world import KEPT, NOW, World, fail, processing


def test_ends_the_job_with_its_error(world: World) -> None:
    """The error is kept as it came, and the job is nowhere but in its hash."""
    error = '{"type":"Boom","message":"a \\"quoted\\" text","traceback":""}'
    world.seed(jobs={"shop:1": processing(a="1")}, processing={"pick": {"1": NOW + 9}})
    assert world.report(fail("1", error=error)) == ["ok"]
    ended = {"_status": "failed", "_ended": str(NOW), "_error": error}
    assert world.snapshot() == {"jobs": {"shop:1": processing(a="1") | ended}}


def test_a_failed_job_stays_for_its_own_retention(world: World) -> None:
    """How long a job is kept depends on how it ended."""
    world.seed(jobs={"shop:1": processing()})
    world.report(fail("1"))
    assert world.lives("jobs", "shop:1", KEPT[1])

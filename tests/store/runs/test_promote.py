"""promote: runs that have begun go on before those that have not."""

from __future__ import annotations

from tests.store.runs.run_world import RunWorld, later, run
from tests.world import NOW


def test_what_has_begun_goes_to_the_head_in_the_order_of_its_times(runs: RunWorld) -> None:
    """And what has not begun to the end; an id whose hash is gone is dropped."""
    for run_id, due in (("1", 30), ("2", 20)):
        runs.begin(run_id)
        runs.suspend(run_id, due_ms=NOW + due)
    runs.start(run("3"), run("4", due=later(10)))
    runs.redis.zadd(runs.key("delayed", "order"), {"5": NOW})
    runs.now += 50
    assert [job.id for job in runs.claim(queue="order")] == ["2"]
    assert runs.place()["waiting"] == ["1", "3", "4"]
    assert "delayed" not in runs.place()

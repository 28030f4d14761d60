"""fail: a job has failed for good."""

from __future__ import annotations

import pytest

from flows.store.client.scripts import Argument
from tests.world import KEPT, NOW, World, advance, attempt, fail, finish, packed, processing


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


@pytest.mark.parametrize(
    ("end", "life"),
    [(fail("9", 9), KEPT[1]), (finish("9", 9), KEPT[0]), (advance("9", 9, "ship"), KEPT[0]), (None, KEPT[1])],
    ids=["fails", "is done", "goes on", "is poison"],
)
def test_children_that_it_was_building_are_forgotten(world: World, end: list[Argument] | None, life: int) -> None:
    """What it had written of them, and for which it never waited, stays no longer than the job itself."""
    world.seed(
        jobs={"shop:9": processing("pack", _fence="9", _attempts="9", _rescues="9")}, processing={"pack": {"9": NOW}}
    )
    world.run("build", *packed((("box", "1"), ("box", "2"))), queue="pack", id="9", fence=9, offset=0)
    world.seed(settled={"shop:9:children:pack": {"1": "{}"}})
    if end is None:
        assert world.run("rescue", queue="pack") == [["9", "poison"]]
    else:
        assert world.report(end, queue="pack") == ["ok"]
    beside = (("building", "shop:9"), ("pending", "shop:9"), ("settled", "shop:9:children:pack"))
    assert all(world.lives(kind, name, life) for kind, name in beside)


def test_a_job_gets_lookups_with_its_failure(world: World) -> None:
    """It is found by what its function has linked it to before it failed."""
    world.seed(jobs={"shop:1": processing()}, processing={"pick": {"1": NOW + 9}})
    assert world.report(attempt("fail", "1", 1, '{"type":"E"}', "+lookups", "links:a\nlinks:b")) == ["ok"]
    assert world.snapshot()["lookups"] == {"shop:links:a": ["1"], "shop:links:b": ["1"]}
    assert (world.job("shop:1")["_lookups"], world.job("shop:1")["_error"]) == ("links:a\nlinks:b", '{"type":"E"}')

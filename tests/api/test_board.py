"""What a board shows of a flow besides its queues: the heads of queues, its history, what is wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from flows.api import Admin, flows, queues, server, stats
from flows.api.reading.flow_history import releases, steps_of
from flows.errors import ValidationError
from flows.model.fleet.histogram import Histogram
from flows.model.fleet.statistics import QueueSample
from tests.api.conftest import Left
from tests.api.shop import CANARY

_MINUTE = timedelta(minutes=1)
_START = datetime(2026, 1, 1, 12, tzinfo=UTC)


async def test_heads_of_queues_are_those_that_stand_there(admin: Admin, left: Left) -> None:
    """Who is next in a queue, also in one of children, and who ended last, the newest first."""
    found = {one.name: one for one in (await queues.lanes(admin, "shop")).queues}
    assert [row.id for row in found["shop-price"].next] == [left.ids["waiting"]]
    ended = found["shop-price"].ended
    assert {left.ids["failed"], left.ids["failed2"]} <= {row.id for row in ended}
    assert [row.since for row in ended] == sorted((row.since for row in ended), reverse=True)
    assert len(found["shop-pack:part"].next) == 2
    assert not found["shop-price"].running


async def test_heads_of_queues_hide_what_is_hidden(left: Left) -> None:
    """From who may not see a field."""
    async with left.admin("viewer", hide={"email"}) as admin:
        assert CANARY not in (await queues.lanes(admin, "shop")).model_dump_json()


async def test_the_overview_counts_what_all_flows_hold(admin: Admin, left: Left) -> None:
    """Of those that the caller sees."""
    found = {one.name: one for one in (await flows.overview(admin)).flows}
    assert (found["shop"].failed, found["shop"].workers, found["shop"].own) == (2, 0, False)
    assert "shop-price" in found["shop"].unserved
    async with left.admin("viewer", flows={"other"}) as other:
        seen = await flows.overview(other)
        assert [one.name for one in seen.flows] == ["other"]
        assert seen.runs == 0


async def test_what_is_wrong_with_a_queue_is_told_with_its_facts(admin: Admin) -> None:
    """A page can say it in its own words."""
    found = await server.check(admin, flow="shop", queue="shop-price")
    [unserved] = [one for one in found.findings if one.what == "unserved"]
    assert unserved.queue == "shop-price"
    assert unserved.facts["waiting"] == 1


async def test_a_held_queue_is_found(left_to_act: Left) -> None:
    """Until when."""
    async with left_to_act.admin() as admin:
        await queues.hold(admin, "shop-ship", timedelta(minutes=1))
        found = await server.check(admin, flow="shop", queue="shop-ship")
        [held] = [one for one in found.findings if one.what == "held"]
        assert held.facts["until"] is not None


async def test_the_history_has_a_value_for_each_step(admin: Admin) -> None:
    """For each window."""
    for since, steps in (("15m", 15), ("6h", 36), ("7d", 168)):
        found = await stats.of_flow(admin, "shop", since)
        assert [len(found.done), len(found.start_p95), len(found.queues[0].waiting)] == [steps, steps, steps]
    with pytest.raises(ValidationError, match="since"):
        await stats.of_flow(admin, "shop", "2h")  # type: ignore[arg-type]


def _sample(at: datetime, done: int, waiting: int = 0, ran: int = 0) -> QueueSample:
    times = Histogram((ran, *[0] * 33))
    return QueueSample(at, _MINUTE, {"done": done}, waiting, 0, 0, 0, times, times)


def test_steps_tell_what_has_changed_since_the_step_before() -> None:
    """A step of which nothing was written has nothing; what stands before the first one is told by its times."""
    begins = [_START + at * _MINUTE for at in range(4)]
    found = steps_of(
        [_sample(begins[0], 1000, 5, ran=4), _sample(begins[1], 1010, 8), _sample(begins[3], 1018)], begins
    )
    assert found.sums("done") == [4, 10, 0, 8]
    assert found.came == [4, 13, 0, 0]
    assert found.waiting == [5, 8, 0, 0]
    before = _sample(_START - _MINUTE, 990)
    assert steps_of([before, _sample(begins[0], 1000)], begins).sums("done") == [10, 0, 0, 0]


def test_processes_of_a_release_that_came_together_are_one_mark() -> None:
    """Those that came later are another one."""
    times = [_START, _START + _MINUTE, _START + 40 * _MINUTE]
    assert releases({"a1": times, "b2": [_START]}) == [
        (_START, "a1", 2),
        (_START, "b2", 1),
        (_START + 40 * _MINUTE, "a1", 1),
    ]

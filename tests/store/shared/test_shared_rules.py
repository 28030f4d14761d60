"""A shared queue with rules: jobs of all flows stand in its lists by their members, each as its own hash says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flows.model.limits.rules import Rules
from tests.world import World, processing


@pytest.fixture
def ruled(shared: World) -> World:
    """Let the queue `pick` have three priorities, and groups by `user`."""
    shared.settings = replace(shared.settings, rules={"pick": Rules(priorities=3, group="user")})
    return shared


def test_members_are_placed_by_their_own_hashes(ruled: World) -> None:
    """By priority and group of each, whatever its flow; those that no group has stand in their priority's list."""
    ruled.seed(
        jobs={
            "shop:1": {"user": "7", "_priority": "2", "_status": "failed", "_queue": "pick"},
            "shop:3": {"_priority": "3", "_status": "failed", "_queue": "pick"},
        }
    )
    for job_id in ("1", "3"):
        assert ruled.run("retry_job", id=job_id) == "retried"
    ruled.seed(
        jobs={"farm:2": processing(user="7", _priority="2")},
        processing={"pick": {"farm:2": 1}},
    )
    assert ruled.run("rescue") == [["farm:2", "rescued"]]
    assert ruled.redis.lrange(f"{ruled.namespace}flows:group:pick/2/7", 0, -1) == ["farm:2", "shop:1"]
    assert ruled.redis.lrange(ruled.keys.waiting("pick", 3), 0, -1) == ["shop:3"]
    assert ruled.run("cancel", id="1", reason="why") == ["cancelled", 0]
    assert ruled.redis.lrange(f"{ruled.namespace}flows:group:pick/2/7", 0, -1) == ["farm:2"]

"""Every queue's counters are what has happened: random calls and losses, with all hashes counted after each script.

FLOWS_TEST_EXAMPLES sets how many runs are made, 25 by default.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test
from redis import Redis

from tests.balanced import BalancedWorld, search_short_lists_only
from tests.store.jobs.test_state_machine import Jobs
from tests.world import HOUR


class CountedJobs(Jobs):
    """The same rules, on a world that counts along."""

    world: BalancedWorld

    def __init__(self) -> None:
        """Begin with nothing."""
        super().__init__()
        self.world.reset()

    #: Ids that stand twice by accident are no stale ones: they would be taken for those that a claim drops.
    push_an_id_again: Any = None

    @precondition(lambda self: any(a.queue == "pack" for a in self._current()))
    @rule(data=st.data(), count=st.integers(1, 3), policy=st.sampled_from(["continue", "fail"]))
    def await_children(self, data: st.DataObject, count: int, policy: str) -> None:
        """Let a job of the parent queue wait for children; without any it would move twice in one call."""
        attempt = data.draw(st.sampled_from([a for a in self._current() if a.queue == "pack"]))
        self._await(attempt, count, policy)

    @precondition(lambda self: any(job["state"] == "waiting" for job in self.jobs.values()))
    @rule(data=st.data(), then=st.sampled_from(["wait", "claim", "cancel", "delete"]))
    def leave_and_come_back(self, data: st.DataObject, then: str) -> None:
        """Let a job wait again where its old id may still stand; others may be claimed, and it may leave once more."""
        waiting = [name for name, job in self.jobs.items() if job["state"] == "waiting"]
        name = data.draw(st.sampled_from(sorted(waiting)))
        self._cancel(name)
        self.every_job_ends_once_in_a_life()
        self._retry(name)
        if then != "wait":
            self._claim(self.jobs[name]["queue"], "w1", data.draw(st.integers(1, 4)))
        if then == "cancel":
            self._cancel(name)
        elif then == "delete":
            self._delete(name)

    @rule(delay_ms=st.integers(0, 8000))
    def create_later(self, delay_ms: int) -> None:
        """Create a job that starts later, or at once."""
        job_id = self._new_id()
        named = {"delay_ms": delay_ms, "until_ms": -1, "lookup_ttl": HOUR}
        assert self.world.run("create", job_id, "", 2, "a", "1", **named) == [["created"]]
        state = "delayed" if delay_ms else "waiting"
        self.jobs[f"shop:{job_id}"] = {"state": state, "queue": "pick", "fence": 0, "life": 0}

    @rule(count=st.integers(3, 5))
    def create_many(self, count: int) -> None:
        """Let the first list be too long to be searched."""
        for _ in range(count):
            self.create()


@pytest.mark.timeout(600)
def test_what_is_counted_has_happened(redis: Redis, namespace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No order of calls and losses makes a counter, a depth or a list of ended jobs wrong."""
    search_short_lists_only(monkeypatch, 2)
    CountedJobs.world = BalancedWorld(redis, namespace)
    run_state_machine_as_test(
        CountedJobs,
        settings=settings(
            max_examples=int(os.environ.get("FLOWS_TEST_EXAMPLES", "25")),
            stateful_step_count=40,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
        ),
    )

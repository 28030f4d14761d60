"""Every queue's counters are what has happened: random calls and losses, with all hashes counted after each script.

FLOWS_TEST_EXAMPLES sets how many runs are made, 12 by default.
"""

from __future__ import annotations

import os
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test
from redis import Redis

from tests.balanced import BalancedWorld, search_short_lists_only
from tests.outcomes import ended
from tests.scale import PATIENCE, scaled
from tests.store.jobs.test_state_machine import QUEUES, Jobs
from tests.world import HOUR, KEPT, NOW, World, await_children, finish, processing


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

    @precondition(lambda self: any(name.startswith("shop:") for name in self.jobs))
    @rule(data=st.data(), to=st.sampled_from(QUEUES))
    def move(self, data: st.DataObject, to: str) -> None:
        """Move a job to another queue, if no worker has it and it is not done."""
        name = data.draw(st.sampled_from(sorted(name for name in self.jobs if name.startswith("shop:"))))
        job, word = self.jobs[name], self._call("move", name, target=to)
        if job["state"] in {"processing", "children", "done"}:
            assert word == job["state"]
        elif job["queue"] == to:
            assert word == "there"
        elif name in self.cancelling:
            assert word == "cancelling"
        else:
            assert word == "moved"
            job.update(state="waiting", queue=to, life=job["life"] + 1, cancelling=False)
            self.pending.pop(name, None)

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


#: These take a job out of the queue, so that the same turn claims it no more.
LEAVING = ("finish", "fail", "cancel", "advance", "retry", "snooze")


def test_turns_that_end_many_jobs_and_claim_more(redis: Redis, namespace: str) -> None:
    """Whatever their ends are, and however many of each: one turn counts all of them."""
    world, choose = BalancedWorld(redis, namespace), random.Random(1)  # noqa: S311 - chance, not secrets
    ids = [str(number) for number in range(120)]
    world.seed(jobs={f"shop:{job_id}": {"a": "1"} for job_id in ids}, waiting={"pick": ids})
    running = world.claim(9)
    while running:
        ends = [ended(choose.choice(LEAVING), job.id, job.fence) for job in running]
        running = world.turn(*ends, want=choose.randint(5, 15)).claimed


def test_children_that_end_in_one_turn(redis: Redis, namespace: str) -> None:
    """Each counts in its own queue, and their parents go on in theirs: to the next queue, or as failed."""
    world = BalancedWorld(redis, namespace)
    fields = {"_status": "waiting", "_queue": "pack", "_fence": "1", "_worker": "w1"}
    world.seed(jobs={f"shop:{number}": fields for number in range(6)}, waiting={"pack": [*"012345"]})
    for parent in world.claim(6, queue="pack"):
        children = tuple(("box", f"{parent.id}{number}") for number in range(3))
        policy = "fail" if parent.id in "12" else "continue"
        world.report(await_children(parent.id, parent.fence, children, "ship", policy), queue="pack")
    boxes = world.claim(18, queue="pack:box")
    ends = [ended("fail" if job.id.endswith("2") else "finish", job.id, job.fence) for job in boxes]
    world.turn(*ends, queue="pack:box")
    assert redis.llen(world.keys.waiting("ship")) == 4


def test_the_sample_of_done_jobs_is_trimmed_only_where_it_is_long(world: World) -> None:
    """Most ends add to it, and no more."""
    key = world.keys.ended_jobs("pick", "done")
    world.redis.lpush(key, *["old"] * 1_200)
    world.seed(jobs={"shop:1": processing()})
    world.report(finish("1"))
    assert world.redis.llen(key) == 1_201


def test_each_list_of_ended_jobs_lives_as_long_as_its_jobs(world: World) -> None:
    """Failed ones stay for their retention, cancelled ones for theirs."""
    for word, kept in (("failed", KEPT[1]), ("cancelled", KEPT[2])):
        key = world.keys.ended_jobs("pick", word)
        world.redis.zadd(key, {"old": NOW - kept - 1, "kept": NOW - kept + 1})
        world.seed(jobs={f"shop:{word}": processing()})
        world.report(ended("fail" if word == "failed" else "cancel", word))
        assert set(world.redis.zrange(key, 0, -1)) == {"kept", word}  # type: ignore[arg-type]
        assert kept - 30_000 < world.redis.pttl(key) <= kept  # type: ignore[operator]


@pytest.mark.parametrize("fields", [None, {"done": "nonsense"}], ids=["no hash", "nonsense"])
def test_counters_that_were_edited_hinder_no_end(world: World, fields: dict[str, str] | None) -> None:
    """They take nothing then; what matters is written before."""
    meta = world.keys.meta("pick")
    if fields:
        world.redis.hset(meta, mapping=fields)
    else:
        world.redis.set(meta, "not ours")
    world.seed(jobs={"shop:1": processing()})
    assert world.report(finish("1")) == ["ok"]
    assert world.job("shop:1")["_status"] == "done"


@pytest.mark.parametrize("script", ["retry_job", "delete"])
def test_a_list_of_another_type_hinders_nobody_who_takes_a_job_out(world: World, script: str) -> None:
    """It does not hold the job."""
    world.redis.set(world.keys.ended_jobs("pick", "failed"), "not ours")
    world.seed(jobs={"shop:1": processing(_status="failed", _ended="5")})
    world.run(script, id="1")
    assert world.job("shop:1").get("_status", "gone") != "failed"


@pytest.mark.scale
@pytest.mark.timeout(PATIENCE)
def test_what_is_counted_has_happened(redis: Redis, namespace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No order of calls and losses makes a counter, a depth or a list of ended jobs wrong."""
    search_short_lists_only(monkeypatch, 2)
    CountedJobs.world = BalancedWorld(redis, namespace, max_crashes=1)
    run_state_machine_as_test(
        CountedJobs,
        settings=settings(
            max_examples=int(os.environ.get("FLOWS_TEST_EXAMPLES", scaled(12, full=240))),
            stateful_step_count=40,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
        ),
    )

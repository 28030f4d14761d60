"""The rules of a workflow hold for the queues of its overrides and versions too; slots are those of all together."""

from __future__ import annotations

import pytest
from redis import Redis

from flows.model.limits.rules import Rules
from flows.model.runs.run_rules import RunRules
from tests.store.runs.run_world import RunWorld, run
from tests.world import NOW, attempt

QUEUES = ("order", "order@fast", "order@=2")


@pytest.fixture
def slotted(redis: Redis, namespace: str) -> RunWorld:
    """Runs of `order` have three slots and two priorities."""
    rules = Rules(slots=3, shared_slots="@order", priorities=2)
    return RunWorld(redis, namespace, rules=RunRules({"order": rules}))


def test_slots_are_exact_over_all_queues_of_a_workflow(slotted: RunWorld) -> None:
    """Whatever is asked for where: three at once at most, and a slot that is freed goes to who waits longest."""
    slotted.start(*[run(f"{queue}{n}", "order", queue=queue) for queue in QUEUES for n in range(4)])
    claimed: list[str] = []
    for queue in QUEUES:
        claimed += [job.id for job in slotted.claim(2, queue=queue)]
        slotted.now += 1
    assert claimed == ["order0", "order1", "order@fast0"]
    for queue in QUEUES:
        slotted.redis.delete(slotted.key("wake", queue))
    slotted.report(attempt("finish", "order0", 1, "", "output", "1"), queue="order")
    assert [queue for queue in QUEUES if slotted.redis.exists(slotted.key("wake", queue))] == ["order", "order@fast"]
    assert slotted.suspend("order1", due_ms=NOW + 99) == ["ok"]
    assert len(slotted.claim(9, queue="order@fast")) + len(slotted.claim(9, queue="order@=2")) == 2


def test_a_run_that_waits_may_keep_its_slot(slotted: RunWorld) -> None:
    """Nothing new begins meanwhile; when it goes on, it does so before what has not begun; its end frees the slot."""
    slotted.start(*[run(f"{n}", "order") for n in range(5)])
    assert [job.id for job in slotted.claim(3, queue="order")] == ["0", "1", "2"]
    for run_id, due in (("0", NOW + 10), ("1", NOW + 99), ("2", NOW + 99)):
        slotted.suspend(run_id, due_ms=due, keeps_slot=True)
    assert slotted.claim(3, queue="order") == []
    slotted.now += 10
    assert [job.id for job in slotted.claim(3, queue="order")] == ["0"]
    slotted.run("cancel", id="1", first="order", reason="")
    assert [job.id for job in slotted.claim(3, queue="order")] == ["3"]
    slotted.run("delete", id="2", first="order")
    assert [job.id for job in slotted.claim(3, queue="order")] == ["4"]
    assert "kept" not in slotted.snapshot()


def test_an_override_has_the_priorities_of_its_workflow(slotted: RunWorld) -> None:
    """In the lists, and in what is known of them here."""
    slotted.start(run("1", "order", queue="order@fast", priority=2), run("2", "order", queue="order@fast"))
    assert slotted.snapshot()["waiting"] == {"order@fast": ["2"], "order@fast/2": ["1"]}
    rules = slotted.settings.rules
    assert "order@fast" in rules
    assert rules["order@=2"] is rules["order"] is rules.get("order@fast")
    assert rules.get("ship", None) is None
    assert "ship@fast" not in rules
    with pytest.raises(KeyError, match="ship"):
        rules["ship"]

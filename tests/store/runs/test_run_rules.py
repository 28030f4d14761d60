"""The rules of a workflow hold for the queues of its overrides and versions too; slots are those of all together."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from redis import Redis

from flows.model.limits.limiter import Limiter
from flows.model.limits.rules import Rules
from flows.model.outcome import EventWait
from flows.model.runs.run_rules import RunRules
from tests.store.runs.run_world import RunWorld, run, waiting
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


def test_nobody_gets_the_slot_that_a_run_has_kept(redis: Redis, namespace: str) -> None:
    """By no priority, no override, and no group whose turn it is: when the run goes on, it has its own at once."""
    rules = Rules(slots=2, shared_slots="@order", priorities=2, group="tenant", slots_per_group=1)
    runs = RunWorld(redis, namespace, rules=RunRules({"order": rules}))

    def tenant(name: str) -> tuple[tuple[str, bytes], ...]:
        return (("tenant", json.dumps(name).encode()),)

    runs.start(run("1", priority=2, fields=tenant("x")), run("2", priority=2, fields=tenant("y")))
    assert [job.id for job in runs.claim(2, queue="order")] == ["1", "2"]
    runs.suspend("1", due_ms=NOW + 10, keeps_slot=True)
    runs.send("paid", "7", 1)
    runs.start(run("3", fields=tenant("z")), run("4", queue="order@fast"), run("5", fields=tenant("x")))
    there: dict[str, Any] = {"records": {"e": waiting("event")}, "waits": [EventWait("e", "paid", "7")]}
    runs.suspend("2", keeps_slot=True, **there)  # what it waits for has come: it goes on at once
    assert runs.place() == {"delayed": ["1"]}
    assert runs.claim(2, queue="order@fast") == []
    assert [job.id for job in runs.claim(2, queue="order")] == ["2"]
    runs.now += 10
    assert [job.id for job in runs.claim(2, queue="order")] == ["1"]
    assert runs.claim(2, queue="order@fast") == []
    assert "kept" not in runs.snapshot()
    for run_id in "12":
        runs.report(attempt("finish", run_id, 2, "", "output", "1"), queue="order")
    assert [job.id for job in runs.claim(2, queue="order")] == ["5"]  # the other is the override's


def test_a_run_that_has_kept_its_slot_waits_for_its_group(redis: Redis, namespace: str) -> None:
    """The limits of its group hold for it too."""
    rules = Rules(slots=2, shared_slots="@order", group="tenant", limiters=(Limiter(1, 1.0, group_key="tenant"),))
    runs = RunWorld(redis, namespace, rules=RunRules({"order": rules}))
    runs.start(run("1", fields=(("tenant", b'"x"'),)))
    assert [job.id for job in runs.claim(2, queue="order")] == ["1"]
    runs.suspend("1", due_ms=NOW + 10, keeps_slot=True)
    runs.now += 950
    assert runs.claim(2, queue="order") == []
    runs.now += 1
    assert [(job.id, job.values[0]) for job in runs.claim(2, queue="order")] == [("1", 50)]


def test_a_run_that_is_handed_out_alone_keeps_its_slot_until_then(slotted: RunWorld) -> None:
    """It was rescued twice: a worker that is busy leaves it where it is."""
    slotted.start(run("1"), run("2"))
    slotted.claim(queue="order")
    slotted.suspend("1", due_ms=NOW + 10, keeps_slot=True)
    slotted.edit("run:1", _rescues="2")
    slotted.now += 10
    assert slotted.claim(2, queue="order", busy=1) == []
    assert slotted.snapshot()["waiting"] == {"order": ["1", "2"]}
    assert [job.id for job in slotted.claim(2, queue="order")] == ["1"]


def test_what_a_run_with_a_slot_of_its_own_leaves_goes_to_others(slotted: RunWorld) -> None:
    """It takes the slot that it has kept, and no second one."""
    slotted.start(run("1"), run("2"), run("3"), run("4", queue="order@fast"))
    slotted.claim(3, queue="order")
    slotted.suspend("1", due_ms=NOW + 10, keeps_slot=True)
    assert slotted.claim(queue="order@fast") == []
    slotted.report(attempt("finish", "2", 1, "", "output", "1"), queue="order")
    slotted.redis.delete(slotted.key("wake", "order@fast"))
    slotted.now += 10
    assert [job.id for job in slotted.claim(queue="order")] == ["1"]
    assert slotted.redis.exists(slotted.key("wake", "order@fast"))


def test_a_group_holds_back_a_run_that_has_kept_its_slot(redis: Redis, namespace: str) -> None:
    """Where the group has no slot of its own left, or no token; the runs behind it go on."""
    limiter = Limiter(reservoir=1, interval=timedelta(seconds=1), group_key="tenant")
    rules = Rules(slots=3, shared_slots="@order", group="tenant", slots_per_group=1, limiters=(limiter,))
    runs = RunWorld(redis, namespace, rules=RunRules({"order": rules}))
    runs.start(*[run(run_id, fields=(("tenant", b'"%b"' % of),)) for run_id, of in (("1", b"x"), ("2", b"y"))])
    assert sorted(job.id for job in runs.claim(2, queue="order")) == ["1", "2"]
    for run_id in "12":
        runs.suspend(run_id, due_ms=NOW + 1_100, keeps_slot=True)
    runs.now = NOW + 1_001
    runs.start(run("3", fields=(("tenant", b'"x"'),)))
    assert [job.id for job in runs.claim(queue="order")] == ["3"]
    runs.now = NOW + 1_101
    assert [job.id for job in runs.claim(3, queue="order")] == ["2"]  # of x another one runs, and its token is taken
    runs.report(attempt("finish", "3", 1, "", "output", "1"), queue="order")
    assert runs.claim(3, queue="order") == []
    runs.now = NOW + 1_952  # the next token of x is 50 ms away
    assert [job.id for job in runs.claim(3, queue="order")] == ["1"]


def test_a_run_that_takes_its_own_slot_stands_in_no_list_any_more(redis: Redis, namespace: str) -> None:
    """Nor in its group's, which has no slot for it while another run of it is worked on; nor is it counted there."""
    rules = Rules(slots=3, shared_slots="@order", priorities=2, group="tenant", slots_per_group=1)
    runs = RunWorld(redis, namespace, rules=RunRules({"order": rules, "ship": replace(rules, group=None)}))
    for queue, fields in (("order", (("tenant", b'"x"'),)), ("ship", ())):
        runs.start(run("1", queue, priority=2, fields=fields))
        runs.claim(queue=queue)
        runs.suspend("1", due_ms=runs.now + 10, keeps_slot=True, queue=queue)
        runs.start(run("2", queue, fields=fields))
        assert [job.id for job in runs.claim(queue=queue)] == ["2"]
        runs.now += 10
        held_back = [job.id for job in runs.claim(queue=queue)]
        runs.start(run("3", queue))
        runs.report(attempt("finish", "2", 1, "", "output", "1"), queue=queue)
        assert [*held_back, *(job.id for job in runs.claim(2, queue=queue))] == ["1", "3"]
        assert held_back == ([] if fields else ["1"])
        left = runs.snapshot()
        assert left.keys().isdisjoint({"waiting", "kept"})
        assert {int(n) for name, n in left.get("fair", {}).get(queue, {}).items() if name[0] == "n"} <= {0}
        assert ("fair" in left) == bool(fields)
        runs.redis.delete(*runs.redis.keys(f"{namespace}*"))


def test_a_run_that_is_to_be_undone_keeps_its_slot(slotted: RunWorld) -> None:
    """It has not ended: others begin when it has."""
    slotted.start(*[run(str(n), undo=True) for n in range(4)])
    slotted.claim(3, queue="order")
    slotted.suspend("1", due_ms=NOW + 99, keeps_slot=True)
    slotted.run("cancel", id="1", first="order", reason="")
    slotted.start(run("5"))
    assert [job.id for job in slotted.claim(3, queue="order")] == ["1"]


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

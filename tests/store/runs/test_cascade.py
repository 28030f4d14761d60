"""cascade of runs: those that a cancelled run waits for are cancelled too, a hundred a call, by whomever."""

from __future__ import annotations

from typing import Any

import pytest
from redis.exceptions import ResponseError

from flows.model.runs.step_children import StepChildren
from tests.store.runs.run_world import RunWorld, done, run, waiting
from tests.world import attempt


def cascade(runs: RunWorld, parent: str = "") -> list[Any]:
    """Call it once."""
    answer: list[Any] = runs.run("cascade", parent=parent)
    return answer


def mark(runs: RunWorld, *parents: str) -> None:
    """Write that these were cancelled, and nothing of their children is done."""
    runs.redis.hset(runs.keys.cancelling("run"), mapping=dict.fromkeys(parents, 1))


def test_children_of_all_open_steps_are_cancelled(runs: RunWorld) -> None:
    """In parts; one that runs is asked to stop, what was emitted goes on, and those for which one waits are next."""
    runs.begin("1")
    many = StepChildren("m", [run(f"c{n}", "ship") for n in range(120)])
    runs.put("1", {"m": waiting("map", 120)}, [many])
    runs.put("1", {"w": waiting("workflow", 1)}, [StepChildren("w", [run("d", "pack")])])
    runs.put("1", {"e": done("x")}, [StepChildren("e", [run("x", "pack")], waited=False)])
    [one] = runs.claim(queue="pack")
    runs.put(one.id, {"w": waiting("workflow", 1)}, [StepChildren("w", [run("d2", "pack")])])
    runs.suspend(one.id, queue="pack")
    [running] = runs.claim(queue="ship")
    runs.suspend("1")
    assert runs.run("cancel", id="1", first="order", reason="stop") == ["cancelled", 1]
    first = runs.run("cascade", parent="")
    assert first == ["run:1", 1, 100, []]
    assert runs.run("cascade", parent="run:1") == ["run:1", 0, 21, ["run:d"]]
    assert runs.run("cascade", parent="run:d") == ["run:d", 0, 1, []]
    assert runs.run("cascade", parent="") == ["", 0, 0, []]
    statuses = {name: runs.field(name, "_status") for name in ("c1", "c119", "d", "d2", "x", running.id)}
    assert {statuses.pop("x"), statuses.pop(running.id)} == {None, "processing"}
    assert set(statuses.values()) == {"cancelled"}
    assert runs.field(running.id, "_cancel") == "stop"
    assert runs.field("c1", "_reason") == "stop"


@pytest.mark.parametrize("working", [0, 1])
def test_a_call_goes_on_in_the_step_in_which_the_last_one_stopped(runs: RunWorld, working: int) -> None:
    """A step whose children have all settled meanwhile is not open any more, and no other is passed over for it."""
    runs.begin("1")
    for step in "mn":
        children = StepChildren(step, [run(f"{step}{n}", "ship") for n in range(120)])
        runs.put("1", {step: waiting("map", 120)}, [children])
    runs.claim(working, queue="ship")
    runs.suspend("1")
    runs.run("cancel", id="1", first="order", reason="stop")
    assert [cascade(runs, "run:1")[1:3] for _ in range(4)] == [[1, 100], [1, 100], [0, 40], [0, 0]]
    runs.begin("2")
    runs.put("2", {"m": waiting("map", 9)}, [StepChildren("m", [run(f"o{n}", "pack") for n in range(9)])])
    runs.redis.hset(runs.keys.cancelling("run"), "run:2", "5 has settled")
    assert cascade(runs, "run:2") == ["run:2", 0, 9, []]


def test_only_those_count_that_had_not_ended(runs: RunWorld) -> None:
    """One has ended and nobody knows it, one was not written yet, and of one that waits the hash is gone."""
    runs.begin("1")
    runs.put("1", {"m": waiting("map", 4)}, [StepChildren("m", [run(f"c{n}", "ship") for n in range(4)])])
    runs.redis.hdel(runs.key("settled", "run:1:children:m"), "3")
    runs.redis.hdel(runs.key("jobs", "run:c0"), "_parents")
    runs.claim(queue="ship")
    runs.report(attempt("finish", "c0", 1, "", "output", "1"), queue="ship")
    runs.redis.delete(runs.key("jobs", "run:c1"))
    mark(runs, "run:1")
    assert cascade(runs) == ["run:1", 0, 1, []]
    assert runs.field("c2", "_reason") == "the run that waits for it is cancelled"


def test_one_call_looks_at_some_thousands_of_children(runs: RunWorld) -> None:
    """Most of which have settled; the next call goes on behind them."""
    runs.begin("1")
    runs.put("1", {"m": waiting("map", 1)}, [StepChildren("m", [run("c", "ship")])])
    settled: dict[Any, Any] = {str(n): '{"id":"x"}' for n in range(2_400)}
    runs.redis.hset(runs.key("settled", "run:1:children:m"), mapping={"total": 2_401, "2400": "c", **settled})
    mark(runs, "run:1")
    assert [cascade(runs)[1:3] for _ in range(2)] == [[1, 0], [0, 1]]


def test_those_that_a_limit_kept_back_go_a_hundred_a_call(runs: RunWorld) -> None:
    """Their step waits no more; a list that is none stops nobody."""
    runs.begin("1")
    runs.put("1", {"m": waiting("map", 151)}, [StepChildren("m", [run(f"c{n}", "ship") for n in range(151)], limit=1)])
    runs.put("1", {"m": done(1)})
    assert [cascade(runs)[1:3] for _ in range(3)] == [[1, 100], [0, 50], [0, 0]]
    assert runs.field("c150", "_reason") == "nobody waits for it any more"
    mark(runs, "next y")
    assert cascade(runs)[:3] == ["next y", 0, 0]
    mark(runs, "next x")
    runs.redis.set(runs.key("next", "x"), "not ours")
    assert cascade(runs)[1:3] == [0, 0]
    assert not runs.redis.exists(runs.keys.cancelling("run"))


@pytest.mark.parametrize("edited", ["gone", "string", "side"])
def test_what_is_not_ours_stops_nobody(runs: RunWorld, edited: str) -> None:
    """The run's hash is gone, or its key holds something else, or that of its children does."""
    runs.begin("1")
    runs.put("1", {"m": waiting("map", 1)}, [StepChildren("m", [run("c", "ship")])])
    key = runs.key("settled", "run:1:children:m") if edited == "side" else runs.key("jobs", "run:1")
    runs.redis.delete(key)
    if edited != "gone":
        runs.redis.set(key, "not ours")
    mark(runs, "run:1")
    assert cascade(runs) == ["run:1", 0, 0, []]
    assert not runs.redis.exists(runs.keys.cancelling("run"))


def test_who_names_a_run_gets_that_one(runs: RunWorld) -> None:
    """Of many; one that is not there is no other one."""
    mark(runs, *[f"run:{n}" for n in range(20)])
    assert [cascade(runs, f"run:{n}")[0] for n in range(10)] == [f"run:{n}" for n in range(10)]
    assert cascade(runs, "run:x") == ["", 0, 0, []]
    runs.redis.delete(runs.keys.cancelling("run"))
    runs.redis.set(runs.keys.cancelling("run"), "not ours")
    with pytest.raises(ResponseError, match="FLOWSCONFLICT"):
        cascade(runs)


def untold(runs: RunWorld, count: int, record: bytes | None) -> None:
    """Write an event that so many still wait for; the steps of these have a record, or none."""
    runs.redis.xadd(runs.key("event", "paid:7"), {"data": "1"}, id="5-0")
    waiters: dict[Any, Any] = {f"{n} e": "0" for n in range(count)}
    runs.redis.hset(runs.key("waiters", "paid:7"), mapping=waiters)
    if record is not None:
        with runs.redis.pipeline() as pipeline:
            for n in range(count):
                pipeline.hset(runs.key("jobs", f"run:{n}"), "step:e", record)
            pipeline.execute()
    runs.redis.hset(runs.key("sending", "run"), "paid:7", 1)


def test_where_nothing_is_to_be_cancelled_events_go_on(runs: RunWorld) -> None:
    """Some pages a call, until all have been told; not where a run was named."""
    untold(runs, 1_500, None)
    cascade(runs, "run:x")
    waiters, sending = runs.key("waiters", "paid:7"), runs.key("sending", "run")
    assert runs.redis.hlen(waiters) == 1_500
    cascade(runs)
    assert 0 < runs.redis.hlen(waiters) <= 700
    assert runs.redis.exists(sending)
    cascade(runs)
    assert (runs.redis.exists(waiters), runs.redis.exists(sending)) == (0, 0)
    assert cascade(runs) == ["", 0, 0, []]
    runs.redis.set(sending, "not ours")
    assert cascade(runs) == ["", 0, 0, []]


def test_a_call_lets_one_page_of_runs_go_on(runs: RunWorld) -> None:
    """However many wait."""
    untold(runs, 900, waiting("event"))
    cascade(runs)
    assert 500 < runs.redis.hlen(runs.key("waiters", "paid:7")) < 900

"""suspend: a run that waits holds no worker, and what has come meanwhile is not missed."""

from __future__ import annotations

from flows.model.outcome import EventWait
from flows.model.runs.step_children import StepChildren
from tests.store.runs.run_world import RunWorld, run, waiting
from tests.world import NOW, attempt

FAR = 366 * 86_400_000


def test_delays_the_run_until_its_time_and_gives_the_attempt_back(runs: RunWorld) -> None:
    """With no time, for a year; the records stand, the history has no line, and it is known as suspended."""
    for run_id, due_ms, due in (("1", NOW + 700, NOW + 700), ("2", None, NOW + FAR), ("3", NOW - 5, NOW)):
        runs.begin(run_id)
        assert runs.suspend(run_id, due_ms=due_ms, records={"s": waiting("sleep")}) == ["ok"]
        assert runs.snapshot()["delayed"]["order"][run_id] == due
        job = runs.job(f"run:{run_id}")
        assert (job["_attempts"], job["_suspended"], "_history" in job) == ("0", "1", False)
        assert runs.step(run_id, "s") == {"status": "waiting", "kind": "sleep"}


def test_what_has_come_meanwhile_sends_it_to_the_head_at_once(runs: RunWorld) -> None:
    """A child that ends while its parent suspends: the attempt has not seen it."""
    runs.begin("1")
    runs.put("1", {"w": waiting("workflow", 1)}, [StepChildren("w", [run("c", "ship")])])
    runs.start(run("2"))
    runs.claim(queue="ship")
    runs.report(attempt("finish", "c", 1, "", "output", "1"), queue="ship")
    assert runs.suspend("1", come=0) == ["ok"]
    assert runs.place() == {"waiting": ["1", "2"]}
    runs.claim(queue="order")
    assert runs.suspend("1", fence=2, come=1) == ["ok"]
    assert runs.place() == {"waiting": ["2"], "delayed": ["1"]}


def test_an_event_from_before_settles_its_step_and_others_are_waited_for(runs: RunWorld) -> None:
    """Who waits no more is no waiter; an event is taken once."""
    runs.begin("1")
    runs.send("paid", "7", 1)
    both = {"a": waiting("event"), "b": waiting("event")}
    runs.suspend("1", records=both, waits=[EventWait("a", "paid", "7"), EventWait("b", "sent", "7")])
    assert runs.place() == {"waiting": ["1"]}
    assert (runs.step("1", "a")["result"], runs.step("1", "b")["status"]) == (1, "waiting")
    runs.claim(queue="order")
    runs.suspend("1", fence=2, come=1, records={"c": waiting("event")}, waits=[EventWait("c", "paid", "7")])
    assert [*runs.snapshot()["waiters"]] == ["paid:7"]
    assert runs.place() == {"delayed": ["1"]}
    runs.send("paid", "7", 2, event_id="f")
    assert runs.step("1", "c")["result"] == 2
    assert runs.place() == {"waiting": ["1"]}


def test_many_records_are_written_whole(runs: RunWorld) -> None:
    """A gather of 900 sleeps, which is more than one command takes."""
    runs.begin("1")
    runs.suspend("1", due_ms=NOW + 9, records={f"s{n}": waiting("sleep") for n in range(900)})
    assert sum(name.startswith("step:") for name in runs.job("run:1")) == 900


def test_what_stands_in_the_place_of_an_event_fails_the_run(runs: RunWorld) -> None:
    """And says which key that is."""
    runs.redis.set(runs.key("event", "paid:7"), "x")
    runs.begin("1")
    runs.suspend("1", records={"a": waiting("event")}, waits=[EventWait("a", "paid", "7")])
    assert runs.job("run:1")["_status"] == "failed"
    assert "flows:event:paid:7 holds a string" in runs.job("run:1")["_error"]

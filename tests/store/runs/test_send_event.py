"""send_event: kept once for its id, and given to all who wait, in as many calls as that takes."""

from __future__ import annotations

from flows.model.outcome import EventWait
from flows.model.runs.step_children import StepChildren
from tests.store.runs.run_world import RunWorld, run, waiting
from tests.world import NOW

WAIT = [EventWait("a", "paid", "7")]


def waits(runs: RunWorld, run_id: str, due_ms: int | None = None) -> None:
    """Let a run wait for the event."""
    runs.begin(run_id)
    runs.suspend(run_id, due_ms=due_ms, records={"a": waiting("event")}, waits=WAIT)


def test_all_who_wait_go_on_and_a_second_call_changes_nothing(runs: RunWorld) -> None:
    """Before those that have not begun; with another id it is another event."""
    waits(runs, "1")
    waits(runs, "2")
    runs.start(run("3"))
    assert runs.send("paid", "7", {"a": [1]}) == ["0", 2]
    assert sorted(runs.place()["waiting"][:2]) == ["1", "2"]
    assert runs.step("1", "a")["result"] == {"a": [1]}
    assert runs.field("1", "_come") == "1"
    assert runs.send("paid", "7", {"a": [1]}) == ["0", 0]
    assert runs.snapshot()["event"] == {"paid:7": 1}
    runs.send("paid", "7", 2, event_id="f")
    assert runs.snapshot()["event"] == {"paid:7": 2}
    assert 0 < runs.life("event", "paid:7") <= 60_000


def test_what_was_given_is_taken(runs: RunWorld) -> None:
    """The next wait of the run for the same event is for another one."""
    waits(runs, "1")
    runs.send("paid", "7", 1)
    runs.claim(queue="order")
    assert runs.put("1", {"b": waiting("event")}, waits=[EventWait("b", "paid", "7")], fence=2)[:2] == ["ok", 1]
    assert runs.step("1", "b")["status"] == "waiting"


def test_a_sender_that_is_lost_is_followed_by_any_rescuer(runs: RunWorld) -> None:
    """Of 700 who wait, one call settles some; `cascade`, which rescuers call, settles the others."""
    for number in range(700):
        runs.redis.hset(runs.key("waiters", "paid:7"), f"{number} a", "0")
        runs.redis.hset(runs.key("jobs", f"run:{number}"), mapping={"step:a": waiting("event"), "_queue": "order"})
    cursor, settled = runs.send("paid", "7", 1)
    assert cursor != "0"
    assert 0 < settled < 700
    assert runs.snapshot()["sending"] == {"run": {"paid:7": "1"}}
    while "sending" in runs.snapshot():
        assert runs.run("cascade", parent="") == ["", 0, 0, []]
    assert all(runs.field(str(number), "_come") == "1" for number in range(700))
    assert "waiters" not in runs.snapshot()


def test_a_step_that_was_decided_otherwise_keeps_what_it_has(runs: RunWorld) -> None:
    """Its time was over: the event is for nobody, and the run stays where it is."""
    waits(runs, "1", NOW + 5)
    runs.redis.hset(runs.key("jobs", "run:1"), "step:a", '{"status":"done","order":[0,1,0],"kind":"event"}')
    assert runs.send("paid", "7", 1) == ["0", 0]
    assert runs.place() == {"delayed": ["1"]}
    assert "waiters" not in runs.snapshot()


def test_a_run_that_has_ended_waits_for_nothing(runs: RunWorld) -> None:
    """It was cancelled while it waited: nothing of it is left among the waiters."""
    waits(runs, "1")
    runs.run("cancel", id="1", first="order", reason="")
    assert "waiters" not in runs.snapshot()


def test_a_step_keeps_what_it_is_and_when_it_began(runs: RunWorld) -> None:
    """Whether the event comes after it waits, or was there before: an answer of a person stays an answer."""
    begun = b'{"status":"waiting","kind":"input","at":7,"prompt":"\\"at\\":9"}'
    for run_id in ("1", "2", "3", "4"):
        runs.begin(run_id)
    runs.suspend("1", records={"a": begun}, waits=WAIT)
    runs.send("paid", "7", 1)
    runs.put("2", {"a": begun}, waits=WAIT)
    runs.suspend("3", records={"a": begun}, waits=WAIT)
    for run_id in ("1", "2", "3"):
        step = runs.step(run_id, "a")
        assert (step["status"], step["kind"], step["at"], step["result"]) == ("done", "input", 7, 1)
    child = b'{"status":"waiting","kind":"workflow","at":8,"workflow":"ship","total":1}'
    runs.put("4", {"w": child}, [StepChildren("w", [run("c", "ship")])])
    runs.run("cancel", id="c", reason="why")
    step = runs.step("4", "w")
    assert (step["status"], step["kind"], step["at"], step["total"]) == ("done", "workflow", 8, 1)

"""report: ends attempts and claims nothing. What holds of every way to end an attempt is tested here."""

from __future__ import annotations

import json

import pytest
from redis.exceptions import ResponseError

from flows.model.outcome import OUTCOMES, HistoryLine, OutcomeRow
from tests.world import (
    ENDINGS,
    NOW,
    Argument,
    World,
    advance,
    await_children,
    finish,
    line,
    processing,
    release,
    retry,
)

ALL = pytest.mark.parametrize("ended", ENDINGS.values(), ids=ENDINGS)
STRANGERS = {
    "another worker": {"_worker": "w2"},
    "another fence": {"_fence": "2"},
    "a fence that only looks the same": {"_fence": "1.0"},
    "another state": {"_status": "waiting"},
    "an end": {"_status": "done"},
    "no worker": {"_worker": ""},
}


def seed_one(world: World, **fields: str) -> None:
    """Let worker `w1` have the job `1` of `pick`."""
    world.seed_damaged(jobs={"shop:1": processing(a="1", **fields)}, processing={"pick": {"1": NOW + 9}})


@ALL
@pytest.mark.parametrize("fields", STRANGERS.values(), ids=STRANGERS)
def test_a_stranger_changes_nothing(world: World, ended: list[Argument], fields: dict[str, str]) -> None:
    """Who is not the job's present owner, by worker, fence and state, is refused and writes nothing."""
    seed_one(world, **fields)
    before = world.snapshot(unseen=frozenset())
    assert world.report(ended) == ["stale"]
    assert world.snapshot(unseen=frozenset()) == before


@ALL
@pytest.mark.parametrize("job", [{"_status": "processing", "_queue": "pick"}, {"a": "1"}], ids=["edited", "new"])
def test_a_job_that_nobody_has_is_nobodys(world: World, ended: list[Argument], job: dict[str, str]) -> None:
    """Its hash does not say whose it is: it was never claimed, or somebody has deleted the field."""
    world.seed_damaged(jobs={"shop:1": job}, processing={"pick": {"1": NOW + 9}})
    before = world.snapshot()
    assert world.report(ended) == ["stale"]
    assert world.snapshot() == before


@ALL
def test_counts_that_were_edited_hinder_no_end(world: World, ended: list[Argument]) -> None:
    """The job is its worker's, by fence and name; what is nonsense stays so, and fails the job at its next claim."""
    job = {"_status": "processing", "_queue": "pick", "_attempt": "1 w1 many", "_history": line("retry")}
    world.seed_damaged(jobs={"shop:1": job}, processing={"pick": {"1": NOW + 9}})
    assert world.report(ended)[0] in {"ok", "cancelled"}
    assert world.job("shop:1")["_attempt"] == "1 w1 many"
    world.now += 9000
    assert world.claim() == []
    assert "processing" not in world.snapshot()


@ALL
def test_a_job_that_is_gone_stays_gone(world: World, ended: list[Argument]) -> None:
    """Nothing is written to a hash that does not exist; its lease is dropped, and the queue counts it."""
    world.seed(processing={"pick": {"1": NOW + 9, "2": NOW + 9}})
    assert world.report(ended) == ["gone"]
    assert world.snapshot() == {"processing": {"pick": {"2": NOW + 9}}, "meta": {"pick": {"expired": "1"}}}


@ALL
def test_a_key_of_another_type_is_left_alone(world: World, ended: list[Argument]) -> None:
    """Where something else stands at the job's key, that attempt is refused, and the others are not."""
    world.seed(jobs={"shop:2": processing()}, processing={"pick": {"1": NOW + 9, "2": NOW + 9}})
    world.redis.set(world.key("jobs", "shop:1"), "not ours")
    assert world.report(ended, finish("2")) == ["malformed", "ok"]
    assert world.redis.get(world.key("jobs", "shop:1")) == "not ours"
    assert world.job("shop:2")["_status"] == "done"


@ALL
def test_sent_twice_ends_the_same(world: World, ended: list[Argument]) -> None:
    """An answer may be lost: the second call finds that the attempt is over and changes nothing."""
    seed_one(world)
    assert world.report(ended)[0] in {"ok", "cancelled"}
    once = world.snapshot(unseen=frozenset())
    world.now += 1000
    assert world.report(ended) == ["stale"]
    assert world.snapshot(unseen=frozenset()) == once


@ALL
def test_an_attempt_is_ended_once_in_a_call(world: World, ended: list[Argument]) -> None:
    """An id that stands in one call twice is ended by the first."""
    seed_one(world)
    first, second = world.report(ended, finish("1", c="3"))
    assert (first in {"ok", "cancelled"}, second) == (True, "stale")
    assert "c" not in world.job("shop:1")


@ALL
@pytest.mark.parametrize("kind", ["waiting", "processing", "delayed", "children", "cancelling"])
def test_a_key_of_the_queue_of_another_type_is_named(world: World, ended: list[Argument], kind: str) -> None:
    """What many attempts write to is checked before the first write; the error names the key that is not ours."""
    world.seed(jobs={"shop:1": processing()})
    key = world.key(kind, "shop" if kind == "cancelling" else "pick")
    world.redis.set(key, "not ours")
    before = world.snapshot(unseen=frozenset())
    with pytest.raises(ResponseError, match=f"FLOWSCONFLICT {key} holds a string"):
        world.report(ended)
    assert world.snapshot(unseen=frozenset()) == before


@pytest.mark.parametrize(
    ("kind", "name", "ended"),
    [
        ("waiting", "pack", advance("2")),
        ("waiting", "pick:box", await_children("2", children=(("label", "c1"), ("box", "c2")))),
        ("parents", "pick:box", await_children("2", children=(("label", "c1"), ("box", "c2")))),
        ("pending", "shop:2", await_children("2", children=(("label", "c1"), ("box", "c2")))),
    ],
    ids=["next queue", "child queue", "parents", "pending"],
)
def test_a_target_of_another_type_is_named(world: World, kind: str, name: str, ended: list[Argument]) -> None:
    """Where a job is to go is checked before anything of it is written: it fails by that, and no other of the call."""
    world.seed(
        jobs={"shop:1": processing(), "shop:2": processing()},
        processing={"pick": {"1": NOW + 9, "2": NOW + 9}},
    )
    key = world.key(kind, name)
    world.redis.set(key, "not ours")
    assert world.report(finish("1"), ended) == ["ok", "ok"]
    assert world.redis.get(key) == "not ours"
    assert (world.job("shop:1")["_status"], world.job("shop:2")["_status"]) == ("done", "failed")
    error = json.loads(world.job("shop:2")["_error"])
    assert (error["type"], key in error["message"]) == ("KeyConflict", True)
    assert "processing" not in world.snapshot()


@pytest.mark.parametrize("row", [row for row in OUTCOMES.values() if row.verb != "cancel"], ids=lambda row: row.verb)
def test_a_flag_to_cancel_wins_over_what_would_go_on(world: World, row: OutcomeRow) -> None:
    """A job that was cancelled while it ran is cancelled, unless it has come to its end by itself."""
    seed_one(world, _cancel="too dear")
    [word] = world.report(ENDINGS[row.verb])
    job = world.job("shop:1")
    if row.ends:
        assert (word, job["_status"]) == ("ok", row.state)
    else:
        assert (word, job["_status"], job["_reason"]) == ("cancelled", "cancelled", "too dear")
        assert world.snapshot() == {"jobs": {"shop:1": job}}


@pytest.mark.parametrize("before", ["", line("retry")], ids=["no history", "a history"])
@pytest.mark.parametrize("row", OUTCOMES.values(), ids=lambda row: row.verb)
def test_an_attempt_ends_as_the_table_says(world: World, row: OutcomeRow, before: str) -> None:
    """The job's state, whether the attempt counts, and whether the history has a line with the verb."""
    seed_one(world, **({"_history": before} if before else {}))
    assert world.report(ENDINGS[row.verb])[0] in {"ok", "cancelled"}
    job = world.job("shop:1")
    assert job.get("_status", "waiting") == row.state
    if row.again:
        assert job.get("_attempts", "0") == ("0" if row.gives_back else "1")
    lines = [json.loads(text)["verb"] for text in job.get("_history", "").splitlines()]
    told = row.line is HistoryLine.ALWAYS or (row.line is HistoryLine.IF_ANY and before)
    assert lines == ["retry"] * bool(before) + [row.verb] * bool(told)


def test_ends_many_attempts_in_order(world: World) -> None:
    """One call takes attempts of every kind, answers a word for each, and keeps the order within each queue."""
    ids = [str(number) for number in range(1, 9)]
    world.seed(
        jobs={f"shop:{number}": processing() for number in ids},
        processing={"pick": dict.fromkeys(ids, NOW + 9)},
        waiting={"pack": ["0"]},
    )
    ended = [advance("1"), finish("2", 7), retry("3"), advance("4", to="ship"), advance("5"), release("6")]
    assert world.report(*ended) == ["ok", "stale", "ok", "ok", "ok", "ok"]
    found = world.snapshot()
    assert found["waiting"] == {"pack": ["0", "1", "5"], "ship": ["4"], "pick": ["6"]}
    assert (found["delayed"], set(found["processing"]["pick"])) == ({"pick": {"3": NOW + 5000}}, {"2", "7", "8"})


def test_wakes_the_queues_to_which_jobs_went(world: World) -> None:
    """Each queue that has new work gets one wake-up, however many jobs came."""
    world.seed(jobs={f"shop:{number}": processing() for number in "1234"})
    world.report(advance("1"), advance("2"), advance("3", to="ship"), finish("4"))
    assert world.snapshot(unseen=frozenset())["wake"] == {"pack": {"w": 0}, "ship": {"w": 0}}


def test_a_bell_of_another_type_hinders_nothing(world: World) -> None:
    """It is only a hint: the job goes on, and is found by whoever looks."""
    world.seed(jobs={"shop:1": processing()}, processing={"pick": {"1": NOW + 9}})
    world.redis.set(world.key("wake", "pack"), "not ours")
    assert world.report(advance("1")) == ["ok"]
    found = world.snapshot()
    assert (found["waiting"], "processing" in found) == ({"pack": ["1"]}, False)


def test_ends_two_hundred_attempts(world: World) -> None:
    """The most that one call takes fits into Lua's own limits, whatever each attempt does."""
    world.seed(jobs={f"shop:{number}": processing() for number in range(200)})
    words = world.report(*(advance(str(number), a="1", b="2") for number in range(200)))
    assert (set(words), world.redis.llen(world.key("waiting", "pack"))) == ({"ok"}, 200)

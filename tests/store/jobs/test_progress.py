"""progress: what running functions report is written on behalf of their attempts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from redis.exceptions import ResponseError

from tests.world import HOUR, NOW, World, processing


def report(job_id: str, *texts: str, fence: int = 1, progress: str = "", skipped: int = 0) -> list[Any]:
    """Return the arguments of one job's report; each line was logged a millisecond before the next."""
    lines: list[Any] = []
    for age, text in zip(range(len(texts), 0, -1), texts, strict=True):
        lines += [age, json.dumps({"text": text}, separators=(",", ":"))]
    return [job_id, fence, progress, skipped, len(lines), *lines]


def logged(world: World, job_id: str = "shop:1") -> list[dict[str, Any]]:
    """Return the lines of a job's log."""
    return [json.loads(line) for line in world.snapshot().get("log", {}).get(job_id, [])]


def texts(world: World) -> list[str]:
    """Return what the lines say."""
    return [line["text"] for line in logged(world)]


def ended(status: str = "done", **fields: str) -> dict[str, str]:
    """Return a job whose attempt has ended, and which no other has taken up."""
    return {**processing(), "_status": status, **fields}


def test_writes_progress_and_lines_of_its_own_jobs(world: World) -> None:
    """A word for each; what a lost attempt reports is dropped, and nothing is written to a missing hash."""
    world.seed(jobs={"shop:1": processing(), "shop:2": processing(_fence="2")})
    rest = [*report("1", "first", "second", progress="0.5"), *report("2", "lost", progress="0.9"), *report("3", "gone")]
    assert world.run("progress", *rest) == ["ok", "stale", "gone"]
    jobs = {"shop:1": processing(_progress="0.5", _lookups="#log:1"), "shop:2": processing(_fence="2")}
    assert world.snapshot()["jobs"] == jobs
    assert list(world.snapshot()["log"]) == ["shop:1"]
    assert logged(world) == [{"n": 1, "at": NOW - 2, "text": "first"}, {"n": 2, "at": NOW - 1, "text": "second"}]


def test_what_was_not_reported_stays(world: World) -> None:
    """Lines without progress leave the last progress; progress without lines writes no log."""
    world.seed(jobs={"shop:1": processing(_progress="0.5"), "shop:2": processing()})
    assert world.run("progress", *report("1", "line"), *report("2", progress="0.1")) == ["ok", "ok"]
    assert world.job("shop:1")["_progress"] == "0.5"
    assert list(world.snapshot()["log"]) == ["shop:1"]


def test_keeps_the_last_lines_only_and_goes_on_counting(world: World) -> None:
    """The log is bounded, over all calls; the numbers show what is missing."""
    world.seed(jobs={"shop:1": processing()})
    world.run("progress", *report("1", "a", "b", "c"), most_lines=3)
    world.run("progress", *report("1", "d", "e", skipped=10), most_lines=3)
    assert [(line["n"], line["text"]) for line in logged(world)] == [(3, "c"), (14, "d"), (15, "e")]


def test_counts_on_from_lines_that_are_not_ours(world: World) -> None:
    """What somebody else has pushed counts as lines."""
    world.seed(jobs={"shop:1": processing()}, log={"shop:1": ["one", "two"]})
    world.run("progress", *report("1", "three"))
    assert json.loads(world.snapshot()["log"]["shop:1"][2])["n"] == 3


@pytest.mark.parametrize("status", ["waiting", "delayed", "children", "done", "failed", "cancelled"])
def test_lines_are_late_until_another_attempt_begins(world: World, status: str) -> None:
    """Wherever the job went from its attempt: lines of it are kept and marked, its progress is not."""
    world.seed(jobs={"shop:1": ended(status)})
    assert world.run("progress", *report("1", "late", progress="0.5")) == ["late"]
    assert world.job("shop:1") == ended(status, _lookups="#log:1")
    assert [(line["text"], line["late"]) for line in logged(world)] == [("late", True)]
    world.seed(jobs={"shop:1": ended(status, _fence="2")})
    assert world.run("progress", *report("1", "too late")) == ["stale"]
    assert texts(world) == ["late"]


def test_another_worker_with_the_same_fence_is_a_stranger(world: World) -> None:
    """The fence alone says nothing: a job that was deleted and made anew begins at 1."""
    world.seed(jobs={"shop:1": ended(_worker="w2")})
    assert world.run("progress", *report("1", "late")) == ["stale"]
    assert "log" not in world.snapshot()


@pytest.mark.parametrize("there", [False, True])
def test_a_late_line_prolongs_nothing(world: World, *, there: bool) -> None:
    """The log of a job that has ended lives as long as its job does."""
    log = {"log": {"shop:1": ["a line"]}} if there else {}
    world.seed(jobs={"shop:1": ended()}, **log)
    world.redis.pexpire(world.key("jobs", "shop:1"), HOUR)
    assert world.run("progress", *report("1", "late")) == ["late"]
    assert world.lives("log", "shop:1", HOUR)
    assert world.job("shop:1")["_lookups"] == "#log:1"


@pytest.mark.parametrize("life", [HOUR, -1])
def test_a_log_lives_as_long_as_its_job(world: World, life: int) -> None:
    """Its hash says so once, beside the lists that it stands in; one such line may look like it."""
    key = world.key("jobs", "shop:1")
    world.seed(jobs={"shop:1": processing(_lookups="tag:#log:1")})
    world.redis.persist(key)
    if life > 0:
        world.redis.pexpire(key, life)
    for _ in range(2):
        world.run("progress", *report("1", "line"))
        assert world.lives("log", "shop:1", life) if life > 0 else world.life("log", "shop:1") == -1
    assert world.job("shop:1")["_lookups"] == "tag:#log:1\n#log:1"


def test_a_key_of_another_type_is_named(world: World) -> None:
    """Nothing is written where the log is not ours."""
    world.seed(jobs={"shop:1": processing()})
    world.redis.set(world.key("log", "shop:1"), "not ours")
    before = world.snapshot()
    with pytest.raises(ResponseError, match=f"FLOWSCONFLICT {world.key('log', 'shop:1')} holds a string"):
        world.run("progress", *report("1", "line", progress="0.5"))
    assert world.snapshot() == before


def test_a_call_that_is_sent_twice_adds_its_lines_once(world: World) -> None:
    """An answer that was lost leaves no line in the log twice."""
    world.seed(jobs={"shop:1": processing()}, processing={"pick": {"1": NOW + 9}})
    call = world.settings.new_call()
    for _ in range(2):
        assert world.run("progress", *report("1", "a line"), call=call) == ["ok"]
    assert texts(world) == ["a line"]

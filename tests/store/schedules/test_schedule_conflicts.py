"""The scripts of schedules name a key that is not ours; one schedule that is none keeps no other from being seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from redis.exceptions import ResponseError

from tests.store.schedules.stage import Stage, done, schedule
from tests.world import NOW

ACTS: dict[str, Callable[[Stage], Any]] = {
    "set": lambda stage: stage.write(schedule("b"), schedule("a")),
    "see": lambda stage: stage.see("a"),
    "delete": lambda stage: done(stage.recorded.delete("a")),
    "pause": lambda stage: done(stage.recorded.pause("a", "note")),
    "due": lambda stage: done(stage.recorded.server_ms()),
}


@pytest.mark.parametrize(
    ("act", "key"),
    [
        *((act, "schedule:a") for act in ("set", "delete", "pause")),
        *((act, "schedules") for act in ("set", "see", "delete", "due")),
        ("see", "declared:shop"),
    ],
)
def test_a_key_that_is_not_ours(stage: Stage, act: str, key: str) -> None:
    """Nothing is written."""
    stage.write(schedule("a"), app="")
    whole = f"{stage.settings.keys.namespace}flows:{key}"
    stage.redis.delete(whole)
    stage.redis.set(whole, "not ours")
    before = stage.world.snapshot(unseen=frozenset({"call"}))
    with pytest.raises(ResponseError, match=f"FLOWSCONFLICT {whole}"):
        ACTS[act](stage)
    assert stage.world.snapshot(unseen=frozenset({"call"})) == before


def test_a_schedule_that_is_none_stops_no_other(stage: Stage) -> None:
    """It is due without a word of what it is, missing where it is declared, and left alone where it is not."""
    stage.write(schedule("a"), schedule("b"))
    stage.see("a", "b")
    stage.redis.delete(stage.recorded.keys.schedule("a"))
    stage.redis.set(stage.recorded.keys.schedule("a"), "not ours")
    assert stage.see("a", "b") == (["a"], [])
    stage.now = NOW + 60_000
    _now, _left, due = done(stage.recorded._run("due_schedules", most=9))
    assert {one[0]: len(one[2]) > 0 for one in due} == {b"a": False, b"b": True}
    assert stage.see("b") == ([], [])
    assert stage.redis.get(stage.recorded.keys.schedule("a")) == "not ours"


def test_what_nobody_has_said_yet_is_free(stage: Stage) -> None:
    """A process that wrote it and died: another app takes it at once. One that was made by hand is nobody's heir."""
    stage.write(schedule("a"))
    assert stage.write(schedule("a"), app="billing") == ["unchanged"]
    stage.write(schedule("b"), app="")
    assert stage.see("b") == (["b"], [])
    assert "wanted_by" not in done(stage.recorded.read("b"))


def test_an_heir_that_is_gone_inherits_nothing(stage: Stage) -> None:
    """It has said for half a minute as little as the app that had it."""
    stage.write(schedule("a"))
    stage.see("a")
    stage.see("a", app="billing")
    stage.now += 30_001
    assert stage.see() == ([], ["a"])


def test_a_deploy_script_lets_nothing_live_longer_that_workers_have_said(stage: Stage) -> None:
    """It goes half a minute after the last of them."""
    stage.write(schedule("a"))
    stage.see("a")
    stage.now += 20_000
    assert stage.see(how="kept") == ([], [])
    stage.now += 10_001
    assert stage.see() == ([], ["a"])

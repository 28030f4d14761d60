"""What a test may seed: the hashes that transitions leave, and no others, unless it says that it is about damage."""

from __future__ import annotations

import pytest

from tests.possible import impossible
from tests.world import World, line, processing

DONE = processing() | {"_status": "done", "_ended": "5"}


@pytest.mark.parametrize(
    "fields",
    [
        {"a": "1"},
        {"_status": "waiting", "_queue": "pick"},
        processing(_fence="3", _attempts="2", _rescues="1", _error="{}", _history=line("retry")),
        DONE | {"_cancel": "too late", "_error": "{}"},
        DONE | {"_status": "cancelled", "_reason": "why", "_next": "ship", "_policy": "fail"},
        {"_status": "failed", "_queue": "pick", "_error": "{}"},
    ],
)
def test_what_transitions_leave_is_possible(fields: dict[str, str]) -> None:
    """Also what they leave of an earlier life, and what a job lacks that a test does not need."""
    assert [*impossible(fields)] == []


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"_status": "asleep"}, "no state is called 'asleep'"),
        (DONE | {"_reason": "why"}, "_reason of a job that is done"),
        (processing(_ended="5"), "_ended of a job that is processing"),
        ({"_status": "children", "_fence": "1", "_worker": "w1"}, "no _queue of a job that is children"),
        ({"_status": "done"}, "a job that is done and was never claimed"),
        ({"_status": "waiting", "_queue": "pick", "_fence": "1"}, "fence 1 and worker -"),
        ({"a": "1", "_error": "{}"}, "_error of a job that was never tried"),
        (processing(_attempts="0"), "a job that is processing and was never tried"),
        (processing(_attempts="2"), "2 attempts by 1 claims"),
        (processing(_rescues="2"), "2 rescues of 1 claims"),
        (processing(_fence="1.0"), "no whole numbers: "),
        ({"_status": "waiting", "_attempt": "nonsense"}, "_attempt as a whole: 'nonsense'"),
    ],
)
def test_what_no_transition_leaves_is_refused(fields: dict[str, str], wrong: str) -> None:
    """Each by a sentence that says what is wrong, and no second one."""
    [found] = impossible(fields)
    assert found.startswith(wrong)


def test_a_seed_is_refused_before_anything_is_written(world: World) -> None:
    """A test about damage says so, and then anything may be written."""
    with pytest.raises(AssertionError, match="job shop:1 cannot be: _reason of a job that is done"):
        world.seed(jobs={"shop:1": DONE | {"_reason": "why"}})
    assert world.snapshot() == {}
    world.seed_damaged(jobs={"shop:1": DONE | {"_reason": "why"}})
    assert world.job("shop:1")["_reason"] == "why"

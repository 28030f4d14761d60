"""The balance of a queue sees whatever is counted once too often or too seldom."""

from __future__ import annotations

import pytest

from tests.faults.balance import COMES, LEAVES, Look, came_in, moves, unbalanced

WAITS = Look("waiting", "pick")
RUNS = Look("processing", "pick", attempts=1)
PARENT = Look("children", "pack", attempts=1)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, WAITS, {"pick created"}),
        (WAITS, RUNS, set[str]()),
        (RUNS, RUNS._replace(attempts=2), set[str]()),
        (RUNS, Look("waiting", "pack"), {"pick advance", "pack advanced"}),
        (RUNS, Look("waiting", "pick", attempts=0), {"pick release"}),
        (RUNS, Look("waiting", "pick", attempts=1, rescues=1), {"pick rescue"}),
        (RUNS, Look("delayed", "pick", attempts=1), {"pick retry"}),
        (RUNS, Look("delayed", "pick", attempts=0), {"pick snooze"}),
        (RUNS, Look("children", "pick", attempts=1), {"pick await_children"}),
        (RUNS, Look("done", "pick", attempts=1), {"pick done"}),
        (WAITS, Look("failed", "pick"), {"pick failed"}),
        (PARENT, Look("waiting", "ship"), {"pack settle", "ship settled"}),
        (PARENT, Look("cancelled", "pack"), {"pack cancelled"}),
        (Look("delayed", "pick"), WAITS, set[str]()),
        (Look("failed", "pick"), WAITS, {"pick retry_job"}),
        (Look("failed", "pick"), Look("waiting", "ship"), {"ship moved_in"}),
        (WAITS, Look("waiting", "ship"), {"pick moved_out", "ship moved_in"}),
        (Look("delayed", "pick"), Look("waiting", "ship"), {"pick moved_out", "ship moved_in"}),
        (WAITS, None, {"pick deleted"}),
        (Look("done", "pick"), None, {"pick delete_ended"}),
    ],
)
def test_two_looks_tell_what_has_happened(before: Look | None, after: Look | None, expected: set[str]) -> None:
    """Each move of the state table has a name, by the hashes alone."""
    found = moves({"1": before} if before else {}, {"1": after} if after else {})
    assert {f"{queue} {what}" for queue, what in found.elements()} == expected


def test_what_comes_in_and_leaves_is_balanced() -> None:
    """A queue whose jobs are all accounted for has no complaint."""
    came = {"created": 9, "advanced": 2, "settled": 1, "retried": 3, "moved here": 1}
    meta = dict.fromkeys(LEAVES, 1) | {"delete_ended": 5, "retry": 7, "stale": 2}
    assert unbalanced("pick", came, meta, 16 - len(LEAVES)) == ""
    assert came.keys() == COMES


@pytest.mark.parametrize("name", LEAVES)
def test_each_end_that_is_not_counted_is_seen(name: str) -> None:
    """One that left and is not counted is missing, and one that is counted twice is too much."""
    meta = dict.fromkeys(LEAVES, 1)
    came = {"created": len(LEAVES)}
    assert "1 fewer" in unbalanced("pick", came, meta | {name: 0}, 0)
    assert "1 more" in unbalanced("pick", came, meta | {name: 2}, 0)


def test_a_queue_gets_what_the_one_before_it_passes_on() -> None:
    """Jobs come from the queue that leads here, by their own end or by that of their last child."""
    counters = {"pick": {"advance": 5, "done": 2}, "pack": {"settle": 4, "advance": 1}, "ship": {"retry_job": 2}}
    leads_to = {"pick": "pack", "pack": "ship"}.get
    ship = came_in("ship", {"pick": 9}, counters, leads_to)
    assert {way: count for way, count in ship.items() if count} == {"settled": 4, "advanced": 1, "retried": 2}
    pick = came_in("pick", {"pick": 9}, counters, leads_to)
    assert {way: count for way, count in pick.items() if count} == {"created": 9}

"""The table of reasons: each has a situation in which it is the first that holds, and the page has the same table."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any, Final

import pytest

from flows.model.explain.reasons import REASONS, explain
from flows.model.explain.situation import Situation
from flows.model.state import JobState

NOW: Final = 1_800_000_000_000
PAGE: Final = Path(__file__).resolve().parents[3] / "docs/howto/why-does-my-job-not-run.md"


def found(**facts: Any) -> Situation:
    """Return what was found of a job that waits and would run at once, but for these facts."""
    usual: dict[str, Any] = {"queue": "role", "serving": 1, "ahead": 0, "listed": True, "declared": ("role",)}
    return Situation(job_id="1", flow="access", now_ms=NOW, **{**usual, **facts})


#: Of each reason, situations in which it is the one, and what the sentence says then.
EXAMPLES: Final[list[tuple[str, Situation, str]]] = [
    ("gone", found(kind="none"), "flow 'access' has no job 1: it has expired, was deleted or never was; create it"),
    (
        "expired",
        found(kind="none", left_in="the waiting list of 'role'", ttl_ms=86_400_000),
        "still stands in the waiting list of 'role': it has expired (job_ttl is 1 d; create it anew)",
    ),
    ("malformed", found(kind="string"), "its key holds a string where flows keeps a hash"),
    ("malformed", found(status="odd"), "_status is 'odd', which is no state"),
    ("malformed", found(attempt_text="x" * 999), "…', by which it fails at its next claim; delete that field"),
    ("ended", found(status="done", ended_ms=NOW - 60_000), "it is done at 07:59:00 UTC, in 'role'"),
    ("ended", found(status="done", attempt_text="x"), "it is done, in 'role'"),
    ("ended", found(status="failed", error=("Timeout", "5 s\nover")), "failed, in 'role' by Timeout: 5 s over; retry_"),
    ("ended", found(status="cancelled", reason="by ops"), "it was cancelled, in 'role' (by ops); retry_job runs it"),
    (
        "ended",
        found(status="failed", parent="access:9", parent_status="failed"),
        "it failed, in 'role'; a child is created anew when its parent, access:9, is retried",
    ),
    ("ended", found(status="cancelled", parent="access:9", parent_status="done", reason="x"), "in 'role' (x)"),
    (
        "cancelling",
        found(status="processing", cancel="no more", worker="web.3.a1"),
        "cancelled (no more): its function on web.3",
    ),
    ("cancelling", found(parent="access:9", parent_cancelled=True), "its parent access:9 was cancelled, and so will"),
    ("lost", found(listed=False), "it is waiting, and does not stand among the waiting jobs of 'role': the reconciler"),
    ("lost", found(status="delayed"), "it is delayed, and does not stand among the delayed jobs"),
    ("lost", found(status="processing"), "it is processing, and does not stand among"),
    ("lost", found(status="children"), "it is children, and does not stand among"),
    ("lost", found(status="children", placed_ms=NOW), "none of the children for which it waits in 'role' has still to"),
    (
        "silent",
        found(status="processing", placed_ms=NOW - 3000, worker="web.3.a1"),
        "web.3 has it, and has not renewed its lease, which ended 3.0 s ago: a process with workers of 'role' takes it",
    ),
    (
        "running",
        found(status="processing", placed_ms=NOW + 21_000, worker="web.3.a1", since_ms=NOW - 3200, attempts=2),
        "it runs in 'role' for 3.2 s on web.3, attempt 2, lease for 21 s more",
    ),
    (
        "children",
        found(status="children", placed_ms=NOW, pending=1, children=3, child=("2", "role:part", "processing")),
        "it waits in 'role' for 1 of its 3 children; 2 of 'role:part' is running: explain that one",
    ),
    (
        "children",
        found(status="children", placed_ms=NOW, pending=1, children=1, policy="fail"),
        "for 1 of its 1 child, and fails with the first that is not done",
    ),
    ("delayed", found(status="delayed", placed_ms=NOW + 7_200_000), "until 10:00:00 UTC, for 2 h more (it was create"),
    (
        "delayed",
        found(status="delayed", placed_ms=NOW + 9, put_off_by="retry", attempts=2, error=("Timeout", "")),
        "for 9 ms more (attempt 2 failed by Timeout)",
    ),
    (
        "delayed",
        found(status="delayed", placed_ms=NOW + 86_400_000, put_off_by="snooze", attempts=1, reason="later"),
        "until 2027-01-16 08:00 UTC, for 1 d more (it was snoozed: later)",
    ),
    ("delayed", found(status="delayed", placed_ms=math.inf), "for ever"),
    (
        "paused",
        found(paused_ms=math.inf, paused_at_ms=NOW - 60_000, note="ops", serving=0),
        "it waits in 'role', which is paused since 07:59:00 UTC (ops): flow.queue('role').resume() lets it go on",
    ),
    ("paused", found(paused_ms=NOW + 1000, status="delayed", placed_ms=NOW), "paused, until 08:00:01 UTC: flow.queue"),
    ("undeclared", found(declared=("a", "b")), "does not declare any more (it has a, b): declare it, or name it in"),
    ("no_workers", found(serving=0), "it waits in 'role', and no process has workers of it: start"),
    ("no_workers", found(serving=0, heard_ms=NOW - 41_000), "was heard of since 07:59:19 UTC: start one"),
    ("misfit", found(needs=("price",), needed_by="Ship"), "and Ship needs 'price', which it lacks: it fails at its"),
    (
        "held",
        found(held="queue", held_ms=NOW + 30_000, ahead=3),
        "and 'role' is held until 08:00:30 UTC, for 30 s more; flow.queue(…).hold(0) ends that; 3 others are ahead",
    ),
    ("held", found(held="group", held_ms=NOW + 30_000, group='"a"'), """its group "a" is held until 08:00:30 UTC"""),
    (
        "rate_limited",
        found(limiter=("discord-api", 50, 50), limiter_ms=NOW + 380, ahead=1204),
        "'discord-api' has given out 50 of 50: the next start is possible in 380 ms; 1,204 others are ahead",
    ),
    (
        "group_limited",
        found(group_limiter=("role:1", 5, 5), group_limiter_ms=NOW + 2_500, group="1985"),
        "the limiter 'role:1' has given out 5 of 5 to its group 1985: the next start is possible in 2.5 s",
    ),
    (
        "slots",
        found(slots=(100, 100), ahead=1),
        "100 of 100 slots are taken: it starts when jobs have ended; 1 other is",
    ),
    (
        "group_slots",
        found(group_slots=(2, 2), group="x" * 99),
        "its group " + "x" * 60 + "… has taken 2 of its 2 slots: it starts when jobs of the group have ended",
    ),
    (
        "isolated",
        found(rescues=2, ahead=1),
        "was rescued 2 times there, so a worker takes it only when it runs nothing",
    ),
    (
        "busy",
        found(
            serving=2,
            asked=2,
            worker_slots=100,
            busy=100,
            ahead=1204,
            rate=310.0,
            oldest=("9", "web-3.114.a1"),
            oldest_ms=NOW - 31_000,
        ),
        (
            "it waits in 'role', and all 100 slots of 2 processes are busy; the oldest, 9, runs for 31 s on web-3.114; "
            "1,204 others are ahead; at 310 a minute that is 3 min: wait until a slot is free, or start more workers"
        ),
    ),
    ("busy", found(worker_slots=400, busy=400, asked=100, serving=250), "all 400 slots of 100 of 250 processes are"),
    (
        "busy",
        found(worker_slots=1, asked=1, busy=1),
        "and the only slot of 1 process is busy: wait until a slot is free",
    ),
    (
        "busy",
        found(worker_slots=1, asked=1, busy=1, status="delayed", placed_ms=NOW - 20),
        "and the only slot of 1 process",
    ),
    ("queued", found(worker_slots=2, asked=1, busy=1), "it waits in 'role' and is the next one"),
    ("queued", found(worker_slots=0, busy=0), "it waits in 'role' and is the next one"),
    ("due", found(status="delayed", placed_ms=NOW - 20, attempts=1), "it is due in 'role' since 20 ms: the next claim"),
    ("queued", found(), "it waits in 'role' and is the next one"),
    ("queued", found(ahead=1204, rate=310.0), "and 1,204 others are ahead; at 310 a minute that is 3 min"),
    ("queued", found(ahead=1, exact=False, listed=None), "and about 1 other is ahead"),
    ("queued", found(paused_ms=NOW - 1), "it waits in 'role' and is the next one"),
]


@pytest.mark.parametrize(("reason", "situation", "says"), EXAMPLES, ids=[reason for reason, *_ in EXAMPLES])
def test_the_first_reason_that_holds_says_the_sentence(reason: str, situation: Situation, says: str) -> None:
    """And its facts are plain JSON."""
    explanation = explain(situation)
    assert (explanation.reason, says in explanation.sentence) == (reason, True), explanation.sentence
    assert str(explanation) == explanation.sentence
    assert json.loads(json.dumps(explanation.facts, allow_nan=False))["job_id"] == "1"


def test_every_reason_has_an_example() -> None:
    """Each row of the table is reached, and no name stands twice."""
    names = [row.name for row in REASONS]
    assert {reason for reason, *_ in EXAMPLES} == set(names)
    assert len(set(names)) == len(names)


def test_whatever_was_edited_gives_an_answer() -> None:
    """Any state with any of these oddities has a reason and a sentence."""
    odd: list[dict[str, Any]] = [
        {"placed_ms": None},
        {"placed_ms": -math.inf},
        {"placed_ms": math.inf},
        {"placed_ms": 1e300, "pending": 3},
        {"placed_ms": 5, "since_ms": 1 << 80, "ended_ms": 1 << 80, "paused_ms": 1e300, "heard_ms": 1e300},
        {"ahead": None, "listed": None, "queue": "", "declared": ()},
        {"error": ("\n" * 999, "x" * 9999), "reason": "y" * 9999, "note": "z" * 9999},
    ]
    for status in (*JobState, "odd"):
        for facts in odd:
            explanation = explain(found(status=status, **facts))
            assert explanation.sentence
            json.dumps(explanation.facts, allow_nan=False)


def test_facts_say_instants_in_iso_8601() -> None:
    """The score of its place is called by what it means, and what is not known is left out."""
    facts = explain(found(status="processing", placed_ms=NOW + 1, since_ms=NOW, paused_ms=math.inf)).facts
    assert facts["lease_until"] == "2027-01-15T08:00:00.001000+00:00"
    assert facts["since"] == "2027-01-15T08:00:00+00:00"
    assert not facts.keys() & {"delayed_until", "paused_until", "error", "note", "placed_ms"}


def test_the_page_has_the_same_table() -> None:
    """In the same order, with the same words."""
    rows = re.findall(r"^\| `(\w+)` \| (.*) \| (.*) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert rows == [(row.name, row.meaning, row.remedy) for row in REASONS]

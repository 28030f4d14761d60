"""start: each run once, by its id and by its key, now or later."""

from __future__ import annotations

from typing import Any

from tests.store.runs.run_world import RunWorld, later, run
from tests.world import NOW


def test_writes_the_hash_the_lookups_and_the_place(runs: RunWorld) -> None:
    """A queue that nobody has declared gets its owner; what is due later is delayed; sent twice, nothing is new."""
    both = (run("1", lookups=(("workflow", "order"), ("tag", "a")), version="2", undo=True), run("2", due=later(500)))
    for _ in range(2):
        assert runs.start(*both) == [["created"], ["created"]]
        assert runs.snapshot() == {
            "jobs": {
                "run:1": {
                    "_queue": "order",
                    "input": "null",
                    "_version": "2",
                    "_undo": "1",
                    "_created": str(NOW),
                    "_lookups": "workflow:order\ntag:a",
                },
                "run:2": {
                    "_status": "delayed",
                    "_queue": "order",
                    "input": "null",
                    "_created": str(NOW),
                    "_lookups": "workflow:order",
                    "_fence": "0",
                    "_attempts": "0",
                },
            },
            "lookups": {"run:workflow:order": ["1", "2"], "run:tag:a": ["1"]},
            "waiting": {"order": ["1"]},
            "delayed": {"order": {"2": NOW + 500}},
            "meta": {"order": {"owner": "run"}},
            "queues": {"run": {"order": "later"}},
        }
    assert runs.life("jobs", "run:1") == -1


def test_a_key_finds_its_run_as_long_as_it_counts(runs: RunWorld) -> None:
    """Other input is another word; when its time is over, another run has the key; the run is kept as long."""
    week = 7 * 24 * 3_600_000
    key: Any = {"key": "k", "key_ttl_ms": week}
    assert runs.start(run("1", value=1, **key), run("2", value=1, **key), run("3", value=2, **key)) == [
        ["created"],
        ["existing", "1"],
        ["different", "1"],
    ]
    assert runs.start(run("4", "ship", value=2, **key)) == [["created"]]  # a key is the workflow's own
    [claimed] = runs.claim(queue="order")
    runs.report(["finish", claimed.id, 1, 3, "", "output", "1"], queue="order")
    assert runs.start(run("5", value=1, **key)) == [["existing", "1"]]
    assert runs.lives("jobs", "run:1", week)
    runs.now += week
    assert runs.start(run("6", value=2, **key)) == [["created"]]
    assert runs.snapshot()["lookups"]["run:#key:order:k"] == ["6"]


def test_what_stands_in_the_way_is_named_and_nothing_of_that_run_is_written(runs: RunWorld) -> None:
    """Another type at a key of ours, and another flow's queue; the other runs of the call are started."""
    runs.redis.set(runs.key("lookups", "run:tag:a"), "x")
    runs.redis.hset(runs.key("meta", "pick"), "owner", "shop")
    words = runs.start(run("1", lookups=(("tag", "a"),)), run("2", "pick"), run("3"))
    assert [word for word, *_ in words] == ["conflict", "conflict", "created"]
    assert "run:tag:a" in words[0][1]
    assert words[1][1] == "the queue pick belongs to the flow shop"
    assert runs.snapshot()["waiting"] == {"order": ["3"]}
    assert runs.field("2", "input") is None

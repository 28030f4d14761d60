"""A world that counts along: after every script it holds the counters of each queue against all hashes and lists.

What a script has done is told by the hashes alone, before and after it (`tests/faults/balance.py`), never by its words.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from hashlib import sha1
from typing import Any, Final

import pytest

from flows.store.client.scripts import Argument, Script, load
from flows.store.jobs.flow_settings import FlowSettings
from tests.faults.balance import PLACES, Counts, Look, moves, unbalanced
from tests.world import QUEUES, UNSEEN, State, World

#: The counters that are compared one by one, wherever a job moves.
COUNTED: Final = (
    "advance", "settle", "done", "failed", "cancelled", "retry", "snooze", "release", "rescue", "await_children",
    "deleted", "delete_ended", "retry_job", "moved_in", "moved_out",
)  # fmt: skip
#: Of more jobs that one script has ended as done, not all are listed.
SAMPLE: Final = 10
#: Ways to come to a queue, by what `moves` calls them.
WAYS: Final = {"created": "created", "advanced": "advanced", "settled": "settled"}
WAYS_COUNTED: Final = {"retry_job": "retried", "moved_in": "moved here"}


class BalancedWorld(World):
    """One flow whose counters are checked after each call. Ids may not stand twice in a list by accident."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        """Begin with nothing."""
        super().__init__(*args, **settings)
        self.reset()

    def reset(self) -> None:
        """Forget what has been, for a namespace that is empty."""
        self._seen: dict[str, Look] = {}
        self._expected: Counts = Counter()
        #: How many ids stand where they stand though their hashes were lost, or were found to.
        self._lost: Counter[str] = Counter()
        #: Jobs that had ended when their hashes were lost, and all that were done: their ids may stay in lists.
        self._over: dict[str, Look] = {}

    def seed(self, **state: dict[str, Any]) -> None:
        """Write a state, and take its jobs for created."""
        super().seed(**state)
        self._look_around()

    def run(self, script: str, *rest: Argument, **named: Argument) -> Any:
        """Call a script, and check what it has counted."""
        self._look_around()
        answer = super().run(script, *rest, **named)
        found = self._found()
        seen = looks(found)
        self._expected.update(moves(self._seen, seen))
        self._seen = seen
        self._over |= {name: look for name, look in seen.items() if look.state == "done"}
        self.check(found)
        return answer

    def _found(self) -> State:
        return self.snapshot(unseen=UNSEEN - {"ended"}, counts=True)

    def _look_around(self) -> None:
        """See what was done by other means than a script: jobs that were written, and hashes that were lost."""
        seen = looks(self._found())
        for (queue, what), count in moves(self._seen, seen).items():
            if what == "deleted":
                self._lost[queue] += count
            elif what == "created":
                self._expected[queue, what] += count
        self._over |= {name: look for name, look in self._seen.items() if name not in seen and not look.open}
        self._seen = seen

    def check(self, found: State) -> None:
        """Compare each queue's counters, depth and lists of ended jobs with what the hashes say."""
        for queue in QUEUES:
            meta = {name: int(value) for name, value in found.get("meta", {}).get(queue, {}).items() if name != "owner"}
            counted = {name: meta.get(name, 0) for name in COUNTED if meta.get(name)}
            expected = {name: self._expected[queue, name] for name in COUNTED if self._expected[queue, name]}
            assert counted == expected, f"queue {queue} counts {counted}, and {expected} is what has happened"
            self._check_depth(queue, found, meta)
            self._check_ended(queue, found)

    def _check_depth(self, queue: str, found: State, meta: dict[str, int]) -> None:
        stale, lost = meta.get("stale", 0), self._lost[queue] - meta.get("expired", 0)
        standing = sum(len(found.get(place, {}).get(queue, ())) for place in PLACES) - stale
        there = sum(1 for look in self._seen.values() if look.open and look.queue == queue)
        assert stale == sum(map(int, found.get("stale", {}).get(queue, {}).values())) >= 0
        assert lost >= 0, f"queue {queue} counts {-lost} more expired than were lost"
        assert standing == there + lost, f"queue {queue} shows {standing}, and has {there}, and {lost} that are lost"
        came = {way: self._expected[queue, name] for name, way in (WAYS | WAYS_COUNTED).items()}
        assert unbalanced(queue, came, meta, standing) == ""
        assert not meta.get("misplaced"), f"queue {queue} has met {meta.get('misplaced')} ids that it does not know"

    def _check_ended(self, queue: str, found: State) -> None:
        over = {name: look for name, look in self._over.items() if look.queue == queue}
        for word in ("failed", "cancelled", "done"):
            mine = {name for name, look in self._seen.items() if (look.state, look.queue) == (word, queue)}
            listed = found.get("ended", {}).get(f"{queue}:{word}", ())
            there, before = set(listed), {_id(name) for name, look in over.items() if look.state == word}
            wanted = {_id(name) for name in mine}
            sampled = word == "done" and len(there) >= SAMPLE
            assert there <= wanted | before, f"queue {queue} lists as {word} {there - wanted}, which are not"
            assert wanted <= there or sampled, f"queue {queue} does not list as {word} {wanted - there}"
            assert len(listed) == len(there) or word == "done", f"queue {queue} lists a job twice as {word}"


def looks(found: State) -> dict[str, Look]:
    """Return all jobs of a snapshot, but children that are written and in no queue yet."""
    jobs: dict[str, Any] = found.get("jobs", {})
    waiting = found.get("waiting", {})
    return {
        name: _look(name, fields)
        for name, fields in jobs.items()
        if "_status" in fields or "_parent" not in fields or _id(name) in waiting.get(name.rpartition(":")[0], ())
    }


def _look(name: str, fields: dict[str, str]) -> Look:
    flow = name.rpartition(":")[0]
    first = "pick" if flow == "shop" else flow
    state, queue = fields.get("_status", "waiting"), fields.get("_queue", first)
    return Look(state, queue, *(int(fields.get(part, 0)) for part in ("_attempts", "_rescues", "_visit")))


def _id(name: str) -> str:
    return name.rpartition(":")[2]


def search_short_lists_only(monkeypatch: pytest.MonkeyPatch, length: int) -> None:
    """Let the scripts of a world search no list that is longer: what stands in it stays there."""
    usual = f"{SHORT} = 10000\n"

    usual_script = FlowSettings.script

    def shortened(settings: FlowSettings, name: str, queue: str = "") -> Script:
        script = usual_script(settings, name, queue)
        text = script.text.replace(usual, f"{SHORT} = {length}\n")
        return replace(script, text=text, sha=sha1(text.encode(), usedforsecurity=False).hexdigest())

    assert usual in load("cancel").text
    monkeypatch.setattr(FlowSettings, "script", shortened)


#: The name of the length in `cut.lua`.
SHORT: Final = "SHORT"

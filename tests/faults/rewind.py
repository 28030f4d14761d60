"""Takes out of a ledger what a server has forgotten, so that the rest can be held against what it knows.

When the end of a server's file is lost, what was accepted in that time never was: those jobs run again, with fences
that were given before. Who had such a job in flight may still begin it, and is refused.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Final, TypeAlias

from tests.faults.ledger import Entry, Ledger

#: A job that was claimed before the loss begins at most so many seconds after it.
SITTING: Final = 1.0

_Attempt: TypeAlias = tuple[str, int, int]


def rewind(directory: Path, down: float, sitting: float = SITTING) -> int:
    """Take out what was forgotten by the server that was down at `down`; return how many jobs ran again.

    What goes: endings that were accepted before, of what ran again later; and beginnings from before, or soon after,
    of which no ending was accepted that counts. All processes that write there have to have ended.
    """
    entries = Ledger.read(directory)
    later = {entry.key for entry in entries if entry.kind in {"START", "DONE"} and entry.t > down}
    forgotten = {id(entry) for entry in entries if entry.kind == "DONE" and entry.t < down and entry.key in later}
    accepted = {_attempt(entry) for entry in entries if entry.kind == "DONE" and id(entry) not in forgotten}
    # The same worker may get the same fence again: the last one is meant.
    last = {_attempt(entry): id(entry) for entry in entries if entry.kind == "START"}
    begun = Counter(entry.key for entry in entries if entry.kind == "START")
    for entry in entries:
        if entry.kind == "START" and entry.t < down + sitting:
            attempt = _attempt(entry)
            if attempt not in accepted or last[attempt] != id(entry):
                forgotten.add(id(entry))
    kept = [entry for entry in entries if id(entry) not in forgotten]
    for path in directory.glob("*.jsonl"):
        path.rename(path.with_suffix(".before"))
    (directory / "rewound.jsonl").write_text("".join(map(_line, kept)), "utf-8")
    return sum(times > 1 for times in begun.values())


def _attempt(entry: Entry) -> _Attempt:
    return entry.key, entry.fence, entry.pid


def _line(entry: Entry) -> str:
    facts = {"t": entry.t, "pid": entry.pid, "kind": entry.kind, "id": entry.job_id, **entry.fields}
    return json.dumps(facts) + "\n"

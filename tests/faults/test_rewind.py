"""What a server has forgotten goes out of the ledger, and nothing else."""

from __future__ import annotations

from pathlib import Path

from tests.faults.ledger import Entry, Ledger
from tests.faults.rewind import rewind


def write(directory: Path, *lines: str) -> None:
    """Write lines of `<time> <pid> <kind> <key> <fence>`."""
    texts = []
    for line in lines:
        t, pid, kind, key, fence = line.split()
        fields = f'"key": "{key}", "fence": {fence}, "queue": "pick", "attempt": 1'
        texts.append(f'{{"t": {t}, "pid": {pid}, "kind": "{kind}", "id": "{key}", {fields}}}\n')
    (directory / "1.jsonl").write_text("".join(texts))


def told(entry: Entry) -> str:
    """Return a line again."""
    return f"{entry.t:g} {entry.pid} {entry.kind} {entry.key} {entry.fence}"


def test_takes_out_what_ran_again(tmp_path: Path) -> None:
    """Its first attempt was accepted by a server that does not know of it any more."""
    write(tmp_path, "1 7 START a 1", "2 7 DONE a 1", "11 8 START a 1", "12 8 DONE a 1")
    assert rewind(tmp_path, 10) == 1
    assert [told(entry) for entry in Ledger.read(tmp_path)] == ["11 8 START a 1", "12 8 DONE a 1"]


def test_takes_out_attempts_of_the_lost_time(tmp_path: Path) -> None:
    """Their worker had claimed the job before the loss, and was refused."""
    write(tmp_path, "1 7 START a 5", "10.5 9 START a 3", "11 7 REFUSED a 5", "12 8 START a 2", "13 8 DONE a 2")
    rewind(tmp_path, 10)
    assert [told(entry) for entry in Ledger.read(tmp_path)] == ["11 7 REFUSED a 5", "12 8 START a 2", "13 8 DONE a 2"]


def test_keeps_what_the_server_still_knows(tmp_path: Path) -> None:
    """What was accepted and did not run again; and what began before the loss and was accepted after it."""
    lines = ("1 7 START a 1", "2 7 DONE a 1", "3 7 START b 1", "11 7 DONE b 1")
    write(tmp_path, *lines)
    assert rewind(tmp_path, 10) == 0
    assert [told(entry) for entry in Ledger.read(tmp_path)] == list(lines)


def test_keeps_what_comes_later(tmp_path: Path) -> None:
    """What is wrong after the loss stays to be found."""
    lines = ("12 7 START a 1", "13 8 START a 2", "14 7 DONE a 1", "15 8 DONE a 2")
    write(tmp_path, *lines)
    rewind(tmp_path, 10)
    assert [told(entry) for entry in Ledger.read(tmp_path)] == list(lines)

"""The ledger keeps what each process wrote, in order, also of one that was killed while it wrote."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.faults.fork_server import ROOT
from tests.faults.ledger import Ledger


def test_reads_what_all_have_written_by_time(tmp_path: Path) -> None:
    """Two ledgers of one directory have a file each, and are read as one."""
    with Ledger(tmp_path) as one, Ledger(tmp_path) as two:
        one.write("START", "a", fence=1, key="a:0:pick")
        two.write("EFFECT", "b", fence=2)
        one.write("DONE", "a", fence=1)
    entries = Ledger.read(tmp_path)
    assert [(entry.kind, entry.job_id, entry.fence) for entry in entries] == [
        ("START", "a", 1),
        ("EFFECT", "b", 2),
        ("DONE", "a", 1),
    ]
    assert entries[0].key == "a:0:pick"
    assert {entry.pid for entry in entries} == {os.getpid()}
    assert len(list(tmp_path.iterdir())) == 2


def test_drops_a_line_that_was_cut(tmp_path: Path) -> None:
    """The last line of a process that was killed while it wrote is no line."""
    with Ledger(tmp_path) as ledger:
        ledger.write_many("ACK", ["a", "b"])
    [file] = tmp_path.iterdir()
    os.truncate(file, file.stat().st_size - 5)
    assert [entry.job_id for entry in Ledger.read(tmp_path)] == ["a"]


def test_is_in_the_file_when_the_process_is_killed(tmp_path: Path) -> None:
    """What was written before SIGKILL is there, and a fork writes to a file of its own."""
    program = (
        "import os, signal, sys; from pathlib import Path; from tests.faults.ledger import Ledger\n"
        "ledger = Ledger(Path(sys.argv[1])); ledger.write('NOTE', what='before')\n"
        "child = os.fork()\n"
        "ledger.write('NOTE', what='child' if child == 0 else 'parent')\n"
        "child and os.waitpid(child, 0)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", program, tmp_path], cwd=ROOT, check=False, timeout=30)
    entries = Ledger.read(tmp_path)
    assert sorted(entry.fields["what"] for entry in entries) == ["before", "child", "parent"]
    assert len(list(tmp_path.iterdir())) == 2

"""Takes each guard out of each script in turn, and asks the tests: `make mutants`, or `python -m tests.faults.mutants`.

A guard that can go without any test failing is either useless or untested; both are worth knowing. Exits 1 where there
is one that `excused.py` does not excuse.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from flows.store.bundled import is_called_with
from tests.faults.excused import EQUIVALENT
from tests.faults.lua_guards import Mutant, read_mutants
from tests.faults.script_tests import ROOT, SCRIPTS, short_name


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.mutants", description=__doc__)
    parser.add_argument("--only", default="", help="only mutants whose `file:line` or change contains this")
    parser.add_argument(
        "--again", type=Path, help="only those that no test has killed in this JSON file of an earlier run"
    )
    parser.add_argument("--tests", nargs="+", default=[], help="ask only these files or folders of tests")
    parser.add_argument("--lanes", type=int, default=os.cpu_count() or 1, help="so many at once")
    parser.add_argument("--json", type=Path, help="write the results here too")
    parser.add_argument("--markdown", type=Path, help="write a table here too")
    parser.add_argument("--list", action="store_true", help="list the mutants and run nothing")
    options = parser.parse_args()
    found = read_mutants(SCRIPTS)
    wanted = [
        index for index, mutant in enumerate(found) if options.only in f"{mutant.file}:{mutant.line} {mutant.change}"
    ]
    if options.again:
        rows = json.loads(options.again.read_text())
        killed = {(short_name(row["file"]), row["guard"], row["after"]) for row in rows if row["fate"] == "killed"}
        wanted = [index for index in wanted if _name(found[index]) not in killed]
    if options.list:
        for index in wanted:
            _say(_line(found[index], ""))
        return 0
    began = time.monotonic()
    rows = _run(found, wanted, options.lanes, options.tests)
    _show(rows, time.monotonic() - began)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")
    if options.markdown:
        options.markdown.write_text(_markdown(rows))
    return int(any(row["fate"] in {"SURVIVED", "invalid"} for row in rows))


def _run(found: list[Mutant], wanted: list[int], lanes: int, tests: list[str]) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        work = Path(folder)
        shutil.copytree(SCRIPTS, work / "lua")
        (work / "tmp").mkdir()
        excused = [index for index in wanted if _name(found[index]) in EQUIVALENT]
        (work / "wanted.json").write_text(json.dumps([index for index in wanted if index not in excused]))
        # All tests would be asked, in vain.
        known = [{"index": index, "fate": "survived", "test": "", "seconds": 0} for index in excused]
        (work / "results-excused").write_text("".join(f"{json.dumps(result)}\n" for result in known))
        environment = {**os.environ, "TMPDIR": str(work / "tmp"), "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "tests.faults.mutant_lane", folder]
        running: list[subprocess.Popen[bytes]] = []
        for number in range(lanes):
            with (work / f"log-{number}").open("wb") as log:
                running.append(
                    subprocess.Popen([*command, str(number), *tests], cwd=ROOT, env=environment, stdout=log, stderr=log)
                )
        rows: dict[int, dict[str, Any]] = {}
        try:
            while any(lane.poll() is None for lane in running):
                time.sleep(0.5)
                _collect(work, found, rows)
            _tell_failing(work)
        finally:
            for lane in running:
                lane.send_signal(signal.SIGINT)
                lane.wait()
            _end_servers(work / "tmp")
        _collect(work, found, rows)
        if len(rows) < len(wanted):
            for number in range(lanes):
                _say((work / f"log-{number}").read_text(errors="replace")[-3000:])
            raise SystemExit(f"{len(wanted) - len(rows)} mutants were not tried")
        return [rows[index] for index in sorted(rows)]


def _collect(work: Path, found: list[Mutant], rows: dict[int, dict[str, Any]]) -> None:
    """Read the lanes' new results, and print them."""
    for file in work.glob("results-*"):
        for text in file.read_text().splitlines():
            result = json.loads(text)
            mutant = found[result["index"]]
            if result["index"] in rows:
                continue
            fate = result["fate"]
            if fate == "survived":
                fate = "equivalent" if _name(mutant) in EQUIVALENT else "SURVIVED"
            rows[result["index"]] = {
                "file": mutant.file,
                "line": mutant.line,
                "guard": mutant.guard,
                "change": mutant.change,
                "after": mutant.after,
                "fate": fate,
                "by": result["test"] if fate != "equivalent" else EQUIVALENT[_name(mutant)],
                "seconds": result["seconds"],
            }
            _say(_line(mutant, f"{fate} {result['test']}"))


def _name(mutant: Mutant) -> tuple[str, str, str]:
    """Return what a mutant is known by in another run: its line may have moved, another guard may end as the same."""
    return short_name(mutant.file), mutant.guard, mutant.after


def _line(mutant: Mutant, fate: str) -> str:
    return f"{mutant.file}:{mutant.line} | {mutant.guard} | {mutant.change} | {fate}"


def _show(rows: list[dict[str, Any]], seconds: float) -> None:
    counts = Counter(row["fate"] for row in rows)
    _say(f"\n{len(rows)} guards in {seconds:.0f} s: " + ", ".join(f"{n} {fate}" for fate, n in counts.most_common()))
    for row in rows:
        if row["fate"] in {"SURVIVED", "invalid"}:
            _say(f"{row['fate']}: {row['file']}:{row['line']} | {row['guard']} | {row['change']}\n    {row['after']}")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _markdown(rows: list[dict[str, Any]]) -> str:
    def cell(text: str) -> str:
        return text.replace("|", "\\|")

    lines = ["| where | guard | change | what fails |", "|---|---|---|---|"]
    for row in rows:
        by = row["by"].removeprefix("tests/") if row["fate"] == "killed" else f"{row['fate']}: {row['by']}"
        where = f"{row['file']}:{row['line']}"
        lines.append(f"| {where} | `{cell(row['guard'])}` | {cell(row['change'])} | {cell(by)} |")
    return "\n".join(lines) + "\n"


def _tell_failing(folder: Path) -> None:
    """Name the tests that fail without any change: they could say nothing about the guards."""
    known = [facts for file in folder.glob("unchanged-*.json") for facts in json.loads(file.read_text()).items()]
    for test in sorted({test for test, facts in known if not facts["ok"]}):
        _say(f"fails on the unchanged scripts: {test}")


def _end_servers(folder: Path) -> None:
    """End the servers of tests that were stopped half way: each wrote its number below our own folder."""
    for file in folder.rglob("server.pid"):
        with suppress(ValueError, OSError):
            pid = int(file.read_text())
            if is_called_with(pid, str(folder)):
                os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())

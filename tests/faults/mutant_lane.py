"""One lane of the mutation run: pytest collects once, then each mutant is tried in a fork of that process.

A lane takes mutants until none is left. For each it runs the tests that read the mutated file, in groups: its own test
file first, then those of the scripts that include it (`tests.faults.script_tests`), then all others. It stops at the
first test that fails. What the tests of a file read, and whether they pass, is asked once, when they are first needed.
Scripts are read from a folder of the lane's own: see `_read_from`.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, Final, TypeAlias

import pytest
import redis

from flows.store.client import scripts
from tests.faults.lua_guards import Mutant, read_mutants
from tests.faults.script_tests import SCRIPTS, nearest_tests
from tests.faults.server import Server

#: Where tests are looked for, in the order in which they are tried.
PLACES: Final = ("tests/store", "tests/kernel", "tests/pipeline", "tests/faults/rules")
#: Where those are that belong to a file of Lua.
NEAR: Final = (PLACES[0], PLACES[-1])
#: These try whatever comes to them, and take long to say what is wrong: they come last.
LAST: Final = ("test_state_machine.py", "test_counts.py")
#: The seconds that one group of tests may take with a mutant, and with the unchanged scripts.
MUTANT_SECONDS: Final = 240.0
UNCHANGED_SECONDS: Final = 600.0

#: Where the loader looks, below the folder of all Lua, which is what is copied.
_BELOW: Final = Path(str(scripts._folder())).relative_to(SCRIPTS)
#: What is known of a test: whether it passes with the unchanged scripts, its seconds, the files that it reads.
Facts: TypeAlias = dict[str, Any]


def _file_of(test: str) -> str:
    return test.partition("::")[0]


def _place(test: str) -> int:
    return next((number for number, place in enumerate(PLACES) if test.startswith(place)), len(PLACES))


class _Noting(type(Path())):  # type: ignore[misc]
    """A folder of scripts that notes which files are read."""

    read: ClassVar[set[str]] = set()
    root: ClassVar[str] = ""

    def read_text(self, *args: Any, **named: Any) -> str:
        self.read.add(os.path.relpath(self, self.root))
        return str(super().read_text(*args, **named))


def _read_from(folder: Path) -> None:
    """Let the loader read the scripts from a copy of its folder."""
    scripts._folder = lambda: folder / _BELOW  # type: ignore[assignment]
    scripts.forget()


class Lane:
    """A plugin of pytest that runs the collected tests in its own way."""

    def __init__(self, work: Path, number: int, server: Server, wanted: list[int]) -> None:
        self._work, self._number, self._server, self._wanted = work, number, server, wanted
        self._source = work / "lua"
        self._items: dict[str, pytest.Item] = {}
        self._known: dict[str, Facts] = {}
        self._compositions: dict[tuple[str, ...], set[str]] = {}
        self._report: Callable[[dict[str, Any]], None] = lambda _line: None

    @pytest.hookimpl
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Try mutants until none is left."""
        self._items = {item.nodeid: item for item in session.items}
        found = read_mutants(self._source)
        for index in self._wanted:
            if self._take(index):
                began = time.monotonic()
                line = {"index": index, **self._try(found[index])}
                line["seconds"] = round(time.monotonic() - began, 1)
                with (self._work / f"results-{self._number}").open("a") as results:
                    results.write(json.dumps(line) + "\n")
        return True

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Pass on how each part of a test ended."""
        self._report({"id": report.nodeid, "ok": not report.failed, "when": report.when, "seconds": report.duration})

    def _take(self, index: int) -> bool:
        with suppress(FileExistsError):
            os.close(os.open(self._work / f"taken-{index}", os.O_CREAT | os.O_EXCL))
            return True
        return False

    # One mutant

    def _try(self, mutant: Mutant) -> dict[str, Any]:
        folder = self._work / f"mutant-{self._number}"
        if not folder.exists():
            shutil.copytree(self._source, folder)
        try:
            (folder / mutant.file).write_text(mutant.text)
            return self._judge(mutant, folder)
        finally:
            shutil.copy(self._source / mutant.file, folder / mutant.file)

    def _judge(self, mutant: Mutant, folder: Path) -> dict[str, Any]:
        if error := self._compile_error(mutant.file):
            return {"fate": "invalid", "test": error}
        for group in self._groups(mutant.file):
            known = self._unchanged(group)
            _read_from(folder)
            order = [test for test, facts in known.items() if facts["ok"] and mutant.file in facts["read"]]
            order.sort(key=lambda test: (_place(test), known[test]["seconds"]))
            if killer := self._killer(order):
                return {"fate": "killed", "test": killer}
        return {"fate": "survived", "test": ""}

    def _groups(self, file: str) -> Iterator[list[str]]:
        """Yield the test files in the order in which they are asked about a mutant of a file."""
        files = list(dict.fromkeys(map(_file_of, self._items)))
        last = [test for test in files if test.endswith(LAST)]
        near = nearest_tests(self._source, file, [test for test in files if test.startswith(NEAR)])
        yield from near
        rest = [test for test in files if test not in last and not any(test in group for group in near)]
        yield [test for test in rest if test.startswith(PLACES[0])]
        yield [test for test in rest if not test.startswith(PLACES[0])]
        yield last

    def _killer(self, order: list[str]) -> str:
        """Return the first test that fails, or nothing."""
        while killer := self._first_failure(order):
            # What needs time to go by may fail by accident: it has to fail again.
            if killer.startswith(PLACES[0]) or killer not in order or self._first_failure([killer]):
                return killer
            order = order[order.index(killer) + 1 :]
        return ""

    def _composed_of(self, file: str) -> list[tuple[str, ...]]:
        """Return the compositions that a file of Lua is part of."""
        if not self._compositions:
            _Noting.root = str(self._source)
            _read_from(_Noting(self._source))
            for one in scripts.compositions():
                _Noting.read.clear()
                scripts.load(*one)
                self._compositions[one] = {*_Noting.read}
        return [one for one, read in self._compositions.items() if file in read]

    def _compile_error(self, file: str) -> str:
        """Return why a script does not compile whose file was changed, or nothing."""
        composed = self._composed_of(file)
        _read_from(self._work / f"mutant-{self._number}")
        with self._server.client() as client:
            for one in composed:
                try:
                    client.script_load(scripts.load(*one).text)
                except redis.ResponseError as error:
                    return str(error)
        return ""

    def _first_failure(self, order: list[str]) -> str:
        if not order:
            return ""
        began = ""
        for line in self._fork(lambda: self._run(order), MUTANT_SECONDS):
            began = line.get("began", began)
            if not line.get("ok", True):
                return str(line["id"])
            if line.get("late"):
                return f"{began} (takes for ever)"
        return ""

    # The unchanged scripts

    def _unchanged(self, files: list[str]) -> dict[str, Facts]:
        """Return what is known of each test of some files, with the unchanged scripts."""
        asked = [test for test in self._items if _file_of(test) in files]
        for other in self._work.glob("unchanged-*.json"):  # another lane may know
            self._known = {**json.loads(other.read_text()), **self._known}
        if new := [test for test in asked if test not in self._known]:
            found = self._ask_unchanged(new)
            self._known.update(found)
            partly = self._work / f"unchanged-{self._number}.part"
            partly.write_text(json.dumps(self._known))
            partly.rename(partly.with_suffix(".json"))
        return {test: self._known[test] for test in asked if test in self._known}

    def _ask_unchanged(self, tests: list[str]) -> dict[str, Facts]:
        _Noting.root = str(self._source)
        _read_from(_Noting(self._source))
        known: dict[str, Facts] = {}
        complete = False
        for line in self._fork(lambda: self._run(tests, noting=True), UNCHANGED_SECONDS):
            if "read" in line:
                known[line["id"]]["read"] = line["read"]
            elif "when" in line:
                facts = known.setdefault(line["id"], {"ok": True, "seconds": 0.0, "read": []})
                facts["ok"] &= line["ok"]
                facts["seconds"] += line["seconds"]
            complete = complete or "end" in line
        if not complete:
            raise SystemExit(f"{_file_of(tests[0])} and what comes after it came to no end with the unchanged scripts")
        return known

    # Forks

    def _run(self, order: list[str], *, noting: bool = False) -> None:
        failed: list[str] = []
        report = self._report

        def watch(line: dict[str, Any]) -> None:
            report(line)
            if not line.get("ok", True):
                failed.append(line["id"])

        self._report = watch
        items = [self._items[test] for test in order]
        for item, following in zip(items, [*items[1:], None], strict=True):
            if noting:
                _Noting.read.clear()
                scripts.forget()
            report({"began": item.nodeid})
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if noting:
                report({"id": item.nodeid, "read": sorted(_Noting.read)})
            elif failed:
                return

    def _fork(self, work: Callable[[], None], seconds: float) -> Iterator[dict[str, Any]]:
        """Do something in a fork, and yield what it reports; it is killed when its time is over."""
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.setsid()
            os.close(reading)
            self._report = lambda line: void(os.write(writing, json.dumps(line).encode() + b"\n"))
            try:
                work()
                self._report({"end": True})
            except BaseException:  # noqa: BLE001 - whatever it is, the fork must not go on as the lane
                traceback.print_exc()
            os._exit(0)
        os.close(writing)
        try:
            yield from _lines(reading, seconds)
        finally:
            os.close(reading)
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            self._mend_server()

    def _mend_server(self) -> None:
        """A script that never ends holds the server: it gets a new one."""
        try:
            with self._server.client(timeout=2.0) as client:
                client.flushall()
        except redis.RedisError:
            self._server.kill()
            self._server.forget()
            self._server.start()


def void(_value: object) -> None:
    """Drop a value."""


def _lines(reading: int, seconds: float) -> Iterator[dict[str, Any]]:
    end, rest = time.monotonic() + seconds, b""
    while True:
        ready, _, _ = select.select([reading], [], [], max(0.0, end - time.monotonic()))
        if not ready:
            yield {"late": True}
            return
        data = os.read(reading, 1 << 16)
        if not data:
            return
        *complete, rest = (rest + data).split(b"\n")
        yield from map(json.loads, complete)


def main(arguments: list[str]) -> int:
    """Be lane number N of a folder: `python -m tests.faults.mutant_lane FOLDER N [TESTS …]`."""
    work, number, places = Path(arguments[0]), int(arguments[1]), arguments[2:] or PLACES
    wanted = json.loads((work / "wanted.json").read_text())
    with Server(work / f"server-{number}", profile="none") as server:
        os.environ["FLOWS_TEST_REDIS_URL"] = server.url
        options = [
            "-q",
            "-p",
            "no:randomly",
            "-p",
            "no:cacheprovider",
            "-o",
            "timeout=20",
            "-o",
            "addopts=",
            "--tb=native",
        ]
        # The lane has imported what its plugin is made of before pytest could look at it.
        options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
        options += ["--import-mode=importlib", f"--basetemp={work / f'tmp-{number}'}"]
        return int(pytest.main([*options, *places], plugins=[Lane(work, number, server, wanted)]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

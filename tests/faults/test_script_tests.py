"""Which tests are asked about a mutant: the own ones of its file first, then those of what includes it."""

from __future__ import annotations

from pathlib import Path

from tests.faults.excused import EQUIVALENT
from tests.faults.mutant_lane import PLACES
from tests.faults.script_tests import (
    NAMED_OTHERWISE,
    ROOT,
    SCRIPTS,
    lua_files,
    name_of,
    nearest_tests,
    own_name,
    short_name,
)

FILES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / PLACES[0]).rglob("test_*.py"))


def lua(folder: Path, **includes: str) -> None:
    """Write files of Lua; `__` in a name is a slash."""
    for name, included in includes.items():
        file = folder / f"{name.replace('__', '/')}.lua"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"-- It does something.\n--@ include: {included}\n")


def test_its_own_tests_come_first_and_then_those_of_its_includers(tmp_path: Path) -> None:
    """However deep the rooms stand; an include line means an include first, and a transition else."""
    lua(
        tmp_path, jobs__turn="claim", jobs__rescue="rescue", jobs__transition__claim="life", jobs__transition__rescue=""
    )
    lua(tmp_path, jobs__include__life="keys", jobs__include__keys="", jobs__transition__life="")
    tests = [f"tests/store/jobs/test_{name}.py" for name in ("claim", "keys", "other", "rescue", "turn")]
    claim, keys, _other, rescue, turn = tests
    assert nearest_tests(tmp_path, "jobs/include/keys.lua", tests) == [[keys], [claim, turn]]
    assert nearest_tests(tmp_path, "jobs/transition/claim.lua", tests) == [[claim], [turn]]
    assert nearest_tests(tmp_path, "jobs/transition/life.lua", tests) == [[claim]], (
        "by the name that the table gives it"
    )
    assert nearest_tests(tmp_path, "jobs/transition/rescue.lua", tests) == [[rescue]]
    assert nearest_tests(tmp_path, "jobs/turn.lua", tests) == [[turn]]


def test_every_file_of_lua_has_tests_that_are_near() -> None:
    """None has to wait until all tests were asked."""
    assert [file for file in lua_files(SCRIPTS) if not nearest_tests(SCRIPTS, file, FILES)] == []


def test_the_names_that_are_listed_are_there() -> None:
    """What is listed by hand is a file of Lua without tests of its name, and a test file."""
    stems, tests = {own_name(file) for file in lua_files(SCRIPTS)}, {name_of(file) for file in FILES}
    assert [name for name in NAMED_OTHERWISE if name not in stems or name in tests] == []
    assert [name for name in NAMED_OTHERWISE.values() if name not in tests] == []


def test_a_file_that_moves_keeps_its_name() -> None:
    """So the table of guards whose absence nobody can see outlives a move; all files that it names are there."""
    assert short_name("jobs/include/settle.lua") == short_name("include/settle.lua") == "include/settle.lua"
    assert short_name("jobs/turn.lua") == "turn.lua"
    assert {file for file, _guard, _after in EQUIVALENT} <= {short_name(file) for file in lua_files(SCRIPTS)}

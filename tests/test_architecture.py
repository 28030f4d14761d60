"""The rules of the house that no linter knows: sizes, names, and who may do what.

Each test collects the offenders, so that a failure says what to mend.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "flows"
LUA = PACKAGE / "store" / "lua"

MODULES = {path.relative_to(ROOT): path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py"))}
SCRIPTS = {path.relative_to(LUA): path.read_text(encoding="utf-8") for path in sorted(LUA.rglob("*.lua"))}

MAX_LINES = 300
SAYS_NOTHING = {"base", "common", "helper", "helpers", "manager", "misc", "shared", "types", "util", "utils"}
CODE_IN_DATA = {"cloudpickle", "dill", "marshal", "pickle", "shelve"}
NUMBERED = re.compile(r"\b(?:KEYS|ARGV)\s*\[\s*\d")
#: A call that writes to a hash and names `_status` among its plain arguments.
STATUS_WRITE = re.compile(r"""['"]H(?:SET|MSET|SETNX|DEL|INCRBY)['"][^)]*['"]_status['"]""", re.IGNORECASE)


@cache
def trees() -> dict[Path, ast.Module]:
    """Return the syntax tree of each module; each lane of the tests imports this file, and few need them."""
    return {path: ast.parse(source) for path, source in MODULES.items()}


def imported(node: ast.AST) -> Iterator[str]:
    """Yield the modules that a node imports; a relative import counts as one of `flows`."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield "flows" if node.level else node.module or ""


def called(node: ast.AST) -> Iterator[str]:
    """Yield the plain name that a node calls: `eval(…)` but not `connection.eval(…)`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        yield f"{node.func.id}()"


def test_every_file_is_one_idea() -> None:
    """No module has outgrown 300 lines, which is where one idea tends to end."""
    lines = {str(path): source.count("\n") for path, source in MODULES.items()}
    assert {path: count for path, count in lines.items() if count > MAX_LINES} == {}


def test_every_module_says_what_it_is_for() -> None:
    """Each module opens with a docstring."""
    assert [str(path) for path, tree in trees().items() if not ast.get_docstring(tree)] == []


def test_every_file_name_says_something() -> None:
    """No module or package has a name under which anything could be put."""
    assert [str(path) for path in MODULES if SAYS_NOTHING.intersection(path.with_suffix("").parts)] == []


def test_imports_stand_at_the_top() -> None:
    """No function imports a module of flows: such imports hide cycles."""
    offenders = [
        f"{path}:{node.lineno} {name}"
        for path, tree in trees().items()
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        for name in imported(node)
        if name.split(".")[0] == "flows"
    ]
    assert offenders == []


def test_a_message_stands_where_it_is_raised() -> None:
    """No module keeps the text of an error under another name, to raise it in the next line."""
    offenders = [
        f"{path}:{node.lineno}"
        for path, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and len(node.exc.args) == 1
        if isinstance(node.exc.args[0], ast.Name) and node.exc.args[0].id in {"msg", "message"}
    ]
    assert offenders == []


def test_data_never_becomes_code() -> None:
    """Nothing unpickles or evaluates: who can write to Redis must not own the workers."""
    offenders = [
        f"{path}: {name}"
        for path, tree in trees().items()
        for node in ast.walk(tree)
        for name in (*imported(node), *called(node))
        if name.split(".")[0] in CODE_IN_DATA or name in {"eval()", "exec()"}
    ]
    assert offenders == []


def test_scripts_name_their_keys_and_arguments() -> None:
    """No Lua file counts its keys and arguments: the loader gives them names."""
    assert [str(path) for path, source in SCRIPTS.items() if NUMBERED.search(source)] == []


def test_every_lua_file_is_one_idea() -> None:
    """As a module: it begins by saying what it is for, and ends before line 300."""
    assert [str(path) for path, source in SCRIPTS.items() if not source.startswith("-- ")] == []
    assert [str(path) for path, source in SCRIPTS.items() if source.count("\n") > MAX_LINES] == []


def test_one_include_alone_writes_the_status() -> None:
    """Only `jobs/include/status.lua` writes `_status`, so no transition can leave the state table."""
    writers = {str(path) for path, source in SCRIPTS.items() if STATUS_WRITE.search(source)}
    assert writers <= {"jobs/include/status.lua"}


def test_scripts_are_loaded_as_their_flow_needs_them() -> None:
    """By `FlowSettings.script`, which knows the overlays; two more load all that there are, to name them."""
    loaders = {str(path) for path, source in MODULES.items() if re.search(r"client\.scripts import .*\bload\b", source)}
    of_all = {"flows/cli/lua.py", "flows/store/operators/server_load.py"}
    assert loaders == {*of_all, "flows/store/jobs/flow_settings.py"}


def test_no_script_can_be_stopped_by_what_it_tells() -> None:
    """A message is a hint that not every account may send: `redis.pcall`, or the script stops half way."""
    assert [str(path) for path, source in SCRIPTS.items() if re.search(r"redis\.call\(\s*'S?PUBLISH'", source)] == []


def test_every_transition_and_every_sent_script_is_tested() -> None:
    """Each Lua file but the includes has the test file `tests/store/<room>/test_<name>.py`."""
    tests = {path: ROOT / "tests/store" / path.parts[0] / f"test_{path.stem}.py" for path in SCRIPTS}
    untested = (path for path, test in tests.items() if path.parent.name != "include" and not test.exists())
    assert sorted(map(str, untested)) == []


def test_no_folder_is_too_full() -> None:
    """A folder of the package has at most 25 files: beyond that, nobody sees what it is about."""
    built = PACKAGE / "server" / "static"
    folders = [
        folder
        for folder in PACKAGE.rglob("*")
        if folder.is_dir() and folder.name != "__pycache__" and not folder.is_relative_to(built)
    ]
    counts = {str(folder.relative_to(ROOT)): sum(entry.is_file() for entry in folder.iterdir()) for folder in folders}
    assert {folder: count for folder, count in counts.items() if count > 25} == {}


def test_the_walk_names_what_is_there() -> None:
    """Each file that ARCHITECTURE.md names exists; a Lua file may be named by its place in its room, or by its name."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:[\w.-]+/)*[\w-]+\.(?:py|lua|md))`", text))
    lua = {path.as_posix() for path in SCRIPTS}
    places = {place.partition("/")[2] for place in lua} | {path.name for path in SCRIPTS}
    missing = {name for name in named - places if not (ROOT / name).exists() and not (PACKAGE / name).exists()}
    assert missing == set()
    assert len(named) > 60

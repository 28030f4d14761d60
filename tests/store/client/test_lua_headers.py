"""The headers of the Lua files: what each says that it exports, needs and includes is what it does.

A start composes scripts and takes all that for granted: it is checked here alone.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from flows.store.client import scripts
from flows.store.client.lua_chunk import TABLES, compose
from flows.store.client.lua_file import OVERLAYS, LuaFile, ScriptError
from flows.store.client.lua_files import LuaFiles
from flows.store.client.scripts import compositions, load
from tests.store.client.lua_fit import check_fit
from tests.store.client.lua_scopes import GLOBALS, Scopes

FOLDER = Path(str(scripts._folder()))
PLACES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.lua"))
#: So many locals may a chunk have, and so many upvalues a function: Lua allows 200 and 60.
MOST_LOCALS, MOST_UPVALUES = 150, 50


def read(place: str, folder: Path = FOLDER) -> LuaFile:
    """Return one file of Lua."""
    return LuaFile(place, (folder / place).read_text())


def is_sent(file: LuaFile) -> bool:
    """Whether it is a script, and no include or transition."""
    return file.place.count("/") == 1


@cache
def scopes_of(text: str) -> Scopes:
    """Return the scopes of a file's text; most files are part of many scripts."""
    return Scopes(text)


def faults(file: LuaFile, folder: Path = FOLDER) -> list[str]:
    """Return what its header says wrongly, and what its header leaves out."""
    scopes = scopes_of("\n".join(file.lines))
    header = {name: set(words) for name, words in file.header.items()}
    found_in = LuaFiles(folder, OVERLAYS[OVERLAYS.index(file.room) :] if file.room in OVERLAYS else ())
    includes = {name: set(found_in.find(file, name).exports) for name in header.get("include", ())}
    needs, exports = header.get("needs", set()), header.get("exports", set())
    if not is_sent(file):
        needs = needs | header.get("args", set())
    else:
        needs = header.get("keys", set()) | header.get("args", set()) | ({"at", "rest"} if "rest" in header else set())
    known = GLOBALS.union(needs, exports, *includes.values())
    used = {free.name for free in scopes.free}
    local = {local.name for local in scopes.top}
    found = [
        f"{file.place}:{scopes.line(free.place)}: {free.name} comes from nowhere"
        for free in scopes.free
        if free.name not in known or (free.written and free.name in GLOBALS)
    ]
    found += [f"{file.place}: does not define {name}, which it exports" for name in sorted(exports - local)]
    found += [f"{file.place}: exports {name} twice" for name in exports if file.exports.count(name) > 1]
    found += [f"{file.place}: uses nothing of {name}" for name, given in includes.items() if not used & given]
    if not is_sent(file):
        found += [f"{file.place}: does not use {name}, which it needs" for name in sorted(needs - used)]
        found += [f"{file.place}: needs {name}, which it exports" for name in sorted(needs & exports)]
    return found


@pytest.mark.parametrize("place", PLACES)
def test_a_header_says_what_its_file_takes_and_gives(place: str) -> None:
    """No name comes from nowhere; nothing is needed, included or exported in vain."""
    assert faults(read(place)) == []


def test_every_file_is_part_of_a_script() -> None:
    """None is left over, and nothing is exported that no other file, and nothing above `--@ lazy`, uses."""
    used: dict[str, set[str]] = {}
    for name, *overlays in compositions():
        files = LuaFiles(FOLDER, overlays)
        script = files.script(name)
        for file in (script, *files.includes(script)):
            used[file.place] = {free.name for free in scopes_of("\n".join(file.lines)).free}
    assert sorted(used) == PLACES
    for place in PLACES:
        wanted = set[str]().union(*used.values())
        assert set(read(place).exports) - wanted == set(), place


@pytest.mark.parametrize("composed", compositions(), ids=" ".join)
def test_a_composed_script_is_far_from_the_limits_of_lua(composed: tuple[str, ...]) -> None:
    """No name of a whole script is global, and what Lua bounds has room for what is to come."""
    scopes = Scopes(load(*composed).text.partition("\n")[2])
    assert [free for free in scopes.free if free.written or free.name not in GLOBALS] == []
    for function in scopes.functions:
        assert function.locals < MOST_LOCALS, scopes.line(function.start)
        assert len(function.upvalues) < MOST_UPVALUES, scopes.line(function.start)


def test_scopes_are_counted_as_lua_counts_them() -> None:
    """Locals that are there at once, three more for a loop; upvalues go through the functions between."""
    scopes = Scopes(
        "local a, b = 1, 2\n"
        "do local c = a end\n"
        "for i, v in pairs(b) do local d = i end\n"
        "local function f(x) return function(...) local y = x a = y g = ... return b end end\n"
    )
    assert scopes.main.locals == 8
    assert [(function.locals, {local.name for local in function.upvalues}) for function in scopes.functions] == [
        (8, set()),
        (1, {"a", "b"}),
        (1, {"x", "a", "b"}),
    ]
    assert [(free.name, scopes.line(free.place), free.written) for free in scopes.free] == [
        ("pairs", 3, False),
        ("g", 4, True),
    ]


MORE = "--@ exports: more\nlocal function more() return 1 end\n"
INCLUDE = "--@ exports: give\n--@ needs: key\n\nlocal hidden = key\nlocal function give() return hidden end\n"


def write(folder: Path, files: dict[str, str]) -> Path:
    """Write a folder of scripts with a room, of which `main` is one that includes `part`."""
    main = {"jobs/main.lua": "--@ keys: key\n--@ include: part\nreturn give()\n", "jobs/include/part.lua": INCLUDE}
    for place, text in {**main, **files}.items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


PART = "jobs/include/part.lua"


def found_with(folder: Path, *overlays: str, of: str = "main") -> list[str]:
    """Return the places of what a script includes, with overlays."""
    files = LuaFiles(folder, overlays)
    return [file.place for file in files.includes(files.script(of))]


@pytest.mark.parametrize(
    ("place", "text", "fault"),
    [
        (PART, INCLUDE.replace("key\nlocal f", "kye\nlocal f"), f"{PART}:4: kye comes from nowhere"),
        (PART, INCLUDE.replace("key\nlocal f", "1\nlocal f"), f"{PART}: does not use key, which it needs"),
        (PART, INCLUDE.replace("give\n", "give more\n", 1), f"{PART}: does not define more, which it exports"),
        (PART, INCLUDE + "leak = 1\n", f"{PART}:6: leak comes from nowhere"),
        (PART, INCLUDE + "string = 1\n", f"{PART}:6: string comes from nowhere"),
        ("jobs/main.lua", "--@ keys: key\n--@ include: part\nreturn key\n", "jobs/main.lua: uses nothing of part"),
        ("jobs/main.lua", "--@ include: part\nreturn give(rest)\n", "jobs/main.lua:2: rest comes from nowhere"),
    ],
)
def test_each_lie_of_a_header_is_told(place: str, text: str, fault: str, tmp_path: Path) -> None:
    """With the file, and the line where there is one."""
    folder = write(tmp_path, {place: text})
    assert fault in faults(read(place, folder), folder)


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ({PART: INCLUDE.replace("key\n", "key more\n", 1)}, f"jobs/main.lua: {PART} needs 'more', which is no key"),
        ({PART: INCLUDE.replace("give\n", "give more\n", 1)}, f"{PART}: exports more, and does not define it"),
        ({PART: INCLUDE.replace("local hidden", "local give, hidden")}, f"{PART}:4: define give by itself"),
        ({PART: "--@ exports: key\nlocal key = 1\n"}, f"'key' comes from jobs/main.lua and from {PART}"),
        ({PART: "--@ exports: MOVES\nlocal MOVES = 1\n"}, f"'MOVES' comes from the loader and from {PART}"),
        ({PART: "--@ exports: a\n--@ lazy\nlocal a = 1\n"}, f"{PART}:3: only functions are exported from below"),
        ({PART: "--@ include: nothing\n"}, f"{PART}: no include or transition is called 'nothing'"),
        ({PART: "--@ include: part\n"}, f"{PART} includes itself, by jobs/main.lua {PART}"),
    ],
)
def test_what_does_not_fit_is_found(files: dict[str, str], fault: str, tmp_path: Path) -> None:
    """The error names the script and the include."""
    folder = write(tmp_path, {})
    assert compose(LuaFiles(folder), "main").script.place == "jobs/main.lua"
    write(folder, files)
    with pytest.raises(ScriptError, match=re.escape(fault)):
        check_fit(LuaFiles(folder), "main")


@pytest.mark.parametrize("composition", compositions(), ids=" ".join)
def test_the_parts_of_each_script_fit_together(composition: tuple[str, ...]) -> None:
    """With each overlay that it may be sent with."""
    name, *overlays = composition
    check_fit(LuaFiles(FOLDER, overlays), name)


def test_an_include_of_the_own_room_comes_first(tmp_path: Path) -> None:
    """A room may have its own file of a name that another has too, and takes from others what it has not."""
    other = {"other/main2.lua": "--@ keys: key\n--@ include: part\nreturn give()\n"}
    folder = write(tmp_path, other)
    assert found_with(folder, of="main2") == [PART]
    write(folder, {"other/include/part.lua": INCLUDE})
    assert found_with(folder, of="main2") == ["other/include/part.lua"]
    assert found_with(folder) == [PART]


def test_scripts_share_what_was_read(tmp_path: Path) -> None:
    """A start composes many scripts: what one has read, the next one includes without looking for it again."""
    folder = write(tmp_path, {"jobs/main2.lua": "--@ keys: key\n--@ include: part\nreturn give()\n"})
    files = LuaFiles(folder)
    compose(files, "main")
    (folder / PART).unlink()
    assert INCLUDE.rpartition("local function ")[2] in compose(files, "main2").text


def test_a_file_of_an_overlay_stands_in_for_others_of_its_name(tmp_path: Path) -> None:
    """Of several overlays the first that has one; its includes are searched alike, and none without an overlay."""
    rules, ruled = "rules/include/part.lua", "ruled/include/part.lua"
    folder = write(tmp_path, {rules: f"--@ include: more\n{INCLUDE}more()\n", "jobs/include/more.lua": MORE})
    assert found_with(folder) == [PART]
    assert found_with(folder, "rules") == found_with(folder, "ruled", "rules") == ["jobs/include/more.lua", rules]
    write(folder, {ruled: INCLUDE, "ruled/include/more.lua": MORE})
    assert found_with(folder, "ruled", "rules") == [ruled]
    assert found_with(folder, "rules", "ruled") == ["ruled/include/more.lua", rules]
    assert found_with(folder) == [PART]
    assert compose(LuaFiles(folder), "main").text == compose(LuaFiles(write(tmp_path / "plain", {})), "main").text


def test_an_overlay_is_no_room_of_scripts(tmp_path: Path) -> None:
    """What lies there is not sent by its own name, nor included where the overlay is not asked for."""
    folder = write(tmp_path, {"rules/other.lua": "return 1\n", "rules/include/more.lua": MORE})
    with pytest.raises(ScriptError, match=r"no script is called 'other'; there are main$"):
        LuaFiles(folder).script("other")
    write(folder, {"jobs/main.lua": "--@ include: more\nreturn more()\n"})
    with pytest.raises(ScriptError, match="no include or transition is called 'more'"):
        compose(LuaFiles(folder), "main")
    assert compose(LuaFiles(folder, ["rules"]), "main").script.place == "jobs/main.lua"


def test_an_include_adds_the_arguments_that_it_takes(tmp_path: Path) -> None:
    """Behind those of the script, and only where it has none of that name, neither as an argument nor twice."""
    more = "--@ exports: more\n--@ args: b c\nlocal function more() return b .. c end\n"
    main = "--@ keys: key\n--@ args: a b\n--@ rest: d\n--@ include: part more\nreturn a, b, give(), more(), rest[at]\n"
    folder = write(tmp_path, {"jobs/include/more.lua": more, "jobs/main.lua": main})
    chunk = compose(LuaFiles(folder), "main")
    assert chunk.args == ("a", "b", "c")
    assert "local a, b, c = ARGV[1], ARGV[2], ARGV[3]\n" in chunk.text
    assert "local rest, at = ARGV, 4\n" in chunk.text


@pytest.mark.parametrize(
    "place", [place for place in PLACES if place.count("/") > 1 and place.partition("/")[0] in OVERLAYS]
)
def test_what_stands_in_for_a_file_exports_what_that_one_does(place: str) -> None:
    """So whoever includes the name finds all that it uses."""
    kind, name = place.split("/")[1:]
    others = [read(other) for other in PLACES if other != place and other.endswith(f"/{kind}/{name}")]
    assert set[str]().union(*(other.exports for other in others)) <= set(read(place).exports)


def test_what_the_loader_gives_is_needed_somewhere() -> None:
    """A table that no include needs is not written into any script."""
    assert TABLES.keys() <= {need for place in PLACES for need in read(place).header.get("needs", ())}
    assert "MOVES" not in load("withdraw").text

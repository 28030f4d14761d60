"""Reads a file of Lua and its header, and finds the files that it includes.

A header is made of comment lines, in a script that is sent `--@ keys:`, `--@ args:`, `--@ rest:`, `--@ flags:`, `--@
returns:` and `--@ words:` (see `lua_shape.py`), and `--@ asks: all` (see `lua_chunk.py`); in what it includes `--@
exports:` and `--@ needs:`, in both `--@ include:`. `--@ lazy` may stand anywhere in an include: see `lua_chunk.py`.
The files of an overlay stand in for others of the same name, in scripts that are composed with it; each
may have `--@ args:` of its own, which every script that includes it gets. A script in the folder of an overlay
stands in for the one of this name in a room, or is sent with that overlay alone.
What the table of outcomes (`model/outcome.py`) says stands once: `--@ include: <verbs>` means all their transitions,
in scripts of runs also those that only runs have,
`--@ verbs` is the line `local VERBS = { advance = advance, … }`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Final

from flows.model.outcome import RUN_VERBS, VERBS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.resources.abc import Traversable

#: The overlays: `rules` is for all scripts of a flow with a ruled queue, `ruled` goes before it for the turns of such a
#: queue; `shared` is for all scripts of a flow that shares a queue with others; `runs` is for all scripts of the flow
#: `run`.
RUNS: Final = "runs"
OVERLAYS: Final = (RUNS, "shared", "ruled", "rules")

_MARK = "--@ "
#: An include line that means the transitions of all outcomes, and the line in whose place their table stands.
_ALL_VERBS = "<verbs>"
_VERBS_LINE = "--@ verbs"
#: Functions below this line are made only when one of them is first called.
_LAZY = "--@ lazy"
#: A text or a comment, in which no name is meant, or a name that is neither `.field` nor `field =`.
_WORD = re.compile(r"'(?:\\.|[^'\\\n])*'|--.*|(?<![\w\])]\.)\b([A-Za-z_]\w*)\b(?! =(?!=))")
#: A statement at the left margin that defines names.
_LOCAL = re.compile(r"local (?:function (\w+)|([\w, ]+?)(?: =|$))")


class ScriptError(ValueError):
    """A file of Lua cannot be used: headers and texts, its own or those of its includes, do not fit together."""


@dataclass(frozen=True)
class LuaFile:
    """A file of Lua: its text, its header, and the names that it exports."""

    place: str
    """Its path below `store/lua`, as `jobs/include/keys.lua`."""
    text: str
    verbs: tuple[str, ...] = VERBS
    """Those of the outcomes that it may have to do with."""

    @cached_property
    def header(self) -> dict[str, list[str]]:
        """The words of each line of the header, by the name of the line; `--@ lazy` is no part of it."""
        header: dict[str, list[str]] = {}
        for line in self.lines:
            if line.startswith(_MARK) and line != _LAZY:
                name, _, words = line.removeprefix(_MARK).partition(":")
                for word in words.split():
                    header.setdefault(name, []).extend(self.verbs if word == _ALL_VERBS else [word])
        return header

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the text, with the table of outcomes in place of its line."""
        table = f"local VERBS = {{ {', '.join(f'{verb} = {verb}' for verb in self.verbs)} }}"
        return [table if line == _VERBS_LINE else line for line in self.text.removesuffix("\n").split("\n")]

    @cached_property
    def eager(self) -> int:
        """How many lines run with every call; the next line, if any, is `--@ lazy`."""
        return self.lines.index(_LAZY) if _LAZY in self.lines else len(self.lines)

    @property
    def lazy(self) -> bool:
        """Whether the file has functions that are made only when one of them is first called."""
        return self.eager < len(self.lines)

    @property
    def room(self) -> str:
        """The folder below `store/lua` in which the file lies."""
        return self.place.partition("/")[0]

    @property
    def exports(self) -> list[str]:
        """The names that files which include this one may use."""
        return self.header.get("exports", [])

    @cached_property
    def lazy_exports(self) -> list[str]:
        """The exports that stand below `--@ lazy`."""
        below = {name for line in self.lines[self.eager :] for name in _given_by(line)}
        return [name for name in self.exports if name in below]

    @cached_property
    def words(self) -> tuple[frozenset[str], frozenset[str]]:
        """All names that it has, above `--@ lazy` and below; that of a local counts too, which does no harm."""
        return _words(self.lines[: self.eager]), _words(self.lines[self.eager :])

    @cached_property
    def exported_lines(self) -> list[str]:
        """The lines as they stand in a script, without `local` where an export is defined.

        Raises:
            ScriptError: an export is not defined at the left margin, or in one statement with a name of the file's own.
        """
        exports, defined = set(self.exports), set[str]()
        lines: list[str] = []
        for number, line in enumerate(self.lines, 1):
            given = _given_by(line)
            exported = given & exports
            if exported and exported != given:
                raise ScriptError(
                    f"{self.place}:{number}: define {' '.join(sorted(exported))} by itself, to be exported"
                )
            if number > self.eager and exported and not line.startswith("local function "):
                raise ScriptError(f"{self.place}:{number}: only functions are exported from below {_LAZY!r}")
            defined |= exported
            lines.append(line.removeprefix("local ") if exported else line)
        if missing := [name for name in self.exports if name not in defined]:
            raise ScriptError(f"{self.place}: exports {' '.join(missing)}, and does not define it")
        return lines


def _given_by(line: str) -> set[str]:
    found = _LOCAL.match(line)
    if not found:
        return set()
    return {found[1]} if found[1] else {name.strip() for name in found[2].split(",")}


def _words(lines: Sequence[str]) -> frozenset[str]:
    return frozenset(_WORD.findall("\n".join(lines))) - {""}


#: A file, read for many scripts and looked through once.
_lua_file = cache(LuaFile)


def rooms(folder: Traversable) -> list[Traversable]:
    """Return the rooms, without the overlays: each has scripts, and files for them in `include` and `transition`."""
    found = (entry for entry in folder.iterdir() if entry.is_dir() and entry.name not in OVERLAYS)
    return sorted(found, key=lambda room: room.name)


def names(folder: Traversable, overlay: str = "") -> list[str]:
    """Return the names of all scripts that are sent: those of all rooms, or those in the folder of an overlay."""
    return sorted(
        entry.name.removesuffix(".lua")
        for room in ([folder.joinpath(overlay)] if overlay else rooms(folder))
        for entry in room.iterdir()
        if entry.name.endswith(".lua")
    )


def texts(folder: Traversable, overlays: Sequence[str] = ()) -> list[str]:
    """Return the texts of all files of Lua, sent or included, and of those of these overlays."""
    files = [
        entry
        for room in (*rooms(folder), *map(folder.joinpath, overlays))
        for place in (room, room.joinpath("include"), room.joinpath("transition"))
        if place.is_dir()
        for entry in place.iterdir()
    ]
    return [entry.read_text("utf-8") for entry in files if entry.name.endswith(".lua")]


def read_script(folder: Traversable, name: str, overlays: Sequence[str] = ()) -> LuaFile:
    """Return the script `name`: of the first overlay that has one, else of any room.

    Raises:
        ScriptError: no script has this name.
    """
    for room in (*map(folder.joinpath, overlays), *rooms(folder)):
        file = room.joinpath(f"{name}.lua")
        if file.is_file():
            return _lua_file(f"{room.name}/{name}.lua", file.read_text("utf-8"))
    raise ScriptError(f"no script is called {name!r}; there are {', '.join(names(folder))}")


def read_includes(folder: Traversable, script: LuaFile, overlays: Sequence[str] = ()) -> list[LuaFile]:
    """Return the files that a script includes, each once and after those that it includes itself.

    A file of the first overlay that has one of this name stands in for any other.

    Raises:
        ScriptError: no file has the name, or a file includes itself.
    """
    found: dict[str, LuaFile] = {}
    _add_includes(Includes(folder, overlays), [script], found)
    return list(found.values())


def _add_includes(includes: Includes, path: list[LuaFile], found: dict[str, LuaFile]) -> None:
    """Add the includes of the last file of `path`, in which each file includes the next."""
    for name in path[-1].header.get("include", ()):
        file = includes.find(path[-1], name)
        if file in path:
            raise ScriptError(f"{file.place} includes itself, by {' '.join(above.place for above in path)}")
        if file.place not in found:
            _add_includes(includes, [*path, file], found)
            found[file.place] = file


class Includes:
    """The files that scripts include, by their names: the folders are listed once, and each file is read once."""

    def __init__(self, folder: Traversable, overlays: Sequence[str] = ()) -> None:
        self._overlays = overlays
        self._rooms = [room.name for room in rooms(folder)]
        self._files = {
            (name, entry.name): f"{name}/{kind}/{entry.name}"
            for name in (*overlays, *self._rooms)
            for kind in ("transition", "include")
            if (place := folder.joinpath(name, kind)).is_dir()
            for entry in place.iterdir()
        }
        self._folder = folder
        self._verbs = RUN_VERBS if RUNS in overlays else VERBS
        self._read: dict[str, LuaFile] = {}

    def find(self, of: LuaFile, name: str) -> LuaFile:
        """Return the file that `of` means by a name: of an overlay, else of its own room, else of any.

        Raises:
            ScriptError: there is none.
        """
        for room in (*self._overlays, of.room, *self._rooms):
            if place := self._files.get((room, f"{name}.lua")):
                if place not in self._read:
                    self._read[place] = _lua_file(place, self._folder.joinpath(place).read_text("utf-8"), self._verbs)
                return self._read[place]
        raise ScriptError(f"{of.place}: no include or transition is called {name!r}")

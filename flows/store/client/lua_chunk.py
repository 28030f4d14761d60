"""Composes a script: one chunk of Lua of its file, what it includes, and the names that the loader gives.

Each include stands in `do … end`, and only what it exports is a local of the chunk. To make a function takes a script
longer than most commands, so what few calls need is made when it is needed: what stands below `--@ lazy` is the body of
a function, with all the includes that nothing else uses. A stub in place of each of its exports calls that function.

A script that stops half way leaves half written what it wrote, since nothing rolls back. So each chunk begins with a
question: may this account run every command that may come? Only hints are left out; they go by `pcall`, and do without.
`--@ asks:` names more of them: the first script at a connect asks for all that any script may send, and no worker
starts in vain.

Overlays (`lua_files.py`) change what is included; without one, no text has a trace of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flows.model.outcome import ENDING_VERBS
from flows.model.state import TRANSITIONS
from flows.store.client.lua_file import LuaFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from flows.store.client.lua_files import LuaFiles

#: What the loader gives to an include that needs it; texts, since a call makes tables anew and not texts.
TABLES: Final = {
    "MOVES": " ".join(f"{source}>{target}" for source in TRANSITIONS for target in sorted(TRANSITIONS[source])),
    "STATES": " ".join(TRANSITIONS),
    "ENDING_VERBS": " ".join(ENDING_VERBS),
}
#: The commands of hints: a script that may not send them does all else.
HINTS: Final = frozenset({"PUBLISH", "SPUBLISH", "PUBSUB", "INFO"})
#: Two keys that are never written, as the last ones of every script. A server that moves their slot has keys of it here
#: and keys of it there: a script whose declared keys are all here would take the others for missing. These are missing
#: wherever the script is sent, so it is refused as a whole until the slot has moved.
NEVER_KEYS: Final = ("never_a", "never_b")
#: A command that a script runs.
_COMMAND: Final = re.compile(r"redis\.p?call\('(\w+)'")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A composed script."""

    script: LuaFile
    text: str
    args: tuple[str, ...]
    """The names of its arguments: those of its header, then those that its includes add."""
    commands: tuple[str, ...]
    """The commands that it runs, as far as it comes."""
    places: tuple[str, ...]
    """Of each line, where it comes from, as `jobs/turn.lua:12`; empty for what the loader has added."""


def compose(files: LuaFiles, name: str) -> Chunk:
    """Compose the script `name` of these files.

    Raises:
        ScriptError: there is none, or an include of it is missing or does not define what it exports. Whether the names
            of its parts fit together is not looked at here, but by the tests.
    """
    script = files.script(name)
    parts = files.includes(script)
    keys, args = script.header.get("keys", []), _arguments(script, parts)
    flags = script.header.get("flags", ())
    writer = _Writer(parts, _placed(script, parts))
    writer.add(f"#!lua flags={','.join(flags)}" if flags else "#!lua")
    writer.add(*_bind("KEYS", keys), *_bind("ARGV", args))
    asked = len(writer.lines)
    if "rest" in script.header:
        writer.add(f"local rest, at = ARGV, {len(args) + 1}")
    needed = {need for part in parts for need in part.header.get("needs", ())}
    writer.add(*(f"local {table} = ' {text} '" for table, text in TABLES.items() if table in needed))
    # What a function takes from the chunk is looked for among all that others take; from a function around it, it is
    # copied. So all stands in one function, which has the arguments from the chunk, and what includes nothing itself:
    # that is what most functions take.
    writer.parts((), first=True)
    writer.add("local function main()")
    writer.parts((), first=False)
    writer.source(script, script.code)
    writer.add("end", "return main()")
    commands = sorted(set(_COMMAND.findall("\n".join(writer.lines))))
    writer.insert(asked, _question({*commands, *script.header.get("asks", ())} - HINTS))
    return Chunk(script, "\n".join(writer.lines), tuple(args), tuple(commands), tuple(writer.places))


def _arguments(script: LuaFile, parts: Sequence[LuaFile]) -> list[str]:
    """Return the arguments of a script, then those that its includes add and it does not have."""
    added = [name for part in parts for name in part.header.get("args", ())]
    return list(dict.fromkeys([*script.header.get("args", ()), *added]))


def _bind(table: str, names: Sequence[str]) -> list[str]:
    if not names:
        return []
    places = ", ".join(f"{table}[{number}]" for number in range(1, len(names) + 1))
    return [f"local {', '.join(names)} = {places}"]


def _question(commands: set[str]) -> list[str]:
    """Return the lines that refuse the script where the account may not run all of these commands on our keys.

    The server itself asks for the keys that are declared; the others begin as the three that DEL is asked for.
    """
    names = sorted({*commands, "DEL"}) if commands else []
    if not names:
        return []
    # DEL on three keys first, which says more than on one; then each other command.
    asked = " and ".join(f"may('{name}', key)" for name in names if name != "DEL") or "true"
    return [
        "do",
        "local may, key = redis.acl_check_cmd, ns .. 'job:'",
        f"local function all() return may('DEL', key, ns .. 'queue:', ns .. 'flows:') and {asked} end",
        "local known, allowed = pcall(all)",
        "if not (known and allowed) then",
        "local lacks = ''",
        f"for name in string.gmatch('{' '.join(names)}', '%u+') do",
        "local is_known, is_allowed = pcall(may, name, key)",
        "if not (is_known and is_allowed) then lacks = lacks .. ' ' .. name end",
        "end",
        "if lacks == '' then lacks = ' what writes to keys that begin with job:, queue: and flows:' end",
        "return redis.error_reply('NOPERM this account may not run' .. lacks)",
        "end",
        "end",
    ]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an include stands."""

    path: tuple[str, ...]
    """The lazy includes that it is made with."""
    given: frozenset[str]
    """Those of its exports that others use."""


def _placed(script: LuaFile, parts: Sequence[LuaFile]) -> dict[str, _Place]:
    """Return where each include stands: with the lazy ones that all who use it have in common.

    What nobody uses is left out, and what is lazy in an include if nobody uses that.
    """
    placed: dict[str, _Place] = {}
    pieces: list[tuple[tuple[str, ...], frozenset[str]]] = [((), script.words[0])]
    for part in reversed(parts):
        exports = frozenset(part.exports)
        above, below = part.words
        users = [(path, names & exports) for path, names in pieces if not names.isdisjoint(exports)]
        if not users:
            continue
        path = _common([path for path, _ in users])
        given = (above & frozenset(part.lazy_exports)).union(*(names for _, names in users))
        placed[part.place] = _Place(path, given)
        pieces.append((path, above))
        if not given.isdisjoint(part.lazy_exports):
            pieces.append(((*path, part.place), below))
    return placed


def _common(paths: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the longest path that all of these begin with."""
    common = paths[0] if paths else ()
    for path in paths:
        while path[: len(common)] != common:
            common = common[:-1]
    return common


class _Writer:
    """Collects the lines of a chunk, and where each comes from."""

    def __init__(self, parts: Sequence[LuaFile], placed: Mapping[str, _Place]) -> None:
        self.lines: list[str] = []
        self.places: list[str] = []
        self._parts = parts
        self._placed = placed

    def add(self, *lines: str) -> None:
        """Add lines of the loader's own."""
        self.lines += lines
        self.places += [""] * len(lines)

    def insert(self, at: int, lines: Sequence[str]) -> None:
        """Put lines of the loader's own before the line `at`."""
        self.lines[at:at] = lines
        self.places[at:at] = [""] * len(lines)

    def source(self, file: LuaFile, lines: Sequence[str], first: int = 0) -> None:
        """Add lines of a file; before them, it has as many as `first`."""
        self.lines += lines
        self.places += file.places[first : first + len(lines)]

    def parts(self, path: tuple[str, ...], *, first: bool | None = None) -> None:
        """Add the includes that are made with the last of a path of lazy ones: the `first` ones, or the others."""
        for part in self._parts:
            place = self._placed.get(part.place)
            if place and place.path == path and first in {None, _is_first(part)}:
                self._part(part, place)

    def _part(self, part: LuaFile, place: _Place) -> None:
        """Add an include, in a block of its own."""
        lazy = set(part.lazy_exports)
        lines = part.exported_lines
        own = [name for name in part.exports if name not in place.given]
        self.add(" ".join((*_local(name for name in part.exports if name in place.given), "do")))
        self.add(*_local(name for name in own if name not in lazy))
        self.source(part, lines[: part.eager])
        if not place.given.isdisjoint(lazy):
            make = f"make_{len(place.path)}"  # one that is made with another one has a name of its own
            self.add(f"local {make}", f"function {make}()", f"{make} = nil")
            self.add(*_local(name for name in own if name in lazy))
            self.parts((*place.path, part.place))
            self.source(part, lines[part.eager :], part.eager)
            self.add("end")
            for name in part.lazy_exports:
                if name in place.given:
                    self.add(f"function {name}(...) if {make} then {make}() end return {name}(...) end")
        self.add("end")


def _is_first(part: LuaFile) -> bool:
    """Whether an include stands before all that is made in one function: it includes nothing, and all of it is used."""
    return not part.lazy and "include" not in part.header


def _local(names: Iterable[str]) -> list[str]:
    text = ", ".join(names)
    return [f"local {text}"] if text else []

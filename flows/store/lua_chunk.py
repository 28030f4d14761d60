"""Composes a script: one chunk of Lua of its file, what it includes, and the names that the loader gives.

Each include stands in `do … end`, and only what it exports is a local of the chunk. What stands below `--@ lazy` is the
body of a function: whoever calls one of its exports first calls that function, which makes them all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flows.model.state import TRANSITIONS
from flows.store.lua_file import LuaFile, ScriptError, read_includes, read_script

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.resources.abc import Traversable

#: What the loader gives to an include that needs it; texts, since a call makes tables anew and not texts.
TABLES: Final = {
    "MOVES": " ".join(f"{source}>{target}" for source in TRANSITIONS for target in sorted(TRANSITIONS[source])),
    "STATES": " ".join(TRANSITIONS),
}
_WORD = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A composed script."""

    script: LuaFile
    text: str
    places: tuple[str, ...]
    """Of each line, where it comes from, as `jobs/turn.lua:12`; empty for what the loader has added."""


def compose(folder: Traversable, name: str) -> Chunk:
    """Compose the script `name`.

    Raises:
        ScriptError: there is none, or its parts do not fit.
    """
    script = read_script(folder, name)
    parts = read_includes(folder, script)
    keys, args = script.header.get("keys", []), script.header.get("args", [])
    flags = script.header.get("flags", ())
    _check(script, parts)
    writer = _Writer()
    writer.add(f"#!lua flags={','.join(flags)}" if flags else "#!lua")
    writer.add(*_bind("KEYS", keys), *_bind("ARGV", args))
    if "rest" in script.header:
        writer.add(f"local rest, at = ARGV, {len(args) + 1}")
    needed = {need for part in parts for need in part.header.get("needs", ())}
    writer.add(*(f"local {table} = ' {text} '" for table, text in TABLES.items() if table in needed))
    called = _words([*script.lines, *(line for part in parts for line in part.lines[: part.eager])])
    for number, part in enumerate(parts):
        writer.part(part, called, [other for other in parts[:number] if other.lazy])
    writer.source(script.place, script.lines)
    return Chunk(script, "\n".join(writer.lines), tuple(writer.places))


def _check(script: LuaFile, parts: Sequence[LuaFile]) -> None:
    """Check that each name comes from one place, and that what is needed is there.

    Raises:
        ScriptError: it is not so.
    """
    given: dict[str, str] = {}
    bound = [*script.header.get("keys", ()), *script.header.get("args", ())]
    bound += ["rest", "at"] if "rest" in script.header else []
    for place, exports in (
        (script.place, bound),
        ("the loader", TABLES),
        *((part.place, part.exports) for part in parts),
    ):
        for name in exports:
            if name in given:
                raise ScriptError(f"{script.place}: {name!r} comes from {given[name]} and from {place}")
            given[name] = place
    for part in parts:
        for need in part.header.get("needs", ()):
            if need not in bound and need not in TABLES:
                raise ScriptError(f"{script.place}: {part.place} needs {need!r}, which is no key or argument of it")


def _bind(table: str, names: Sequence[str]) -> list[str]:
    if not names:
        return []
    places = ", ".join(f"{table}[{number}]" for number in range(1, len(names) + 1))
    return [f"local {', '.join(names)} = {places}"]


def _words(lines: Sequence[str]) -> set[str]:
    """Return all names in some lines of Lua; a word of a text counts too, which does no harm."""
    return {word for line in lines if not line.lstrip().startswith("--") for word in _WORD.findall(line)}


class _Writer:
    """Collects the lines of a chunk, and where each comes from."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.places: list[str] = []

    def add(self, *lines: str) -> None:
        """Add lines of the loader's own."""
        self.lines += lines
        self.places += [""] * len(lines)

    def source(self, place: str, lines: Sequence[str]) -> None:
        """Add the lines of a file."""
        self.lines += lines
        self.places += [f"{place}:{number}" for number in range(1, len(lines) + 1)]

    def part(self, part: LuaFile, called: set[str], lazy: Sequence[LuaFile]) -> None:
        """Add an include; `called` are the names that are used by what is made for every call."""
        lines = part.exported_lines()
        if not part.lazy:
            self.add(f"local {', '.join(part.exports)} do" if part.exports else "do")
            self.source(part.place, lines)
            self.add("end")
            return
        make = _maker(part)
        used = _words(part.lines[part.eager :])
        first = [f"if {_maker(other)} then {_maker(other)}() end" for other in lazy if used & set(other.lazy_exports)]
        lines[part.eager] = " ".join([f"function {make}() {make} = nil", *first])
        self.add(f"local {', '.join([*part.exports, make])} do")
        self.source(part.place, lines)
        self.add("end")
        self.add(
            *(
                f"function {name}(...) if {make} then {make}() end return {name}(...) end"
                for name in part.lazy_exports
                if name in called
            )
        )
        self.add("end")


def _maker(part: LuaFile) -> str:
    return f"make_{part.place.rpartition('/')[2].removesuffix('.lua')}"

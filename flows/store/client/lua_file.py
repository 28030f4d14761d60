"""A file of Lua and its header, and the names that it gives and takes; `lua_files.py` finds the files.

A header is made of comment lines, in a script that is sent `--@ keys:`, `--@ args:`, `--@ rest:`, `--@ flags:`, `--@
returns:` and `--@ words:` (see `lua_shape.py`), and `--@ asks:` (see `lua_chunk.py`); in what it includes `--@
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
from functools import cached_property
from typing import TYPE_CHECKING, Final

from flows.model.outcome import VERBS

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The overlays: `rules` is for all scripts of a flow with a ruled queue, `ruled` goes before it for the turns of such a
#: queue; `shared` is for all scripts of a flow that shares a queue with others; `outbox` is for those of a flow that
#: leaves something behind of jobs that end; `runs` is for all scripts of the flow `run`.
RUNS: Final = "runs"
OVERLAYS: Final = (RUNS, "shared", "outbox", "ruled", "rules")

#: A line of the header; `--@ lazy` and `--@ verbs` are none.
_HEADER = re.compile(r"--@ (\w+):(.*)")
#: An include line that means the transitions of all outcomes, and the line in whose place their table stands.
_ALL_VERBS = "<verbs>"
_VERBS_LINE = "--@ verbs"
#: Functions below this line are made only when one of them is first called.
_LAZY = "--@ lazy"
#: A text, a comment or a `.field`, in which no name is meant, or a name that is no `field =`. Each begins with its own
#: characters and looks back only then, so that most places are passed over at once.
_WORD = re.compile(
    r"'(?:\\.|[^'\\\n])*'|--.*|\.(?<=[\w\])]\.)[A-Za-z_]\w*|([A-Za-z_](?<!\w\w)\w*)\b(?! =(?!=))", re.ASCII
)
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
        """The words of each line of the header, by the name of the line."""
        header: dict[str, list[str]] = {}
        for name, words in _HEADER.findall(self.text):
            for word in words.split():
                header.setdefault(name, []).extend(self.verbs if word == _ALL_VERBS else [word])
        return header

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the text, with the table of outcomes in place of its line."""
        lines = self.text.removesuffix("\n").split("\n")
        if _VERBS_LINE in lines:
            pairs = ", ".join(f"{verb} = {verb}" for verb in self.verbs)
            lines[lines.index(_VERBS_LINE)] = f"local VERBS = {{ {pairs} }}"
        return lines

    @cached_property
    def code(self) -> list[str]:
        """The lines with an empty one in place of each comment, since servers keep the text of a script."""
        return ["" if line.lstrip().startswith("--") else line for line in self.lines]

    @cached_property
    def places(self) -> list[str]:
        """Of each line, its file and number, as `jobs/turn.lua:12`."""
        return [f"{self.place}:{number}" for number in range(1, len(self.lines) + 1)]

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
        below = {name for line in self.code[self.eager :] for name in _given_by(line)}
        return [name for name in self.exports if name in below]

    @cached_property
    def words(self) -> tuple[frozenset[str], frozenset[str]]:
        """All names that it has, above `--@ lazy` and below; that of a local counts too, which does no harm."""
        return _words(self.code[: self.eager]), _words(self.code[self.eager :])

    @cached_property
    def exported_lines(self) -> list[str]:
        """The code as it stands in a script, without `local` where an export is defined.

        Raises:
            ScriptError: an export is not defined at the left margin, or in one statement with a name of the file's own.
        """
        exports, defined = set(self.exports), set[str]()
        lines: list[str] = []
        for number, line in enumerate(self.code, 1):
            if not line.startswith("local "):
                lines.append(line)
                continue
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

"""Loads scripts and makes the commands that run them.

Named keys and arguments are locals in a script, which never counts positions; what follows the named ones is in
`rest`, from the index `at`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final, TypeAlias

from flows.errors import StoreUnavailable
from flows.store.client.lua_chunk import NEVER_KEYS, compose
from flows.store.client.lua_file import RUNS
from flows.store.client.lua_files import LuaFiles
from flows.store.client.lua_shape import Shape, read_shape, read_words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.resources.abc import Traversable

#: What a command is made of.
Argument: TypeAlias = str | bytes | int | float
Command: TypeAlias = "tuple[Argument, ...]"

#: With what overlays any script may be sent.
_OVERLAYS: Final = tuple(
    (*first, *rules) for first in ((), ("shared",), ("outbox",), (RUNS,)) for rules in ((), ("rules",))
)
#: A statement that begins at the left margin: no comment, and no `end`.
_BEGINS = re.compile(r"(?!--|end\b)\w")
#: How servers name a line of a script in an error.
_LINE = re.compile(r"@?user_script:(\d+)")


@dataclass(frozen=True, slots=True)
class Script:
    """One script, ready to be sent."""

    name: str
    keys: tuple[str, ...]
    """Those of the header, then the two that are never written."""
    args: tuple[str, ...]
    text: str
    sha: str
    commands: tuple[str, ...]
    """The commands that it may run on the server."""
    places: tuple[str, ...]
    """For each line, the file and line that it comes from; empty where the loader has added it."""
    returns: Shape
    """The shape of its answer."""
    words: tuple[str, ...]
    """The words of its answer: those of its type in `answers.py`."""
    overlays: tuple[str, ...] = ()
    """With which it was composed."""

    def command(self, named: dict[str, Argument], rest: Sequence[Argument] = ()) -> Command:
        """Return the EVALSHA command; `named` has every key and argument of the header, and may have more.

        Raises:
            KeyError: a name of the header is missing.
        """
        keys = [named[name] for name in self.keys]
        args = [named[name] for name in self.args]
        return ("EVALSHA", self.sha, len(keys), *keys, *args, *rest)

    def in_full(self, command: Command) -> Command:
        """Return the same command as EVAL with the whole text, for a server that does not know the script."""
        return ("EVAL", self.text, *command[2:])

    def located(self, message: str) -> str:
        """Return a server's message with file and line in place of each line of the composed text."""

        def place(found: re.Match[str]) -> str:
            number = int(found[1])
            return (self.places[number - 1] if 0 < number <= len(self.places) else "") or f"{self.name}:{number}"

        return _LINE.sub(place, message)

    def marked(self) -> str:
        """Return the text with file and line behind each statement at the left margin."""
        lines = zip(self.text.split("\n"), self.places, strict=True)
        return "\n".join(f"{line}  -- {place}" if place and _BEGINS.match(line) else line for line, place in lines)


@cache
def load(name: str, *overlays: str) -> Script:
    """Return the script `name` (as in `lua/<room>/<name>.lua`).

    Args:
        name: The script's.
        overlays: In which folders an include is looked for before all others, in this order.

    Raises:
        ScriptError: there is no such script, or its parts do not fit together.
        StoreUnavailable: its files cannot be read just now, as where no descriptor is left.
    """
    try:
        chunk = compose(_files(*overlays), name)
    except OSError as error:
        raise StoreUnavailable(f"the script {name!r} of flows cannot be read: {error}") from error
    header, text = chunk.script.header, chunk.text
    keys = (*header.get("keys", ()), *NEVER_KEYS)
    sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    returns, words = read_shape(" ".join(header.get("returns", ()))), read_words(header.get("words", ()))
    return Script(name, keys, chunk.args, text, sha, chunk.commands, chunk.places, returns, words, overlays)


def names() -> list[str]:
    """Return the names of all scripts that are sent."""
    return LuaFiles(_folder()).names()


def compositions() -> list[tuple[str, ...]]:
    """Return each script as it may be sent: its name and overlays, and only once where an overlay changes nothing."""
    found = [(name, *overlays) for name in names() for overlays in _OVERLAYS]
    found += [(name, *overlays) for name in _files(RUNS).names(RUNS) for overlays in ((RUNS,), (RUNS, "rules"))]
    found = list(dict.fromkeys(found))
    ruled = [(*first, "ruled", "rules") for first in ((), ("shared",), ("outbox",), (RUNS,))]
    found += [("turn", *overlays) for overlays in ruled]
    first = {load(*one).sha: one for one in reversed(found)}
    return [one for one in found if first[load(*one).sha] == one]


def forget() -> None:
    """Forget all scripts and their files, as a process that has read none yet."""
    load.cache_clear()
    _files.cache_clear()


@cache
def _files(*overlays: str) -> LuaFiles:
    return LuaFiles(_folder(), overlays)


def _folder() -> Traversable:
    return resources.files("flows.store").joinpath("lua")

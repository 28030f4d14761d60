"""Loads the scripts: resolves their includes, binds named keys and arguments, writes the state table in.

A script's header is made of comment lines: `--@ keys:`, `--@ args:`, `--@ rest:`, `--@ flags:`, `--@ returns:`
and `--@ include:`. Names become locals, so no script counts positions; what follows the named arguments
is in `rest`, from the index `at`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, TypeAlias

from flows.model.state import TRANSITIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from importlib.resources.abc import Traversable

#: What a command is made of.
Argument: TypeAlias = str | bytes | int | float
Command: TypeAlias = "tuple[Argument, ...]"

_MARK = "--@ "


@dataclass(frozen=True, slots=True)
class Script:
    """One script, ready to be sent."""

    name: str
    keys: tuple[str, ...]
    args: tuple[str, ...]
    text: str
    sha: str

    def command(self, named: dict[str, Argument], rest: Sequence[Argument] = ()) -> Command:
        """Return the EVALSHA command; `named` has every key and argument of the header, and may have more.

        Raises:
            KeyError: a name of the header is missing.
        """
        keys = [named[name] for name in self.keys]
        args = [named[name] for name in self.args]
        return ("EVALSHA", self.sha, len(keys), *keys, *args, *rest)

    def in_full(self, command: Command) -> Command:
        """Return the same command with the whole text, for a server that does not know the script."""
        return ("EVAL", self.text, *command[2:])


@cache
def load(name: str) -> Script:
    """Return the script `name` (as in `lua/<room>/<name>.lua`)."""
    room = _room_of(name)
    source = room.joinpath(f"{name}.lua").read_text("utf-8")
    header = _header(source)
    keys, args = tuple(header.get("keys", ())), tuple(header.get("args", ()))
    flags = header.get("flags", ())
    lines = [f"#!lua flags={','.join(flags)}" if flags else "#!lua"]
    lines += _bind("KEYS", keys)
    lines += _bind("ARGV", args)
    lines += [f"local rest, at = ARGV, {len(args) + 1}", _edges()]
    lines += _included(room, header.get("include", ()), [])
    lines.append(source)
    text = "\n".join(lines)
    return Script(name, keys, args, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


def names() -> list[str]:
    """Return the names of all scripts that are sent."""
    return sorted(
        entry.name.removesuffix(".lua") for room in _rooms() for entry in room.iterdir() if entry.name.endswith(".lua")
    )


def _folder() -> Traversable:
    return resources.files("flows.store").joinpath("lua")


def _rooms() -> list[Traversable]:
    """Return the folders of Lua: what is sent lies in them, what it is made of in `include` and `transition` below."""
    return sorted((entry for entry in _folder().iterdir() if entry.is_dir()), key=lambda room: room.name)


def _room_of(name: str) -> Traversable:
    for room in _rooms():
        if room.joinpath(f"{name}.lua").is_file():
            return room
    msg = f"no script is called {name!r}"
    raise FileNotFoundError(msg)


def _header(source: str) -> dict[str, list[str]]:
    header: dict[str, list[str]] = {}
    for line in source.splitlines():
        if line.startswith(_MARK):
            name, _, words = line.removeprefix(_MARK).partition(":")
            header.setdefault(name, []).extend(words.split())
    return header


def _bind(table: str, names: Sequence[str]) -> list[str]:
    if not names:
        return []
    places = ", ".join(f"{table}[{number}]" for number in range(1, len(names) + 1))
    return [f"local {', '.join(names)} = {places}"]


def _edges() -> str:
    rows = (
        f"{source} = {{ {', '.join(f'{target} = true' for target in sorted(targets))} }}"
        for source, targets in TRANSITIONS.items()
    )
    return f"local EDGES = {{ {', '.join(rows)} }}"


def _included(room: Traversable, wanted: Iterable[str], seen: list[str]) -> list[str]:
    """Return the texts of what is included, each once and after what it includes itself."""
    texts: list[str] = []
    for name in wanted:
        if name in seen:
            continue
        seen.append(name)
        source = _part(room, name)
        texts += _included(room, _header(source).get("include", ()), seen)
        texts.append(source)
    return texts


def _part(own: Traversable, name: str) -> str:
    """Return the text of an include or a transition; the script's own room comes first."""
    for room in (own, *_rooms()):
        for place in ("include", "transition"):
            part = room.joinpath(place, f"{name}.lua")
            if part.is_file():
                return part.read_text("utf-8")
    msg = f"no include or transition is called {name!r}"
    raise FileNotFoundError(msg)

"""The files of Lua below a folder, as scripts with some overlays find them; each is listed and read once.

A start composes some ten scripts, which share most of their includes.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from flows.model.outcome import RUN_VERBS, VERBS
from flows.store.client.lua_file import OVERLAYS, RUNS, LuaFile, ScriptError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.resources.abc import Traversable

#: In a room, where scripts that are sent lie, and where what they include.
_SENT: Final = ""
_INCLUDED: Final = ("include", "transition")
#: A file, read for many scripts and looked through once.
_lua_file = cache(LuaFile)


class LuaFiles:
    """The files that scripts are composed of, as they are when they are first looked for.

    Args:
        folder: It has a folder for each room and each overlay.
        overlays: In whose folders a file is looked for before all rooms, in this order.
    """

    def __init__(self, folder: Traversable, overlays: Sequence[str] = ()) -> None:
        self._folder = folder
        self._overlays = tuple(overlays)
        entries = [entry.name for entry in folder.iterdir() if entry.is_dir()]
        self._rooms = tuple(sorted(name for name in entries if name not in OVERLAYS))
        self._verbs = RUN_VERBS if RUNS in overlays else VERBS
        #: The names of the files in each place of a room or overlay.
        self._listed = {
            (room, kind): {entry.name for entry in place.iterdir() if entry.name.endswith(".lua")}
            for room in (*self._overlays, *self._rooms)
            for kind in (_SENT, *_INCLUDED)
            if (place := folder.joinpath(room, kind) if kind else folder.joinpath(room)).is_dir()
        }
        self._texts: dict[str, str] = {}

    def names(self, overlay: str = "") -> list[str]:
        """Return the names of all scripts that are sent: those of all rooms, or those in the folder of an overlay."""
        rooms = [overlay] if overlay else self._rooms
        return sorted(name.removesuffix(".lua") for room in rooms for name in self._listed.get((room, _SENT), ()))

    def script(self, name: str) -> LuaFile:
        """Return the script `name`: of the first overlay that has one, else of any room.

        Raises:
            ScriptError: no script has this name.
        """
        for room in (*self._overlays, *self._rooms):
            if f"{name}.lua" in self._listed.get((room, _SENT), ()):
                place = f"{room}/{name}.lua"
                return _lua_file(place, self._text(place))
        raise ScriptError(f"no script is called {name!r}; there are {', '.join(self.names())}")

    def includes(self, script: LuaFile) -> list[LuaFile]:
        """Return the files that a script includes, each once and after those that it includes itself.

        A file of the first overlay that has one of this name stands in for any other.

        Raises:
            ScriptError: no file has the name, or a file includes itself.
        """
        found: dict[str, LuaFile] = {}
        self._add_includes([script], found)
        return list(found.values())

    def find(self, of: LuaFile, name: str) -> LuaFile:
        """Return the file that `of` means by a name: of an overlay, else of its own room, else of any.

        Raises:
            ScriptError: there is none.
        """
        for room in (*self._overlays, of.room, *self._rooms):
            for kind in _INCLUDED:
                if f"{name}.lua" in self._listed.get((room, kind), ()):
                    place = f"{room}/{kind}/{name}.lua"
                    return _lua_file(place, self._text(place), self._verbs)
        raise ScriptError(f"{of.place}: no include or transition is called {name!r}")

    def _add_includes(self, path: list[LuaFile], found: dict[str, LuaFile]) -> None:
        """Add the includes of the last file of `path`, in which each file includes the next."""
        for name in path[-1].header.get("include", ()):
            file = self.find(path[-1], name)
            if file.place in {above.place for above in path}:
                raise ScriptError(f"{file.place} includes itself, by {' '.join(above.place for above in path)}")
            if file.place not in found:
                self._add_includes([*path, file], found)
                found[file.place] = file

    def _text(self, place: str) -> str:
        text = self._texts.get(place)
        if text is None:
            text = self._texts[place] = self._folder.joinpath(place).read_text("utf-8")
        return text

"""Whether the parts of a script fit together: a start takes them as they are, since these checks have seen them."""

from __future__ import annotations

from flows.store.client.lua_chunk import TABLES, compose
from flows.store.client.lua_file import ScriptError
from flows.store.client.lua_files import LuaFiles


def check_fit(files: LuaFiles, name: str) -> None:
    """Check that each name of a script comes from one place, and that what is needed and exported is there.

    Raises:
        ScriptError: it is not so.
    """
    script = files.script(name)
    parts = files.includes(script)
    for part in parts:
        _ = part.exported_lines  # refused where an export is not defined
    bound = [*script.header.get("keys", ()), *compose(files, name).args]
    bound += ["rest", "at"] if "rest" in script.header else []
    given: dict[str, str] = {}
    for place, exports in (
        (script.place, bound),
        ("the loader", list(TABLES)),
        *((part.place, part.exports) for part in parts),
    ):
        for export in exports:
            if export in given:
                raise ScriptError(f"{script.place}: {export!r} comes from {given[export]} and from {place}")
            given[export] = place
    for part in parts:
        for need in part.header.get("needs", ()):
            if need not in bound and need not in TABLES:
                raise ScriptError(f"{script.place}: {part.place} needs {need!r}, which is no key or argument of it")

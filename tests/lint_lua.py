"""Lints the scripts as they are sent, and tells each finding by the file and line it comes from: `make check` runs it.

An include by itself leans on names that the loader binds; in a composed script luacheck sees them all.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from flows.store.client import scripts
from flows.store.client.lua_file import LuaFile
from flows.store.client.scripts import Script, compositions, load

MISSING: Final = (
    "luacheck is not installed, and the scripts are not linted without it: on Debian and Ubuntu "
    "`apt-get install lua-check`, on macOS `brew install luacheck`, else `luarocks install luacheck`.\n"
)
COMMAND: Final = (
    *("luacheck", "--no-config", "--no-color", "--codes", "--formatter", "plain", "--std", "lua51"),
    *("--read-globals", "redis", "cjson", "cmsgpack", "bit", "KEYS", "ARGV", "--no-max-line-length"),
)
#: A finding of luacheck: the script, the line, the code, and what it says.
FINDING: Final = re.compile(r".*?(\w+)\.lua:(\d+):\d+: \(([EW]\d+)\) (.*)")
#: A name that is not used: no fault of what exports it for other scripts (tests/store/client/test_lua_headers.py).
UNUSED: Final = re.compile(r"(?:unused (?:function|variable)|variable) '(\w+)'")
#: Another line of which a finding tells.
ON_LINE: Final = re.compile(r" on line (\d+)")


def main() -> int:
    """Lint all scripts, print what is found, and return the exit status."""
    if not shutil.which("luacheck"):
        sys.stderr.write(MISSING)
        return 2
    composed = [load(*one) for one in compositions()]
    found = findings(composed)
    sys.stdout.write("".join(f"{line}\n" for line in found))
    sys.stdout.write(f"luacheck: {len(composed)} scripts, {len(found)} findings\n")
    return int(bool(found))


def findings(composed: list[Script]) -> list[str]:
    """Return what luacheck finds in scripts, each place once."""
    by_name = {"_with_".join((script.name, *script.overlays)): script for script in composed}
    with tempfile.TemporaryDirectory() as folder:
        for name, script in by_name.items():
            # The first line names the engine and the flags, and is no Lua.
            (Path(folder) / f"{name}.lua").write_text(script.text.replace("#!", "--", 1))
        run = subprocess.run((*COMMAND, folder), capture_output=True, text=True, check=False)
    matches = [match for line in run.stdout.splitlines() if (match := FINDING.fullmatch(line))]
    if run.returncode and not matches:
        raise SystemExit(f"{run.stdout}{run.stderr}")
    exports = _all_exports()
    found: set[str] = set()
    for match in matches:
        unused = UNUSED.search(match[4]) if match[3] in {"W211", "W231"} else None
        script = by_name[match[1]]
        # What a script is given, an overlay need not use: it names other keys.
        given = (*script.keys, *script.args) if script.overlays else ()
        if not (unused and (unused[1] in exports or unused[1] in given)):
            found.add(_told(script, match))
    return sorted(found)


def _told(script: Script, finding: re.Match[str]) -> str:
    def place(number: str) -> str:
        return script.places[int(number) - 1] or f"line {number} of the composed {script.name}"

    says = ON_LINE.sub(lambda line: f" of {place(line[1])}", finding[4])
    return f"{place(finding[2])}: {says} ({finding[3]})"


def _all_exports() -> set[str]:
    files = Path(str(scripts._folder())).rglob("*.lua")
    return {name for file in files for name in LuaFile(file.name, file.read_text()).exports}


if __name__ == "__main__":
    sys.exit(main())

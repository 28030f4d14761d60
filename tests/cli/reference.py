"""Writes docs/cli.md from the commands that there are: `python -m tests.cli.reference`."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from cyclopts import App

from flows.__main__ import _app

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cli.md"
#: What stands before the commands is written by hand; this line ends it.
MARK = "<!-- Below: written by `python -m tests.cli.reference`. -->"
#: Told once, above.
_EVERYWHERE = {"--redis-url", "--namespace", "--json"}
_WIDTH = 120


def page(before: str) -> str:
    """Return the page: its first part as it is, and each command."""
    return before.partition(MARK)[0] + MARK + "\n\n" + "\n".join(_commands(_app(), ()))


def _commands(app: App, path: tuple[str, ...]) -> Iterator[str]:
    names: dict[int, list[str]] = {}
    found: dict[int, App] = {}
    for name in app:
        if not name.startswith("-"):
            one = app[name]
            names.setdefault(id(one), []).append(name)
            found[id(one)] = one
    for key, one in sorted(found.items(), key=lambda item: names[item[0]][0]):
        here = (*path, names[key][0])
        also = names[key][1:]
        inner = [name for name in one if not name.startswith("-")]
        if not path:
            yield f"## {here[0]}\n"
        if one.default_command is not None or not inner:
            yield from _command(one, here, also)
        if inner:
            yield from _commands(one, here)


def _command(app: App, path: tuple[str, ...], also: list[str]) -> Iterator[str]:
    others = f" (also `{'`, `'.join(also)}`)" if also else ""
    yield f"**`flows {' '.join(path)}`**{others}\n"
    function = app.default_command
    told = inspect.cleandoc((function and function.__doc__) or app.help or "")
    yield from _wrapped(re.split(r"\n\s*\n|\nArgs:|\nRaises:", told)[0])
    rows: list[str] = []
    for one in app.assemble_argument_collection():
        shown = [name for name in one.names if not name.startswith("--no-")]
        if not one.show or not shown or set(shown) & _EVERYWHERE:
            continue
        by_place = one.index is not None
        said = f"`{shown[0].lstrip('-').upper().replace('-', '_') if by_place else shown[0]}`"
        about = " ".join(str(one.parameter.help or "").split()).replace("|", "\\|")
        rows.append(f"| {said}{'' if one.required or not by_place else ' (optional)'} | {about} |")
    if rows:
        yield "| | |\n|---|---|"
        yield from rows
        yield ""


def _wrapped(text: str) -> Iterator[str]:
    line = ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > _WIDTH:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield line + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
    sys.stdout.write(f"{PAGE}\n")

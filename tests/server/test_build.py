"""The dashboard that is committed and shipped: built from these very sources, and as small as was promised."""

from __future__ import annotations

import gzip
import hashlib
import re
import zlib
from functools import cache
from pathlib import Path

from flows.server.page import _BASE

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "flows" / "server" / "static"

#: Bytes of script, packed, until the page shows something; of fonts; and of all of it in the wheel.
FIRST_SCRIPT = 130_000
FONTS = 100_000
WHEEL = 600_000

LATER = re.compile(r"""import\(\s*["'`]\./([^"'`]+\.js)["'`]""")

NAMESPACE = "http://www.w3.org/2000/svg"
#: What a chunk imports at once; what it imports later is `import(…)`.
IMPORTED = re.compile(r"""(?:from|import)\s*["'`]\./([^"'`]+)["'`]""")


def sources() -> list[Path]:
    """Return the files that the build is made from: web/finish.mjs reads the same list."""
    found: list[Path] = []
    for name in (ROOT / "web" / "built-from.txt").read_text("utf-8").split():
        path = ROOT / name
        found += [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file() and not _hidden(one)]
    return sorted(found, key=lambda path: path.relative_to(ROOT).as_posix())


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(ROOT).parts)


def _text(name: str) -> str:
    return (STATIC / "assets" / name).read_text("utf-8")


def _with_imports(*names: str) -> frozenset[str]:
    left, found = list(names), set[str]()
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += IMPORTED.findall(_text(name))
    return frozenset(found)


def _size(names: frozenset[str]) -> int:
    """Return how many bytes scripts are, packed as the server packs them."""
    return sum(len(gzip.compress((STATIC / "assets" / name).read_bytes())) for name in names)


@cache
def first_scripts() -> frozenset[str]:
    """Return the scripts that a browser loads before the frame shows something: those of index.html, and theirs."""
    index = (STATIC / "index.html").read_text("utf-8")
    names = re.findall(r"""(?:src|href)="\./assets/([^"]+\.js)\"""", index)
    assert names, "index.html names no script"
    return _with_imports(*names)


def later_scripts() -> dict[str, frozenset[str]]:
    """Return what is loaded when it is shown, as a page is, each with all that has been loaded by then."""
    names = {name for one in first_scripts() for name in LATER.findall(_text(one))}
    return {name: _with_imports(name) | first_scripts() for name in sorted(names)}


def test_the_build_is_that_of_the_sources() -> None:
    """What is served is what web/ and clients/react say: a change of them comes with a build."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(ROOT).as_posix()}\n" for path in sources()
    ]
    digest = hashlib.sha256("".join(lines).encode()).hexdigest()
    built = (STATIC / "BUILD").read_text("utf-8").strip()
    assert built == digest, (
        "flows/server/static is not built from these sources: run `make ui` and commit what it writes"
    )


def test_the_first_load_is_small() -> None:
    """Whichever page is the first: of the others nothing is loaded, not even their texts."""
    sizes = {name: _size(scripts) for name, scripts in later_scripts().items()}
    assert len(sizes) > 10, "pages are not loaded when they are shown"
    assert {name: size for name, size in sizes.items() if size > FIRST_SCRIPT} == {}


def test_fonts_are_small_and_their_licences_are_beside_them() -> None:
    """Of two families, the letters of English; each part of others that is in the files comes with its licence."""
    fonts = {path.name: path.stat().st_size for path in STATIC.rglob("*.woff2")}
    assert fonts
    assert sum(fonts.values()) <= FONTS, fonts
    licences = (STATIC / "LICENSES.txt").read_text("utf-8")
    assert licences.count("SIL OPEN FONT LICENSE Version 1.1") >= 2
    assert licences.count("Permission is hereby granted, free of charge") >= 4


def test_the_wheel_grows_by_little() -> None:
    """By all of it, packed as a wheel packs it."""
    sizes = {path.name: len(zlib.compress(path.read_bytes())) for path in STATIC.rglob("*") if path.is_file()}
    assert sum(sizes.values()) <= WHEEL, sizes


def test_the_page_has_a_base_to_be_set() -> None:
    """Before all that it loads, once, as `flows/server/page.py` looks for it: else it works at no prefix."""
    index = (STATIC / "index.html").read_text("utf-8")
    assert index.count(_BASE) == 1
    assert not re.search(r"(?:src|href)=", index.partition(_BASE)[0])


def test_no_file_names_another_host() -> None:
    """The page loads nothing from elsewhere: its policy forbids that, and many have no network."""
    files = [path for path in STATIC.rglob("*") if path.suffix in {".css", ".html"}]
    found = {
        f"{path.name}: {url}"
        for path in files
        for url in re.findall(r"""(?:https?:)?//[\w.-]+\.\w+[^\s"')]*""", path.read_text("utf-8"))
        if url != NAMESPACE
    }
    assert found == set()

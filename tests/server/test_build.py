"""The dashboard that is committed and shipped: built from these very sources, and as small as was promised."""

from __future__ import annotations

import gzip
import hashlib
import re
import zlib
from functools import cache
from pathlib import Path

import pytest

from flows.server.page import _BASE

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "flows" / "server" / "static"

#: Bytes of script, packed, until the page shows something; of fonts; and of all of it in the wheel.
FIRST_SCRIPT = 130_000
FONTS = 100_000
WHEEL = 600_000
pytestmark = pytest.mark.skipif(not (STATIC / "BUILD").exists(), reason="not built: make ui")

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


@cache
def first_scripts() -> frozenset[str]:
    """Return the scripts that a browser loads before the page shows something: those of index.html, and theirs."""
    index = (STATIC / "index.html").read_text("utf-8")
    left = re.findall(r"""(?:src|href)="\./assets/([^"]+\.js)\"""", index)
    assert left, "index.html names no script"
    found: set[str] = set()
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += IMPORTED.findall((STATIC / "assets" / name).read_text("utf-8"))
    return frozenset(found)


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
    """Packed as the server packs it, whatever pages there are: they are loaded when they are shown."""
    sizes = {name: len(gzip.compress((STATIC / "assets" / name).read_bytes())) for name in first_scripts()}
    assert sum(sizes.values()) <= FIRST_SCRIPT, sizes
    assert len(first_scripts()) < len(list((STATIC / "assets").glob("*.js"))), "no page is loaded lazily"


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

"""The rules of the house for the dashboard and the React client, as far as they can be read off their files."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = (ROOT / "web" / "src", ROOT / "clients" / "react" / "src")
SOURCES = {
    path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
    for folder in FOLDERS
    for path in sorted(folder.rglob("*"))
    if path.suffix in {".ts", ".tsx", ".css"}
}
GENERATED = {"clients/react/src/types.ts"}
MAX_LINES = 300
#: Attributes whose values are read or heard by people.
SPOKEN = r"title|label|alt|placeholder|aria-label|aria-description|aria-roledescription|says|head|sub"
COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}\b(?![\w-]*\s*\{)|\b(?:rgba?|hsla?|oklch|oklab)\(")


def of(*suffixes: str) -> dict[str, str]:
    """Return the files that end so, without their comments."""
    return {
        name: re.sub(r"/\*.*?\*/|(?<![:\"'`])//[^\n]*", "", source, flags=re.DOTALL)
        for name, source in SOURCES.items()
        if name.endswith(suffixes)
    }


def test_every_file_is_one_idea() -> None:
    """None has outgrown 300 lines, but what is generated."""
    lines = {name: source.count("\n") for name, source in SOURCES.items() if name not in GENERATED}
    assert {name: count for name, count in lines.items() if count > MAX_LINES} == {}


def test_no_text_of_a_job_becomes_markup() -> None:
    """React writes text nodes; nothing here goes around that, and nothing makes code of text."""
    forbidden = re.compile(
        r"dangerouslySetInnerHTML|\.(?:inner|outer)HTML\b|insertAdjacentHTML|document\.write|\beval\(|new Function\("
        r"|createContextualFragment|DOMParser|srcDoc"
    )
    assert {
        f"{name}: {found}" for name, source in of(".ts", ".tsx").items() for found in forbidden.findall(source)
    } == set()


def test_every_text_comes_from_the_table() -> None:
    """No component has a word of its own: `web/src/text` has them all, to be read over at once and translated."""
    between = r">\s*([^<>{}()=;]*[A-Za-z]{2}[^<>{}()=;]*?)\s*</"
    spoken = rf"""\b(?:{SPOKEN})=["']([^"']*[A-Za-z]{{2}}[^"']*)["']"""
    words = re.compile(f"{between}|{spoken}")
    found = {
        f"{name}: {text.strip()}"
        for name, source in of(".tsx").items()
        for pair in words.findall(source)
        for text in pair
        if text.strip()
    }
    assert found == set()


def test_one_file_has_the_colours() -> None:
    """What a component looks like it says by the names in tokens.css."""
    found = {
        f"{name}: {one.strip()}"
        for name, source in of(".css", ".ts", ".tsx").items()
        if name.startswith("web/") and not name.endswith("style/tokens.css")
        for one in source.splitlines()
        if COLOUR.search(one)
    }
    assert found == set()


def test_the_keys_are_those_of_the_documentation() -> None:
    """`docs/dashboard.md` lists what `web/src/keys/table.ts` binds, and nothing else."""
    bound = set(re.findall(r'keys: "([^"]+)"', SOURCES["web/src/keys/table.ts"])) - {"Mod+k", "?"}
    rows = (ROOT / "docs/dashboard.md").read_text("utf-8").partition("| keys | |")[2].partition("\n\n")[0]
    listed = set()
    for row in rows.splitlines()[2:]:
        keys = [key.removeprefix("⇧").upper() if "⇧" in key else key for key in re.findall("`([^`]+)`", row)]
        listed |= {f"g {key}" for key in keys[1:]} if keys[0] == "g" else set(keys)
    assert listed == bound

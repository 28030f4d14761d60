"""How the documents are set: their lines fit on a screen, and what they link to is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
#: As long as a line of code.
WIDTH = 120

each_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the number and the text of each line that is not code."""
    code = False
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        code ^= line.startswith("```")
        if not code and not line.startswith("    "):
            yield number, line


def anchors(path: Path) -> set[str]:
    """Return what a link can name in a document after the `#`, as GitHub makes it of headings."""
    headings = [line.lstrip("# ") for _number, line in prose(path) if line.startswith("#")]
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_document
def test_a_line_of_prose_is_not_too_long(path: Path) -> None:
    """Rows of tables are one line each, whatever stands in them."""
    assert [(number, line) for number, line in prose(path) if len(line) > WIDTH and not line.startswith("|")] == []


@each_document
def test_a_link_leads_somewhere(path: Path) -> None:
    """To a file of the repository, and to a heading of it where it names one."""
    text = re.sub(r"`[^`]*`", "", "\n".join(line for _number, line in prose(path)))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("http:", "https:", "mailto:")):
            continue
        name, _, anchor = target.partition("#")
        found = path.parent / name if name else path
        assert found.exists(), target
        assert not anchor or anchor in anchors(found), target

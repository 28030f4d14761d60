"""The colours of the dashboard: texts are read on their grounds, and states are told apart, by whoever sees how.

Computed from `web/src/style/tokens.css`, the one place with colours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest

TOKENS = Path(__file__).resolve().parents[2] / "web" / "src" / "style" / "tokens.css"
#: WCAG 2.2 AA for text of usual size.
CONTRAST = 4.5
#: In hundredths of OKLab's unit.
DISTANCE = 6.0
STATES = ("waiting", "delayed", "processing", "children", "done", "failed")

Vector = tuple[float, float, float]
Matrix = tuple[Vector, Vector, Vector]

#: What linear sRGB becomes in the eye of somebody without one kind of cone (Machado and others, 2009, severity 1).
SIGHTS: dict[str, Matrix] = {
    "all cones": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deutan": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritan": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
_TO_CONES: Matrix = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
_TO_OKLAB: Matrix = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)


def colours(theme: str) -> dict[str, Vector]:
    """Return the colours of a theme, linear, by their names; the dark one says what is other than in the light one."""
    css = re.sub(r"/\*.*?\*/", "", TOKENS.read_text("utf-8"), flags=re.DOTALL)
    found: dict[str, Vector] = {}
    for selector in (":root", *((':root[data-theme="dark"]',) if theme == "dark" else ())):
        block = re.search(rf"^{re.escape(selector)} \{{(.*?)^\}}", css, re.DOTALL | re.MULTILINE)
        assert block, f"{selector} is not in {TOKENS.name}"
        for name, text in re.findall(r"--([\w-]+):\s*#([0-9a-f]{6});", block[1]):
            found[name] = _linear(text)
    return found


def _linear(text: str) -> Vector:
    parts = [int(text[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return red, green, blue


def _times(matrix: Matrix, vector: Vector) -> Vector:
    first, second, third = (sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)
    return first, second, third


def contrast(one: Vector, other: Vector) -> float:
    """Return the ratio of two luminances, as WCAG defines both."""
    low, high = sorted(0.2126 * red + 0.7152 * green + 0.0722 * blue for red, green, blue in (one, other))
    return (high + 0.05) / (low + 0.05)


def seen(colour: Vector, sight: Matrix) -> Vector:
    """Return where a colour stands in OKLab, as somebody sees it."""
    red, green, blue = (min(1.0, max(0.0, part)) for part in _times(sight, colour))
    long, middle, short = (part ** (1 / 3) for part in _times(_TO_CONES, (red, green, blue)))
    return _times(_TO_OKLAB, (long, middle, short))


def distance(one: Vector, other: Vector) -> float:
    """Return how far two places in OKLab are apart, in hundredths."""
    return 100 * sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5


def texts_and_grounds() -> Iterator[tuple[str, str]]:
    """Yield which text stands on which ground."""
    for text in ("ink", "ink-2", "ink-3", "accent"):
        for ground in ("surface", "bg", "sunken", "raised"):
            yield text, ground
    yield "on-accent", "accent"
    yield "accent", "accent-soft"
    for state in (*STATES, "cancelled", "warn"):
        yield state, "surface"
        yield state, f"{state}-soft"
        yield "ink", f"{state}-soft"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_each_text_is_read_on_its_ground(theme: str) -> None:
    """At 4.5 to 1 or more."""
    found = colours(theme)
    ratios = {
        f"{text} on {ground}": round(contrast(found[text], found[ground]), 2) for text, ground in texts_and_grounds()
    }
    assert {pair: ratio for pair, ratio in ratios.items() if ratio < CONTRAST} == {}


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_states_are_told_apart(theme: str, sight: str) -> None:
    """Any two of them, though each has a shape and a word as well."""
    found = colours(theme)
    places = {state: seen(found[state], SIGHTS[sight]) for state in STATES}
    distances = {pair: round(distance(places[pair[0]], places[pair[1]]), 1) for pair in combinations(STATES, 2)}
    assert {pair: far for pair, far in distances.items() if far < DISTANCE} == {}

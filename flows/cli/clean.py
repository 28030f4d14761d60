"""Makes any text safe to show in a terminal: no control characters, and none that turn the direction of writing."""

from __future__ import annotations

import re
from typing import Final

_UNSAFE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """Return a text in which what a terminal would obey is shown as its code, such as that of the escape character."""
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def one_line(text: str, most: int = 200) -> str:
    """Return a text on one line, and no more of it than `most` characters."""
    flat = clean(" ".join(text.split()))
    return flat if len(flat) <= most else f"{flat[: most - 1]}…"

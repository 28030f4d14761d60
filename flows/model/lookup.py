"""Lookup values: which texts a value of an attribute is found by."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Texts over this many bytes stand as their digest.
MAX_TEXT_BYTES: Final = 200

#: What may not stand in a key as it is: control characters, and lone surrogates, which UTF-8 cannot hold.
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def lookup_texts(value: object) -> list[str]:
    """Return the distinct texts under which a job with this value is listed, in order.

    A `str`, `int` or `float` gives one; a list, tuple or set gives one for each distinct element of those
    types; everything else (`bool`, `None`, a dict, a model) gives none.
    """
    if isinstance(value, (list, tuple, set, frozenset)):
        elements = cast("Iterable[object]", value)
        return list(dict.fromkeys(text for text in map(lookup_text, elements) if text is not None))
    text = lookup_text(value)
    return [] if text is None else [text]


def lookup_text(value: object) -> str | None:
    """Return the one text of a scalar (62, 62.0 and "62" have the same), or None for another type."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return _as_key_part(str.__str__(value))
    if isinstance(value, int):
        return _as_key_part(int.__repr__(value))
    if isinstance(value, float):
        text = int.__repr__(int(value)) if value.is_integer() else float.__repr__(value)
        return _as_key_part(text)
    return None


def _as_key_part(text: str) -> str:
    """Return a plain text as it is, and any other as `#sha256:<hex>`."""
    data = text.encode("utf-8", "surrogatepass")
    if text and len(data) <= MAX_TEXT_BYTES and text[0] != "#" and not _UNFIT.search(text):
        return text
    return f"#sha256:{hashlib.sha256(data).hexdigest()}"

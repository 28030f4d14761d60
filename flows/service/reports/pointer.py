"""JSON pointers (RFC 6901): where a value stands within another."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, cast

from flows.errors import DeclarationError

if TYPE_CHECKING:
    from pydantic import JsonValue

_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,15}")
_BAD_ESCAPE: Final = re.compile(r"~(?![01])")


class Pointer:
    """A pointer, read once: `Pointer("/payload/orders/0/id")`; "" points to the whole.

    Raises DeclarationError where the text is none.
    """

    __slots__ = ("_parts", "text")

    def __init__(self, text: str) -> None:
        if not isinstance(text, str) or (text and not text.startswith("/")) or _BAD_ESCAPE.search(text):  # pyright: ignore[reportUnnecessaryIsInstance] - users' values
            raise DeclarationError(
                f"{text!r} is no JSON pointer: write '/payload/order', with ~1 for a slash in a name and ~0 for a tilde"
            )
        self.text = text
        self._parts = [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]

    def find(self, document: JsonValue) -> JsonValue:
        """Return the value that stands there; None where there is none."""
        found: object = document
        for part in self._parts:
            if isinstance(found, Mapping):
                found = cast("Mapping[str, object]", found).get(part)
            elif isinstance(found, Sequence) and not isinstance(found, str):
                several = cast("Sequence[object]", found)
                index = int(part) if _INDEX.fullmatch(part) else len(several)
                found = several[index] if index < len(several) else None
            else:
                return None
        return cast("JsonValue", found)

    def __repr__(self) -> str:
        return f"Pointer({self.text!r})"

"""Reads the shape of a script's answer from its header: `--@ returns: words:list<word> left:int`.

A shape is one or more fields, `<name>:<type>`; more than one are an array. A type is

- `int`, `text` (also nil, where there is none) or `any`;
- `word`, one of those in the header's line `--@ words: ok | too late`; after a `word+` and a space text may follow;
- `list<type>`;
- `[field field …]`, an array of just these. Fields whose names end in `?` may be missing at the end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flows.store.client.lua_file import ScriptError

if TYPE_CHECKING:
    from collections.abc import Sequence

_TOKEN = re.compile(r"(\w+\??):|(int|text|any|word\+|word)(?!\w)|(list<|>|\[|\])|(\S)")


@dataclass(frozen=True, slots=True)
class Shape:
    """The shape of an answer, or of a part of one."""

    kind: str
    """`int`, `text`, `any`, `word`, `word+`, `list` or `array`."""
    parts: tuple[Shape, ...] = ()
    """Of a list, the shape of each element; of an array, the shapes of all its elements."""
    name: str = ""
    optional: bool = False


def read_shape(text: str) -> Shape:
    """Return the shape that a header's line describes.

    Raises:
        ScriptError: the text is no shape.
    """
    reader = _Reader(text)
    fields = reader.fields("")
    if len(fields) == 1:
        return fields[0]
    return Shape("array", tuple(fields))


def read_words(words: Sequence[str]) -> tuple[str, ...]:
    """Return the words of a header's line, which are separated by bars."""
    return tuple(word.strip() for word in " ".join(words).split("|")) if words else ()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [match.groups() for match in _TOKEN.finditer(text)]
        self._at = 0

    def _take(self, group: int) -> str:
        """Return the next token if it belongs to this group, and go on; else return an empty text."""
        found = self._tokens[self._at][group] if self._at < len(self._tokens) else None
        self._at += bool(found)
        return found or ""

    def _expect(self, text: str) -> None:
        if self._take(2) != text:
            raise ScriptError(f"no shape of an answer: {self._text!r} lacks {text!r}")

    def fields(self, end: str) -> list[Shape]:
        """Read fields up to the token `end`."""
        found: list[Shape] = []
        while self._at < len(self._tokens) and self._tokens[self._at][2] != end:
            name = self._take(0)
            found.append(self._type(name.rstrip("?"), optional=name.endswith("?")))
        if not found:
            raise ScriptError(f"no shape of an answer: {self._text!r} has an array of nothing")
        return found

    def _type(self, name: str, *, optional: bool) -> Shape:
        if plain := self._take(1):
            return Shape(plain, (), name, optional)
        opened = self._take(2)
        if opened == "list<":
            inside = self._type("", optional=False)
            self._expect(">")
            return Shape("list", (inside,), name, optional)
        if opened == "[":
            fields = self.fields("]")
            self._expect("]")
            return Shape("array", tuple(fields), name, optional)
        raise ScriptError(f"no shape of an answer: {self._text!r} has no type where one is expected")
